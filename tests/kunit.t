#!/usr/bin/perl
# The series' KUnit suites pass. They run while a guest boots, whatever the
# guest is for, so the log of one that does nothing is all that is needed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use House;
use Test::More;

my @sources = map { build() . "/tree/kernel/events/$_.c" } qw(sigtrap_test hw_breakpoint_test);
my $name = join '-', 'kunit', $ENV{FLAVOUR} || ();
my ($status, $out, $err) = guest($name, 'true');
is $status, 0, 'a guest boots, and its kernel has nothing to say' or diag $err;

my $log = build() . "/log/$name.log";
for my $source (@sources) {
	my $text = slurp($source);
	my ($suite) = $text =~ /^\t\.name\s*= "(\w+)"/m;
	my @cases = $text =~ /^\tKUNIT_CASE\((\w+)\)/mg;
	cmp_ok scalar(@cases), '>', 0, "$suite has cases";

	my ($said) = slurp($log) =~ /^([^\n]*# Subtest: $suite\n.*?^(?:\[.*?\] )?(?:not )?ok \d+ - $suite)$/ms;
	$said //= '';
	for my $case (@cases) {
		like $said, qr/ ok \d+ - \Q$case\E$/m, "kernel: $suite: $case" or diag "the whole log: $log";
		unlike $said, qr/not ok \d+ - \Q$case\E$/m, "kernel: $suite: $case has not failed";
	}
	like $said, qr/^(?:\[.*?\] )?ok \d+ - $suite$/m, "$suite says that it passed";
}
done_testing;
