# shellcheck shell=bash disable=SC2034,SC2154 # between lib.sh and qemu.sh
# Sourced by vm/qemu.sh: the machine of ARCH=x86_64.
qemu=(qemu-system-x86_64 -M q35 -cpu max)
image=$out/arch/x86/boot/bzImage
console=ttyS0
serial=virtio-serial-pci
# Under this one's KVM guests may hang, under TCG they never do: only on request.
[ "${KVM:-}" != 1 ] || qemu+=(-accel kvm)
