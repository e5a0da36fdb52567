#!/usr/bin/perl
# The kselftests pass in a guest, built for the kernel's own ABI.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Kselftest;

Kselftest::run('native');
