#!/usr/bin/perl
# The kernel's checkpatch has nothing to say about any patch. The sign-off is
# for whoever submits. Each new file has a maintainer: checkpatch asks whether it
# has, of every patch that adds one, and get_maintainer knows. The tree has no
# history in which a Fixes: tag could be looked up.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use House;
use Test::More;

plan skip_all => 'the series is empty' unless series();
for my $patch (series()) {
	my ($status, $out, $err) = sh('. base/lib.sh; cd "$tree"; exec scripts/checkpatch.pl --strict --no-signoff --ignore FILE_PATH_CHANGES,UNKNOWN_COMMIT_ID --show-types --summary-file "$P"',
		env => {P => top . "/patches/$patch"});
	ok $status == 0 && $out =~ /^.*total: 0 errors, 0 warnings, 0 checks/m, $patch or diag $out, $err;
}
for my $file (split /\n/, (sh('. base/lib.sh; git -C "$tree" diff --name-only --diff-filter=A base HEAD'))[1]) {
	my ($status, $out, $err) = sh('. base/lib.sh; cd "$tree"; exec scripts/get_maintainer.pl --nogit --nogit-fallback --nol -f "$F"', env => {F => $file});
	ok $status == 0 && $out =~ /\@/, "$file has a maintainer" or diag $out, $err;
}
done_testing;
