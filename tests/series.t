#!/usr/bin/perl
# The series goes into other trees than build/tree by git am and by quilt, and
# into upstream's release as into Debian's.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use House;
use Test::More;

plan skip_all => 'the series is empty' unless series();

my ($status, $out, $err);
my $want = (sh('. base/lib.sh; git -C "$tree" diff --name-only base HEAD'))[1];
my $paths = scratch() . '/paths';
spew($paths, $want);
my $as = 'git -c user.name=x -c user.email=x@example.org';

# Of each file that the series touches: what the series makes of it. Two bases
# may differ elsewhere in the file, so this is for Debian's only.
sub same_as_tree {
	my ($at) = @_;
	return (sh('. base/lib.sh; while read -r f; do cmp <(git -C "$tree" show "HEAD:$f") "$AT/$f" || :; done <"$PATHS" 2>&1',
		env => {AT => $at, PATHS => $paths}))[1];
}

my $debian = little_kernel(scratch() . '/debian');
sh('cp -r . ../quilt', in => $debian);
sh("git init -q && git add -A && $as commit -qm start", in => $debian);
($status, $out, $err) = sh("$as -C \"\$T\" am -q \"\$PWD\"/patches/*.patch", env => {T => $debian});
is $status, 0, "git am patches/*.patch on Debian's source" or diag $out, $err;
is same_as_tree($debian), '', '... makes the files of build/tree';
is((sh('git rev-list --count HEAD', in => $debian))[1], 1 + series() . "\n", '... a commit a patch');

my $quilt = scratch() . '/quilt';
SKIP: {
	skip 'quilt is not installed', 2 if (sh('command -v quilt'))[0];
	($status, $out, $err) = sh('QUILT_PATCHES="$P" quilt push -a --fuzz=0', in => $quilt, env => {P => top . '/patches'});
	is $status, 0, 'quilt push -a' or diag $out, $err;
	is same_as_tree($quilt), '', '... makes the same';
}

SKIP: {
	($status, $out, $err) = sh('base/fetch.sh orig');
	skip "upstream's tarball is not to be had as a Debian source package: $err", 3 if $status;
	chomp(my $tarball = $out);
	my $upstream = scratch() . '/upstream';
	mkdir $upstream;
	# Out of the real tarball, the files that the series touches.
	my $names = scratch() . '/names';
	spew($names, join '', map { "*/$_\n" } grep { -e "$quilt/$_" } split /\n/, $want . "Makefile\n");
	sh('xz -dc -T0 "$TARBALL" | tar -x -C "$TO" --strip-components=1 --wildcards --no-wildcards-match-slash -T "$NAMES"',
		env => {NAMES => $names, TARBALL => $tarball, TO => $upstream});
	ok -e "$upstream/kernel/signal.c", "upstream's tarball has the files";
	sh("git init -q && git add -A && $as commit -qm start", in => $upstream);
	($status, $out, $err) = sh("$as -C \"\$T\" am -q \"\$PWD\"/patches/*.patch", env => {T => $upstream});
	is $status, 0, "git am patches/*.patch on upstream's release" or diag $out, $err;
	is((sh('git rev-list --count HEAD', in => $upstream))[1], 1 + series() . "\n", '... a commit a patch');
}

done_testing;
