/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DEMO_H
#define DEMO_H

#include <stdint.h>
#include <stdnoreturn.h>
#include <sys/types.h>
#include "sigtrap.h"

/* demo.c: what is watched. */

/* Watched places; a place's number is the sig_data of its event. */
enum { BALANCE, SKIPPED, PASSED, SAVINGS, BYTE, HALF, WORD, STEP, PLACES };

struct place {
	const char *name;
	const volatile void *addr;	/* what the debug register holds */
	unsigned int len, type;
	const volatile void *value;	/* the variable that the access reads or writes, in vars */
	unsigned int size;
	const void *skip_to;		/* where the handler sends the thread; NULL: it just returns */
};

extern const struct place places[PLACES];

enum part { SHARED, AT_ONCE, SKIP, PASS, MOVE, FOUR, PARTS };

extern const char *const part_titles[PARTS];

noreturn void die(int status, const char *what, const char *why);

/* trap.c: the events, the handler, and the journal of what happened. */

struct who {
	pid_t pid, tid;
	char name[16];
};

/* An access that a thread is about to make, and what must come of it. */
struct touch {
	enum part part;
	struct who who;
	const char *file, *func;
	int line;
	int place;			/* whose value it reads or writes */
	unsigned int hits;		/* how many it must raise */
	int64_t before, after;		/* as the thread finds the value around it */
	int64_t want;			/* what after must be */
};

/* What the handler saw; repeats of one instruction in one touch are counted in one. */
struct hit {
	enum part part;
	int touch;			/* which one its thread was making, or NONE */
	unsigned int count;
	struct who who;
	struct sigtrap_info info;
	unsigned long pc;
	int64_t before, after;		/* as the handler knew and found the value; execute: as found and as left */
};

#define NONE (-1)
#define MAX_RECORDS 256

/* In memory shared with the child; records are reserved by an atomic add, each has one writer. */
struct journal {
	enum part part;
	unsigned int touches, hits;	/* more than MAX_RECORDS: the rest was lost */
	unsigned int foreign;		/* SIGTRAPs that were not TRAP_PERF */
	int64_t last[PLACES];		/* the value that the handler last saw, or the opener found */
	struct touch touch[MAX_RECORDS];
	struct hit hit[MAX_RECORDS];
};

extern struct journal *journal;

void *shared_memory(size_t size);
void trap_init(volatile void *vars, size_t size);
void watch(int place, int inherit);
void unwatch(int place);
void move(int from, int to);

/* Says that the next source line makes an access; done() follows it. */
#define expect(place, hits, want) expect_at(__FILE__, __func__, __LINE__ + 1, place, hits, want)
void expect_at(const char *file, const char *func, int line, int place, unsigned int hits, int64_t want);
void done(void);

/* crew.c: four threads, a forked child, and the child's thread. */
#define CREW 6

void crew_start(void);
void crew_turn(int member, void (*job)(void));
void crew_all(void (*job)(void));
void crew_stop(void);

/*
 * report.c: the records, for resolve, and the verdict: the number of failures.
 * @cut_short: why it ends early, or NULL.
 */
unsigned int report(const char *cut_short);

#endif
