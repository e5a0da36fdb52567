#!/bin/bash
# Measure in one guest: bench/guest.sh WHAT FOLDER NAME OUT, where WHAT is
# measure's, FOLDER has programs/, NAME is the kernel's and OUT its object
# folder. Leaves FOLDER/NAME.WHAT, its rows, and beside it what it says.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/../base/lib.sh"

what=$1 folder=$2 name=$3
export KOUT=$4 GUEST_TIMEOUT=${GUEST_TIMEOUT:-3600} KERNEL_ARGS="norandmaps ${KERNEL_ARGS:-}" ICOUNT=
[ "$what" = parallel ] || ICOUNT=1
exec "$top/vm/guest.sh" "bench-$name-$what" "$folder/programs" "exec ./measure $what" \
	>"$folder/$name.$what" 2>"$folder/$name.$what.said" </dev/null
