#!/usr/bin/perl
# make bench: its limits are checked, each of them, and its programs measure.
# The kernels that it compares are not built here.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use House;
use Test::More;

my $header = 'kernel,row,n,median,min,max,unit,repetitions,batches,note';
my @counts = map { 4 ** $_ } 0 .. 6;
my @kinds = qw(plain sigtrap);
my @creates = qw(create-plain-1 create-plain-4 create-sigtrap-1 create-sigtrap-4);
my @watchpoints = (1, 4);
my %unused = (signal => 10020, map { $_ => 10100 } qw(syscall clone switch breakpoint-count breakpoint-sample));

# Figures that hold each limit by nothing to spare: {"kernel row n"}.
my %good = (
	'series trip-int3 1' => 2300, 'series trip-sigtrap-watch 1' => 2300,
	'mainline trip-sigtrap-watch 1' => 2301, 'series trip-ptrace 1' => 5750,
	(map { ("base unused-$_ 1" => 10000, "series unused-$_ 1" => $unused{$_}) } keys %unused),
	(map { ("series switch-plain-$_ 1" => 5000, "series switch-sigtrap-$_ 1" => 5100) } @watchpoints),
	'series open-plain-1 1' => 8000, 'series open-sigtrap-1 1' => 8500,
	'series memory-slab-sigtrap-1 4096' => 1438,
	'base size-perf_event 1' => 1000, 'series size-perf_event 1' => 1064,
	'base size-task_struct 1' => 5000, 'series size-task_struct 1' => 5008,
	(map { ("series create-none $_" => 45000, "mainline create-none $_" => 20000) } @counts),
	(map { my $row = $_; map { ("series $row $_" => 50000, "mainline $row $_" => 25000) } @counts } @creates),
	(map { ("series $_ 4096" => 55000, "mainline $_ 4096" => 30000) } @creates),
	(map { ("series modify-$_-1 4096" => 700 * 4096) } @kinds),
);
sub csv {
	my (%figures) = @_;
	return "$header\n" . join '', map {
		my ($kernel, $row, $n) = split;
		my ($value, $unit, $note) = split /,/, $figures{$_};
		$unit //= $row =~ /^size/ ? 'bytes' : 'instructions';
		"$kernel,$row,$n,$value,$value,$value,$unit,1,1," . ($note // '') . "\n";
	} sort keys %figures;
}
my ($status, $out, $err);
sub limits {
	my ($figures, $recorded) = @_;
	spew(scratch() . '/bench.csv', csv(%$figures));
	unlink scratch() . '/recorded.csv';
	spew(scratch() . '/recorded.csv', csv(%$recorded)) if $recorded;
	($status, $out, $err) = sh('exec bench/limits "$D/bench.csv" "$D/recorded.csv"', env => {D => scratch()});
}
sub lines { my ($word) = @_; join "\n", map { /^$word +(.*)/ ? $1 : () } split /\n/, $out }

limits(\%good);
is $status, 0, 'figures at their limits pass' or diag $out, $err;
my $all = () = $out =~ /^ok /mg;
like $out, qr/^$all limits: all held$/m, '... and each is a line';
is "$all $err", '23 ', '... of which there are 23';

# Just over, one at a time: that line fails, and no other.
my @over = (
	['series trip-int3 1' => 2299, qr/^sigtrap watchpoint, times int3 /],
	['mainline trip-sigtrap-watch 1' => 2300, qr/^sigtrap watchpoint, under mainline's /],
	['series trip-ptrace 1' => 5749, qr/^ptrace, times sigtrap watchpoint /],
	(map { ["series unused-$_ 1" => $unused{$_} + 1, qr/^unused: $_, times base /] } sort keys %unused),
	(map { ["series switch-sigtrap-$_ 1" => 5101, qr/^two switches, $_ sigtrap, times $_ plain /] } @watchpoints),
	['series open-sigtrap-1 1' => 8501, qr/^open \+ close of a disabled event, sigtrap over plain /],
	['series memory-slab-sigtrap-1 4096' => 1439, qr/^inherited sigtrap event, bytes of Slab /],
	['series size-perf_event 1' => 1065, qr/^struct perf_event, bytes over base /],
	['series size-task_struct 1' => 5009, qr/^struct task_struct, bytes over base /],
	(map { my $k = $_; (
		["series create-$k-1 1" => 49999, qr/^thread, 1 $k watchpoint: 4096 live, times 1 live /],
		["series modify-$k-1 4096" => 700 * 4096 + 1, qr/^modify, 1 $k watchpoint in 4096 threads: each /],
	) } @kinds),
	(map { my ($row, $kind, $count) = /(create-(.*)-(.))/; map {
		["mainline $row $_" => $good{"mainline $row $_"} - 1, qr/^thread, $count $kind watchpoints?, over none .* mainline's, $_ live$/]
	} @counts } @creates),
);
for (@over) {
	my ($figure, $value, $line) = @$_;
	limits({%good, $figure => $value});
	my $missed = lines('MISSED');
	ok $status == 1 && $missed =~ $line && $missed !~ /\n/ && $out =~ /: 1 missed$/m, "$figure $value is over" or diag $out, $err;
}

# Not there, there with a reason, of a clock that counts nothing, or nonsense.
for my $figure (sort keys %good) {
	my ($kernel, $row, $n) = split / /, $figure;
	my $at = "$kernel $row" . ($n == 1 ? '' : " at $n");
	my %less = %good;
	delete $less{$figure};
	limits(\%less);
	my $whole = $status == 1 && lines('MISSING') =~ /no figure: \Q$at\E$/m;
	for ([',-', '-,-,the cat sat on it', qr/: the cat sat on it$/m], ['ns', "$good{$figure},ns", qr/ ns: not counted$/m], ['text', 'many', qr/'many'.*: not counted$/m]) {
		my ($name, $value, $why) = @$_;
		limits({%good, $figure => $value});
		$whole &&= $status == 1 && lines('MISSING') =~ $why && lines('MISSING') =~ /\Q$at\E/;
	}
	ok $whole, "$at must be there" or diag $out, $err;
}

# Without mainline, what was recorded counts, and that is said.
my %without = map { /^mainline/ ? () : ($_ => $good{$_}) } keys %good;
my %mainline = (%good, 'mainline trip-syscall 1' => 1);
for ({%without}, {%without, 'mainline release 1' => '-,-,not measured'}) {
	limits($_, \%mainline);
	is $status, 0, 'mainline as recorded' or diag $out, $err;
	is scalar(() = $out =~ /^ok .*\(as recorded\)/mg), 5, '... is said where it counts';
}
limits({%without}, {%mainline, 'mainline trip-sigtrap-watch 1' => 2300});
ok $status == 1 && lines('MISSED') =~ /under mainline's/, '... and can be missed' or diag $out;
limits({%without});
ok $status == 1 && (() = $out =~ /^MISSING/mg) == 5, 'neither measured nor recorded is missing' or diag $out;
limits({%good}, {%mainline, 'mainline trip-sigtrap-watch 1' => 1});
is $status, 0, 'what is recorded does not count beside what is measured';

spew(scratch() . '/empty', '');
for ('', 'x y z', '"$D/nothing"', '"$D/empty"') {
	($status, $out, $err) = sh("bench/limits $_", env => {D => scratch()});
	ok $status != 0 && $err =~ /^(usage|error): /, "bench/limits $_ is refused" or diag $status, $out, $err;
}

# The programs, on the kernel of the tests: every row, and none without a figure.
my $programs = scratch() . '/programs';
mkdir $programs;
($status, $out, $err) = sh('exec bench/programs.sh "$OUT"', env => {OUT => $programs});
is $status, 0, 'the programs compile' or BAIL_OUT($err);

my @at = (1, 4, 16);
my @rows = (
	(map { "trip-$_ 1" } qw(syscall int3 segv sigtrap-watch sigtrap-exec ptrace async ring)),
	(map { "unused-$_ 1" } sort keys %unused),
	'switch-none 1', (map { my $k = $_; ("open-$k-1 1", map { "switch-$k-$_ 1" } @watchpoints) } @kinds),
	(map { my $n = $_; map { "$_ $n" } 'create-none', 'mprotect', map { my $k = $_; ("create-$k-1", "create-$k-4", map { "$_-$k-1" } qw(enable modify disable)) } @kinds } @at),
	(map { ("memory-$_-1 16", "memory-slab-$_-1 16") } @kinds),
);
sub measured {
	my %unit;
	for (split /\n/, $out) {
		my ($row, $n, $median, $min, $max, $unit, $repetitions, $batches) = split /,/;
		next if $row eq 'release';
		$unit{"$row $n"} = $median =~ /^-?\d+(\.\d\d)?$/ && $min <= $median && $median <= $max && $repetitions > 0 && $batches > 0 ? $unit : $_;
	}
	return \%unit;
}
sub measure { ($status, $out, $err) = guest('bench', 'export PAUSE=0.1; exec ./measure ' . $_[0], folder => $programs, env => $_[1] // {}) }

measure('counted 16 -b 1 -s 1');
is $status, 0, 'they measure' or diag $err;
is_deeply measured(), {map { $_ => /^memory/ ? 'bytes' : 'ns' } @rows}, '... each row, and by the wall';
like $out, qr/^release,1,.*,5\.10\./m, '... and tell of which kernel' or diag $out;

measure('parallel 16 -b 3 -s 1', {CPUS => 2});
is $status, 0, 'they measure in parallel' or diag $err;
is_deeply measured(), {map { ("parallel-$_ 16" => 'times none') } qw(plain-1 sigtrap-1)}, '... each row';

# Twice the same, where instructions are counted.
($status, $out, $err) = guest('bench', './trips -b 15 -s 10', folder => $programs, env => {ICOUNT => 1});
is $status, 0, 'a guest that counts instructions' or diag $err;
my %counted = %{measured()};
is_deeply [sort keys %counted], [sort grep { /^trip/ } @rows], '... each row';
is join(' ', sort values %counted), join(' ', ('instructions') x 8), '... counted';
my %first = map { /^([^,]+),1,(\d+),/ ? ($1 => $2) : () } split /\n/, $out;
($status, $out, $err) = guest('bench', './trips -b 15 -s 10', folder => $programs, env => {ICOUNT => 1});
my @apart = grep { !/^([^,]+),1,(\d+),/ || abs($2 / ($first{$1} || 1) - 1) > 0.005 } split /\n/, $out;
is "@apart", '', '... the same on each run, but for 0.5%' or diag explain \%first;

for ('trips -b 0', 'trips -x', 'threads', 'threads create plain 5 16', 'threads create plain 1 x', 'threads create plane 1 16', 'threads change plain 5000', 'threads switch plain 5', 'threads open plane') {
	($status, $out, $err) = sh("exec \"\$P/\"$_", env => {P => $programs});
	ok $status != 0 && $err =~ /(trips|threads): \S/ && $out eq '', "$_ is refused" or diag $status, $err;
}

# The yardstick's configuration: what it has not is said, what must be there is.
spew(scratch() . '/some.config', "CONFIG_64BIT=y\nCONFIG_SMP=y\nCONFIG_NO_SUCH_THING=y\n");
for (
	['', qr/^error: .*\n.*some\.config: CONFIG_NO_SUCH_THING=y/m],
	['CONFIG_SMP', qr/^bench-config takes the fragments but for CONFIG_NO_SUCH_THING=y$/m],
	['CONFIG_SMP CONFIG_NO_SUCH_THING', qr/^error: .*\n.*some\.config: CONFIG_NO_SUCH_THING=y/m],
	['CONFIG_SMP CONFIG_NOR_THIS', qr/^error: .* has no CONFIG_NOR_THIS=y/m],
) {
	my ($must, $says) = @$_;
	($status, $out, $err) = sh('. base/lib.sh; rm -rf "$build/bench-config"; exec base/config.sh "$build/bench-config" "$D/some.config"', env => {D => scratch(), KMUST => $must});
	ok(($status == 0) == ($says !~ /error/) && $err =~ $says, "KMUST='$must'") or diag $status, $err;
}
sh('. base/lib.sh; rm -rf "$build/bench-config"');

# What is drawn.
spew(scratch() . '/bench.csv', csv(%good));
($status, $out, $err) = sh('bench/plots.sh "$D/bench.csv" "$D"', env => {D => scratch()});
is $status, 0, 'plots' or diag $err;
is_deeply [map { scalar(slurp(scratch() . "/$_.svg") =~ m{</svg>\s*$}) } qw(threads trips)], [1, 1], '... are whole';
done_testing;
