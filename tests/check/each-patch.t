#!/usr/bin/perl
# Each patch builds alone, on top of those before it: a small kernel for x86_64,
# and for the other architectures that the series touches the objects of the
# files that hold its layouts. No patch brings a warning (W=1) or one of
# sparse's (C=2) with it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use House;
use Test::More;

my @series = series();
plan skip_all => 'the series is empty' unless @series;
my %compiler = (
	i386 => 'gcc', arm64 => 'aarch64-linux-gnu-gcc', arm => 'arm-linux-gnueabi-gcc',
	m68k => 'm68k-linux-gnu-gcc', powerpc => 'powerpc64le-linux-gnu-gcc', sparc64 => 'sparc64-linux-gnu-gcc',
);
my %folder = (x86_64 => 'x86', i386 => 'x86', sparc64 => 'sparc');

my ($status, $out, $err);
my $check = build() . '/check';
my $wt = "$check/tree";
($status, $out, $err) = sh('. base/lib.sh; . base/series.sh; mkdir -p "$CHECK"
	[ -e "$CHECK/tree/.git" ] && plain_git -C "$CHECK/tree" rev-parse -q --verify HEAD >&2 || { rm -rf "$CHECK/tree"; tree_git worktree prune; tree_git worktree add -q --detach "$CHECK/tree" base; }
	tree_git rev-parse base; tree_git rev-list --reverse base..HEAD',
	env => {CHECK => $check});
is $status, 0, 'a worktree to build in' or BAIL_OUT($err);
my ($base, @commits) = split /\n/, $out;
is scalar(@commits), scalar(@series), 'a commit a patch' or BAIL_OUT('build/tree holds work: make refresh');

sub at {
	my ($commit) = @_;
	my ($status, undef, $err) = sh('. base/lib.sh; plain_git -C "$KTREE" checkout -q --detach --force "$C"', env => {KTREE => $wt, C => $commit});
	die $err if $status;
}
# The kernel's make for an architecture, into build/check/WHAT; log beside it.
my $log = build() . '/log';
sub kmake {
	my ($arch, $what, @targets) = @_;
	local $ENV{T} = join ' ', @targets;
	return sh('base/config.sh "$O" tests/check/small.config "tests/check/small-$ARCH.config" && base/kmake.sh "$O" $T >"$LOG" 2>&1',
		env => {KTREE => $wt, ARCH => $arch, O => "$check/$what", LOG => "$log/check-$what.log"});
}
sub errors { my ($what) = @_; my @e = grep { /error|undefined reference|No rule/i } split /\n/, slurp("$log/check-$what.log"); join "\n", @e[0 .. ($#e > 7 ? 7 : $#e)], "(the whole log: $log/check-$what.log)" }

# The objects of the C files that patches touch and that a configuration has.
my @files = split /\n/, (sh('. base/lib.sh; . base/series.sh; tree_git diff --name-only --diff-filter=d base HEAD'))[1];
sub objects {
	my ($arch) = @_;
	my $folder = $folder{$arch} // $arch;
	my @o = grep { m{^(?:kernel|fs|arch/\Q$folder\E)/.*\.c$} } @files;
	# Where a header is what a patch changes: its users.
	push @o, 'kernel/signal.c', 'fs/signalfd.c', "arch/$folder/kernel/signal.c";
	push @o, 'kernel/events/core.c' unless $arch eq 'm68k'; # has no perf events
	push @o, "arch/$folder/kernel/signal_64.c" if $arch =~ /^(sparc64|powerpc)$/;
	push @o, "arch/$folder/kernel/signal32.c" if $arch =~ /^(arm64|sparc64)$/;
	@o = grep { $_ ne 'arch/sparc/kernel/signal.c' } @o if $arch eq 'sparc64';
	@o = grep { !m{^kernel/events/} } @o if $arch eq 'm68k';
	@o = grep { !m{hw_breakpoint\.c$} } @o if $arch eq 'sparc64' || $arch eq 'm68k';
	@o = grep { !m{_test\.c$} } @o unless $arch =~ /^(x86_64|arm64|powerpc)$/; # where KUnit is on
	@o = grep { !m{signal_(64|compat)\.c$} } @o if $arch eq 'i386';
	@o = grep { !m{signal_32\.c$} } @o if $arch eq 'sparc64';
	@o = grep { !m{sigtrap_test\.c$} } @o unless $arch eq 'x86_64'; # whose exception it makes up
	my %o = map { s/\.c$/.o/r => 1 } grep { -e "$wt/$_" } @o;
	return sort keys %o;
}

# Warnings of the compiler and of sparse, each with the text of the line that it
# is about instead of its number, which moves. So a line that the base has word
# for word, with the same warning (the kernel takes siglock, behind a pointer
# that is __rcu, at a hundred places), is nothing new.
my %before;
sub warnings_of {
	my ($arch) = @_;
	my ($status) = kmake($arch, "warn-$arch", 'W=1', 'C=2', 'CHECK="sparse"', '-k', objects($arch));
	my (%said, %lines);
	for (split /\n/, slurp("$log/check-warn-$arch.log")) {
		my ($file, $line, $what) = /^(\S+?):(\d+)(?::\d+)?: ((?:warning|error): .*)/ or next;
		$file =~ s{^(?:\.\./)+tree/|^\Q$wt\E/}{};
		$lines{$file} //= -e "$wt/$file" ? [split /\n/, slurp("$wt/$file")] : [];
		my $text = $lines{$file}[$line - 1] // '';
		$text =~ s/\s+/ /g;
		$said{"$file: $what:$text"} = "$file:$line: $what";
	}
	return ($status, \%said);
}

my @others = grep { !(sh("command -v $compiler{$_}"))[0] } sort keys %compiler;
is "@others", join(' ', sort keys %compiler), 'a compiler for each architecture';

at($base);
for my $arch (qw(x86_64 arm64)) {
	($status, $before{$arch}) = warnings_of($arch);
	is $status, 0, "base: $arch builds" or diag errors("warn-$arch");
	cmp_ok scalar(keys %{$before{$arch}}), '>', 0, '... and its warnings are seen';
}

for my $n (0 .. $#commits) {
	at($commits[$n]);
	printf STDERR "# building patch %d of %d\n", $n + 1, scalar @commits;
	($status) = kmake('x86_64', 'x86_64', 'vmlinux');
	is $status, 0, "$series[$n]: x86_64 builds" or diag errors('x86_64');
	for my $arch (@others) {
		($status) = kmake($arch, $arch, objects($arch));
		is $status, 0, "$series[$n]: $arch builds" or diag errors($arch);
	}
	# Of perf, the objects that the patch touches: the rest needs libraries.
	my @perf = map { m{^tools/perf/(.*)\.c$} ? "$1.o" : () }
		split /\n/, (sh('. base/lib.sh; plain_git -C "$KTREE" diff --name-only --diff-filter=d HEAD~1', env => {KTREE => $wt}))[1];
	next unless @perf;
	($status) = sh('mkdir -p "$O" && make -C "$T/tools/perf" O="$O" NO_LIBELF=1 NO_AUXTRACE=1 $OBJECTS >"$LOG" 2>&1',
		env => {O => "$check/perf", T => $wt, OBJECTS => "@perf", LOG => "$log/check-perf.log"});
	is $status, 0, "$series[$n]: perf's @perf build" or diag errors('perf');
}

for my $arch (qw(x86_64 arm64)) {
	my ($status, $after) = warnings_of($arch);
	is $status, 0, "the whole series: $arch builds with W=1 C=2" or diag errors("warn-$arch");
	my @new = map { $before{$arch}{$_} ? () : $after->{$_} } sort keys %$after;
	is join("\n", @new), '', "... with no new warning";
}

my $uapi = 'include/uapi/linux/perf_event.h';
is slurp("$wt/tools/$uapi"), slurp("$wt/$uapi"), "tools/$uapi is in step";

done_testing;
