#!/bin/bash
# The guest's initramfs without a payload: busybox and vm/init. Prints its path.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/../base/lib.sh"

cpio=$out/initramfs.cpio
busybox=$(command -v busybox) || die "busybox is missing: base/deps.sh installs it (Debian package busybox-static)"
if [ "$cpio" -nt "$top/vm/init" ] && [ "$cpio" -nt "$busybox" ]; then
	echo "$cpio"
	exit
fi
new=$(mktemp -d "$out/initramfs.XXXXXX")
trap 'rm -rf "$new"' EXIT
mkdir -p "$new"/tree/{bin,dev,etc,root}
cp -L "$busybox" "$new/tree/bin/busybox"
install -m 755 "$top/vm/init" "$new/tree/init"
printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'nobody:x:65534:65534:nobody:/:/bin/sh' >"$new/tree/etc/passwd"
(cd "$new/tree" && find . | cpio -o -H newc -R 0:0 --quiet) >"$new/cpio"
mv "$new/cpio" "$cpio"
echo "$cpio"
