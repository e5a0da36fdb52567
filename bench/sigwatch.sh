#!/bin/bash
# What a hit costs: the same watch of the same variable in sigwatch and in gdb,
# with value and three frames of each hit, in one guest that counts instructions.
# Each is run for two numbers of hits: the difference is free of what a start costs.
# Prints the table, and leaves the rows in bench/results/sigwatch.csv. KOUT= takes
# a kernel that is built already.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/../base/lib.sh"

few=100 many=600			# hits
alone_few=1000000 alone_many=9000000	# writes that nobody watches
log=$logs/bench-sigwatch.said

if [ -z "${KOUT:-}" ]; then
	export KOUT=$build/bench/x86_64-series
	KFRAGMENT=$top/bench/bench.config "$top/base/build.sh"
fi
release=$(cat "$KOUT/include/config/kernel.release")
"$top/sigwatch/build.sh"
tmp=$(mktemp -d "$build/bench-sigwatch.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
gcc -O1 -g -Wall -Wextra -Werror -std=gnu11 -o "$tmp/watched" "$top/bench/watched.c"
"$top/vm/collect.sh" "$tmp" "$build/sigwatch/sigwatch" "$build/sigwatch/sigwatch-agent.so" \
	"$tmp/watched" /usr/bin/gdb /usr/bin/bash
# gdb does not start without its own files and Python's.
mkdir -p "$tmp/system/usr/share" "$tmp/system/usr/lib"
cp -r /usr/share/gdb "$tmp/system/usr/share/"
for python in /usr/lib/python3.*; do
	(cd "$python" && find . -name '*.py' -not -path './test/*' | cpio -pdm --quiet "$tmp/system$python")
done

cat >"$tmp/commands" <<'END'
set pagination off
break main
run
watch counter
commands
silent
print counter
bt 3
continue
end
continue
END
cat >"$tmp/measure" <<'END'
spent() { # WHAT N COMMAND: its row, in instructions; what it says goes to $1.N
	local start=$EPOCHREALTIME end what=$1 n=$2
	shift 2
	"$@" >"/tmp/$what.$n" 2>&1 || { tail /tmp/$what.$n >&2; exit 1; }
	end=$EPOCHREALTIME
	echo "$what,$n,$(((${end/./} - ${start/./}) * 1000))"
}
mount -t tmpfs tmpfs /tmp
# The first to set a watchpoint waits for the kernel to patch itself.
./sigwatch counter -- ./watched 1 2>/dev/null
for n in ALONE; do spent alone $n ./watched $n; done
for n in HITS; do spent sigwatch $n ./sigwatch -b 3 counter -- ./watched $n; done
for n in HITS; do spent gdb $n gdb -nx -batch -x commands --args ./watched $n; done
# Each told all hits, with frames, or its figure means nothing.
for n in HITS; do
	[ "$(grep -c '^    bump+.*watched.c' /tmp/sigwatch.$n)" = $n ] || { echo "sigwatch did not tell $n hits" >&2; exit 1; }
	[ "$(grep -c '^#0 .*bump () at' /tmp/gdb.$n)" = $n ] || { echo "gdb did not tell $n hits" >&2; head -n 50 /tmp/gdb.$n >&2; exit 1; }
done
END
sed -i "s/ALONE/$alone_few $alone_many/; s/HITS/$few $many/" "$tmp/measure"

say "measuring sigwatch and gdb; the log is $log"
ICOUNT=1 GUEST_TIMEOUT=${GUEST_TIMEOUT:-1800} KERNEL_ARGS="norandmaps ${KERNEL_ARGS:-}" \
	"$top/vm/guest.sh" bench-sigwatch "$tmp" 'cp -a system/. / && exec bash measure' >"$tmp/rows" 2>"$log" || {
	cat "$log" >&2
	die "measuring failed: see $log"
}
mkdir -p "$top/bench/results"
{
	echo kernel,what,writes,instructions
	sed "s/^/$release,/" "$tmp/rows"
} >"$top/bench/results/sigwatch.csv"
awk -F, -v release="$release" '
	NR == 1 { next }
	$2 in n { cost[$2] = ($4 - spent[$2]) / ($3 - n[$2]); next }
	{ n[$2] = $3; spent[$2] = $4 }
	END {
		print "kernel " release
		printf "%-22s %14s %14s\n", "", "instructions", "times as slow"
		printf "%-22s %14.0f\n", "a write, not watched", cost["alone"]
		printf "%-22s %14.0f %14.0f\n", "a hit, told by sigwatch", cost["sigwatch"], cost["sigwatch"] / cost["alone"]
		printf "%-22s %14.0f %14.0f\n", "a hit, told by gdb", cost["gdb"], cost["gdb"] / cost["alone"]
		printf "gdb takes %.1f times as long a hit as sigwatch\n", cost["gdb"] / cost["sigwatch"]
	}' "$top/bench/results/sigwatch.csv"
