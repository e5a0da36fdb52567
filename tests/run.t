#!/usr/bin/perl
# make run and make watch hand back what a program prints and how it ends.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use House;
use Test::More;

my $dir = scratch() . '/programs';
mkdir $dir;
spew("$dir/say.c", <<'END');
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		printf("%s\n", argv[i]);
	fprintf(stderr, "processors: %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
	if (argc > 2 && !strcmp(argv[1], "signal"))
		raise(atoi(argv[2]));
	return argc > 2 ? atoi(argv[2]) : 0;
}
END
my ($status, $out, $err) = sh(q(gcc -static -o "say it" say.c && gcc -o dynamic say.c), in => $dir);
is $status, 0, 'programs to run' or BAIL_OUT($err);
mkdir "$dir/folder";
sh('cp "say it" folder/; echo "a file" >folder/data; printf "#!/bin/sh\ncat data; exec ./say\\\\ it \$@\n" >folder/script; chmod +x folder/script', in => $dir);

sub run { my ($prog, $args, %env) = @_; ($status, $out, $err) = sh('exec vm/run.sh', env => {PROG => $prog, ARGS => $args, %env}) }

run("$dir/say it", "exit 37 'two words' '\$HOME'");
is $status, 37, 'the exit status' or diag $err;
is $out, "exit\n37\ntwo words\n\$HOME\n", 'stdout, and nothing else';
is own_stderr($err), "processors: 4\n", 'stderr, and nothing else; 4 processors';

run("$dir/say it", 'signal 11', CPUS => 2);
is $status, 128 + 11, 'a program killed by a signal';
like $err, qr/processors: 2/, 'CPUS';

run("$dir/folder", './script with 0 arguments');
is $status, 0, 'a script in a folder' or diag $err;
is $out, "a file\nwith\n0\narguments\n", '... sees the folder and its arguments';

($status, $out, $err) = sh('make -s run PROG="$P" ARGS="exit 5" 2>&1', env => {P => "$dir/say it"});
like $out, qr/^exit\n5$/m, 'make run gives the same output';
like $out, qr/Error 5\b/, '... and tells the status';
isnt $status, 0, '... and fails with it';

my %wrong = (
	'' => qr/PROG is not set/,
	"$dir/nothing" => qr/PROG=\Q$dir\E\/nothing does not exist/,
	"$dir/dynamic" => qr/\Q$dir\E\/dynamic is linked dynamically.*-static/,
	"$dir/say.c" => qr/PROG=\Q$dir\E\/say\.c is not executable/,
	"$dir/folder" => qr/PROG=\Q$dir\E\/folder is a folder: .*ARGS/,
);
for my $prog (sort keys %wrong) {
	run($prog, '');
	ok $status != 0 && $err =~ /^error: $wrong{$prog}/m, "PROG=$prog is an error" or diag $err;
}
run("$dir/say it", '', CPUS => 'many');
ok $status != 0 && $err =~ /^error: CPUS=many/m, 'CPUS=many is an error' or diag $err;

# make watch: the same for sigwatch, and a program with its libraries.
sub watch { ($status, $out, $err) = sh('exec vm/watch.sh', env => {ARGS => $_[0]}) }
watch("-x main -- '$dir/dynamic' 'two words' 7 '\$HOME'");
is $status, 7, 'a program is watched, and ends as it does' or diag $err;
is $out, "two words\n7\n\$HOME\n", '... its stdout';
like $err, qr/^[\d:.]+ \d+\/\d+ dynamic: main: execute 8 at 0x[0-9a-f]+\n    main\+0x0 .*^sigwatch: main: 1 hit in 1 thread$/ms, '... the hit';
like $err, qr/^processors: 4$/m, '... and its stderr';
watch('-b 0 last_command_exit_value -- bash -c "exit 3"');
is $status, 3, 'a program of this machine' or diag $err;
like $err, qr/^\S+ \d+\/\d+ bash: last_command_exit_value: write 4 /m, '... its hits';
for (
	['' => qr/ARGS is not set: make watch ARGS=/],
	['main echo' => qr/ARGS=main echo: there is no program behind '--'/],
	['main --' => qr/ARGS=main --: there is no program behind '--'/],
	['main -- no-such' => qr/ARGS=main -- no-such: there is no program 'no-such' here/],
	["main -- 'echo" => qr/ARGS=main -- 'echo: unmatched single quote/],
) {
	watch($_->[0]);
	ok $status != 0 && $err =~ /^error: $_->[1]/m, "watch ARGS=$_->[0] is an error" or diag $err;
}

done_testing;
