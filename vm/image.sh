#!/bin/bash
# make image: kernel packages of a small configuration (or of CONFIG, whose kernel
# must know virtio), installed by dpkg in a Debian system from the machine's own
# mirror; that on a disk which boots by itself, and tests/image with it.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/../base/lib.sh"

[ "$ARCH" = x86_64 ] || die "ARCH=$ARCH: the image is x86_64's"
: "${CONFIG:=}" "${OUT:=}"
[ -z "$OUT" ] || die "OUT=$OUT: make image keeps what it makes in build/image; make deb has OUT"
export -n CONFIG OUT
side=$build/image
mkdir -p "$side"
log=$logs/image-install.log
start=$SECONDS
if [ -z "$CONFIG" ]; then
	"$top/base/config.sh" "$side/config" "$top/base/base.config" "$top/base/x86_64.config" "$top/base/image.config"
	CONFIG=$side/config/.config
fi
export KOUT=$side/x86_64/obj
rm -f "$side/disk.img"
CONFIG=$CONFIG OUT=$side/packages "$top/base/deb.sh" >"$side/packages.list"
mapfile -t packages < <(grep -v -e '-dbg_' "$side/packages.list")
release=$(cat "$KOUT/include/config/kernel.release")

tmp=$(mktemp -d "$side/tmp.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
# Who makes it may be another user than who reads it: mmdebstrap without root.
chmod 755 "$tmp"
mkdir -p "$tmp/stage/packages"
cp "${packages[@]}" "$tmp/stage/packages/"
cp -r "$top/vm/image/." "$top/tests/image/hello" "$top"/tests/image/*.c "$tmp/stage/"
chmod -R a+rX "$tmp/stage"

# The machine's own release, from the machine's own mirror.
suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
export SUITE=$suite
sources=$("$top/base/apt.sh" cat "$cache/apt-$suite/sources.list" | grep '^deb ')
uuid=$(cat /proc/sys/kernel/random/uuid)
begin=$SECONDS
say "installing the packages in a Debian $suite; the log is $log"
set +e
mmdebstrap --variant=minbase --verbose \
	--include=initramfs-tools,udev,kmod,busybox-static,grub-pc-bin,grub-common,gcc,libc6-dev,libelf1,make \
	--customize-hook="copy-in '$tmp/stage' /" \
	--customize-hook="chroot \"\$1\" /stage/install.sh '$release' '$uuid'" \
	"$suite" "$tmp/system.tar" - <<<"$sources" 2>&1 | tee "$log" |
	grep --line-buffered -E '^(Get:|Unpacking |Setting up )' | progress "installing, steps"
status=("${PIPESTATUS[@]}")
set -e
[ "${status[0]}" = 0 ] || {
	tail -n 8 "$log" >&2
	die "the image's system could not be made: see $log"
}

# Owners and devices are fakeroot's to remember, so that root need not do it. The
# disk: GRUB's first sector, its core in the gap behind, one partition.
mkdir "$tmp/system"
mb=$(($(stat -c %s "$tmp/system.tar") * 3 / 2 / 1048576 + 256))
truncate -s "$((mb + 1))M" "$tmp/disk.img"
# shellcheck disable=SC2016 # the inner shell's arguments
{
	echo 'start=2048, type=83, bootable' | /sbin/sfdisk --label dos "$tmp/disk.img" &&
		fakeroot -- sh -c 'tar -xp --numeric-owner -C "$1/system" -f "$1/system.tar" &&
			exec /sbin/mke2fs -q -t ext4 -O ^metadata_csum_seed,^orphan_file -U "$2" \
				-E offset=1048576 -d "$1/system" "$1/disk.img" "$3M"' sh "$tmp" "$uuid" "$mb" &&
		dd if="$tmp/system/boot/grub/boot.img" of="$tmp/disk.img" bs=440 count=1 conv=notrunc &&
		dd if="$tmp/system/boot/grub/core.img" of="$tmp/disk.img" bs=512 seek=1 conv=notrunc
} >>"$log" 2>&1 </dev/null || {
	tail -n 8 "$log" >&2
	die "the disk could not be made: see $log"
}
[ "$(stat -c %s "$tmp/system/boot/grub/core.img")" -le $((2047 * 512)) ] || die "GRUB's core does not fit before the first partition"
mv "$tmp/disk.img" "$side/disk.img"
rm -rf "$tmp"
say "installed in $((SECONDS - begin)) s: $side/disk.img, in all $((SECONDS - start)) s"
GUEST_DISK=$side/disk.img "$top/tests/run.sh" tests/image
