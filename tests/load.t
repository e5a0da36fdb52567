#!/usr/bin/perl
# The loads pass: stress, leaks, fuzz, and faults where the kernel injects them.
# `make stress` and so on do the whole of what is done a little of here.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use House;
use Test::More;

my $flavour = $ENV{FLAVOUR} // '';
for my $load (qw(stress leaks fuzz), $flavour eq 'debug' ? 'faults' : ()) {
	my ($status, $out, $err) = sh('exec tests/load.sh "$LOAD"',
		env => {LOAD => $load, COUNT => 'few', SEED => $load eq 'faults' ? '' : 1});
	is $status, 0, "$load passes" or diag $out, $err;
	like $err, qr/the guest's log is \S/, '... and tells where the log is';
}

# What cannot be run is refused, before anything is built.
for (
	['stress', {COUNT => 'many'}, qr/^error: COUNT=many: give a whole number, or few$/m],
	['stress', {SEED => '-1'}, qr/^error: SEED=-1: give a whole number$/m],
	['faults', {FLAVOUR => 'kcsan'}, qr/^error: FLAVOUR=kcsan: only the debug kernel injects faults$/m],
	['faults', {FLAVOUR => 'debug', SEED => 3}, qr/^error: COUNT= SEED=3: faults takes neither/m],
	['steam', {}, qr/^error: .*steam: there is no such load, take stress, leaks, faults or fuzz$/m],
) {
	my ($load, $env, $message) = @$_;
	my ($status, $out, $err) = sh('exec tests/load.sh "$LOAD"', env => {COUNT => '', SEED => '', LOAD => $load, %$env});
	cmp_ok $status, '!=', 0, "$load is refused";
	like $err, $message, '... and it is said why';
}
done_testing;
