#!/bin/bash
# Boot a guest, run a shell command in a copy of FOLDER there, and end as the
# command does: vm/guest.sh NAME FOLDER COMMAND
# Its output comes out here, stdout as stdout and stderr as stderr. The kernel's
# console goes to build/log/NAME.log, which is scanned for what a kernel must
# not say. A guest that hangs (GUEST_TIMEOUT seconds), dies, or has something
# like that in its log is an error of its own, with exit status 125.
# With GUEST_DISK, a disk that boots by itself, its kernel and system are taken.
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

tmp=$(mktemp -d "$build/guest.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/tree"
cp -a "$folder" "$tmp/tree/payload"
printf '%s\n' "$command" >"$tmp/tree/command"
if [ -n "${GUEST_DISK:-}" ]; then
	# What the image's init unpacks over its root, and goes on with.
	install -m 755 "$top/vm/init" "$tmp/tree/init"
	tar -cf "$tmp/payload" --owner=0 --group=0 -C "$tmp/tree" payload command init
	boot=(-drive "file=$tmp/payload,format=raw,if=virtio,readonly=on")
else
	# The kernel unpacks archives one after the other: the guest's own, then this.
	base=$("$top/vm/initramfs.sh")
	{
		cat "$base"
		(cd "$tmp/tree" && find . | cpio -o -H newc -R 0:0 --quiet)
	} >"$tmp/initramfs"
	boot=(-initrd "$tmp/initramfs" -append "console=$console panic=-1 loglevel=7 ${KERNEL_ARGS:-}")
fi
rm -rf "$tmp/tree"

# QEMU gets our stdout and stderr as descriptors: it must not open, and so
# truncate, the files that they may be.
run_qemu() {
	set +e
	timeout --foreground -k 5 "$limit" "${qemu[@]}" \
		"${boot[@]}" \
		-chardev file,id=console,path="$tmp/console" -serial chardev:console \
		-device "$serial" \
		-add-fd fd=3,set=3 -chardev file,id=out,path=/dev/fdset/3,append=on -device virtserialport,chardev=out,name=out \
		-add-fd fd=4,set=4 -chardev file,id=err,path=/dev/fdset/4,append=on -device virtserialport,chardev=err,name=err \
		-chardev file,id=status,path="$tmp/status" -device virtserialport,chardev=status,name=status \
		3>&1 4>&2 >"$tmp/qemu" 2>&1 </dev/null
	ended=$?
	set -e
	tr -d '\r' <"$tmp/console" >"$log" 2>/dev/null || cp "$tmp/qemu" "$log"
}
run_qemu
# QEMU itself has been seen to crash (SIGSEGV, SIGABRT) while a kernel finds its
# devices. Nothing of ours had run by then, so that is tried once more, and said.
if [[ $ended =~ ^13[49]$ ]] && ! grep -qE 'Run .* as init process' "$log" && "$top/vm/scan.sh" "$log"; then
	say "QEMU crashed (status $ended) before the guest's init: once more"
	run_qemu
fi

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
