#!/usr/bin/perl
# The kernel's own make htmldocs builds the series' documents without a warning,
# and they are in an index.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use House;
use Test::More;

plan skip_all => 'the series is empty' unless series();
my @documents = split /\n/, (sh('. base/lib.sh; git -C "$tree" diff --name-only --diff-filter=d base HEAD -- "Documentation/*.rst"'))[1];
cmp_ok scalar(@documents), '>', 0, 'the series has documents';

my $log = build() . '/log/check-document.log';
my %folder = map { m{^Documentation/([^/]+)/} ? ($1 => 1) : () } @documents;
for my $folder (sort keys %folder) {
	my ($status, $out, $err) = sh('. base/lib.sh; make -C "$tree" O="$O" PYTHON=python3 SPHINXDIRS="$F" htmldocs >"$LOG" 2>&1',
		env => {O => build() . '/check/document', F => $folder, LOG => $log});
	is $status, 0, "make htmldocs SPHINXDIRS=$folder" or diag $out, $err, "see $log";
	for my $document (grep { m{/\Q$folder\E/} } @documents) {
		# An index has links out of its folder, which alone is built here.
		my @said = grep { m{\Q$document\E:} && !m{unknown document: '/} } split /\n/, slurp($log);
		is "@said", '', "... has nothing to say about $document";
		(my $html = $document) =~ s{^Documentation/(.*)\.rst$}{$1.html};
		my ($found) = glob "'" . build() . "/check/document/Documentation/output/$html'";
		ok $found && -s $found, "... and makes a page of it";
	}
}

done_testing;
