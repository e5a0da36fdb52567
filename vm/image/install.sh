#!/bin/sh
# Within the image's root (vm/image.sh): install the kernel packages, build what
# is to show that they are whole, and leave what boots it.
set -eu
cd /stage
release=$1 uuid=$2

printf 'UUID=%s / ext4 defaults 0 1\n' "$uuid" >/etc/fstab
# Their scripts run: they have initramfs-tools make the initrd.
dpkg -i packages/*.deb
[ -s "/boot/initrd.img-$release" ]

mkdir -p /usr/local/src
cp -r hello /usr/local/src/hello
make -C "/lib/modules/$release/build" M=/usr/local/src/hello modules
gcc -std=gnu11 -O2 -Wall -Wextra -Werror -o /usr/local/bin/uapi uapi.c uapi-siginfo.c

install -m 755 init /sbin/guest-init
mkdir -p /boot/grub
cat >/boot/grub/grub.cfg <<CFG
serial --unit=0 --speed=115200
terminal_output serial
linux /boot/vmlinuz-$release root=UUID=$uuid rw console=ttyS0 panic=-1 loglevel=7 init=/sbin/guest-init
initrd /boot/initrd.img-$release
boot
CFG
grub-mkimage -O i386-pc -p '(hd0,msdos1)/boot/grub' -o /boot/grub/core.img \
	biosdisk part_msdos ext2 normal linux serial terminal boot
cp /usr/lib/grub/i386-pc/boot.img /boot/grub/
rm -rf /stage
