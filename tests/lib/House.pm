# What the tests share: running a command, and clones and kernels small enough
# to try things on.
package House;
use strict;
use warnings;
use Cwd 'realpath';
use Exporter 'import';
use File::Basename 'dirname';
use File::Temp 'tempdir';
our @EXPORT = qw(top build sh spew slurp scratch clone little_kernel series guest own_stderr);

my $top = realpath(dirname(__FILE__) . '/../..');
sub top { $top }
sub build { "$top/build" }

# A folder for the test, gone with it. Its name has a space, which all must bear.
my $scratch;
sub scratch { $scratch //= tempdir('a test.XXXXXX', TMPDIR => 1, CLEANUP => 1) }

sub slurp { open my $f, '<', $_[0] or die "$_[0]: $!"; local $/; scalar <$f> }
sub spew { open my $f, '>', $_[0] or die "$_[0]: $!"; print $f $_[1] or die; close $f or die }

my $cache = tempdir("cache.XXXXXX", TMPDIR => 1, CLEANUP => 1);
# Run shell text, in a folder if one is given; (exit status, stdout, stderr).
sub sh {
	my ($text, %o) = @_;
	my ($out, $err) = map { scratch() . "/sh.$_" } qw(out err);
	my $pid = fork // die $!;
	if (!$pid) {
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', $out;
		open STDERR, '>', $err;
		chdir($o{in} // $top) or die "$o{in}: $!";
		# make test's own variables are not for what the tests run.
		delete @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS PROG ARGS TREE LINUX_SRC CONFIG OUT)};
		# A clone whose path has a space builds in its cache: one of the test's.
		$ENV{PERF_SIGTRAP_CACHE} = $cache if ($o{in} // '') =~ /clone/;
		$ENV{$_} = $o{env}{$_} for keys %{$o{env} // {}};
		exec 'bash', '-c', $text;
		die;
	}
	waitpid $pid, 0;
	my $status = $? & 127 ? 128 + ($? & 127) : $? >> 8;
	return ($status, slurp($out), slurp($err));
}

sub must {
	my ($status, $out, $err) = sh(@_);
	die "$_[0]: status $status\n$out$err" if $status;
	return $out;
}

sub series { split /\n/, must('. base/lib.sh; . base/series.sh; series_names') }

# A copy of this repository as it is now, without what it has built.
my $clones = 0;
sub clone {
	my $to = scratch() . '/clone ' . ++$clones;
	mkdir $to or die $!;
	must(q(tar -c --exclude=./build --exclude=./.git . | tar -x -C "$to"), env => {to => $to});
	return $to;
}

# A kernel of the base's files that the series touches, and no more.
sub little_kernel {
	my ($to) = @_;
	must(q(
		. base/lib.sh; . base/series.sh
		mkdir -p "$to"
		for name in $(series_names); do series_files "patches/$name"; done | sort -u | while read -r file; do
			tree_git cat-file -e "base:$file" 2>/dev/null && echo "$file"
		done >"$to.files" || :
		printf '%s\n' Makefile Kbuild kernel/signal.c >>"$to.files"
		sort -u "$to.files" | xargs git -C "$tree" archive base -- | tar -x -C "$to"
		rm "$to.files"
	), env => {to => $to});
	return $to;
}

# Run shell text in a guest; as sh() does. A folder of files may go along.
sub guest {
	my ($name, $text, %o) = @_;
	my $folder = $o{folder} // scratch() . '/empty';
	mkdir $folder;
	return sh('exec vm/guest.sh "$NAME" "$FOLDER" "$TEXT"', env => {%{$o{env} // {}}, NAME => $name, FOLDER => $folder, TEXT => $text});
}

# What a guest's command wrote to stderr, without vm/guest.sh's word on QEMU's crash
# before it: tests/guest.t sees to it that this is said.
sub own_stderr { return $_[0] =~ s/^QEMU crashed \(status 13[49]\) before the guest's init: once more\n//r }

1;
