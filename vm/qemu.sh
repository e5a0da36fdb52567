# shellcheck shell=bash disable=SC2154 # lib.sh and the machine set them
# Sourced after lib.sh: the QEMU command line as far as all guests share it.
# shellcheck source=vm/x86_64.sh
. "$top/vm/$ARCH.sh"
if [ "${ICOUNT:-}" = 1 ]; then
	# A clock that counts instructions and stands still for nothing else, and no
	# random number or date from outside: the same on every run. One processor,
	# as others would only take turns; but eight that are possible, so that the
	# kernel does not take itself for one that needs no locks.
	[ "${KVM:-}" != 1 ] || die "ICOUNT=1 counts what QEMU executes itself: it excludes KVM=1"
	CPUS=1
	qemu+=(-icount "shift=0,sleep=off" -rtc "base=2020-12-13T22:41:30,clock=vm" -seed 1)
	maxcpus=,maxcpus=8
fi
CPUS=${CPUS:-4}
[[ $CPUS =~ ^[1-8]$ ]] || die "CPUS=$CPUS: give a number from 1 to 8"
[ "${KVM:-}" = 1 ] || qemu+=(-accel tcg)
command -v "${qemu[0]}" >/dev/null || die "${qemu[0]} is missing: run base/deps.sh"
qemu+=(-smp "$CPUS${maxcpus:-}" -m 1G -nodefaults -no-user-config -display none -no-reboot)
# A disk that boots by itself (vm/image.sh makes one); what a guest writes to it
# is forgotten.
if [ -n "${GUEST_DISK:-}" ]; then
	[ -f "$GUEST_DISK" ] || die "GUEST_DISK=$GUEST_DISK does not exist: make image makes one"
	qemu+=(-drive "file=${GUEST_DISK//,/,,},format=raw,if=virtio,snapshot=on")
else
	[ -f "$image" ] || die "there is no kernel at $image: run base/build.sh"
	qemu+=(-kernel "$image")
fi
