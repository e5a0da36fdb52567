#!/usr/bin/perl
# The series in patches/ is byte for byte what make refresh writes.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use House;
use Test::More;

plan skip_all => 'the series is empty' unless series();

# In a clone, on the files that the series touches: build/tree may hold work.
my $kernel = little_kernel(scratch() . '/kernel');
my $clone = clone();
my $list = q(cd patches && sha256sum series $(cat series));
my $before = (sh($list, in => $clone))[1];
my ($status, $out, $err) = sh('base/tree.sh && base/refresh.sh && git -C build/tree log --format=%s base..HEAD', in => $clone, env => {LINUX_SRC => $kernel});
is $status, 0, 'tree, then refresh' or diag $err;
is((sh($list, in => $clone))[1], $before, '... changes no byte');
is(() = $out =~ /\n/g, scalar(series()), '... and there is a commit a patch');
is_deeply [sort map { s{.*/}{}r } glob top . '/patches/[0-9][0-9][0-9][0-9]-*.patch'], [sort(series())], 'no patch lies in patches/ that the series does not name';

done_testing;
