// SPDX-License-Identifier: GPL-2.0
/*
 * The launcher: starts the program with the agent in it, tells it what to watch,
 * prints what it records, and ends as the program does.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <search.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "sigwatch.h"

#define VERSION "1.0"
#define STUCK_SECONDS 1			/* a slot claimed for so long: does its thread live? */
#define END_MS 1000			/* the hit that ends the program waits so long for others' signals */

static const char usage[] =
"Usage: sigwatch [OPTION]... WHAT[,WHAT]... [--] PROGRAM [ARGUMENT]...\n"
"Run PROGRAM and print each access to what is named, up to four places: time, thread,\n"
"source line, backtrace, old and new value.\n"
"\n"
"WHAT is SYMBOL, LIB:SYMBOL, SYMBOL+OFFSET, MODULE+OFFSET or 0xADDRESS, and may end\n"
"in /LEN, /KIND or /LENKIND, as in head/8r, where KIND is r, w or x.\n"
"\n"
"  -w, --write           tell of writes (the default)\n"
"  -r, --read            tell of reads and writes (x86 cannot watch reads only)\n"
"  -x, --execute         tell when the instruction at WHAT is about to run\n"
"  -l, --length LEN      watch 1, 2, 4 or 8 bytes; without, the symbol's size\n"
"  -n, --max MAX         stop watching after MAX hits; the program runs on\n"
"  -f, --follow          watch children too, until they execute another program\n"
"  -b, --backtrace N     print N frames (default 4, at most 32; 0 for none)\n"
"  -j, --json            print JSON, an object a line\n"
"  -o, --output FILE     print to FILE instead of stderr\n"
"  -s, --stop N          stop the program at the Nth hit, and\n"
"      --stop-with wait  let a debugger attach (the default), or\n"
"      --stop-with core  end it with SIGTRAP, which dumps core\n"
"  -h, --help            print this\n"
"  -V, --version         print the version\n"
"\n"
"Exit status: the program's; 125 if it cannot be watched, and then its main has not\n"
"run; 126 if it cannot be executed; 127 if it is not found. If a signal ended the\n"
"program, the same signal ends sigwatch.\n";

static struct ring *ring;
static struct output out;
static unsigned int max_frames = 4;
static volatile pid_t child;
static int events[MAX_WATCHES];
static struct summary summary[MAX_WATCHES];
static uint64_t lost;

noreturn void refuse(int status, const char *format, ...)
{
	va_list args;

	fputs("sigwatch: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	putc('\n', stderr);
	/* It waits in the agent, before its main. */
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	exit(status);
}

void *must(void *allocated)
{
	if (!allocated)
		refuse(STATUS_REFUSED, "%s", strerror(errno ?: ENOMEM));
	return allocated;
}

static unsigned long number(const char *option, const char *text, unsigned long least,
			    unsigned long most)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (!isdigit(*text) || *end || errno || n < least || n > most) {
		if (most == ULONG_MAX)
			refuse(STATUS_REFUSED, "%s '%s': a number from %lu on is wanted", option,
			       text, least);
		refuse(STATUS_REFUSED, "%s '%s': a number from %lu to %lu is wanted", option, text,
		       least, most);
	}
	return n;
}

struct options {
	struct watch watch;		/* for those that do not say themselves */
	uint64_t max, stop;
	enum stop_with stop_with;
	bool follow, json;
	const char *output;
};

/* Returns what comes after them. */
static char **parse_options(int argc, char **argv, struct options *o)
{
	enum { STOP_WITH = 256 };
	static const struct option options[] = {
		{ "write", no_argument, NULL, 'w' },
		{ "read", no_argument, NULL, 'r' },
		{ "execute", no_argument, NULL, 'x' },
		{ "length", required_argument, NULL, 'l' },
		{ "max", required_argument, NULL, 'n' },
		{ "follow", no_argument, NULL, 'f' },
		{ "backtrace", required_argument, NULL, 'b' },
		{ "json", no_argument, NULL, 'j' },
		{ "output", required_argument, NULL, 'o' },
		{ "stop", required_argument, NULL, 's' },
		{ "stop-with", required_argument, NULL, STOP_WITH },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ },
	};
	int kind = 0, c;

	o->watch.type = HW_BREAKPOINT_W;
	while ((c = getopt_long(argc, argv, "+wrxl:n:fb:jo:s:hV", options, NULL)) != -1) {
		switch (c) {
		case 'w':
		case 'r':
		case 'x':
			if (kind && kind != c)
				refuse(STATUS_REFUSED,
				       "-%c and -%c exclude each other: for a kind of its own say it with each WHAT, as in head/8r",
				       kind, c);
			kind = c;
			o->watch.type = c == 'w' ? HW_BREAKPOINT_W :
					c == 'r' ? HW_BREAKPOINT_RW :
						   HW_BREAKPOINT_X;
			break;
		case 'l':
			o->watch.len = number("--length", optarg, 1, 8);
			if (o->watch.len & (o->watch.len - 1))
				refuse(STATUS_REFUSED,
				       "--length '%s': a watchpoint has a length of 1, 2, 4 or 8",
				       optarg);
			break;
		case 'n':
			o->max = number("--max", optarg, 1, ULONG_MAX);
			break;
		case 'f':
			o->follow = true;
			break;
		case 'b':
			max_frames = number("--backtrace", optarg, 0, MAX_FRAMES);
			break;
		case 'j':
			o->json = true;
			break;
		case 'o':
			o->output = optarg;
			break;
		case 's':
			o->stop = number("--stop", optarg, 1, ULONG_MAX);
			break;
		case STOP_WITH:
			if (strcmp(optarg, "wait") && strcmp(optarg, "core"))
				refuse(STATUS_REFUSED, "--stop-with '%s': wait or core is wanted",
				       optarg);
			o->stop_with = *optarg == 'w' ? STOP_WAIT : STOP_CORE;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case 'V':
			puts("sigwatch " VERSION);
			exit(0);
		default:
			refuse(STATUS_REFUSED, "sigwatch --help tells the options");
		}
	}
	if (o->stop && o->max && o->stop > o->max)
		refuse(STATUS_REFUSED, "--stop %lu is never reached after --max %lu hits", o->stop,
		       o->max);
	argv += optind;
	if (!argv[0] || !argv[1])
		refuse(STATUS_REFUSED,
		       "WHAT and PROGRAM are wanted: sigwatch [OPTION]... WHAT[,WHAT]... [--] PROGRAM [ARGUMENT]...");
	return argv;
}

/* Out of the way of stdin, stdout and stderr, should they be closed. */
static int high(int fd)
{
	int up = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 10);

	if (up < 0)
		refuse(STATUS_REFUSED, "a descriptor is wanted: %s", strerror(errno));
	close(fd);
	return up;
}

static int make_ring(const struct options *o)
{
	int fd = high(memfd_create("sigwatch", MFD_CLOEXEC));
	uint64_t i;

	if (ftruncate(fd, sizeof(*ring)))
		refuse(STATUS_REFUSED, "no memory for the records: %s", strerror(errno));
	ring = mmap(NULL, sizeof(*ring), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED)
		refuse(STATUS_REFUSED, "no memory for the records: %s", strerror(errno));
	for (i = 0; i < SLOTS; i++)
		ring->slots[i].state = slot_state(i, SLOT_FREE, 0);
	if (getrandom(&ring->cookie, sizeof(ring->cookie), 0) < 0)
		ring->cookie = getpid();
	ring->cookie &= -MAX_WATCHES;
	ring->launcher = getpid();
	ring->max = o->max;
	ring->stop = o->stop;
	ring->stop_with = o->stop_with;
	ring->follow = o->follow;
	ring->want_stack = max_frames > 1;
	return fd;
}

/* What cannot be preloaded the loader leaves out, and then runs the program without it. */
static int open_agent(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *code;

	if (fd < 0)
		refuse(STATUS_REFUSED, "%s cannot be read: %s", path, strerror(errno));
	fd = high(fd);
	code = mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	if (code == MAP_FAILED)
		refuse(STATUS_REFUSED, "%s cannot be loaded: %s: is it mounted with noexec?", path,
		       strerror(errno));
	munmap(code, 1);
	return fd;
}

/*
 * LD_PRELOAD takes no path with a space, colon or dollar: such a one is opened,
 * and goes by the descriptor's name.
 */
static char *find_agent(int *fd)
{
	static const char *const beside[] = { ".", "../lib/sigwatch", "../lib" };
	char self[PATH_MAX], *path = NULL, *real;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	unsigned int i;

	if (n < 0)
		refuse(STATUS_REFUSED, "/proc/self/exe: %s: is /proc mounted?", strerror(errno));
	self[n] = 0;
	*strrchr(self, '/') = 0;
	*fd = -1;
	for (i = 0; i < sizeof(beside) / sizeof(*beside); i++) {
		free(path);
		if (asprintf(&path, "%s/%s/sigwatch-agent.so", self, beside[i]) < 0)
			must(NULL);
		real = realpath(path, NULL);
		if (!real)
			continue;
		*fd = open_agent(real);
		if (!strpbrk(real, " \t\n:$")) {
			close(*fd);
			*fd = -1;
			return real;
		}
		if (asprintf(&path, "/proc/self/fd/%d", *fd) < 0)
			must(NULL);
		return path;
	}
	refuse(STATUS_REFUSED,
	       "sigwatch-agent.so is neither in %s nor in its ../lib/sigwatch: install it there",
	       self);
}

static void on_signal(int sig)
{
	int error = errno;

	if (sig == SIGCHLD) {
		__atomic_add_fetch(&ring->news, 1, __ATOMIC_SEQ_CST);
		syscall(SYS_futex, &ring->news, FUTEX_WAKE, 1);
	} else if (child > 0) {
		kill(child, sig);
	}
	errno = error;
}

static const int handled[] = { SIGCHLD, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGPIPE };
#define NR_HANDLED (sizeof(handled) / sizeof(*handled))
static struct sigaction inherited[NR_HANDLED];

static void handle_signals(void)
{
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART | SA_NOCLDSTOP };
	unsigned int i;

	for (i = 0; i < NR_HANDLED; i++) {
		/* A terminal sends these to the program, too. */
		if (handled[i] == SIGINT || handled[i] == SIGQUIT || handled[i] == SIGPIPE)
			act.sa_handler = SIG_IGN;
		sigaction(handled[i], &act, &inherited[i]);
		/* nohup's SIGHUP stays ignored. */
		if (inherited[i].sa_handler == SIG_IGN && handled[i] != SIGCHLD)
			sigaction(handled[i], &inherited[i], NULL);
	}
}

static void run_program(const char *path, char **argv, int sock, int memory, const char *agent,
			int agent_fd)
{
	const char *preload = getenv("LD_PRELOAD");
	const int fds[] = { sock, memory, agent_fd };
	char *value, error;
	unsigned int i;

	for (i = 0; i < NR_HANDLED; i++)
		sigaction(handled[i], &inherited[i], NULL);
	for (i = 0; i < 3; i++)
		if (fds[i] >= 0)
			fcntl(fds[i], F_SETFD, 0);
	if (asprintf(&value, "%d,%d,%d", sock, memory, agent_fd) < 0 ||
	    setenv(AGENT_ENV, value, 1) ||
	    asprintf(&value, preload && *preload ? "%s:%s" : "%s", agent, preload) < 0 ||
	    setenv("LD_PRELOAD", value, 1))
		_exit(STATUS_REFUSED);
	execv(path, argv);
	error = errno;
	send(sock, &error, 1, MSG_NOSIGNAL);
	_exit(STATUS_NOT_EXECUTABLE);
}

/* What the kernel says to the event of a sound attribute. */
static noreturn void refused_event(const char *what, int error)
{
	char level[16] = "?";
	FILE *f;

	switch (error) {
	case EINVAL:
	case E2BIG:
		refuse(STATUS_REFUSED,
		       "%s: this kernel has no attr.sigtrap: the perf-sigtrap series for 5.10, or Linux 5.13 or later, is needed",
		       what);
	case EACCES:
	case EPERM:
		f = fopen("/proc/sys/kernel/perf_event_paranoid", "re");
		if (f && fgets(level, sizeof(level), f))
			level[strcspn(level, "\n")] = 0;
		refuse(STATUS_REFUSED,
		       "%s: watchpoints are not permitted: /proc/sys/kernel/perf_event_paranoid is %s (2 or less, or CAP_SYS_ADMIN, is needed), or a seccomp filter forbids perf_event_open",
		       what, level);
	case ENOSPC:
		refuse(STATUS_REFUSED,
		       "%s: no free debug register: the machine has %d, and other perf events or a debugger hold them",
		       what, MAX_WATCHES);
	case ENOSYS:
		refuse(STATUS_REFUSED,
		       "%s: this kernel has no perf events (CONFIG_PERF_EVENTS), or a seccomp filter hides them",
		       what);
	case EOPNOTSUPP:
	case ENOENT:
	case ENODEV:
		refuse(STATUS_REFUSED, "%s: this machine has no hardware breakpoints for sigtrap",
		       what);
	default:
		refuse(STATUS_REFUSED, "%s: perf_event_open: %s", what, strerror(error));
	}
}

static void take_events(int sock)
{
	union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(events))]; } control = { };
	struct opened opened = { .error = 0 };
	struct iovec iov = { &opened, sizeof(opened) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	unsigned int w;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != sizeof(opened))
		refuse(STATUS_REFUSED, "the program ended before it could be watched");
	if (opened.error)
		refused_event(out.names[opened.watch], opened.error);
	if (msg.msg_controllen < CMSG_LEN(ring->nr_watches * sizeof(int)))
		refuse(STATUS_REFUSED, "no descriptors left for the events: see ulimit -n");
	memcpy(events, CMSG_DATA(&control.header), ring->nr_watches * sizeof(int));
	for (w = 0; w < ring->nr_watches; w++)
		if (ioctl(events[w], PERF_EVENT_IOC_ENABLE))
			refused_event(out.names[w], errno);
}

static void start(const char *path, char **argv, char **names, unsigned int n,
		  const struct options *o)
{
	int pair[2], memory = make_ring(o), agent_fd;
	char *agent = find_agent(&agent_fd), hello;
	unsigned int w;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		refuse(STATUS_REFUSED, "socketpair: %s", strerror(errno));
	pair[0] = high(pair[0]);
	pair[1] = high(pair[1]);
	handle_signals();
	if (o->follow)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	child = fork();
	if (child < 0)
		refuse(STATUS_REFUSED, "fork: %s", strerror(errno));
	if (!child)
		run_program(path, argv, pair[1], memory, agent, agent_fd);
	close(pair[1]);
	close(memory);
	if (agent_fd >= 0)
		close(agent_fd);

	if (recv(pair[0], &hello, 1, 0) != 1)
		refuse(STATUS_REFUSED,
		       "%s: the agent has not started: see what the program's loader says of %s",
		       path, agent);
	if (hello)
		refuse(STATUS_NOT_EXECUTABLE, "%s: %s", path, strerror(hello));
	resolve_modules(child, ring);
	for (w = 0; w < n; w++) {
		ring->watch[w] = o->watch;
		resolve_watch(names[w], &ring->watch[w]);
	}
	ring->nr_watches = n;
	out.watches = ring->watch;
	send(pair[0], "", 1, MSG_NOSIGNAL);
	take_events(pair[0]);
	send(pair[0], "", 1, MSG_NOSIGNAL);
	close(pair[0]);
}

/*
 * Hits as the kernel has counted them, until the events are closed. It counts
 * those of a thread twice while that thread exits.
 */
static uint64_t counted_hits(void)
{
	static uint64_t hits;
	unsigned int w;
	uint64_t n;

	if (events[0] < 0)
		return hits;
	hits = 0;
	for (w = 0; w < ring->nr_watches; w++)
		if (read(events[w], &n, sizeof(n)) == sizeof(n))
			hits += n;
	return hits;
}

static void disable_events(void)
{
	unsigned int w;

	if (events[0] < 0)
		return;
	for (w = 0; w < ring->nr_watches; w++)
		ioctl(events[w], PERF_EVENT_IOC_DISABLE, 0);
}

static void close_events(void)
{
	unsigned int w;

	if (events[0] < 0)
		return;
	disable_events();
	counted_hits();			/* for the last time: it keeps them */
	for (w = 0; w < ring->nr_watches; w++) {
		close(events[w]);
		events[w] = -1;
	}
}

static int compare_threads(const void *a, const void *b)
{
	uint64_t p = *(const uint64_t *)a, q = *(const uint64_t *)b;

	return p < q ? -1 : p > q;
}

static void count_thread(unsigned int w, pid_t tid)
{
	static void *threads;
	uint64_t key = (uint64_t)w << 32 | tid, *entry;

	if (tfind(&key, &threads, compare_threads))
		return;
	entry = must(malloc(sizeof(*entry)));
	*entry = key;
	must(tsearch(entry, &threads, compare_threads));
	summary[w].threads++;
}

static void say_stop(const struct hit *hit)
{
	struct rlimit core;

	fflush(out.file);
	fprintf(stderr, "sigwatch: %s at hit %lu, thread %d (",
		ring->stop_with == STOP_WAIT ? "stopped" : "ended", ring->stop, hit->tid);
	print_name(stderr, hit->name, false);
	if (ring->stop_with == STOP_WAIT)
		fprintf(stderr, "): 'gdb -p %d' attaches, 'kill -CONT %d' lets it go on\n",
			hit->pid, hit->pid);
	else
		fprintf(stderr, "), with SIGTRAP%s\n",
			!prlimit(hit->pid, RLIMIT_CORE, NULL, &core) && !core.rlim_cur ?
				"; no core dump, as 'ulimit -c' is 0" :
				"");
	fflush(stderr);
}

/* The hit that ends the program; the thread waits for go. */
static struct hit last_hit;
static uint64_t last_since;

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

static void begin_end(const struct hit *hit)
{
	disable_events();
	last_hit = *hit;
	last_since = 0;
}

/*
 * An event that is disabled or closed still owes the signals of its hits: a
 * thread that was preempted on its way out of one takes it later, and would die
 * of it once SIGTRAP has its default action. The dump would be of that thread.
 * So each is to have come to its handler before. Some never do, as where a raw
 * system call blocks SIGTRAP: these are not waited for long. True while one is.
 */
static bool await_end(void)
{
	if (!last_hit.stop)
		return false;
	if (!last_since)
		last_since = now_ms();
	if (__atomic_load_n(&ring->total, __ATOMIC_ACQUIRE) < counted_hits() &&
	    now_ms() - last_since < END_MS)
		return true;
	close_events();
	say_stop(&last_hit);
	last_hit.stop = 0;
	__atomic_store_n(&ring->go, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &ring->go, FUTEX_WAKE, INT_MAX);
	return false;
}

static void tell(const struct record *r)
{
	struct frame frames[MAX_FRAMES];
	bool more;
	int n;

	/* New code since the modules were looked at, or the last hit: the thread waits while they are again. */
	if (r->hit.waits)
		resolve_modules(r->hit.pid, ring);
	summary[r->hit.watch].hits++;
	count_thread(r->hit.watch, r->hit.tid);
	n = resolve_frames(r, &ring->watch[r->hit.watch], frames, max_frames, &more);
	print_hit(&out, &r->hit, frames, n, more);
	if (r->hit.stop && ring->stop_with == STOP_CORE)
		begin_end(&r->hit);
	else if (r->hit.stop)
		say_stop(&r->hit);
}

static void mend(struct record *r)
{
	r->hit.watch &= MAX_WATCHES - 1;
	r->hit.name[sizeof(r->hit.name) - 1] = 0;
	if (r->stack_len > STACK_BYTES)
		r->stack_len = STACK_BYTES;
}

/* What has been told is to be read; where that fails there is no point in more. */
static void flush(void)
{
	static bool failed;

	if (!fflush(out.file) || failed)
		return;
	fprintf(stderr, "sigwatch: the output cannot be written, and ends here: %s\n",
		strerror(errno));
	failed = true;
	close_events();
}

static void pass(uint64_t tail)
{
	__atomic_store_n(&ring->slots[tail % SLOTS].state, slot_state(tail + SLOTS, SLOT_FREE, 0),
			 __ATOMIC_RELEASE);
	__atomic_store_n(&ring->tail, tail + 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&ring->room, 1, __ATOMIC_SEQ_CST);
}

static void wake(void)
{
	if (__atomic_load_n(&ring->wait_room, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &ring->room, FUTEX_WAKE, INT_MAX);
}

/* Does not run any more: it does not exist, or is a zombie, which its parent may never wait for. */
static bool is_gone(pid_t tid)
{
	char path[32], line[256], *paren;
	bool zombie = false;
	FILE *f;

	if (kill(tid, 0) && errno == ESRCH)
		return true;
	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	f = fopen(path, "re");
	if (f && fgets(line, sizeof(line), f)) {
		paren = strrchr(line, ')');
		zombie = paren && (!strncmp(paren, ") Z", 3) || !strncmp(paren, ") X", 3));
	}
	if (f)
		fclose(f);
	return zombie;
}

/* A slot that was claimed and not filled, and whose thread is gone, is not waited for. */
static bool abandoned(uint64_t tail, uint64_t state, bool ended)
{
	static uint64_t stuck = -1;
	static time_t since;
	time_t now = time(NULL);

	if (!ended && stuck != tail) {
		stuck = tail;
		since = now;
	}
	if (!ended && (now - since < STUCK_SECONDS || !is_gone(SLOT_TID(state))))
		return false;
	/* Unless it is filled just now. */
	return __atomic_compare_exchange_n(&ring->slots[tail % SLOTS].state, &state,
					   slot_state(tail, SLOT_FREE, 0), 0, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

/* Prints what is there; true if a slot is claimed and not filled yet. */
static bool drain(bool ended)
{
	for (;;) {
		uint64_t tail = ring->tail;
		struct slot *slot = &ring->slots[tail % SLOTS];
		uint64_t state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);
		bool waits;

		if (ring->max && __atomic_load_n(&ring->total, __ATOMIC_RELAXED) >= ring->max)
			close_events();
		if (SLOT_WHAT(state) == SLOT_FREE)
			break;
		if (SLOT_WHAT(state) == SLOT_CLAIMED) {
			if (abandoned(tail, state, ended)) {
				pass(tail);
				continue;
			}
			if (ended)
				continue;
			flush();
			wake();
			return true;
		}
		/* The program can write there, and one that is watched may well write where it should not. */
		mend(&slot->record);
		tell(&slot->record);
		waits = slot->record.hit.waits;
		pass(tail);
		/* Those who wait for room come in batches. */
		if (waits || tail % 64 == 0)
			wake();
	}
	flush();
	wake();
	return false;
}

/* The status of the program, once it has ended, and with --follow its children. */
static bool ended(int *status, bool follow)
{
	static bool gone;
	int any;
	pid_t pid;

	while ((pid = waitpid(follow ? -1 : child, &any, WNOHANG)) > 0) {
		if (pid == child) {
			*status = any;
			gone = true;
		}
	}
	return gone && (!follow || (pid < 0 && errno == ECHILD));
}

static int watch_it(bool follow)
{
	const struct timespec stuck = { .tv_sec = STUCK_SECONDS }, tick = { .tv_nsec = 1000 * 1000 };
	int status = 0;
	bool claimed, ending;

	for (;;) {
		uint32_t news = __atomic_load_n(&ring->news, __ATOMIC_SEQ_CST);

		if (ended(&status, follow)) {
			drain(true);
			return status;
		}
		claimed = drain(false);
		ending = await_end();
		__atomic_store_n(&ring->wait_news, 1, __ATOMIC_SEQ_CST);
		syscall(SYS_futex, &ring->news, FUTEX_WAIT, news,
			ending ? &tick : claimed ? &stuck : NULL);
		__atomic_store_n(&ring->wait_news, 0, __ATOMIC_SEQ_CST);
	}
}

/* As the program did: by the same signal, without a core dump of our own. */
static noreturn void end_as(int status)
{
	const struct rlimit none = { 0, 0 };
	sigset_t set;

	if (!WIFSIGNALED(status))
		exit(WEXITSTATUS(status));
	/* That is for files; a core_pattern with a program in it is kept off by this. */
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
	signal(WTERMSIG(status), SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, WTERMSIG(status));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	kill(getpid(), WTERMSIG(status));
	exit(128 + WTERMSIG(status));
}

int main(int argc, char **argv)
{
	char *names[MAX_WATCHES], *rest, *name, *path;
	struct options o = { };
	uint64_t counted = 0;
	unsigned int w;
	int status;

	argv = parse_options(argc, argv, &o);
	for (rest = *argv++; (name = strsep(&rest, ",")); names[out.nr_watches++] = name)
		if (out.nr_watches == MAX_WATCHES)
			refuse(STATUS_REFUSED,
			       "at most %d can be watched: the machine has as many debug registers",
			       MAX_WATCHES);
	if (!strcmp(*argv, "--"))
		argv++;
	else if (**argv == '-')
		refuse(STATUS_REFUSED,
		       "'%s' comes after WHAT: options go before it, and -- before a program of such a name",
		       *argv);
	if (!*argv)
		refuse(STATUS_REFUSED, "no PROGRAM after --");
	path = program_find(*argv);

	out.names = names;
	out.json = o.json;
	out.file = o.output ? fopen(o.output, "we") : stderr;
	if (!out.file)
		refuse(STATUS_REFUSED, "%s cannot be written: %s", o.output, strerror(errno));
	setvbuf(out.file, NULL, _IOFBF, 1 << 16);
	start(path, argv, names, out.nr_watches, &o);
	status = watch_it(o.follow);

	for (w = 0; w < out.nr_watches; w++)
		counted += ring->hits[w];
	for (w = 0; w < out.nr_watches; w++)
		counted -= summary[w].hits;
	lost = counted;
	print_summary(&out, summary, lost);
	fflush(stderr);
	end_as(status);
}
