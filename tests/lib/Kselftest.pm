# Run the series' kselftests of one ABI in a guest and pass each case on as one
# test of ours. A case that the sources have and the guest did not run fails.
package Kselftest;
use strict;
use warnings;
use House;
use Test::More;

# What the emulated processor cannot do, by case, and the reason that the case
# itself has to find and give. Any other skipped case has not been tested.
my %may_skip = (
	'ptrace global.singlestep_over_a_hit' => qr/TCG nests step and watchpoint/,
);

sub run {
	my ($abi) = @_;
	my ($status, $out, $err) = sh('exec tests/kselftest.sh "$ABI"', env => {ABI => $abi});
	if ($status) {
		fail "the kselftests build for $abi";
		diag $err;
		return done_testing;
	}
	my ($programs, $cases) = split /\n/, $out;
	my (@expected, %programs);
	for (split /\n/, slurp($cases)) {
		push @expected, $_;
		$programs{(split)[0]} = 1;
	}
	cmp_ok scalar(@expected), '>', 0, "the sources define cases for $abi";

	# A mark before and after each program: what is between is its own.
	my $name = join '-', $ENV{GUEST_DISK} ? 'image' : (), 'kselftest', $abi, $ENV{FLAVOUR} || ();
	my $log = build() . "/log/$name.tap";
	my $slow = $ENV{FLAVOUR} ? 5 : 1;
	my $each = 90 * $slow;
	my $text = join '', map { "echo '# begin $_'; timeout -s KILL $each ./$_ 2>&1; echo \"# end $_ \$?\"\n" } sort keys %programs;
	($status, $out, $err) = guest($name, $text, folder => $programs, env => {GUEST_TIMEOUT => 400 * $slow});
	spew($log, $out);
	is $status, 0, "a guest runs them to the end, and its kernel has nothing to say" or diag $err;

	my (%seen, %why, %end, $program, $case, @lines);
	for (split /\n/, $out) {
		if (/^# begin (\S+)$/) { $program = $1; @lines = () }
		elsif (/^# end (\S+) (\d+)$/) { $end{$1} = $2; $why{$1} = join "\n", @lines }
		elsif (/^#\s+RUN\s+(\S+)/) { $case = "$program $1"; push @lines, $_ }
		elsif (defined $program and /^(not ok|ok) \d+ (.*)/) {
			# The harness gives a skipped case's reason, not its name.
			my ($ok, $rest) = ($1, $2);
			my $skip = $rest =~ /^# SKIP (.*)/ ? $1 : undef;
			$seen{$case} = !defined $skip ? $ok
				: $may_skip{$case} && $skip =~ $may_skip{$case} ? "skip: $skip" : "skipped: $skip";
			$why{$case} = join "\n", @lines;
			@lines = ();
		}
		else { push @lines, $_ }
	}
	for my $case (@expected) {
		my $result = delete $seen{$case} // 'did not run';
		if ($result =~ /^skip: (.*)/) {
			SKIP: { skip "$abi: $case: $1", 1 }
			next;
		}
		is $result, 'ok', "$abi: $case" or diag $why{$case} // '', "\n(the whole log: $log)";
	}
	is_deeply [sort keys %seen], [], 'no case ran that the sources do not show';
	is $end{$_}, 0, "$abi: $_ ends with status 0" or diag $why{$_} // '' for sort keys %programs;
	done_testing;
}

1;
