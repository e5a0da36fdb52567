#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
# resolve passes a good run, and fails each damaged one, saying why. Needs no kernel: the run is made up, and so is addr2line.
use strict;
use warnings;
use File::Basename 'dirname';
use File::Temp 'tempdir';
use Test::More;

my $dir = dirname($0);
my $tmp = tempdir(CLEANUP => 1);

my $good = <<'RUN';
[    1.5] a line of the console
@part n=1 title=Two threads
@touch id=0 part=1 pid=1 tid=2 thread=ann func=deposit at=demo.c:10 watched=balance expect=1
@hit touch=0 part=1 pid=1 tid=2 thread=ann pc=0x1008 watched=balance addr=0x9000 kind=W len=8 before=1 after=2 count=1 si_perf=0x80001
@touch id=1 part=1 pid=1 tid=3 thread=ben func=rest at=demo.c:15 watched=balance expect=0
@part n=2 title=An instruction
@touch id=2 part=2 pid=1 tid=3 thread=ben func=skip at=demo.c:20 watched=step expect=1
@hit touch=2 part=2 pid=1 tid=3 thread=ben pc=0x2000 watched=step addr=0x2000 kind=X len=8 before=0 after=0 count=1 si_perf=0x80004
@thread pid=1 tid=2 thread=ann expected=1,0 seen=1,0
@thread pid=1 tid=3 thread=ben expected=0,1 seen=0,1
@end touches=3 hits=2 failures=0
RUN

# Knows the last byte of the write at 0x1000..0x1007 and the first of the instruction at 0x2000.
open my $tool, '>', "$tmp/addr2line" or die $!;
print $tool <<'TOOL';
#!/usr/bin/perl
my %at = ('0x1007' => "deposit\n/src/demo.c:10 (discriminator 3)\n", '0x2000' => "skip\n/src/demo.c:20\n");
print $at{$_} || "??\n??:0\n" for @ARGV[3 .. $#ARGV];
TOOL
close $tool;
chmod 0755, "$tmp/addr2line";
$ENV{ADDR2LINE} = "$tmp/addr2line";

sub run_resolve {
	my ($run) = @_;

	open my $out, '>', "$tmp/run" or die $!;
	print $out $run;
	close $out;
	my $said = `$dir/resolve $0 < $tmp/run 2>&1`;
	return ($? >> 8, $said);
}

my ($status, $said) = run_resolve($good);
is $status, 0, 'a good run passes';
like $said, qr/ann .*deposit .*demo\.c:10 .*write 8 .*balance .*0x9000 +1 -> 2$/m, 'the line of a write';
like $said, qr/ben .*skip .*demo\.c:20 .*exec 8 .*step .*0x2000 +0 -> 0$/m, 'the line of an execute breakpoint';
like $said, qr/^all +2 +2$/m, 'the sum';
is +(run_resolve($good =~ s/\n/\r\n/gr))[0], 0, 'a serial console\'s line ends pass';

# What is wrong, how the run is damaged, and what resolve must say.
my @damage = (
	['no run', sub { '' }, qr/no end/],
	['the end is lost', sub { s/^\@end.*\n//mr }, qr/no end/],
	['two runs', sub { $_ . $_ }, qr/more than one run/],
	['a hit is lost', sub { s/^\@hit touch=0.*\n//mr }, qr/1 records of hits, 2 made/],
	['a touch is lost', sub { s/^\@touch id=1.*\n//mr }, qr/2 records of touches, 3 made/],
	['a hit is lost, and the end is adjusted', sub { s/^\@hit touch=0.*\n//mr =~ s/hits=2/hits=1/r }, qr/ann: the table has seen=1,0, the records 0,0/],
	['a thread is lost', sub { s/^\@thread.*tid=2.*\n//mr }, qr/tid 2 is not in the table/],
	['a field is lost', sub { s/ kind=W//r }, qr/malformed record, line 4/],
	['a field is no number', sub { s/tid=2/tid=x/r }, qr/malformed record, line 3/],
	['an unknown record', sub { s/^\@end/\@fin/mr }, qr/malformed record, line 11/],
	['a console line inside a record', sub { s/(?<=len=8)/[ 2.0] hello/r }, qr/malformed record/],
	['a pc past the line', sub { s/0x1008/0x1009/r }, qr/pc 0x1009 is \?\? \?\?:0, expected was deposit demo\.c:10/],
	['a pc before the access', sub { s/0x1008/0x1000/r }, qr/expected was deposit/],
	['an execute pc past the instruction', sub { s/pc=0x2000/pc=0x2001/r }, qr/expected was skip/],
	['another function', sub { s/func=deposit/func=withdraw/r }, qr/is deposit demo\.c:10, expected was withdraw/],
	['another line', sub { s/demo\.c:10/demo.c:11/r }, qr/expected was deposit demo\.c:11/],
	['a stray hit', sub { s/touch=0/touch=-1/r }, qr/expected was nothing/],
	['a hit twice', sub { s/count=1/count=2/r }, qr/the table has seen=1,0, the records 2,0/],
	['a hit in another thread', sub { s/(hit.*) tid=2/$1 tid=3/r }, qr/ann: the table has seen=1,0, the records 0,0/],
	['a table that differs', sub { s/expected=1,0 seen=1,0/expected=1,0 seen=2,0/r }, qr/hits expected 1,0, seen 2,0/],
	['a hit more than expected', sub { s/count=1/count=2/r =~ s/seen=1,0/seen=2,0/r }, qr/hits expected 1,0, seen 2,0/],
	['a failure of its own', sub { s/failures=0/failures=1/r }, qr/counts 1 failures/],
	['a failure record', sub { s/^\@end/\@fail thread=ann in=deposit what=si_addr seen=0 expected=0x9000\n\@end/mr }, qr/si_addr in deposit: seen 0, expected 0x9000/],
	['a message', sub { "demo: no\n$_" }, qr/wrong: demo: no/],
);

for (@damage) {
	my ($what, $damage, $expected) = @$_;
	my $run = do { local $_ = $good; $damage->() };
	my ($status, $said) = run_resolve($run);

	ok $run ne $good, "$what: is damage";
	is $status, 1, "$what: fails";
	like $said, $expected, "$what: is told";
}

done_testing;
