// SPDX-License-Identifier: GPL-2.0
/*
 * Round trips: from an instruction of the program to whoever is told that it
 * was executed, and back. Each is repeated in a loop whose own few instructions
 * are counted along, the same for all and on every kernel.
 */
#include "bench.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>

static volatile long watched;
static volatile long hits;

static void on_hit(int sig, siginfo_t *si, void *uc)
{
	(void)sig;
	(void)si;
	(void)uc;
	hits++;
}

static void write_watched(long reps)
{
	while (reps--)
		watched = reps;
}

/* The cheapest way into the kernel and back. */
static void do_syscall(long reps)
{
	while (reps--) {
		long ret;

		asm volatile("syscall" : "=a"(ret) : "0"(SYS_getppid) : "rcx", "r11", "memory");
		hits += ret > 0;
	}
}

static void do_int3(long reps)
{
	while (reps--)
		asm volatile("int3" : : : "memory");
}

/*
 * A read of a page that may not be read. The handler steps over it, by the
 * saved pc: to make it succeed would take two more system calls a hit, and the
 * price of these is not what is asked for.
 */
static char *forbidden;
extern const char after_read[];

static void __attribute__((noinline, noclone)) do_segv(long reps)
{
	while (reps--)
		asm volatile("movb (%0), %%al\n"
			     ".globl after_read\n"
			     "after_read:" : : "r"(forbidden) : "rax", "memory");
}

static void on_segv(int sig, siginfo_t *si, void *uc)
{
	(void)sig;
	if (si->si_addr != forbidden)
		_exit(3);
	sigtrap_set_pc(uc, (unsigned long)after_read);
	hits++;
}

static void __attribute__((noinline, noclone)) step(void)
{
	asm volatile("" : : : "memory");
}

static void do_step(long reps)
{
	while (reps--)
		step();
}

static void on_trap(int sig, siginfo_t *si, void *uc)
{
	(void)sig;
	(void)uc;
	if (si->si_code != TRAP_PERF || sigtrap_info(si)->data != 7)
		_exit(3);
	hits++;
}

static void trip(const char *name, long reps, void (*round)(long reps))
{
	hits = 0;
	measure(name, reps, round);
	expect(name, hits, measured(reps));
}

static void trip_sigtrap(const char *name, const volatile void *addr, unsigned int type, void (*round)(long reps))
{
	union sigtrap_attr attr = sigtrap_attr(addr, sizeof(long), type, 7);
	int fd;

	if (!has_sigtrap()) {
		row_none(name, 1, NO_SIGTRAP);
		return;
	}
	on_signal(SIGTRAP, on_trap);
	fd = event_open(&attr);
	trip(name, 1000, round);
	close(fd);
}

/*
 * A debugger: it is told of the stop and lets the program go on, no more. (A
 * real one would read a register or two as well.)
 */
static pid_t debuggee;

static void do_ptrace(long reps)
{
	int status;

	while (reps--) {
		must(ptrace(PTRACE_CONT, debuggee, 0, 0));
		must(waitpid(debuggee, &status, 0));
		hits += WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
	}
}

static void trip_ptrace(const char *name, long reps)
{
	/* Local, exact, on a write, of 8 bytes. */
	unsigned long dr7 = 1 | 1 << 8 | 1 << 16 | 2 << 18;
	int status;

	debuggee = must(fork());
	if (!debuggee) {
		long i = 0;

		must(ptrace(PTRACE_TRACEME, 0, 0, 0));
		raise(SIGSTOP);
		for (;;)
			watched = ++i;
	}
	must(waitpid(debuggee, &status, 0));
	must(ptrace(PTRACE_POKEUSER, debuggee, offsetof(struct user, u_debugreg[0]), &watched));
	must(ptrace(PTRACE_POKEUSER, debuggee, offsetof(struct user, u_debugreg[7]), dr7));
	trip(name, reps, do_ptrace);
	errno = 0;
	expect(name, ptrace(PTRACE_PEEKDATA, debuggee, &watched, 0), measured(reps));
	if (errno)
		fail("PTRACE_PEEKDATA: %s", strerror(errno));
	must(kill(debuggee, SIGKILL));
	must(waitpid(debuggee, &status, 0));
}

/* The old way to a signal for each hit: it comes through an interrupt, and tells the fd. */
static void trip_async(const char *name, long reps)
{
	struct f_owner_ex owner = { .type = F_OWNER_TID, .pid = getpid() };
	union sigtrap_attr attr = plain_attr(&watched, 1);
	int fd;

	attr.perf.wakeup_events = 1;
	fd = event_open(&attr);
	on_signal(SIGRTMIN, on_hit);
	must(fcntl(fd, F_SETSIG, SIGRTMIN));
	must(fcntl(fd, F_SETOWN_EX, &owner));
	must(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC));
	trip(name, reps, write_watched);
	close(fd);
}

/* No signal: a record in the ring buffer, and poll(2) says that there is one. */
static int ring_fd;
static struct perf_event_mmap_page *ring;
static char *ring_data;
#define RING_SIZE (8 * 4096ul)

static void do_ring(long reps)
{
	while (reps--) {
		struct pollfd p = { .fd = ring_fd, .events = POLLIN };
		uint64_t head, tail;

		watched = reps;
		if (poll(&p, 1, 1000) != 1)
			fail("poll: no hit");
		head = __atomic_load_n(&ring->data_head, __ATOMIC_ACQUIRE);
		for (tail = ring->data_tail; tail != head;) {
			struct perf_event_header *h = (void *)(ring_data + tail % RING_SIZE);

			hits += h->type == PERF_RECORD_SAMPLE;
			tail += h->size;
		}
		__atomic_store_n(&ring->data_tail, tail, __ATOMIC_RELEASE);
	}
}

static void trip_ring(const char *name, long reps)
{
	union sigtrap_attr attr = plain_attr(&watched, 1);

	/* With the header 32 bytes: no record crosses the buffer's end. */
	attr.perf.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_ADDR;
	attr.perf.wakeup_events = 1;
	ring_fd = event_open(&attr);
	ring = mmap(NULL, 4096 + RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd, 0);
	if (ring == MAP_FAILED)
		fail("mmap of the ring buffer: %s", strerror(errno));
	ring_data = (char *)ring + 4096;
	trip(name, reps, do_ring);
	munmap(ring, 4096 + RING_SIZE);
	close(ring_fd);
}

int main(int argc, char **argv)
{
	bench_begin(argc, argv);

	trip("trip-syscall", 10000, do_syscall);

	on_signal(SIGTRAP, on_hit);
	trip("trip-int3", 1000, do_int3);

	forbidden = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	on_signal(SIGSEGV, on_segv);
	trip("trip-segv", 1000, do_segv);

	trip_sigtrap("trip-sigtrap-watch", &watched, HW_BREAKPOINT_W, write_watched);
	trip_sigtrap("trip-sigtrap-exec", (void *)step, HW_BREAKPOINT_X, do_step);
	trip_ptrace("trip-ptrace", 1000);
	trip_async("trip-async", 1000);
	trip_ring("trip-ring", 1000);

	row_print();
	return 0;
}
