/* SPDX-License-Identifier: GPL-2.0 */
#ifndef AGENT_H
#define AGENT_H

#ifndef __x86_64__
#error "the agent is for x86_64: system calls, registers and debug registers are its own"
#endif

#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include "record.h"

/*
 * Not libc's: the handler calls nothing that may be watched itself, which would
 * hit again for ever, and leaves errno alone. The result, or -errno.
 */
static inline long sys6(long n, long a, long b, long c, long d, long e, long f)
{
	register long r10 asm("r10") = d, r8 asm("r8") = e, r9 asm("r9") = f;
	long result;

	asm volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
		     : "rcx", "r11", "memory");
	return result;
}

#define sys_(n, a, b, c, d, e, f, ...)						\
	sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define sys(...) sys_(__VA_ARGS__, 0, 0, 0, 0, 0, 0)

/* agent.c: the events, and a hit. */
int is_hit(const siginfo_t *si);	/* it is of an event of ours */
void take_hit(const siginfo_t *si, ucontext_t *uc);
extern struct ring *ring;		/* NULL: nothing is watched */

/* signals.c: the program's SIGTRAP, as it would be without the agent. */
void signals_init(void);		/* installs the handler */
void signals_die(const siginfo_t *si, ucontext_t *uc);

#endif
