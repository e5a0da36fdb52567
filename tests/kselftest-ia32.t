#!/usr/bin/perl
# The kselftests pass in a guest, built for 32 bits: the compat half of the ABI.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Kselftest;

Kselftest::run('ia32');
