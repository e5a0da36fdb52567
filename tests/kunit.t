#!/usr/bin/perl
# The series' KUnit suite passes. It runs while a guest boots, whatever the
# guest is for, so the log of one that does nothing is all that is needed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use House;
use Test::More;

my $source = build() . '/tree/kernel/events/sigtrap_test.c';
my @cases = slurp($source) =~ /^\tKUNIT_CASE\((\w+)\)/mg;
cmp_ok scalar(@cases), '>', 0, 'the suite has cases';

my $name = join '-', 'kunit', $ENV{FLAVOUR} || ();
my ($status, $out, $err) = guest($name, 'true');
is $status, 0, 'a guest boots, and its kernel has nothing to say' or diag $err;

my $log = build() . "/log/$name.log";
my ($suite) = slurp($log) =~ /^(.*# Subtest: perf_sigtrap\n.*?^(?:\[.*?\] )?(?:not )?ok \d+ - perf_sigtrap)$/ms;
$suite //= '';
for my $case (@cases) {
	like $suite, qr/ ok \d+ - \Q$case\E$/m, "kernel: $case" or diag "the whole log: $log";
	unlike $suite, qr/not ok \d+ - \Q$case\E$/m, "kernel: $case has not failed";
}
like $suite, qr/^(?:\[.*?\] )?ok \d+ - perf_sigtrap$/m, 'the suite says that it passed';
done_testing;
