/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the programs share: a clock, batches of repetitions, and rows of CSV.
 *
 * In a guest under qemu -icount shift=0 the time stamp counter counts
 * instructions, one a tick, all of them: of the program, of the kernel, of the
 * interrupts that come between. Anywhere else the clock is the wall's and the
 * unit ns; which of the two it is, is found out by counting a loop.
 */
#ifndef BENCH_H
#define BENCH_H

#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>
#include "sigtrap.h"

/* Sets how often: a row is the median of @batches, of @scale percent of its repetitions each. */
static int batches = 15;
static long scale = 100;

#define MAX_BATCHES 99

#define fail(...) do {							\
	fprintf(stderr, "%s: ", program_invocation_short_name);	\
	fprintf(stderr, __VA_ARGS__);					\
	fputc('\n', stderr);						\
	_exit(1);							\
} while (0)

/* System calls that must not fail. */
#define must(call) ({							\
	typeof(call) must_ret = (call);				\
	if ((long)must_ret == -1)					\
		fail("line %d: %s: %s", __LINE__, #call, strerror(errno)); \
	must_ret;							\
})

/* pthread's calls return their error. */
#define must0(call) do {						\
	int must_err = (call);						\
	if (must_err)							\
		fail("line %d: %s: %s", __LINE__, #call, strerror(must_err)); \
} while (0)

static bool counting;			/* the clock counts instructions */

static inline uint64_t now(void)
{
	struct timespec t;

	if (counting)
		return __rdtsc();
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/*
 * Where instructions are counted, a batch begins right behind a timer interrupt:
 * how many more of these fall into it depends on its length, and on nothing else.
 */
static inline uint64_t begin_batch(void)
{
	struct timespec before, t;

	if (counting) {
		clock_gettime(CLOCK_MONOTONIC_COARSE, &before);
		do
			clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
		while (t.tv_nsec == before.tv_nsec);
	}
	return now();
}

/* Two instructions a turn, and nothing else, or the clock is none of instructions. */
static void find_clock(void)
{
	uint64_t best = -1, start, took;
	int i;

	for (i = 0; i < 9; i++) {
		unsigned long turns = 100000;

		start = __rdtsc();
		asm volatile("1: dec %0\n\tjnz 1b" : "+r"(turns) : : "cc");
		took = __rdtsc() - start;
		if (took < best)
			best = took;
	}
	counting = best >= 200000 && best < 200050;
}

/*
 * Rows are printed when all has been measured: output ends in an interrupt,
 * at a time that the host chooses.
 */
static char *rows;
static size_t rows_size;
static FILE *rows_file;

static void row_print(void)
{
	fclose(rows_file);
	fputs(rows, stdout);
	if (fflush(stdout))
		fail("stdout: %s", strerror(errno));
}

static void bench_begin(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "+b:s:")) != -1) {
		if (opt == 'b')
			batches = atoi(optarg);
		else if (opt == 's')
			scale = atol(optarg);
		else
			exit(2);
	}
	if (batches < 1 || batches > MAX_BATCHES || scale < 1)
		fail("-b: 1 to %d batches; -s: percent of the repetitions, 1 or more", MAX_BATCHES);
	find_clock();
	rows_file = open_memstream(&rows, &rows_size);
	if (!rows_file)
		fail("no memory");
}

static inline long scaled(long reps)
{
	return reps * scale >= 100 ? reps * scale / 100 : 1;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* name,n,median,min,max,unit,repetitions,batches,note */
static void row_unit(const char *name, long n, double *each, long reps, const char *unit)
{
	int digits = strncmp(unit, "times", 5) ? 0 : 2;

	qsort(each, batches, sizeof(*each), by_value);
	fprintf(rows_file, "%s,%ld,%.*f,%.*f,%.*f,%s,%ld,%d,\n", name, n, digits, each[batches / 2],
		digits, each[0], digits, each[batches - 1], unit, reps, batches);
}

/* @each: the clock's ticks of one repetition, batch by batch. */
static inline void row(const char *name, long n, double *each, long reps)
{
	row_unit(name, n, each, reps, counting ? "instructions" : "ns");
}

/* A figure that cannot be had here. */
static inline void row_none(const char *name, long n, const char *why)
{
	fprintf(rows_file, "%s,%ld,-,-,-,-,0,0,%s\n", name, n, why);
}

/* @round does it @reps times. Once more before, for what is paid only once. */
static inline void measure(const char *name, long reps, void (*round)(long reps))
{
	double each[MAX_BATCHES];
	uint64_t start;
	int i;

	reps = scaled(reps);
	round(reps);
	for (i = 0; i < batches; i++) {
		start = begin_batch();
		round(reps);
		each[i] = (double)(now() - start) / reps;
	}
	row(name, 1, each, reps);
}

/* How often a round of measure() has been done, for those who check. */
static inline long measured(long reps)
{
	return (batches + 1) * scaled(reps);
}

static inline void expect(const char *name, long seen, long expected)
{
	if (seen != expected)
		fail("%s: %ld times, but %ld seen", name, expected, seen);
}

/* A breakpoint event of perf's as it has always been, which sends no signal. */
static inline union sigtrap_attr plain_attr(const volatile void *addr, uint64_t period)
{
	union sigtrap_attr attr = { .word = { 0 } };

	attr.perf.type = PERF_TYPE_BREAKPOINT;
	attr.perf.size = SIGTRAP_ATTR_SIZE;
	attr.perf.sample_period = period;
	attr.perf.exclude_kernel = 1;
	attr.perf.exclude_hv = 1;
	attr.perf.bp_addr = (uintptr_t)addr;
	attr.perf.bp_len = sizeof(long);
	attr.perf.bp_type = HW_BREAKPOINT_W;
	return attr;
}

static inline int event_open(const union sigtrap_attr *attr)
{
	int fd = sigtrap_open(attr);

	if (fd < 0)
		fail("perf_event_open: %s", sigtrap_strerror(errno));
	return fd;
}

static inline long event_count(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) != sizeof(count))
		fail("read of an event: %s", strerror(errno));
	return count;
}

/* Whether this kernel has attr.sigtrap at all. */
static inline bool has_sigtrap(void)
{
	static long x;
	union sigtrap_attr attr = sigtrap_attr(&x, sizeof(x), HW_BREAKPOINT_W, 0);
	int fd = sigtrap_open(&attr);

	if (fd < 0 && errno != EINVAL && errno != E2BIG)
		fail("perf_event_open: %s", sigtrap_strerror(errno));
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

#define NO_SIGTRAP "this kernel has no attr.sigtrap"

static inline void on_signal(int sig, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	must(sigaction(sig, &sa, NULL));
}

#endif
