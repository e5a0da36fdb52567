#!/usr/bin/perl
# What goes wrong in a guest is seen: hang, death, panic, and what a kernel says.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use House;
use Test::More;

my ($status, $out, $err) = guest('test-good', 'echo out; echo err >&2; exit 3');
is_deeply [$status, $out, own_stderr($err)], [3, "out\n", "err\n"], 'a good guest hands back what its command says';

# QEMU's own crash is none of the guest's, if it comes before the guest's init:
# once, and not twice.
my $stub = scratch() . '/stub';
mkdir $stub;
sub crashing {
	my ($crashes, $when) = @_;
	spew("$stub/left", "x" x $crashes);
	spew("$stub/qemu-system-x86_64", <<"END");
#!/bin/bash
left=\$(cat "$stub/left")
[ -n "\$left" ] || PATH=\${PATH#*:} exec qemu-system-x86_64 "\$@"
printf %s "\${left#x}" >"$stub/left"
for arg; do
	case \$arg in file,id=console,path=*) echo "$when" >"\${arg#*path=}" ;; esac
done
kill -SEGV \$\$
END
	chmod 0755, "$stub/qemu-system-x86_64";
	guest('test-crash', 'echo out; exit 3', env => {PATH => "$stub:$ENV{PATH}"});
}
SKIP: {
	skip 'the stub is x86_64', 6 unless ($ENV{ARCH} || 'x86_64') eq 'x86_64';
	($status, $out, $err) = crashing(1, 'early');
	is_deeply [$status, $out], [3, "out\n"], 'a crash of QEMU before init: the guest is started once more';
	like $err, qr/^QEMU crashed \(status 139\) before the guest's init: once more$/m, '... and that is said';
	($status, $out, $err) = crashing(2, 'early');
	is_deeply [$status, $out], [125, ''], '... once';
	like $err, qr/QEMU ended with status 139/, '... and then it is an error';
	($status, $out, $err) = crashing(1, 'Run /init as init process');
	is_deeply [$status, $out], [125, ''], 'a crash later is an error';
	($status, $out, $err) = crashing(1, 'BUG: KASAN: something');
	is_deeply [$status, $out], [125, ''], '... and so is one after a complaint';
}

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
