#!/bin/bash
# make mutants: take one guard after the other out of the kernel, and see that
# the case that watches over it fails. tests/mutants/NAME.patch applies on top
# of the series; its first line names that case: "Case: PROGRAM CASE" for one of
# the kselftests ("ia32/PROGRAM" for its 32-bit build, "debug/PROGRAM" if it
# takes the debug kernel), "Case: kunit CASE" for one of the KUnit suite, "Case:
# load NAME" for a load as make test runs it, "Case: build FILE" for an assertion
# at compile time. A second line "Ends: hang" says that the guest then hangs,
# which is no verdict otherwise. First, each case must pass without a mutant.
# Prints a table; a mutant that survives, or no longer applies, is an error.
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
	sed -n 's/^\tKUNIT_CASE(\(.*\)),$/kunit \1/p' "$tree"/kernel/events/{sigtrap,hw_breakpoint}_test.c
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
alone "$side"
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

# Boots the kernel for a program of the kselftests (or kunit, or load and its
# name): what it prints goes to $tap. Sets status.
run_it() { # NAME PROGRAM CASE
	local folder=$programs limit=100 seed=1
	tap=$logs/$1.tap
	status=0
	case $2 in
	kunit)
		"$top/vm/guest.sh" "$1" "$programs" true >"$tap" 2>"$tap.err" || status=$?
		cat "$logs/$1.log" >>"$tap"
		;;
	load)
		[ "$3" != faults ] || seed=
		COUNT=few SEED=$seed GUEST_TIMEOUT=300 "$top/tests/load.sh" "$3" >"$tap" 2>"$tap.err" || status=$?
		# Its seed or table, or else there was no guest.
		[ -s "$tap" ] || [ "$status" = 125 ] || die "the load $3 did not start: see $tap.err"
		echo "status $status" >>"$tap"
		;;
	*)
		[ "${2%/*}" != ia32 ] || folder=$programs32
		[ -z "$FLAVOUR" ] || limit=450
		GUEST_TIMEOUT=$((limit + 50)) "$top/vm/guest.sh" "$1" "$folder" "timeout -s KILL $limit ./${2#*/} 2>&1; exit 0" >"$tap" 2>"$tap.err" || status=$?
		;;
	esac
}

# killed, if the case fails or the kernel complains.
verdict() { # PROGRAM CASE ENDS
	local failed passed how
	case $1 in
	kunit) failed=" not ok [0-9]+ - $2\$" passed=" ok [0-9]+ - $2\$" ;;
	load) failed='^status 1$' passed='^status 0$' ;;
	*) failed="^#\\s+FAIL\\s+$2\$" passed="^#\\s+(OK|SKIP)\\s+$2\$|^ok [0-9]+ (- )?$2\$" ;;
	esac
	how=$(grep -m 1 -oE 'has complained|still running|died' "$tap.err") || :
	if grep -qE "$failed" "$tap"; then
		echo killed
	elif [ "$status" = 125 ] && [ "$how" != 'still running' ]; then
		echo "killed (the guest: $how)"
	elif [ "$status" != 125 ] && grep -qE "$passed" "$tap"; then
		echo survived
	elif [ "$3" = hang ]; then
		echo "killed (hangs)"
	else
		echo "no verdict: did not finish, see $tap"
	fi
}

# What a case says of a mutant counts for something if it passes without.
declare -A control=()
n=0
for patch in "${patches[@]}"; do
	case=$(case_of "$patch")
	program=${case% *}
	[ "$program" != build ] || continue
	[ "$program" != load ] || program=$case
	[ -n "${control[$program]:-}" ] || {
		n=$((n + 1))
		progress_show 'programs without a mutant' "$n"
		flavour "$case"
		[ -z "$FLAVOUR" ] || build_it "$logs/mutants-$FLAVOUR.log" "the series"
		# shellcheck disable=SC2086 # program and case
		run_it "control-${program//[\/ ]/-}" $case
		control[$program]="$status $tap"
	}
	read -r status tap <<<"${control[$program]}"
	# shellcheck disable=SC2086
	result=$(verdict $case -)
	[ "$result" = survived ] || die "$case without a mutant: not passed but $result; see $tap"
done
[ ! -t 2 ] || printf '\r\033[K' >&2

alive=0
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
		run_it "mutant-$name" $case
		ends=$(sed -n '2s/^Ends: //p' "$patch")
		# shellcheck disable=SC2086
		result=$(verdict $case "${ends:--}")
	fi
	printf '%-28s %-58s %s\n' "$name" "$case" "$result"
	[[ $result == killed* ]] || alive=$((alive + 1))
	undo
done
[ $alive = 0 ] || die "$alive of ${#patches[@]} mutants were not killed; the guests' logs are $logs/mutant-*"
echo "${#patches[@]} mutants, all killed"
