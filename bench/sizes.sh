#!/bin/bash
# Rows for the sizes of some structs, in the kernel whose tree and object folder
# KTREE and KOUT are: bench/sizes.sh
# shellcheck source=base/lib.sh
. "$(dirname "$0")/../base/lib.sh"

tmp=$(mktemp -d "$build/sizes.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
cp "$top/bench/sizes.c" "$tmp/"
echo 'obj-y := sizes.o' >"$tmp/Kbuild"
log=$logs/bench-sizes-${out##*/}.log
"$top/base/kmake.sh" "$out" M="$tmp" sizes.o >"$log" 2>&1 </dev/null || die "the sizes of structs could not be had: see $log"
nm -S "$tmp/sizes.o" | while read -r _ size _ name; do
	echo "size-$name,1,$((16#$size)),$((16#$size)),$((16#$size)),bytes,1,1,"
done
