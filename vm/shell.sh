#!/bin/bash
# An interactive shell in a guest, on this terminal.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/../base/lib.sh"
# shellcheck source=vm/qemu.sh
. "$top/vm/qemu.sh"

base=$("$top/vm/initramfs.sh")
exec "${qemu[@]}" -initrd "$base" -append "console=$console panic=-1 quiet" -serial mon:stdio
