#!/bin/bash
# Draw what make bench has measured: bench/plots.sh CSV FOLDER
# shellcheck source=base/lib.sh
. "$(dirname "$0")/../base/lib.sh"

csv=$1 folder=$2
tmp=$(mktemp -d "$build/plots.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

# columns "TITLE KERNEL ROW"...: a line for each count of live threads.
columns() {
	awk -F, -v lines="$(printf '%s\n' "$@")" '
		{value[$1, $2, $3] = $4}
		END {
			n = split(lines, line, "\n")
			printf "live"
			for (i = 1; i <= n; i++) {split(line[i], f, "|"); printf " \"%s\"", f[1]}
			for (at = 1; at <= 4096; at *= 4) {
				printf "\n%d", at
				for (i = 1; i <= n; i++) {
					split(line[i], f, "|")
					v = value[f[2], f[3], at]
					printf " %s", v == "" ? "-" : v
				}
			}
			print ""
		}' "$csv"
}
columns 'none, with the series|series|create-none' '1, base|base|create-plain-1' \
	'1 with sigtrap, with the series|series|create-sigtrap-1' '1 with sigtrap, mainline|mainline|create-sigtrap-1' \
	'4, base|base|create-plain-4' '4 with sigtrap, with the series|series|create-sigtrap-4' >"$tmp/threads"

# In the order of the names in trips.gp, a column for each kernel.
awk -F, '
	{value[$1, $2] = $4}
	END {
		print "base", "\"with the series\"", "mainline"
		n = split("int3 segv sigtrap-watch sigtrap-exec ptrace async ring", row, " ")
		split("base series mainline", kernel, " ")
		for (i = 1; i <= n; i++)
			for (k = 1; k <= 3; k++) {
				v = value[kernel[k], "trip-" row[i]]
				printf "%s%s", v == "" ? "-" : v, k < 3 ? " " : "\n"
			}
	}' "$csv" >"$tmp/trips"

cd "$top/bench"
for plot in threads trips; do
	gnuplot -e "data='$tmp/$plot'; output='$tmp/$plot.svg'" "$plot.gp" >"$logs/bench-plots.log" 2>&1 ||
		die "gnuplot failed: see $logs/bench-plots.log"
	mv "$tmp/$plot.svg" "$folder/"
done
