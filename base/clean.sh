#!/bin/bash
# Remove all that is derived. The cache outside the clone stays.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=base/series.sh
. "$top/base/series.sh"

tree_is_saved
rm -rf "$build"
[ ! -L "$top/build" ] || rm "$top/build"
