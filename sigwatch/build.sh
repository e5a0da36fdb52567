#!/bin/bash
# Build sigwatch in build/sigwatch.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/../base/lib.sh"

alone "$build/sigwatch"
log=$logs/sigwatch-build.log
# A relative path: make takes none with a space, which the clone's may have.
make -C "$top/sigwatch" OUT=../build/sigwatch >"$log" 2>&1 || {
	cat "$log" >&2
	die "sigwatch does not build"
}
