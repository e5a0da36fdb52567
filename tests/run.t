#!/usr/bin/perl
# make run and vm/run.sh hand back what a program prints and how it ends.
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
is $err, "processors: 4\n", 'stderr, and nothing else; 4 processors';

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

done_testing;
