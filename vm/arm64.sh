# shellcheck shell=bash disable=SC2034,SC2154 # between lib.sh and qemu.sh
# Sourced by vm/qemu.sh: the machine of ARCH=arm64.
qemu=(qemu-system-aarch64 -M virt -cpu max)
image=$out/arch/arm64/boot/Image
console=ttyAMA0
serial=virtio-serial-device
[ "${KVM:-}" != 1 ] || qemu+=(-accel kvm)
