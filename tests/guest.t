#!/usr/bin/perl
# What goes wrong in a guest is seen: hang, death, panic, and what a kernel says.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use House;
use Test::More;

my ($status, $out, $err) = guest('test-good', 'echo out; echo err >&2; exit 3');
is_deeply [$status, $out, $err], [3, "out\n", "err\n"], 'a good guest hands back what its command says';

# In time, whatever it is. TCG needs a few seconds for the rest.
sub bad {
	my ($what, $text, $message, %env) = @_;
	my $start = time;
	($status, $out, $err) = guest('test-bad', $text, env => {GUEST_TIMEOUT => 30, %env});
	is $status, 125, "$what is a failure" or diag $err;
	like $err, $message, '... with a message of its own';
	like $err, qr{the guest's log is \S.*/test-bad\.log$}m, '... that tells where the log is';
	cmp_ok time - $start, '<', 60, '... in bounded time';
}
bad('a hang', 'sleep 1000', qr/still running after 10 s/, GUEST_TIMEOUT => 10);
bad('an early death', 'reboot -f', qr/died before its command had ended/);
bad('a panic', 'echo c >/proc/sysrq-trigger', qr/Kernel panic - not syncing.*died before its command had ended/s);
bad('no kernel to speak of', 'true', qr/died before|ended with status|still running/, KERNEL_ARGS => 'init=/nothing rdinit=/nothing', GUEST_TIMEOUT => 20);

# What a kernel prints, each with a good exit status beside it; one guest a line
# would take too long, so the scanner gets the rest on its own.
bad('a warning', 'echo "<4>WARNING: CPU: 1 PID: 2 at kernel/events/core.c:1 perf_x" >/dev/kmsg', qr/WARNING: CPU: 1 PID: 2.*ended with status 0, but the kernel has complained/s);

my $log = scratch() . '/a log';
my $clean = slurp(build() . '/log/test-good.log');
sub scan { spew($log, $_[0]); sh('exec vm/scan.sh "$LOG"', env => {LOG => $log}) }
is((scan($clean))[0], 0, 'a clean log is clean') or diag((scan($clean))[2]);
for my $line (
	'WARNING: possible circular locking dependency detected',
	'WARNING: suspicious RCU usage',
	'BUG: sleeping function called from invalid context at mm/slab.h:1',
	'BUG: unable to handle page fault for address: ffff',
	'general protection fault, probably for non-canonical address 0x1: 0000 [#1] SMP',
	'Oops: 0000 [#1] SMP',
	'inconsistent lock state',
	'BUG: KASAN: use-after-free in perf_pending_task+0x1/0x2',
	'BUG: KCSAN: data-race in a / b',
	'UBSAN: shift-out-of-bounds in kernel/signal.c:1:2',
	'rcu: INFO: rcu_sched self-detected stall on CPU',
	'INFO: task init:1 blocked for more than 122 seconds.',
	'watchdog: BUG: soft lockup - CPU#1 stuck for 22s!',
	'kmemleak: 1 new suspected memory leaks (see /sys/kernel/debug/kmemleak)',
	'list_add corruption. prev->next should be next',
	'refcount_t: underflow; use-after-free.',
	'ODEBUG: free active (active state 0) object type: work_struct',
	'Kernel panic - not syncing: Fatal exception',
) {
	my ($status, undef, $err) = scan("$clean\[    1.5] $line\n");
	ok $status != 0 && $err =~ /\Q$line\E/, "the log is scanned for '$line'";
}

done_testing;
