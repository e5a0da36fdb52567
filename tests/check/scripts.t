#!/usr/bin/perl
# shellcheck and codespell over what is written here, and what must not be in it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use House;
use Test::More;

# All but what git ignores: also a file that is new and not added yet.
my @files = grep { -f top . "/$_" } split /\0/, (sh('git ls-files -z --cached --others --exclude-standard'))[1];
my @scripts = grep { slurp(top . "/$_") =~ /\A#!.*\b(ba)?sh\b|\A# shellcheck shell=/ } @files;
cmp_ok scalar(@scripts), '>', 10, 'there are scripts to check';
for my $script (@scripts) {
	my ($status, $out, $err) = sh('exec shellcheck -x "$F"', env => {F => $script});
	is $status, 0, "shellcheck $script" or diag $out, $err;
}
my @perl = grep { slurp(top . "/$_") =~ /\A#!.*\bperl\b/ || /\.pm$/ } @files;
for my $script (@perl) {
	my ($status, $out, $err) = sh('exec perl -I tests/lib -wc "$F"', env => {F => $script});
	ok $status == 0 && $err =~ /\A\Q$script\E syntax OK\s*\z/, "perl -wc $script" or diag $err;
}

# isnt() is Test::More's, filp the kernel's. Everything but the licence, whose words are not ours. In a patch: what it adds.
my $text = scratch() . '/text';
mkdir $text;
for my $file (grep { $_ ne 'LICENSE' } @files) {
	my $body = slurp(top . "/$file");
	next if $body =~ /\0/;
	if ($file =~ /\.patch$/) {
		my ($message, $diff) = split /^---$/m, $body, 2;
		$body = join "\n", $message, ($diff // '') =~ /^\+(.*)/mg;
	}
	# In a man page: not its requests, nor the names of its characters.
	$body =~ s/^\.[A-Z]+\b|\\\(..//mg if $file =~ m{^docs/man/};
	(my $flat = $file) =~ s{/}{__}g;
	spew("$text/$flat", $body);
}
my ($status, $out, $err) = sh('exec codespell -L isnt,filp "$D"', env => {D => $text});
is $status, 0, 'codespell' or diag $out, $err;

done_testing;
