#!/usr/bin/perl
# make tree and make refresh are each other's inverse, and lose no work.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use House;
use Test::More;

my $clone = clone();
sh('rm -rf patches', in => $clone);
my $kernel = little_kernel(scratch() . '/kernel');
my %src = (env => {LINUX_SRC => $kernel}, in => $clone);
my $tree = "$clone/build/tree";
my ($status, $out, $err);

# Three commits on a little kernel: a change, a new file in a new folder, a change again.
my $git = 'git -c user.name=Someone -c user.email=someone@example.org';
sub commit {
	my ($what, $subject) = @_;
	($status, $out, $err) = sh("$what && git add -A && $git commit -qm '$subject'", in => $tree);
	is $status, 0, "commit: $subject" or diag $err;
}
# Every file under patches/ with its bytes.
sub patches { my %p = map { $_ => slurp("$clone/patches/$_") } split /\n/, (sh('ls patches', in => $clone))[1]; \%p }
sub commits { (sh('git rev-list base..HEAD', in => $tree))[1] }

($status, $out, $err) = sh('base/tree.sh', %src);
is $status, 0, 'a tree out of LINUX_SRC, with no series' or BAIL_OUT($err);
is commits(), '', '... has the base only';

($status, $out, $err) = sh(q(exec 9<build && flock 9 && { base/tree.sh 9<&- 2>said & for i in $(seq 600); do ! grep -q waiting said || break; sleep 0.1; done; cat said >&2; exec 9<&-; wait $!; }), %src);
is $status, 0, 'two at once: the second waits' or diag $err;
like $err, qr/^another command is at work in \S+: waiting for it$/m, '... and says so';
sh('rm said', in => $clone);

commit("echo '// one' >>kernel/signal.c", 'signal: one');
commit('mkdir new && echo two >new/two', 'new: two');
commit("sed -i '1i// three' kernel/signal.c", 'signal: three');
($status, $out, $err) = sh('base/refresh.sh', in => $clone);
is $status, 0, 'refresh writes the series' or diag $err;
my $patches = patches();
is_deeply [sort keys %$patches], [qw(0001-signal-one.patch 0002-new-two.patch 0003-signal-three.patch series)], '... named by their subjects';
is $patches->{series}, "0001-signal-one.patch\n0002-new-two.patch\n0003-signal-three.patch\n", '... and listed in order';

sh('base/clean.sh', in => $clone);
($status, $out, $err) = sh('base/tree.sh', %src);
is $status, 0, 'a tree from the series' or diag $err;
is slurp("$tree/new/two"), "two\n", '... has what it changes';
my $commits = commits();
sh('base/refresh.sh', in => $clone);
is_deeply patches(), $patches, 'refresh after tree changes no byte';

# A person's settings are not the series'.
my $home = scratch() . '/home';
mkdir $home;
spew("$home/.gitconfig", <<'END');
[user]
	name = Someone Else
	email = else@example.org
[diff]
	noprefix = true
	algorithm = patience
	context = 9
[format]
	signature = mine
	numbered = true
	subjectPrefix = RFC
	thread = deep
[core]
	abbrev = 7
	autocrlf = true
[commit]
	gpgSign = true
END
sh('base/clean.sh', in => $clone);
my %home = (env => {HOME => $home, LINUX_SRC => $kernel}, in => $clone);
($status, $out, $err) = sh('base/tree.sh && base/refresh.sh', %home);
is $status, 0, "with a person's git settings" or diag $err;
is_deeply patches(), $patches, '... the bytes are the same';
is commits(), $commits, '... and so are the commits';

# What does not change keeps its time: make compiles no more than it has to.
my $old = 1_000_000_000;
utime $old, $old, "$tree/kernel/signal.c", "$tree/new/two";
(my $other = $patches->{'0003-signal-three.patch'}) =~ s/^Subject: .*/Subject: [PATCH] signal: third/m;
spew("$clone/patches/0003-signal-three.patch", $other);
($status, $out, $err) = sh('base/tree.sh', in => $clone);
like((sh('git log -1 --format=%s', in => $tree))[1], qr/third/, 'a patch changed in patches/ is taken');
is((stat "$tree/kernel/signal.c")[9], $old, '... and a file that it does not change keeps its time');
spew("$clone/patches/series", "0001-signal-one.patch\n0003-signal-three.patch\n");
($status, $out, $err) = sh('base/tree.sh', in => $clone);
ok $status == 0 && !-e "$tree/new/two", 'a patch taken off the series is gone from the tree' or diag $err;
spew("$clone/patches/$_", $patches->{$_}) for keys %$patches;

# A patch that does not apply.
(my $bad = $patches->{'0003-signal-three.patch'}) =~ s/^(@@.*\n(?:[-+].*\n)* ).*/$1not there/m;
spew("$clone/patches/0003-signal-three.patch", $bad);
my $before = commits();
($status, $out, $err) = sh('base/tree.sh', in => $clone);
ok $status != 0 && $err =~ /^error: patches\/0003-signal-three\.patch/m, 'a patch that does not apply is named' or diag $err;
is commits(), $before, '... and the tree is as it was';
is((sh('ls -d build/tree.*', in => $clone))[1], '', '... with nothing left beside it');
spew("$clone/patches/$_", $patches->{$_}) for keys %$patches;
($status, $out, $err) = sh('base/tree.sh', in => $clone);
is commits(), $commits, 'and the good one gives the first commits again' or diag $err;

# Work is never lost.
my %touch = (
	'a changed file' => ["echo x >>kernel/signal.c", 'git checkout -q kernel/signal.c'],
	'a new file' => ['touch mine', 'rm mine'],
	'a commit' => ["echo x >>Kbuild && git add -A && $git commit -qm mine", 'git reset -q --hard HEAD~1'],
);
for my $what (sort keys %touch) {
	my ($do, $undo) = @{$touch{$what}};
	sh($do, in => $tree);
	my $work = (sh('git rev-parse HEAD; git status --porcelain; git diff', in => $tree))[1];
	($status, $out, $err) = sh('base/tree.sh', in => $clone);
	is $status, 0, "$what in the tree, the series as it was: the tree is used";
	spew("$clone/patches/series", "0001-signal-one.patch\n");
	($status, $out, $err) = sh('base/tree.sh', in => $clone);
	ok $status != 0 && $err =~ /make refresh/, '... the series changed: an error' or diag $err;
	spew("$clone/patches/series", $patches->{series});
	($status, $out, $err) = sh('base/tree.sh', in => $clone, env => {LINUX_SRC => little_kernel(scratch() . "/kernel of $what")});
	isnt $status, 0, '... another base: an error';
	($status, $out, $err) = sh('base/clean.sh', in => $clone);
	isnt $status, 0, '... clean: an error';
	is((sh('git rev-parse HEAD; git status --porcelain; git diff', in => $tree))[1], $work, '... and the work is as it was');
	sh($undo, in => $tree);
}

# refresh refuses what would make a bad series.
spew("$tree/Kbuild", "changed\n");
($status, $out, $err) = sh('base/refresh.sh', in => $clone);
ok $status != 0 && $err =~ /Kbuild/, 'refresh with a dirty tree is an error that names the file';
commit('true', 'fixup! new: two');
($status, $out, $err) = sh('base/refresh.sh', in => $clone);
ok $status != 0 && $err =~ /autosquash/, 'refresh with a fixup not folded in is an error';
sh('git reset -q --hard HEAD~1', in => $tree);
spew("$clone/patches/0002-new-two.patch", $patches->{'0002-new-two.patch'} . "\n");
my $pulled = patches();
($status, $out, $err) = sh('base/refresh.sh', in => $clone);
isnt $status, 0, 'refresh over patches that came another way is an error';
is_deeply patches(), $pulled, '... and writes nothing';
spew("$clone/patches/0002-new-two.patch", $patches->{'0002-new-two.patch'});

commit("git reset -q --hard HEAD~1 && echo '// 3' >>kernel/signal.c", 'signal: last');
($status, $out, $err) = sh('base/refresh.sh', in => $clone);
ok !-e "$clone/patches/0003-signal-three.patch" && -e "$clone/patches/0003-signal-last.patch", 'a patch no longer in the tree goes' or diag $err;
($status, $out, $err) = sh('base/clean.sh', in => $clone);
ok $status == 0 && !-e "$clone/build", 'clean removes what is derived' or diag $err;

# What LINUX_SRC may be.
my %bad = (
	"$home/nothing" => qr/LINUX_SRC=\S+.*does not exist/,
	$home => qr/no kernel/,
	"$home/.gitconfig" => qr/no tarball/,
);
for my $path (sort keys %bad) {
	($status, $out, $err) = sh('base/tree.sh', in => $clone, env => {LINUX_SRC => $path});
	ok $status != 0 && $err =~ /^error: .*$bad{$path}/m, "LINUX_SRC=$path is an error" or diag $err;
	is((sh('ls build | grep tree', in => $clone))[1], '', '... which leaves no tree');
}
sh(q(sed -i 's/^PATCHLEVEL.*/PATCHLEVEL = 15/' Makefile), in => little_kernel("$home/newer"));
($status, $out, $err) = sh('base/tree.sh', in => $clone, env => {LINUX_SRC => "$home/newer"});
ok $status != 0 && $err =~ /5\.15\.\d+.*5\.10/, 'another line of kernels is an error' or diag $err;
sh('rm -rf patches', in => $clone);
sh('tar -cJf "$HOME/kernel.tar.xz" kernel', in => scratch(), env => {HOME => $home});
my $sums = (sh('find . -type f | sort | xargs sha256sum', in => $kernel))[1];
($status, $out, $err) = sh('base/tree.sh && cd build/tree && git ls-files | sort | sed s,^,./, | xargs sha256sum', in => $clone, env => {LINUX_SRC => "$home/kernel.tar.xz"});
is $out, $sums, 'a tarball is taken' or diag $err;
sh('git init -q && git add -A && git -c user.name=x -c user.email=x@example.org commit -qm x && touch stray', in => $kernel);
($status, $out, $err) = sh('base/clean.sh && base/tree.sh && cd build/tree && git ls-files | sort | sed s,^,./, | xargs sha256sum', %src);
is $out, $sums, "of a git tree, git's files are taken" or diag $err;

done_testing;
