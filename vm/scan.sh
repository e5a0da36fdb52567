#!/bin/bash
# Look in a kernel log for what must not be there: vm/scan.sh LOG
# Prints what it finds and fails.
# shellcheck source=base/lib.sh
. "$(dirname "$0")/../base/lib.sh"

log=$1
[ -r "$log" ] || die "there is no log at $log"
found=$(grep -nE -m 20 \
	-e 'WARNING:|BUG:|BUG at|Oops|Kernel panic|general protection fault|Unable to handle kernel' \
	-e 'INFO: possible|possible circular|possible recursive|inconsistent lock state|suspicious RCU usage|bad unlock balance' \
	-e 'held lock freed|still has locks held|INFO: trying to register non-static key|MAX_[A-Z_]+ too low' \
	-e 'KASAN|KCSAN|UBSAN|ODEBUG|kmemleak: [0-9]+ new|unreferenced object' \
	-e 'rcu: INFO:|rcu_sched self-detected|detected stalls|INFO: task .* blocked|soft lockup|hard LOCKUP' \
	-e 'list_(add|del) corruption|refcount_t:|scheduling while atomic|sleeping function called' \
	-e 'segfault .* init\[1\]|Bad page|Call Trace:' \
	"$log" | grep -vE 'KASAN: no|KernelAddressSanitizer initialized|kasan: .* initialized|kmemleak: Kernel memory leak detector initialized' | sed 's/^/  /' || :)
[ -n "$found" ] || exit 0
say "the guest's kernel has complained:"
say "$found"
exit 1
