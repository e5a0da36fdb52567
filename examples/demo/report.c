// SPDX-License-Identifier: GPL-2.0
/*
 * The journal as records, a line each that begins with @, and what is wrong
 * with it. resolve reads them.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "demo.h"

#define MAX_ROWS (CREW + 2)	/* the main thread, and one for whom nobody expects */

/* A thread of the table. */
struct row {
	struct who who;
	unsigned int expected[PARTS], seen[PARTS];
};

static struct row rows[MAX_ROWS];
static unsigned int failures;

static unsigned int at_most(unsigned int n)
{
	return n < MAX_RECORDS ? n : MAX_RECORDS;
}

static struct row *row_of(const struct who *who)
{
	struct row *row = rows;

	while (row < &rows[MAX_ROWS - 1] && row->who.tid && row->who.tid != who->tid)
		row++;
	if (!row->who.tid)
		row->who = *who;
	return row;
}

static void fail(const struct who *who, const char *func, const char *what, int64_t seen, int64_t expected)
{
	printf("@fail thread=%s in=%s what=%s seen=%#" PRIx64 " expected=%#" PRIx64 "\n",
	       who->name, func, what, seen, expected);
	failures++;
}

static void check_hit(const struct hit *hit)
{
	const struct place *place = &places[hit->info.data];
	const struct who *who = &hit->who;
	const struct touch *touch;

	if (hit->touch == NONE) {
		fail(who, "nothing", "stray-hit-pc", hit->pc, 0);
		return;
	}
	touch = &journal->touch[hit->touch];
	if (hit->info.data != (unsigned int)touch->place)
		fail(who, touch->func, "si_perf_data", hit->info.data, touch->place);
	if (hit->info.addr != place->addr)
		fail(who, touch->func, "si_addr", (uintptr_t)hit->info.addr, (uintptr_t)place->addr);
	if (hit->info.type != PERF_TYPE_BREAKPOINT)
		fail(who, touch->func, "si_perf_type", hit->info.type, PERF_TYPE_BREAKPOINT);
	if (hit->info.flags)
		fail(who, touch->func, "si_perf_flags", hit->info.flags, 0);
	if (who->pid != touch->who.pid)
		fail(who, touch->func, "pid", who->pid, touch->who.pid);
	if (who->tid != touch->who.tid)
		fail(who, touch->func, "tid", who->tid, touch->who.tid);
	if (strcmp(who->name, touch->who.name))
		fail(who, touch->who.name, "thread-name", 0, 0);
	if (place->type == HW_BREAKPOINT_X && hit->pc != (uintptr_t)place->addr)
		fail(who, touch->func, "pc", hit->pc, (uintptr_t)place->addr);

	/* Repeats are made by several threads at once: their values are anybody's. */
	if (touch->hits > 1)
		return;
	if (hit->before != touch->before)
		fail(who, touch->func, "value-before", hit->before, touch->before);
	if (hit->after != touch->after)
		fail(who, touch->func, "value-after", hit->after, touch->after);
}

static const char *kind(const struct place *place)
{
	switch (place->type) {
	case HW_BREAKPOINT_W:
		return "W";
	case HW_BREAKPOINT_RW:
		return "RW";
	default:
		return "X";
	}
}

static void report_hit(const struct hit *hit)
{
	const struct place *place = &places[hit->info.data];

	printf("@hit touch=%d part=%d pid=%d tid=%d thread=%s pc=%#lx watched=%s addr=%#lx kind=%s len=%u before=%" PRId64
	       " after=%" PRId64 " count=%u si_perf=%#lx\n",
	       hit->touch, hit->part + 1, hit->who.pid, hit->who.tid, hit->who.name, hit->pc, place->name,
	       (unsigned long)hit->info.addr, kind(place), place->len, hit->before, hit->after, hit->count, hit->info.perf);
	row_of(&hit->who)->seen[hit->part] += hit->count;
	check_hit(hit);
}

static void report_touch(int n)
{
	const struct touch *touch = &journal->touch[n];
	unsigned int seen = 0;

	printf("@touch id=%d part=%d pid=%d tid=%d thread=%s func=%s at=%s:%d watched=%s expect=%u\n",
	       n, touch->part + 1, touch->who.pid, touch->who.tid, touch->who.name, touch->func, touch->file, touch->line,
	       places[touch->place].name, touch->hits);
	row_of(&touch->who)->expected[touch->part] += touch->hits;
	for (unsigned int i = 0; i < at_most(journal->hits); i++) {
		if (journal->hit[i].touch == n) {
			report_hit(&journal->hit[i]);
			seen += journal->hit[i].count;
		}
	}
	if (seen != touch->hits)
		fail(&touch->who, touch->func, "hits", seen, touch->hits);
	if (touch->after != touch->want)
		fail(&touch->who, touch->func, "value-left", touch->after, touch->want);
}

static void print_counts(const char *what, const unsigned int *counts)
{
	printf(" %s=", what);
	for (int i = 0; i < PARTS; i++)
		printf("%s%u", i ? "," : "", counts[i]);
}

unsigned int report(const char *cut_short)
{
	unsigned int touches = at_most(journal->touches), hits = at_most(journal->hits);
	static const struct who nobody = { .name = "nobody" };

	for (int part = 0; part < PARTS; part++) {
		printf("@part n=%d title=%s\n", part + 1, part_titles[part]);
		for (unsigned int i = 0; i < touches; i++)
			if ((int)journal->touch[i].part == part)
				report_touch(i);
	}
	for (unsigned int i = 0; i < hits; i++)
		if (journal->hit[i].touch == NONE)
			report_hit(&journal->hit[i]);
	if (cut_short)
		fail(&nobody, "demo", cut_short, 0, 0);
	if (journal->touches > MAX_RECORDS || journal->hits > MAX_RECORDS)
		fail(&nobody, "journal", "lost-records", journal->touches + journal->hits, MAX_RECORDS);
	if (journal->foreign)
		fail(&nobody, "handler", "foreign-sigtraps", journal->foreign, 0);

	for (struct row *row = rows; row < &rows[MAX_ROWS] && row->who.tid; row++) {
		printf("@thread pid=%d tid=%d thread=%s", row->who.pid, row->who.tid, row->who.name);
		print_counts("expected", row->expected);
		print_counts("seen", row->seen);
		putchar('\n');
	}
	printf("@end touches=%u hits=%u failures=%u\n", touches, hits, failures);
	if (fflush(stdout) || ferror(stdout))
		die(1, "output", "could not be written");
	return failures;
}
