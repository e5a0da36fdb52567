// SPDX-License-Identifier: GPL-2.0
/*
 * What a synchronous SIGTRAP is for, in six parts: see part_titles below.
 *
 * Every access to a watched place stands between expect() and done(), which say
 * what it must raise; report() compares that with what the handler saw, and
 * resolve finds the source line of each hit's pc and compares that, too.
 *
 * Exit status: 0 all as expected, 1 not so, 2 it cannot run here.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "demo.h"

#define TIMEOUT 60	/* seconds: a lost thread must not hang the demo */

/* One copy for both processes, in pages of its own: a type as large as its alignment. */
static struct {
	volatile int64_t balance, savings, steps;
	volatile uint32_t word;
	volatile uint16_t half;
	volatile uint8_t byte, neighbour;
} __attribute__((aligned(65536))) vars;

/* One instruction with a label before and one after it. */
#if defined(__x86_64__)
#define ADD_ONE "addq $1, %0"
#elif defined(__aarch64__)
#define ADD_ONE "add %0, %0, 1"
#endif
#define STEP(label, n) asm volatile(#label ": " ADD_ONE "\n" #label "_next:" : "+r"(n))

extern const char step_skipped[], step_skipped_next[], step_passed[], step_four[];

const char *const part_titles[PARTS] = {
	[SHARED] = "One watchpoint, set before four threads and a forked child exist",
	[AT_ONCE] = "The same, all six at once",
	[SKIP] = "Execute breakpoint: the handler moves the pc, the instruction never runs",
	[PASS] = "Execute breakpoint: the handler returns, the instruction runs once",
	[MOVE] = "One ioctl moves the watchpoint in every thread and in the child",
	[FOUR] = "Four at once, of different lengths and kinds",
};

#define DATA(var, kind) #var, &vars.var, sizeof(vars.var), kind, &vars.var, sizeof(vars.var), NULL
#define CODE(label, skip_to) #label, label, SIGTRAP_X_LEN, HW_BREAKPOINT_X, &vars.steps, sizeof(vars.steps), skip_to

const struct place places[PLACES] = {
	[BALANCE] = { DATA(balance, HW_BREAKPOINT_W) },
	[SAVINGS] = { DATA(savings, HW_BREAKPOINT_W) },
	[SKIPPED] = { CODE(step_skipped, step_skipped_next) },
	[PASSED] = { CODE(step_passed, NULL) },
	[BYTE] = { DATA(byte, HW_BREAKPOINT_W) },
	[HALF] = { DATA(half, HW_BREAKPOINT_RW) },
	[WORD] = { DATA(word, HW_BREAKPOINT_W) },
	[STEP] = { CODE(step_four, NULL) },
};

/* Parts 1 and 2: the accesses to one variable. */

static void deposit(void)
{
	int64_t sum = vars.balance + 30;

	expect(BALANCE, 1, sum);
	vars.balance = sum;
	done();
}

static void withdraw(void)
{
	int64_t sum = vars.balance - 10;

	expect(BALANCE, 1, sum);
	vars.balance = sum;
	done();
}

static void interest(void)
{
	int64_t sum = vars.balance + vars.balance / 20;

	expect(BALANCE, 1, sum);
	vars.balance = sum;
	done();
}

static void fee(void)
{
	int64_t sum = vars.balance - 1;

	expect(BALANCE, 1, sum);
	vars.balance = sum;
	done();
}

#define BURST 500
#define REPEAT(n) _Pragma("GCC unroll 1") for (int i = 0; i < (n); i++)

static void burst(void)
{
	expect(BALANCE, BURST, 0);
	REPEAT(BURST) vars.balance = 0;
	done();
}

/* Parts 3 and 4: one labelled instruction each; what it left goes where the journal looks, on the same line. */

static void skip(void)
{
	int64_t n = vars.steps;

	expect(SKIPPED, 1, n);
	STEP(step_skipped, n); vars.steps = n;
	done();
}

static void pass(void)
{
	int64_t n = vars.steps;

	expect(PASSED, 1, n + 1);
	STEP(step_passed, n); vars.steps = n;
	done();
}

/* Part 5: the place that was watched, and the place that is. */

static void use_old(void)
{
	expect(BALANCE, 0, 100);
	vars.balance = 100;
	done();
}

static void save(void)
{
	int64_t sum = vars.savings + 5;

	expect(SAVINGS, 1, sum);
	vars.savings = sum;
	done();
}

/* Part 6: a variable that is watched for reads is not read outside of expect() and done(). */

static void four(void)
{
	int64_t n = vars.steps;

	expect(BYTE, 1, 11);
	vars.byte = 11;
	done();

	expect(BYTE, 0, 11);
	vars.neighbour = 22;
	done();

	expect(HALF, 1, 33);
	vars.half = 33;
	done();

	expect(HALF, 1, 33);
	(void)vars.half;
	done();

	expect(WORD, 1, 44);
	vars.word = 44;
	done();

	expect(WORD, 0, 44);
	(void)vars.word;
	done();

	expect(STEP, 1, n + 1);
	STEP(step_four, n); vars.steps = n;
	done();
}

noreturn void die(int status, const char *what, const char *why)
{
	fprintf(stderr, "demo: %s: %s\n", what, why);
	exit(status);
}

/* Nobody is in stdio: they print in report(), and then the alarm is off. */
static void on_alarm(int sig)
{
	(void)sig;
	report("time-out");
	_exit(1);
}

int main(void)
{
	static void (*const jobs[CREW])(void) = { deposit, withdraw, interest, fee, deposit, withdraw };
	static const int at_once[] = { BYTE, HALF, WORD, STEP };

	signal(SIGALRM, on_alarm);
	alarm(TIMEOUT);
	trap_init(&vars, sizeof(vars));
	vars.balance = 100;

	watch(BALANCE, 1);
	watch(SKIPPED, 1);
	watch(PASSED, 1);
	crew_start();

	journal->part = SHARED;
	for (int i = 0; i < CREW; i++)
		crew_turn(i, jobs[i]);

	journal->part = AT_ONCE;
	crew_all(burst);

	/* A thread, the child, and the child's thread. */
	journal->part = SKIP;
	for (int i = CREW - 3; i < CREW; i++)
		crew_turn(i, skip);

	journal->part = PASS;
	for (int i = CREW - 3; i < CREW; i++)
		crew_turn(i, pass);

	journal->part = MOVE;
	move(BALANCE, SAVINGS);
	for (int i = 0; i < CREW; i++) {
		crew_turn(i, use_old);
		crew_turn(i, save);
	}

	crew_stop();
	unwatch(SAVINGS);
	unwatch(SKIPPED);
	unwatch(PASSED);

	journal->part = FOUR;
	for (int i = 0; i < 4; i++)
		watch(at_once[i], 0);
	four();
	for (int i = 0; i < 4; i++)
		unwatch(at_once[i]);

	alarm(0);
	return report(NULL) ? 1 : 0;
}
