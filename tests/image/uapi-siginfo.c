// SPDX-License-Identifier: GPL-2.0
/* The kernel's siginfo_t and the C library's exclude each other: a file of its own. */
#include <asm/siginfo.h>
#include <linux/signalfd.h>

_Static_assert(sizeof(((struct signalfd_siginfo *)0)->ssi_perf_data) == 8, "signalfd");

volatile int hits;
volatile unsigned long data, perf;

void hit(int sig, void *info, void *uc)
{
	const siginfo_t *si = info;

	(void)sig;
	(void)uc;
	if (si->si_code != TRAP_PERF)
		return;
	hits++;
	data = si->si_perf_data;
	perf = si->si_perf;
}
