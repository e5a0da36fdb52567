#!/usr/bin/perl
# make apply changes a tree wholly or not at all, and says what is in the way.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use House;
use Test::More;

plan skip_all => 'the series is empty' unless series();

my ($status, $out, $err);
my $patched = (sh('. base/lib.sh; git -C "$tree" rev-parse HEAD; git -C "$tree" diff --name-only base HEAD'))[1];
my ($head, @files) = split /\n/, $patched;

sub apply { ($status, $out, $err) = sh('make apply TREE="$T"', env => {T => $_[0]}) }
sub state_of { (sh('find . -path ./.git -prune -o -type f -print | sort | xargs -d "\n" sha256sum; git log --format=%s 2>/dev/null', in => $_[0]))[1] }
sub as_patched {
	my ($kernel) = @_;
	my @differ = grep {
		my $want = (sh('. base/lib.sh; git -C "$tree" show "HEAD:$F"', env => {F => $_}))[1];
		!-e "$kernel/$_" || slurp("$kernel/$_") ne $want
	} @files;
	return "@differ";
}

my $plain = little_kernel(scratch() . '/plain tree');
apply($plain);
is $status, 0, 'a tree that is no git repository' or diag $err;
is as_patched($plain), '', '... is as build/tree';
my $before = state_of($plain);
apply($plain);
isnt $status, 0, 'a second time is an error';
like $err, qr/already/, '... which says so';
is state_of($plain), $before, '... and changes nothing';

my $git = little_kernel(scratch() . '/git tree');
my $as = 'git -c user.name=x -c user.email=x@example.org';
sh("git init -q && git config user.name x && git config user.email x\@example.org && git add -A && git commit -qm start", in => $git);
sh('echo x >>kernel/signal.c', in => $git);
apply($git);
ok $status != 0 && $err =~ /commit or stash/, 'a git tree with changes is an error' or diag $err;
sh('git checkout -q kernel/signal.c', in => $git);
apply($git);
is $status, 0, 'a git tree' or diag $err;
is as_patched($git), '', '... is as build/tree';
my @subjects = split /\n/, (sh('git log --format=%s', in => $git))[1];
is scalar(@subjects), 1 + series(), '... with a commit a patch';

# In the way of a later patch: what is told is that patch, the file, the hunk.
my @series = series();
my $bad = little_kernel(scratch() . '/bad tree');
my ($patch, $file, $context);
for my $name (reverse @series) {
	# A file that this patch is the first to change, and a context line of its second hunk.
	my $text = slurp(top . "/patches/$name");
	for my $part (split /^(?=diff --git )/m, $text) {
		my ($f) = $part =~ m{^diff --git a/(\S+)} or next;
		next unless -e "$bad/$f";
		next if grep { $_ lt $name && slurp(top . "/patches/$_") =~ m{^diff --git a/\Q$f\E }m } @series;
		my (undef, undef, $hunk) = split /^(?=@@ )/m, $part;
		next unless $hunk and $hunk =~ /^-(.*\w.*)$/m || $hunk =~ /^ (.*\w\w\w.*)$/m;
		my $line = $1;
		my $body = slurp("$bad/$f");
		next if (() = $body =~ /^\Q$line\E$/mg) != 1;
		$body =~ s/^\Q$line\E$/something else/m;
		spew("$bad/$f", $body);
		($patch, $file) = ($name, $f);
		last;
	}
	last if $patch;
}
ok $patch, 'a second hunk to spoil' or BAIL_OUT('the series has none');
$before = state_of($bad);
apply($bad);
isnt $status, 0, 'a tree to which a hunk does not apply is an error';
like $err, qr{^error: patches/\Q$patch\E .*nothing has been changed}m, '... that names the patch';
like $err, qr{^\s+\Q$file\E: hunk 2, at line \d+$}m, '... the file and the hunk';
is state_of($bad), $before, '... and nothing is changed';

my $less = little_kernel(scratch() . '/less of a tree');
my ($deleted) = grep { -e "$less/$_" && $_ ne 'kernel/signal.c' } @files;
unlink "$less/$deleted";
$before = state_of($less);
apply($less);
ok $status != 0 && $err =~ /\Q$deleted\E/, 'a file that is missing is named' or diag $err;
is state_of($less), $before, '... and nothing is changed';

my %wrong = ('' => qr/TREE is not set/, scratch() . '/nowhere' => qr/is no folder/, scratch() => qr/is no kernel tree/);
for my $path (sort keys %wrong) {
	apply($path);
	ok $status != 0 && $err =~ /^error: .*$wrong{$path}/m, "TREE=$path is an error" or diag $err;
}

done_testing;
