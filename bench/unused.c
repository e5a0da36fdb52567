// SPDX-License-Identifier: GPL-2.0
/* What a program pays that uses nothing of the series. */
#include "bench.h"
#include <sched.h>

static volatile long watched;
static volatile long seen;

static void do_syscall(long reps)
{
	while (reps--) {
		long ret;

		asm volatile("syscall" : "=a"(ret) : "0"(SYS_getppid) : "rcx", "r11", "memory");
		seen += ret > 0;
	}
}

static void on_usr1(int sig, siginfo_t *si, void *uc)
{
	(void)sig;
	(void)si;
	(void)uc;
	seen++;
}

static pid_t self;

static void do_signal(long reps)
{
	while (reps--)
		kill(self, SIGUSR1);
}

static int child(void *unused)
{
	(void)unused;
	seen++;
	return 0;
}

static void do_clone(long reps)
{
	static char stack[16384] __attribute__((aligned(16)));

	while (reps--) {
		pid_t pid = must(clone(child, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL));

		must(waitpid(pid, NULL, 0));
	}
}

/* There and back: two switches between two processes. */
static int there[2], back[2];

static void do_switch(long reps)
{
	while (reps--) {
		unsigned char out = reps, in;

		if (write(there[1], &out, 1) != 1 || read(back[0], &in, 1) != 1)
			fail("pipe: %s", strerror(errno));
		seen += in == out;
	}
}

static void other_side(void)
{
	unsigned char c;

	if (must(fork()))
		return;
	close(there[1]);
	while (read(there[0], &c, 1) == 1 && write(back[1], &c, 1) == 1)
		;
	_exit(0);
}

static void write_watched(long reps)
{
	while (reps--)
		watched = reps;
}

static void unused(const char *name, long reps, void (*round)(long reps))
{
	seen = 0;
	measure(name, reps, round);
	expect(name, seen, measured(reps));
}

/* A breakpoint that only counts, and one that overflows at each hit with nobody to tell. */
static void plain(const char *name, long reps, uint64_t period)
{
	union sigtrap_attr attr = plain_attr(&watched, period);
	int fd = event_open(&attr);

	measure(name, reps, write_watched);
	expect(name, event_count(fd), measured(reps));
	close(fd);
}

int main(int argc, char **argv)
{
	bench_begin(argc, argv);
	self = getpid();

	unused("unused-syscall", 10000, do_syscall);
	on_signal(SIGUSR1, on_usr1);
	unused("unused-signal", 1000, do_signal);
	unused("unused-clone", 200, do_clone);

	must(pipe(there));
	must(pipe(back));
	other_side();
	unused("unused-switch", 1000, do_switch);
	close(there[1]);
	must(wait(NULL));

	plain("unused-breakpoint-count", 1000, 0);
	plain("unused-breakpoint-sample", 1000, 1);

	row_print();
	return 0;
}
