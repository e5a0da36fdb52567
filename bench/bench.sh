#!/bin/bash
# make bench: build the kernels, measure the same programs on each, and print
# the table and which limits hold. Fails when one does not.
# SKIP_MAINLINE=1 goes without the yardstick: its limits are then as recorded in
# bench/results. All goes to build/bench/results; from a run with all kernels,
# also to bench/results.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/../base/lib.sh"

side=$build/bench
log=$logs/bench.log
mkdir -p "$side"
# An error of the programs need not wait for the kernels.
tmp=$(mktemp -d "$side/run.XXXXXX")
watcher=
trap 'kill $watcher 2>/dev/null || :; rm -rf "$tmp"' EXIT
mkdir "$tmp/programs" "$tmp/results"
"$top/bench/programs.sh" "$tmp/programs" >"$log" 2>&1 || die "the programs do not build: see $log"

"$top/bench/kernels.sh" >"$tmp/kernels"
measured() { awk -F'\t' '$2 != "-"' "$tmp/kernels"; }
count=$(measured | wc -l)

watch() { # WHAT PROGRAMS: what the guests say are the programs, as they come
	local step=20
	[ ! -t 2 ] || step=1
	while sleep $step >/dev/null 2>&1; do
		progress_show "measuring ($1), programs" "$(cat "$tmp"/*."$1".said 2>/dev/null | grep -c '^\./')" $((count * $2))
	done
}

measure() { # WHAT PROGRAMS AT_ONCE
	local status=0
	watch "$1" "$2" &
	watcher=$!
	measured | cut -f1,2 | tr '\t' '\n' |
		xargs -d '\n' -n 2 -P "$3" "$top/bench/guest.sh" "$1" "$tmp" || status=1
	kill $watcher 2>/dev/null || :
	wait $watcher 2>/dev/null || :
	[ ! -t 2 ] || printf '\r\033[K' >&2
	tail -n +1 "$tmp"/*."$1".said >>"$log"
	[ $status = 0 ] || {
		grep -hv '^\./' "$tmp"/*."$1".said >&2 || :
		die "measuring failed: see $log, and the guests' own logs beside it"
	}
}

say "measuring on $count kernels; the log is $log"
start=$SECONDS
# Their clock stands still while they wait for a processor: side by side.
measure counted 19 "$(nproc)"
# The wall's does not: one after the other.
measure parallel 2 1
say "measured in $((SECONDS - start)) s"

# The rows of all, and which kernels they are of.
results=$tmp/results
header=kernel,row,n,median,min,max,unit,repetitions,batches,note
tools="gcc $(gcc -dumpfullversion); $(qemu-system-x86_64 --version | sed -n '1s/QEMU emulator version \([0-9.]*\).*/QEMU \1/p')"
echo $header >"$results/parallel.csv"
{
	echo $header
	while IFS=$'\t' read -r name folder kernel what; do
		if [ "$folder" = - ]; then
			echo "$name,release,1,-,-,-,-,0,0,not measured: $what"
			continue
		fi
		sed "s/^/$name,/; s/^\($name,release,.*\)/\1: $what; $tools/" "$tmp/$name.counted"
		KTREE=$kernel KOUT=$folder "$top/bench/sizes.sh" | sed "s/^/$name,/"
		sed "s/^/$name,/" "$tmp/$name.parallel" >>"$results/parallel.csv"
	done <"$tmp/kernels"
} >"$results/bench.csv"

"$top/bench/plots.sh" "$results/bench.csv" "$results"
status=0
{
	"$top/bench/table" "$results/bench.csv" "$results/parallel.csv"
	"$top/bench/limits" "$results/bench.csv" "$top/bench/results/bench.csv" || status=1
} >"$results/table.txt"
cat "$results/table.txt"

rm -rf "$side/results"
cp -r "$results" "$side/results"
if [ "$count" = 3 ]; then
	mkdir -p "$top/bench/results"
	cp "$results"/* "$top/bench/results/"
	say "bench/results/ has it, with the plots"
else
	say "$side/results has it, with the plots; bench/results/ stays as it was"
fi
exit $status
