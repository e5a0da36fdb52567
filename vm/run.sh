#!/bin/bash
# Run a program, or one of a folder of programs, in a guest:
#   PROG=path [ARGS=…] vm/run.sh     (PROG a folder: ARGS begins with the program)
# shellcheck source=base/lib.sh
. "$(dirname "$0")/../base/lib.sh"

: "${ARGS:=}"
[ -n "${PROG:-}" ] || die "PROG is not set: make run PROG=path [ARGS=…], where path is a static program or a folder of them"
[ -e "$PROG" ] || die "PROG=$PROG does not exist"

# The guest has no shared libraries.
static() {
	local kind
	kind=$(readelf -lW "$1" 2>/dev/null) || return 0 # no ELF file: a script, or data
	[[ $kind != *INTERP* ]] ||
		die "$1 is linked dynamically, and the guest has no libraries: link it with -static"
}

if [ -d "$PROG" ]; then
	[ -n "$ARGS" ] || die "PROG=$PROG is a folder: say what to run in it, for example ARGS='./program its arguments'"
	while IFS= read -rd '' file; do static "$file"; done < <(find "$PROG" -type f -perm /111 -print0)
	exec "$top/vm/guest.sh" run "$PROG" "$ARGS"
fi
[ -x "$PROG" ] || die "PROG=$PROG is not executable"
static "$PROG"
folder=$(mktemp -d "$build/run.XXXXXX")
trap 'rm -rf "$folder"' EXIT
cp "$PROG" "$folder/"
"$top/vm/guest.sh" run "$folder" "exec './${PROG##*/}' $ARGS"
