// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include "demo.h"

struct journal *journal;

static int fds[PLACES];
static const char *pages, *alias;	/* the watched variables, mapped twice */
static __thread int touch = NONE;	/* the one that this thread is making */
static __thread struct hit *last_hit;	/* in that touch */

void *shared_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die(2, "mmap", strerror(errno));
	return p;
}

/*
 * Reads a value through the alias. Read where it is watched, a variable with a
 * read-write watchpoint would raise the next SIGTRAP, in the handler for ever.
 */
static int64_t peek(int place)
{
	const struct place *p = &places[place];
	const volatile void *value = alias + ((const volatile char *)p->value - pages);

	switch (p->size) {
	case 1:
		return *(const volatile uint8_t *)value;
	case 2:
		return *(const volatile uint16_t *)value;
	case 4:
		return *(const volatile uint32_t *)value;
	default:
		return *(const volatile int64_t *)value;
	}
}

static void find_me(struct who *who)
{
	who->pid = getpid();
	who->tid = syscall(SYS_gettid);
	prctl(PR_GET_NAME, who->name);
}

/* Async-signal-safe: memory that is there, atomics and system calls. */
static void on_trap(int sig, siginfo_t *si, void *uc)
{
	const struct sigtrap_info *info = sigtrap_info(si);
	unsigned long pc = sigtrap_pc(uc);
	const struct place *place;
	struct hit *hit = last_hit;
	unsigned int n;
	int64_t value;

	(void)sig;
	if (si->si_code != TRAP_PERF || info->data >= PLACES) {
		__atomic_add_fetch(&journal->foreign, 1, __ATOMIC_RELAXED);
		return;
	}
	place = &places[info->data];
	if (place->skip_to)
		sigtrap_set_pc(uc, (uintptr_t)place->skip_to);

	value = peek(info->data);
	if (hit && hit->pc == pc && hit->info.data == info->data) {
		hit->count++;
		hit->after = value;
	} else {
		n = __atomic_fetch_add(&journal->hits, 1, __ATOMIC_RELAXED);
		if (n >= MAX_RECORDS)
			return;
		hit = &journal->hit[n];
		hit->part = journal->part;
		hit->touch = touch;
		hit->count = 1;
		find_me(&hit->who);
		hit->info = *info;
		hit->pc = pc;
		/* At an execute breakpoint nothing is done yet; done() finds what came of it. */
		hit->before = place->type == HW_BREAKPOINT_X ? value :
			      __atomic_load_n(&journal->last[info->data], __ATOMIC_RELAXED);
		hit->after = value;
		last_hit = hit;
	}
	__atomic_store_n(&journal->last[info->data], value, __ATOMIC_RELAXED);
}

void trap_init(volatile void *vars, size_t size)
{
	struct sigaction sa = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_RESTART };
	void *p = (void *)vars;

	if (mmap(p, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != p)
		die(2, "mmap", strerror(errno));
	pages = p;
	/* An old size of 0 makes a second mapping. */
	alias = mremap(p, 0, size, MREMAP_MAYMOVE);
	if (alias == MAP_FAILED)
		die(2, "mremap", strerror(errno));
	journal = shared_memory(sizeof(*journal));
	sigaction(SIGTRAP, &sa, NULL);
}

/* The same for one place each time: a move compares it with what the event was opened with. */
static union sigtrap_attr place_attr(int place, int inherit)
{
	const struct place *p = &places[place];
	union sigtrap_attr attr = sigtrap_attr(p->addr, p->len, p->type, place);

	if (inherit)
		sigtrap_set(&attr, SIGTRAP_INHERIT);
	return attr;
}

void watch(int place, int inherit)
{
	union sigtrap_attr attr = place_attr(place, inherit);

	journal->last[place] = peek(place);
	fds[place] = sigtrap_open(&attr);
	if (fds[place] < 0)
		die(2, "perf_event_open", sigtrap_strerror(errno));
}

void unwatch(int place)
{
	close(fds[place]);
}

void move(int from, int to)
{
	union sigtrap_attr attr = place_attr(to, 1);

	journal->last[to] = peek(to);
	if (sigtrap_modify(fds[from], &attr))
		die(1, "PERF_EVENT_IOC_MODIFY_ATTRIBUTES", strerror(errno));
	fds[to] = fds[from];
}

void expect_at(const char *file, const char *func, int line, int place, unsigned int hits, int64_t want)
{
	unsigned int n = __atomic_fetch_add(&journal->touches, 1, __ATOMIC_RELAXED);
	struct touch *t = &journal->touch[n];

	if (n >= MAX_RECORDS)
		return;
	t->part = journal->part;
	find_me(&t->who);
	t->file = file;
	t->func = func;
	t->line = line;
	t->place = place;
	t->hits = hits;
	t->want = want;
	t->before = peek(place);
	last_hit = NULL;
	touch = n;
}

void done(void)
{
	struct touch *t;

	if (touch == NONE)
		return;
	t = &journal->touch[touch];
	t->after = peek(t->place);
	if (last_hit && places[last_hit->info.data].type == HW_BREAKPOINT_X)
		last_hit->after = t->after;
	last_hit = NULL;
	touch = NONE;
}
