#!/bin/bash
# make mutants: take one guard after the other out of the kernel, and see that
# the case that watches over it fails. tests/mutants/NAME.patch applies on top
# of the series; its first line names that case: "Case: PROGRAM CASE" for one of
# the kselftests ("ia32/PROGRAM" for its 32-bit build, "debug/PROGRAM" if it
# takes the debug kernel), "Case: kunit CASE" for one of the KUnit suite, "Case:
# load NAME" for a load as make test runs it, "Case: build FILE" for an assertion
# at compile time. Prints a table; a mutant that survives, or no longer applies,
# is an error.
# MUTANTS="name ..." runs only these.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/../base/lib.sh"

case_of() { sed -n '1s,^Case: \([a-z0-9/]* [A-Za-z0-9_./]*\)$,\1,p' "$1"; }

patches=()
if [ -n "${MUTANTS:-}" ]; then
	for name in $MUTANTS; do
		[ -f "$top/tests/mutants/$name.patch" ] || die "MUTANTS=$name: there is no tests/mutants/$name.patch"
		patches+=("$top/tests/mutants/$name.patch")
	done
else
	patches=("$top"/tests/mutants/*.patch)
fi

programs=$("$top/tests/kselftest.sh" native | sed -n 1p)
programs32=$("$top/tests/kselftest.sh" ia32 | sed -n 1p)
cases=$programs.cases.all
{
	cat "$programs.cases"
	sed 's,^,ia32/,' "$programs32.cases"
	sed 's,^,debug/,' "$programs.cases"
	sed -n 's/^\tKUNIT_CASE(\(.*\)),$/kunit \1/p' "$tree/kernel/events/sigtrap_test.c"
	printf 'load %s\n' stress leaks faults fuzz
} >"$cases"
for patch in "${patches[@]}"; do
	case=$(case_of "$patch")
	[ -n "$case" ] || die "$patch: the first line is not 'Case: PROGRAM CASE'"
	[ -f "$tree/${case#build }" ] || grep -qxF "$case" "$cases" || die "$patch: there is no case '$case'"
done

# A worktree and an object folder of their own: build/tree stays as it is, and
# what one mutant compiles is the most that the next has to compile again.
side=$build/mutants
mkdir -p "$side"
plain_git -C "$tree" worktree prune
[ -e "$side/tree/.git" ] || {
	rm -rf "$side/tree"
	plain_git -C "$tree" worktree add -q --detach "$side/tree" HEAD
}
plain_git -C "$side/tree" reset -q --hard
plain_git -C "$side/tree" checkout -q --detach "$(plain_git -C "$tree" rev-parse HEAD)"
undo() { plain_git -C "$side/tree" reset -q --hard; }
trap undo EXIT
export KTREE=$side/tree KOUT FLAVOUR

# Which kernel it takes to see it.
flavour() { # CASE
	FLAVOUR=
	case $1 in
	debug/* | 'load faults' | 'load fuzz') FLAVOUR=debug ;;
	esac
	KOUT=$side/$ARCH${FLAVOUR:+-$FLAVOUR}
}

build_it() {
	"$top/base/config.sh" "$KOUT" "$top/base/base.config" "$top/base/$ARCH.config" \
		${FLAVOUR:+"$top/base/$FLAVOUR.config"}
	"$top/base/kmake.sh" "$KOUT" all >"$1" 2>&1 </dev/null || {
		grep -m 5 -E 'error' "$1" >&2 || tail -n 5 "$1" >&2
		die "$2 does not build: see $1"
	}
}
say "building without a mutant; the log is $logs/mutants.log"
flavour ''
build_it "$logs/mutants.log" "the series"

# killed, if an assertion in that file keeps it from being compiled.
assertion() { # NAME FILE
	local log=$logs/mutant-$1.log
	! "$top/base/kmake.sh" "$KOUT" "${2%.c}.o" >"$log" 2>&1 </dev/null || {
		echo survived
		return
	}
	grep -q "BUILD_BUG_ON failed" "$log" || die "$2 does not build with the mutant $1, but not for an assertion: see $log"
	echo killed
}

# killed, if the case fails or the kernel complains.
verdict() { # NAME PROGRAM CASE
	local tap=$logs/mutant-$1.tap folder=$programs limit=100 status=0 seed=1 failed passed
	case $2 in
	kunit)
		"$top/vm/guest.sh" "mutant-$1" "$programs" true >"$tap" 2>"$tap.err" || status=$?
		cat "$logs/mutant-$1.log" >>"$tap"
		failed=" not ok [0-9]+ - $3\$" passed=" ok [0-9]+ - $3\$"
		;;
	load)
		[ "$3" != faults ] || seed=
		COUNT=few SEED=$seed GUEST_TIMEOUT=300 "$top/tests/load.sh" "$3" >"$tap" 2>"$tap.err" || status=$?
		# Its seed or table, or else there was no guest.
		[ -s "$tap" ] || [ "$status" = 125 ] || die "the load $3 did not start: see $tap.err"
		echo "status $status" >>"$tap"
		failed='^status 1$' passed='^status 0$'
		;;
	*)
		[ "${2%/*}" != ia32 ] || folder=$programs32
		[ -z "$FLAVOUR" ] || limit=450
		GUEST_TIMEOUT=$((limit + 50)) "$top/vm/guest.sh" "mutant-$1" "$folder" "timeout -s KILL $limit ./${2#*/} 2>&1; exit 0" >"$tap" 2>"$tap.err" || status=$?
		failed="^#\\s+FAIL\\s+$3\$" passed="^#\\s+(OK|SKIP)\\s+$3\$|^ok [0-9]+ (- )?$3\$"
		;;
	esac
	if grep -qE "$failed" "$tap"; then
		echo killed
	elif [ "$status" = 125 ]; then
		echo "killed (the guest: $(grep -m 1 -oE 'has complained|still running|died' "$tap.err"))"
	elif ! grep -qE "$passed" "$tap"; then
		echo "killed (did not finish)"
	else
		echo survived
	fi
}

survived=0
printf '%-28s %-58s %s\n' mutant 'must be caught by' verdict
for patch in "${patches[@]}"; do
	name=$(basename "$patch" .patch)
	case=$(case_of "$patch")
	flavour "$case"
	plain_git -C "$side/tree" apply "$patch" || die "$patch no longer applies to the series"
	if [[ $case == build\ * ]]; then
		result=$(assertion "$name" "${case#build }")
	else
		build_it "$logs/mutant-$name.log" "the mutant $name"
		# shellcheck disable=SC2086 # program and case
		result=$(verdict "$name" $case)
	fi
	printf '%-28s %-58s %s\n' "$name" "$case" "$result"
	[ "$result" != survived ] || survived=$((survived + 1))
	undo
done
[ $survived = 0 ] || die "$survived of ${#patches[@]} mutants survived; the guests' logs are $logs/mutant-*"
echo "${#patches[@]} mutants, all killed"
