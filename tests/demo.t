#!/usr/bin/perl
# The demo runs in a guest and finds what it expects, down to the source line.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use House;
use Test::More;

my ($status, $out, $err) = sh('vm/demo.sh');
is $status, 0, 'the demo ends well' or diag $out, $err;
like $out, qr/\b\w+\.c:\d+/, '... and tells source lines';

# Its checks check: for that resolve has a test of its own.
($status, $out, $err) = sh('exec prove examples');
is $status, 0, "the examples' own tests" or diag $out, $err;

done_testing;
