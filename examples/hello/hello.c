// SPDX-License-Identifier: GPL-2.0
/* One watchpoint, one hit. */
#define _GNU_SOURCE
#include <stdio.h>
#include "sigtrap.h"

static volatile int x;
static volatile struct sigtrap_info hit;
static volatile unsigned long pc;
static volatile int hits;

static void on_trap(int sig, siginfo_t *si, void *uc)
{
	(void)sig;
	hit = *sigtrap_info(si);
	pc = sigtrap_pc(uc);
	hits++;
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
	union sigtrap_attr attr = sigtrap_attr(&x, sizeof(x), HW_BREAKPOINT_W, 42);

	sigaction(SIGTRAP, &sa, NULL);
	if (sigtrap_open(&attr) < 0) {
		fprintf(stderr, "hello: %s\n", sigtrap_strerror(errno));
		return 2;
	}
	x = 7;
	printf("%d hit: x at %p is now %d, written before pc %#lx, sig_data %lu\n", hits, hit.addr, x, pc, hit.data);
	return hits != 1;
}
