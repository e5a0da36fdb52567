# shellcheck shell=bash disable=SC2154 # lib.sh and the machine set them
# Sourced after lib.sh: the QEMU command line as far as all guests share it.
# shellcheck source=vm/x86_64.sh
. "$top/vm/$ARCH.sh"
CPUS=${CPUS:-4}
[[ $CPUS =~ ^[1-8]$ ]] || die "CPUS=$CPUS: give a number from 1 to 8"
[ "${KVM:-}" = 1 ] || qemu+=(-accel tcg)
command -v "${qemu[0]}" >/dev/null || die "${qemu[0]} is missing: run base/deps.sh"
qemu+=(-smp "$CPUS" -m 1G -nodefaults -no-user-config -display none -no-reboot -kernel "$image")
[ -f "$image" ] || die "there is no kernel at $image: run base/build.sh"
