#!/bin/bash
# make test: every claim, in tests/*.t, or those of the folder that is named.
# With a FLAVOUR, those that its kernel has a say in. The last line is prove's.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/../base/lib.sh"

cd "$top"
folder=${1:-tests}
log=$logs/$(basename "$folder")${FLAVOUR:+-$FLAVOUR}.log
claims=("$folder")
# Their kernels are slow enough without processors that wait for one another.
[ -z "$FLAVOUR" ] || export CPUS=${CPUS:-2}
[ -z "$FLAVOUR" ] || [ "$folder" != tests ] ||
	claims=(tests/kunit.t tests/kselftest.t tests/kselftest-ia32.t tests/load.t)
set +e
prove --timer "${claims[@]}" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
set -e
[ "$status" = 0 ] || {
	say "what failed:"
	# Each with what it had to say, as far as that is short.
	awk '/^ *# +Failed test/ {left = 9} !/^ *#/ {left = 0} left > 0 {sub(/^ *# ?/, "  "); print; left--}' "$log" |
		cut -c 1-300 | head -n 80 >&2
	say "the whole log is $log; the guests' logs are beside it"
	# The closing line is the last one, also here.
	tail -n 1 "$log"
}
exit "$status"
