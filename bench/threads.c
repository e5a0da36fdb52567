// SPDX-License-Identifier: GPL-2.0
/*
 * What watchpoints cost who has many threads:
 *
 *	threads create KIND COUNT MAX	a thread created and joined, that inherits
 *	threads change KIND MAX		one ioctl, for all who have inherited
 *	threads mprotect MAX		one mprotect, beside it
 *	threads switch KIND COUNT	two switches between two threads
 *	threads open KIND		a disabled event opened and closed
 *	threads memory KIND MAX		what an inherited event takes
 *	threads parallel KIND COUNT MAX	as create, by a thread on each processor,
 *					and how much longer than without
 *
 * A command with MAX measures at 1, 4, 16 ... MAX live threads (parallel: 16,
 * 256, 4096). KIND is none; plain, an event that counts, as every kernel has it;
 * or sigtrap. All live threads but those that measure are blocked, and have
 * inherited the same.
 */
#include "bench.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#define MAX_WATCHPOINTS 4
#define MAX_THREADS 4096
#define MAX_CREATORS 8

static enum { KIND_NONE, KIND_PLAIN, KIND_SIGTRAP } kind;
static const char *kind_name;
static int watchpoints;
static int fds[MAX_WATCHPOINTS];

/* Two places for each watchpoint, between which it can be moved. */
static volatile long watched[MAX_WATCHPOINTS][2];
static int place;

/*
 * The live threads: they wait at the gate, a pipe, and hit once when it has been
 * opened, which is closing it. (Not a futex: whose hash bucket is another's by
 * chance, and who joins a thread would then walk past all who wait.)
 */
static pthread_t live[MAX_THREADS];
static int alive = 1;			/* main() is one */
static int waiting, gate[2];
static int asked, answered;		/* see answer() */
static pthread_attr_t small;

static long signals;

static void on_trap(int sig, siginfo_t *si, void *uc)
{
	(void)sig;
	(void)uc;
	if (si->si_code != TRAP_PERF)
		_exit(3);
	__atomic_add_fetch(&signals, 1, __ATOMIC_RELAXED);
}

static union sigtrap_attr attr_of(int i)
{
	union sigtrap_attr attr;

	if (kind == KIND_SIGTRAP)
		attr = sigtrap_attr(&watched[i][place], sizeof(long), HW_BREAKPOINT_W, i);
	else
		attr = plain_attr(&watched[i][place], 0);
	sigtrap_set(&attr, SIGTRAP_INHERIT);
	return attr;
}

/* In every thread. */
static void move(void)
{
	union sigtrap_attr attr;

	place = !place;
	attr = attr_of(0);
	must(sigtrap_modify(fds[0], &attr));
}

static void watch(void)
{
	int i;

	on_signal(SIGTRAP, on_trap);
	must(pipe(gate));
	for (i = 0; i < watchpoints; i++) {
		union sigtrap_attr attr = attr_of(i);

		fds[i] = event_open(&attr);
	}
}

/* Of this thread and of all that have inherited, also those that have ended. */
static long hits(void)
{
	long sum = 0;
	int i;

	if (kind == KIND_SIGTRAP)
		return __atomic_load_n(&signals, __ATOMIC_RELAXED);
	for (i = 0; i < watchpoints; i++)
		sum += event_count(fds[i]);
	return sum;
}

/*
 * QEMU's TCG remembers that a watchpoint was hit until a store to a page with
 * watchpoints hits none, and reports it again with the next hit of one before
 * it, be that another thread's. So each hit comes right behind such a store.
 */
static void hit(void)
{
	int i;

	for (i = 0; i < watchpoints; i++) {
		watched[i][!place] = 0;
		watched[i][place]++;
	}
}

static long futex(int *word, int op, int value)
{
	return syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

static void *wait_and_hit(void *unused)
{
	char c;

	(void)unused;
	__atomic_add_fetch(&waiting, 1, __ATOMIC_RELEASE);
	if (read(gate[0], &c, 1))
		fail("the gate: %s", strerror(errno));
	hit();
	return NULL;
}

static void pause_ms(long ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static void raise_to(int n)
{
	for (; alive < n; alive++)
		must0(pthread_create(&live[alive], &small, wait_and_hit, NULL));
	while (__atomic_load_n(&waiting, __ATOMIC_ACQUIRE) < alive - 1)
		pause_ms(1);
	/* All are at the gate, and what came before is freed. */
	pause_ms(200);
}

/* All of them had the watchpoints, no less and no more. */
static void end_all(void)
{
	long before = hits(), expected = (alive - 1l) * watchpoints;
	int i;

	close(gate[1]);
	__atomic_store_n(&asked, -1, __ATOMIC_RELEASE);
	futex(&asked, FUTEX_WAKE_PRIVATE, 1);
	for (i = 1; i < alive; i++)
		must0(pthread_join(live[i], NULL));
	expect("hits of the live threads", hits() - before, expected);
}

/*
 * Under SCHED_BATCH, a thread that is created or woken does not preempt the other
 * one. Under SCHED_OTHER it sometimes does, and the figure depends on how often.
 */
static void no_wakeup_preemption(void)
{
	struct sched_param param = { 0 };

	must(sched_setscheduler(0, SCHED_BATCH, &param));
}

static void *nothing(void *unused)
{
	return unused;
}

static void *hit_once(void *unused)
{
	hit();
	return unused;
}

static void create_and_join(long reps)
{
	pthread_t t;

	while (reps--) {
		must0(pthread_create(&t, &small, nothing, NULL));
		must0(pthread_join(t, NULL));
	}
}

static const char *row_name(const char *what)
{
	static char name[64];

	if (watchpoints)
		snprintf(name, sizeof(name), "%s-%s-%d", what, kind_name, watchpoints);
	else
		snprintf(name, sizeof(name), "%s-none", what);
	return name;
}

/* Returns how many threads to create in a batch of some 30 million instructions. */
static long create_reps(void)
{
	uint64_t start = now();
	long reps;

	create_and_join(10);
	reps = 300000000 / (now() - start + 1) / 10 * 10;
	return scaled(reps < 10 ? 10 : reps > 700 ? 700 : reps);
}

/*
 * Measures one long batch. RCU frees exited threads in bursts, a burst every few
 * timer interrupts. In a short batch, one burst more or less changes the figure by
 * 500 instructions a thread.
 */
static void create(int max)
{
	long before, reps, rounds = batches;
	uint64_t start;
	double each;
	pthread_t t;
	int n;

	batches = 1;
	no_wakeup_preemption();
	watch();
	for (n = 1; n <= max; n *= 4) {
		raise_to(n);
		reps = create_reps();
		create_and_join(reps);
		reps *= rounds;
		start = begin_batch();
		create_and_join(reps);
		each = (double)(now() - start) / reps;
		row(row_name("create"), n, &each, reps);

		/* Such a thread is watched. */
		before = hits();
		must0(pthread_create(&t, &small, hit_once, NULL));
		must0(pthread_join(t, NULL));
		expect("hits of a thread created", hits() - before, watchpoints);
	}
	end_all();
}

/*
 * One of the live threads is there to be asked: it writes to both places. So
 * that what is true of this thread can be seen to be true of another.
 */
static void *answer(void *unused)
{
	int last = 0;

	__atomic_add_fetch(&waiting, 1, __ATOMIC_RELEASE);
	for (;;) {
		int ask = __atomic_load_n(&asked, __ATOMIC_ACQUIRE);

		if (ask < 0)
			break;
		if (ask == last) {
			futex(&asked, FUTEX_WAIT_PRIVATE, ask);
			continue;
		}
		last = ask;
		watched[0][ask % 2]++;
		__atomic_store_n(&answered, ask, __ATOMIC_RELEASE);
		futex(&answered, FUTEX_WAKE_PRIVATE, 1);
	}
	hit();
	return unused;
}

/* Hits, of a write to a place by this thread and by that one. */
static long hits_at(int where)
{
	long before = hits();
	int ask = asked + (asked % 2 == where ? 2 : 1), seen;

	watched[0][where]++;
	if (alive > 1) {
		__atomic_store_n(&asked, ask, __ATOMIC_RELEASE);
		futex(&asked, FUTEX_WAKE_PRIVATE, 1);
		while ((seen = __atomic_load_n(&answered, __ATOMIC_ACQUIRE)) != ask)
			futex(&answered, FUTEX_WAIT_PRIVATE, seen);
	}
	return hits() - before;
}

static bool in_place(bool enabled)
{
	return hits_at(!place) == 0 && hits_at(place) == enabled * (alive > 1 ? 2 : 1);
}

static void change(int max)
{
	double enable[MAX_BATCHES], modify[MAX_BATCHES], disable[MAX_BATCHES];
	uint64_t t[4], sum[3];
	bool moves = true;
	long reps, r;
	int n, i;

	watch();
	for (n = 1; n <= max; n *= 4) {
		reps = scaled(n <= 64 ? 10 : 1);
		if (n > 1 && alive == 1)
			must0(pthread_create(&live[alive++], &small, answer, NULL));
		raise_to(n);
		/* A kernel without the series moves one event, wherever that is by now. */
		if (moves && n > 1) {
			move();
			if (!in_place(true)) {
				moves = false;
				move();
			}
		}
		must(ioctl(fds[0], PERF_EVENT_IOC_DISABLE, 0));
		for (i = -1; i < batches; i++) {	/* one more before */
			memset(sum, 0, sizeof(sum));
			for (r = 0; r < reps; r++) {
				union sigtrap_attr attr;

				place ^= moves;
				attr = attr_of(0);
				t[0] = r ? now() : begin_batch();
				must(ioctl(fds[0], PERF_EVENT_IOC_ENABLE, 0));
				t[1] = now();
				if (moves)
					must(sigtrap_modify(fds[0], &attr));
				t[2] = now();
				if (!in_place(true))
					fail("%d threads: not watched after enable and modify", n);
				t[3] = now();
				must(ioctl(fds[0], PERF_EVENT_IOC_DISABLE, 0));
				sum[0] += t[1] - t[0];
				sum[1] += t[2] - t[1];
				sum[2] += now() - t[3];
				if (!in_place(false))
					fail("%d threads: watched after disable", n);
			}
			if (i < 0)
				continue;
			enable[i] = (double)sum[0] / reps;
			modify[i] = (double)sum[1] / reps;
			disable[i] = (double)sum[2] / reps;
		}
		must(ioctl(fds[0], PERF_EVENT_IOC_ENABLE, 0));
		row(row_name("enable"), n, enable, reps);
		if (moves)
			row(row_name("modify"), n, modify, reps);
		else
			row_none(row_name("modify"), n, "this kernel moves the one event and none inherited from it");
		row(row_name("disable"), n, disable, reps);
	}
	end_all();
}

/* The other way to notice a write. One processor: no other has to be told. */
static void protect(int max)
{
	double each[MAX_BATCHES];
	/* With a page on either side that is not its like: it is split off and merged with none. */
	char *page = mmap(NULL, 3 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t start;
	long reps = scaled(100), r;
	int n, i;

	if (page == MAP_FAILED)
		fail("mmap: %s", strerror(errno));
	page += 4096;
	must(mprotect(page, 4096, PROT_READ | PROT_WRITE));
	watch();
	for (n = 1; n <= max; n *= 4) {
		raise_to(n);
		for (i = -1; i < batches; i++) {
			*page = 1;
			start = begin_batch();
			for (r = 0; r < reps; r++)
				must(mprotect(page, 4096, r & 1 ? PROT_READ | PROT_WRITE : PROT_READ));
			if (i >= 0)
				each[i] = (double)(now() - start) / reps;
			must(mprotect(page, 4096, PROT_READ | PROT_WRITE));
		}
		row("mprotect", n, each, reps);
	}
	end_all();
}

/* Two threads run in turns. TURN_NONE ends the other thread. */
enum { TURN_MAIN, TURN_OTHER, TURN_NONE };
static int turn;

static void hand_over(int to)
{
	__atomic_store_n(&turn, to, __ATOMIC_RELEASE);
	futex(&turn, FUTEX_WAKE_PRIVATE, 1);
}

static void wait_while(int other)
{
	while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) == other)
		futex(&turn, FUTEX_WAIT_PRIVATE, other);
}

static void there_and_back(long reps)
{
	while (reps--) {
		hand_over(TURN_OTHER);
		wait_while(TURN_OTHER);
	}
}

static void *other_thread(void *unused)
{
	for (;;) {
		wait_while(TURN_MAIN);
		if (turn == TURN_NONE)
			break;
		hand_over(TURN_MAIN);
	}
	hit();
	return unused;
}

static void switches(void)
{
	cpu_set_t set;
	pthread_t t;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	must(sched_setaffinity(0, sizeof(set), &set));
	no_wakeup_preemption();
	watch();
	must0(pthread_create(&t, &small, other_thread, NULL));
	measure(row_name("switch"), 1000, there_and_back);

	/* Both threads are watched. */
	hand_over(TURN_NONE);
	must0(pthread_join(t, NULL));
	hit();
	expect("hits of both threads", hits(), 2 * watchpoints);
}

static void open_and_close(long reps)
{
	union sigtrap_attr attr = attr_of(0);

	attr.perf.disabled = 1;
	while (reps--)
		must(close(event_open(&attr)));
}

/*
 * Another event stays open: the kernel patches itself when the first event is
 * opened and after the last one is closed. RCU frees the memory of an event some
 * timer interrupts after close(), so a batch spans many of them: it then frees
 * as many events as it closes, and the row includes the cost of that.
 */
static void open_disabled(void)
{
	watch();
	measure(row_name("open"), 5000, open_and_close);
	hit();
	expect("hits of the event that stays open", hits(), watchpoints);
}

static long meminfo(const char *what)
{
	char line[128];
	size_t len = strlen(what);
	long kb = -1;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, what, len) && line[len] == ':')
			kb = atol(line + len + 1);
	if (kb < 0)
		fail("/proc/meminfo tells no %s", what);
	fclose(f);
	return kb * 1024;
}

/* In a process of its own: with @max threads, what is free and what is slab. */
static void memory_with(int count, int max, long *got)
{
	int pipefd[2];

	must(pipe(pipefd));
	if (!must(fork())) {
		watchpoints = count;
		watch();
		raise_to(max);
		got[0] = meminfo("MemFree");
		got[1] = meminfo("Slab");
		end_all();
		if (write(pipefd[1], got, 2 * sizeof(*got)) != 2 * sizeof(*got))
			fail("pipe: %s", strerror(errno));
		exit(0);
	}
	close(pipefd[1]);
	if (read(pipefd[0], got, 2 * sizeof(*got)) != 2 * sizeof(*got))
		fail("no figure");
	close(pipefd[0]);
	must(wait(NULL));
	/* The dead are buried, after some grace periods. */
	pause_ms(1000);
}

static void memory(int max)
{
	double unfree[MAX_BATCHES], slab[MAX_BATCHES];
	long without[2], with[2];
	int i;

	if (batches > 3)
		batches = 3;
	memory_with(1, max, with);
	memory_with(0, max, without);
	for (i = 0; i < batches; i++) {
		memory_with(0, max, without);
		memory_with(1, max, with);
		unfree[i] = (double)(without[0] - with[0]) / (max - 1);
		slab[i] = (double)(with[1] - without[1]) / (max - 1);
	}
	row_unit(row_name("memory"), max, unfree, max - 1, "bytes");
	row_unit(row_name("memory-slab"), max, slab, max - 1, "bytes");
}

/*
 * One creator on each processor, all at once, by the wall's clock. That depends
 * on what else the machine does, so there are two processes, one with the
 * watchpoints and one without, which take turns: the ratio of neighbours counts.
 */
static pthread_barrier_t begin, end;
static bool over;
#define CREATOR_REPS 20

static void *creator(void *cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((long)cpu, &set);
	must(sched_setaffinity(0, sizeof(set), &set));
	for (;;) {
		pthread_barrier_wait(&begin);
		if (over)
			return NULL;
		create_and_join(scaled(CREATOR_REPS));
		pthread_barrier_wait(&end);
	}
}

/* Told to go to @n threads, or by 0 to measure, it answers with the time. */
static void creators(int in, int out)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), c;
	pthread_t creators[MAX_CREATORS];
	uint64_t took;
	int n;

	if (cpus > MAX_CREATORS)
		fail("%ld processors: at most %d", cpus, MAX_CREATORS);
	watch();
	must0(pthread_barrier_init(&begin, NULL, cpus + 1));
	must0(pthread_barrier_init(&end, NULL, cpus + 1));
	for (c = 0; c < cpus; c++)
		must0(pthread_create(&creators[c], &small, creator, (void *)c));
	while (read(in, &n, sizeof(n)) == sizeof(n)) {
		took = now();
		if (n) {
			raise_to(n);
		} else {
			pthread_barrier_wait(&begin);
			pthread_barrier_wait(&end);
		}
		took = now() - took;
		if (write(out, &took, sizeof(took)) != sizeof(took))
			fail("pipe: %s", strerror(errno));
	}
	over = true;
	pthread_barrier_wait(&begin);
	for (c = 0; c < cpus; c++)
		must0(pthread_join(creators[c], NULL));
	end_all();
	exit(0);
}

/* Two processes, each with a pipe to it and one from it. */
static int to[2][2], from[2][2];

static double tell(int which, int n)
{
	uint64_t took;

	if (write(to[which][1], &n, sizeof(n)) != sizeof(n) ||
	    read(from[which][0], &took, sizeof(took)) != sizeof(took))
		fail("a process that measures is gone");
	return took;
}

static void parallel(int max)
{
	double each[MAX_BATCHES], without;
	int n, i, which, status;

	for (which = 0; which < 2; which++) {
		must(pipe(to[which]));
		must(pipe(from[which]));
		if (!must(fork())) {
			for (i = 0; i <= which; i++)
				close(to[i][1]);
			if (!which)
				watchpoints = 0;
			creators(to[which][0], from[which][1]);
		}
		close(to[which][0]);
		close(from[which][1]);
	}
	for (n = 16; n <= max; n *= 16) {
		for (i = 0; i < 2; i++) {
			tell(i, n);
			tell(i, 0);
		}
		for (i = 0; i < batches; i++) {
			without = tell(0, 0);
			each[i] = tell(1, 0) / without;
		}
		row_unit(row_name("parallel"), n, each, scaled(CREATOR_REPS), "times none");
	}
	for (which = 0; which < 2; which++) {
		close(to[which][1]);
		must(wait(&status));
		if (status)
			fail("a process that measures has failed");
	}
}

static int number(const char *text, int min, int max)
{
	char *rest;
	long n = strtol(text, &rest, 10);

	if (!*text || *rest || n < min || n > max)
		fail("'%s': give a number from %d to %d", text, min, max);
	return n;
}

/* The row that would have been measured, had this kernel the feature. */
static void no_sigtrap(const char *what, int max)
{
	int n;

	for (n = !strcmp(what, "parallel") ? 16 : 1; n <= max; n *= !strcmp(what, "parallel") ? 16 : 4) {
		if (!strcmp(what, "change")) {
			row_none(row_name("enable"), n, NO_SIGTRAP);
			row_none(row_name("modify"), n, NO_SIGTRAP);
			row_none(row_name("disable"), n, NO_SIGTRAP);
		} else if (strcmp(what, "memory")) {
			row_none(row_name(what), n, NO_SIGTRAP);
		}
	}
	if (!strcmp(what, "memory")) {
		row_none(row_name("memory"), max, NO_SIGTRAP);
		row_none(row_name("memory-slab"), max, NO_SIGTRAP);
	}
}

int main(int argc, char **argv)
{
	const char *what;
	int max = 1;

	bench_begin(argc, argv);
	argv += optind;
	argc -= optind;
	what = argc ? argv[0] : "";
	kind_name = "none";
	if (!strcmp(what, "mprotect") && argc == 2) {
		max = number(argv[1], 1, MAX_THREADS);
	} else if ((!strcmp(what, "create") || !strcmp(what, "parallel")) && argc == 4) {
		kind_name = argv[1];
		watchpoints = number(argv[2], 0, MAX_WATCHPOINTS);
		max = number(argv[3], 1, MAX_THREADS);
	} else if ((!strcmp(what, "change") || !strcmp(what, "memory")) && argc == 3) {
		kind_name = argv[1];
		watchpoints = 1;
		max = number(argv[2], 2, MAX_THREADS);
	} else if (!strcmp(what, "switch") && argc == 3) {
		kind_name = argv[1];
		watchpoints = number(argv[2], 0, MAX_WATCHPOINTS);
	} else if (!strcmp(what, "open") && argc == 2) {
		kind_name = argv[1];
		watchpoints = 1;
	} else {
		fail("give create KIND COUNT MAX, parallel KIND COUNT MAX, change KIND MAX, memory KIND MAX, mprotect MAX, "
		     "switch KIND COUNT or open KIND");
	}
	if (!strcmp(kind_name, "plain"))
		kind = KIND_PLAIN;
	else if (!strcmp(kind_name, "sigtrap"))
		kind = KIND_SIGTRAP;
	else if (strcmp(kind_name, "none"))
		fail("%s: the kinds are none, plain and sigtrap", kind_name);

	must0(pthread_attr_init(&small));
	must0(pthread_attr_setstacksize(&small, 64 * 1024));
	if (kind == KIND_SIGTRAP && !has_sigtrap())
		no_sigtrap(what, max);
	else if (!strcmp(what, "create"))
		create(max);
	else if (!strcmp(what, "change"))
		change(max);
	else if (!strcmp(what, "memory"))
		memory(max);
	else if (!strcmp(what, "switch"))
		switches();
	else if (!strcmp(what, "open"))
		open_disabled();
	else if (!strcmp(what, "parallel"))
		parallel(max);
	else
		protect(max);
	row_print();
	return 0;
}
