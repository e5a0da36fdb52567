#!/bin/bash
# Boot a guest, run a shell command in a copy of FOLDER there, and end as the
# command does: vm/guest.sh NAME FOLDER COMMAND
# Its output comes out here, stdout as stdout and stderr as stderr. The kernel's
# console goes to build/log/NAME.log, which is scanned for what a kernel must
# not say. A guest that hangs (GUEST_TIMEOUT seconds), dies, or has something
# like that in its log is an error of its own, with exit status 125.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/../base/lib.sh"
# shellcheck source=vm/qemu.sh
. "$top/vm/qemu.sh"

name=$1 folder=$2 command=$3
limit=${GUEST_TIMEOUT:-120}
[[ $limit =~ ^[1-9][0-9]*$ ]] || die "GUEST_TIMEOUT=$limit: give a number of seconds"
log=$logs/$name.log
fail() {
	say "error: $*; the guest's log is $log"
	exit 125
}

base=$("$top/vm/initramfs.sh")
tmp=$(mktemp -d "$build/guest.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

# The kernel unpacks archives one after the other: the guest's own, then this.
mkdir "$tmp/tree"
cp -a "$folder" "$tmp/tree/payload"
printf '%s\n' "$command" >"$tmp/tree/command"
{
	cat "$base"
	(cd "$tmp/tree" && find . | cpio -o -H newc -R 0:0 --quiet)
} >"$tmp/initramfs"
rm -rf "$tmp/tree"

# QEMU gets our stdout and stderr as descriptors: it must not open, and so
# truncate, the files that they may be.
set +e
timeout --foreground -k 5 "$limit" "${qemu[@]}" \
	-initrd "$tmp/initramfs" \
	-append "console=$console panic=-1 loglevel=7 ${KERNEL_ARGS:-}" \
	-chardev file,id=console,path="$tmp/console" -serial chardev:console \
	-device "$serial" \
	-add-fd fd=3,set=3 -chardev file,id=out,path=/dev/fdset/3,append=on -device virtserialport,chardev=out,name=out \
	-add-fd fd=4,set=4 -chardev file,id=err,path=/dev/fdset/4,append=on -device virtserialport,chardev=err,name=err \
	-chardev file,id=status,path="$tmp/status" -device virtserialport,chardev=status,name=status \
	3>&1 4>&2 >"$tmp/qemu" 2>&1 </dev/null
ended=$?
set -e
tr -d '\r' <"$tmp/console" >"$log" 2>/dev/null || cp "$tmp/qemu" "$log"

# The kernel's word first: it may be why the rest went wrong.
scan=0
"$top/vm/scan.sh" "$log" || scan=1
[ "$ended" != 124 ] && [ "$ended" != 137 ] || fail "the guest was still running after $limit s (GUEST_TIMEOUT) and has been stopped"
[ "$ended" = 0 ] || fail "QEMU ended with status $ended: $(head -n 3 "$tmp/qemu")"
[ -s "$tmp/status" ] || fail "the guest died before its command had ended; its last words:
$(tail -n 5 "$log")
"
[ $scan = 0 ] || fail "the command ended with status $(cat "$tmp/status"), but the kernel has complained"
exit "$(cat "$tmp/status")"
