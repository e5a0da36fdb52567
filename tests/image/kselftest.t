#!/usr/bin/perl
# The kselftests pass on the disk's kernel.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use House;
use Kselftest;
use Test::More;

BAIL_OUT('GUEST_DISK is not set: make image makes a disk and runs this') unless $ENV{GUEST_DISK};
Kselftest::run('native');
