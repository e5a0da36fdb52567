#!/bin/bash
# Run the demo in a guest; its saved pcs are resolved to source lines out here.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/../base/lib.sh"

demo=$top/examples/demo
make -s -C "$demo" >"$logs/demo-build.log" 2>&1 || {
	cat "$logs/demo-build.log" >&2
	die "the demo does not build"
}
folder=$(mktemp -d "$build/demo.XXXXXX")
trap 'rm -rf "$folder"' EXIT
cp "$demo/demo" "$folder/"
# pipefail: whichever of the two fails, this does.
"$top/vm/guest.sh" demo "$folder" 'exec ./demo' | (cd "$demo" && ./resolve ./demo)
