#!/bin/bash
# Run sigwatch in a guest, on a program of this machine:
#   ARGS='[OPTION]... WHAT[,WHAT]... -- PROGRAM [ARGUMENT]...' vm/watch.sh
# The program and its libraries go along; other files that it reads do not.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/../base/lib.sh"

usage="make watch ARGS='[OPTION]... WHAT -- PROGRAM [ARGUMENT]...', such as ARGS='last_command_exit_value -- bash -c false'"
[ -n "${ARGS:-}" ] || die "ARGS is not set: $usage"
# Words as a shell's, but nothing in them is expanded or run.
wrong=$(xargs printf '%s\0' <<<"$ARGS" 2>&1 >/dev/null) || die "ARGS=$ARGS: ${wrong#xargs: }"
mapfile -d '' -t words < <(xargs printf '%s\0' <<<"$ARGS")
for ((i = 0; i < ${#words[@]}; i++)); do [ "${words[i]}" != -- ] || break; done
name=${words[i + 1]:-}
[ -n "$name" ] || die "ARGS=$ARGS: there is no program behind '--': $usage"
program=$(type -P "$name") || die "ARGS=$ARGS: there is no program '$name' here"

"$top/sigwatch/build.sh"
folder=$(mktemp -d "$build/watch.XXXXXX")
trap 'rm -rf "$folder"' EXIT
"$top/vm/collect.sh" "$folder" "$build/sigwatch/sigwatch" "$build/sigwatch/sigwatch-agent.so" "$program"
[ -e "$folder/system$program" ] || program=./${program##*/}
"$top/vm/guest.sh" watch "$folder" \
	"cp -a system/. / && exec ./sigwatch$(printf ' %q' "${words[@]:0:i}") --$(printf ' %q' "$program" "${words[@]:i+2}")"
