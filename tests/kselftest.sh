#!/bin/bash
# Build the series' kselftests for the guest, static: tests/kselftest.sh ABI,
# where ABI is native or ia32. Prints two paths: the folder of the programs, and
# a list "program case" of every case that their sources define for that ABI.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/../base/lib.sh"

abi=$1
case $ARCH-$abi in
x86_64-native) cc=gcc ;;
x86_64-ia32) cc=i686-linux-gnu-gcc ;;
arm64-native) cc=aarch64-linux-gnu-gcc ;;
*) die "ARCH=$ARCH has no ABI $abi here" ;;
esac
source=$tree/tools/testing/selftests/perf_events
[ -f "$source/Makefile" ] || die "the series has no kselftests yet: $source"
alone "$out"
programs=$out/kselftest-$abi
log=$logs/kselftest-$abi-build.log
mkdir -p "$programs"

# The headers of this kernel, not those of the machine. No warning, but for the
# parameters that the harness gives to each case, used or not.
includes=(-isystem "$out/usr/include")
{
	"$top/base/kmake.sh" "$out" headers_install &&
		make -C "$source" OUTPUT="$programs" CC="$cc" USERCFLAGS="-Werror -Wno-unused-parameter ${includes[*]}" USERLDFLAGS=-static &&
		# As an installation has it: beside the programs that read it.
		rsync -a --delete "$source/corpus" "$programs/"
} >"$log" 2>&1 </dev/null || {
	grep -m 8 -iE 'error|warning' "$log" >&2 || tail -n 8 "$log" >&2
	die "the kselftests do not build for $abi: see $log"
}

# What is to run is read from the sources, after #if and before any macro is
# expanded: a case that gets lost on the way is missed.
for program in $(make -s -C "$source" OUTPUT="$programs" emit_tests | cut -d: -f2); do
	"$cc" -E -fdirectives-only "${includes[@]}" "$source/$program.c" | perl -0777 -ne '
		s/^#.*\n//mg;
		push @{$variant{$1}}, $2 while /^\s*FIXTURE_VARIANT_ADD\s*\(\s*(\w+)\s*,\s*(\w+)/mg;
		while (/^\s*TEST(?:_SIGNAL)?\s*\(\s*(\w+)|^\s*TEST_F(?:_SIGNAL|_TIMEOUT)?\s*\(\s*(\w+)\s*,\s*(\w+)/mg) {
			print "global.$1\n" if defined $1;
			print defined $_ ? "$2.$_.$3\n" : "$2.$3\n" for defined $2 ? @{$variant{$2} || [undef]} : ();
		}' | sed "s/^/$program /"
done >"$programs.cases.new"
# Who has the list of last time goes on with that.
mv "$programs.cases.new" "$programs.cases"
echo "$programs"
echo "$programs.cases"
