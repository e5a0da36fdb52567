// SPDX-License-Identifier: GPL-2.0
/* A watchpoint by the fields as linux-libc-dev names them, and no other header. */
#define _GNU_SOURCE
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

void hit(int sig, void *info, void *uc);
extern volatile int hits;
extern volatile unsigned long data, perf;

static volatile int x;

int main(void)
{
	struct sigaction sa = { .sa_flags = SA_SIGINFO };
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = PERF_ATTR_SIZE_VER7,
		.sample_period = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.remove_on_exec = 1,
		.sigtrap = 1,
		.bp_type = HW_BREAKPOINT_W,
		.bp_addr = (unsigned long)&x,
		.bp_len = sizeof(x),
		.sig_data = 42,
	};

	sa.sa_sigaction = (void (*)(int, siginfo_t *, void *))hit;
	sigaction(SIGTRAP, &sa, NULL);
	if (syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC) < 0) {
		perror("perf_event_open");
		return 1;
	}
	x = 7;
	printf("hits %d data %lu len %lu type %lu\n", hits, data, perf >> 16, perf & 0xffff);
	return 0;
}
