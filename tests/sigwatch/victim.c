// SPDX-License-Identifier: GPL-2.0
/*
 * What tests/sigwatch.t watches: victim MODE [ARGUMENT]... The lines that touch
 * a watched variable have a name behind them, which the test looks up.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "../../examples/include/sigtrap.h"
#include "victim.h"

int counter = 7;
int8_t byte;
int16_t half;
int64_t word;
int64_t table[16];
__thread int local_to_thread;

/* other.c has another. */
static volatile int twin;

#define NOINLINE __attribute__((noinline))

/* A frame each, and not the caller's jump. */
NOINLINE void bump(void)
{
	counter++;			/* bump */
	asm volatile("");
}

NOINLINE void call_bump(void)
{
	bump();				/* call_bump */
	asm volatile("");
}

static void say(const char *what, long value)
{
	printf("%s %ld\n", what, value);
	fflush(stdout);
}

/*
 * threads N M: N threads that hit M times each. owed N M: they touch another
 * variable, too, with SIGTRAP blocked in the kernel: most of the time one of them
 * is owed a signal, or two.
 */
static long rounds;
static bool owed;
static pid_t last_started;

/* Behind the back of every library. */
static void trap_mask(int how)
{
	const uint64_t trap = 1UL << (SIGTRAP - 1);

	syscall(SYS_rt_sigprocmask, how, &trap, NULL, sizeof(trap));
}

static void touch_both(void)
{
	trap_mask(SIG_BLOCK);
	bump();
	word++;
	trap_mask(SIG_UNBLOCK);
}

static void *thread(void *number)
{
	char name[16];
	long i;

	snprintf(name, sizeof(name), "thread-%ld", (long)number);
	prctl(PR_SET_NAME, name);
	trap_mask(SIG_UNBLOCK);
	__atomic_store_n(&last_started, gettid(), __ATOMIC_RELEASE);
	for (i = 0; i < rounds; i++) {
		if (owed)
			touch_both();
		else
			bump();
	}
	return NULL;
}

static void threads(long n)
{
	pthread_t ids[64];
	long i;

	for (i = 0; i < n; i++)
		pthread_create(&ids[i], NULL, thread, (void *)i);
	for (i = 0; i < n; i++)
		pthread_join(ids[i], NULL);
}

/* A thread that hits once; returns when its handler waits for the launcher, in futex(2). */
static pthread_t hit_and_wait(void)
{
	char path[64], text[8] = "";
	pthread_t id;
	pid_t tid;
	FILE *f;

	rounds = 1;
	pthread_create(&id, NULL, thread, NULL);
	while (!(tid = __atomic_load_n(&last_started, __ATOMIC_ACQUIRE)))
		;
	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", tid);
	while (strncmp(text, "202 ", 4)) {
		f = fopen(path, "r");
		if (!f)
			exit(2);
		if (!fgets(text, sizeof(text), f))
			exit(3);
		fclose(f);
	}
	return id;
}

/* behind: main has hit before the thread does, and takes the signal after it. */
static void behind(void)
{
	pthread_t id;

	trap_mask(SIG_BLOCK);
	bump();
	id = hit_and_wait();
	usleep(50000);
	trap_mask(SIG_UNBLOCK);
	pthread_join(id, NULL);
}

/* A child, and a child of it that outlives it. */
static void forks(void)
{
	pid_t pid = fork();

	if (!pid) {
		bump();
		if (!fork()) {
			usleep(300000);
			bump();
		}
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	bump();
}

static void sizes(void)
{
	byte = -1;			/* byte */
	half = 300;			/* half */
	counter = -70000;		/* word32 */
	word = -5000000000;		/* word64 */
	table[1] = 11;
	table[2] = 22;			/* table2 */
}

static void reads(void)
{
	volatile int *p = &counter;
	int seen = *p;			/* read */

	*p = seen + 1;			/* written */
	say("read", seen);
}

/* What a program may do with SIGTRAP; each answer is printed, and is the same without sigwatch. */
static volatile sig_atomic_t traps, last_code, last_flags, blocked_in_handler;
static sigjmp_buf out;

static void on_trap(int sig, siginfo_t *si, void *uc)
{
	sigset_t now;

	(void)sig, (void)uc;
	traps++;
	last_code = si->si_code;
	last_flags = si->si_code == TRAP_PERF ? sigtrap_info(si)->flags : 0;
	sigprocmask(SIG_BLOCK, NULL, &now);
	blocked_in_handler = sigismember(&now, SIGTRAP) + 10 * sigismember(&now, SIGUSR1);
	bump();
}

static void jump_out(int sig)
{
	(void)sig;
	siglongjmp(out, 1);
}

static void on_user(int sig)
{
	(void)sig;
	bump();
}

static void own_traps(void)
{
	struct sigaction act = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO }, old;
	sigset_t trap, all, was, pending;
	siginfo_t sent = { .si_signo = SIGTRAP, .si_code = SI_QUEUE, .si_value.sival_int = 42 };

	sigemptyset(&trap);
	sigaddset(&trap, SIGTRAP);
	sigfillset(&all);
	sigaddset(&act.sa_mask, SIGUSR1);
	sigaction(SIGTRAP, NULL, &old);
	say("first action is the default", old.sa_handler == SIG_DFL);
	sigaction(SIGTRAP, &act, NULL);
	sigaction(SIGTRAP, NULL, &old);
	say("action is mine", old.sa_sigaction == on_trap &&
	    sigismember(&old.sa_mask, SIGUSR1));
	say("its flags", old.sa_flags);

	kill(getpid(), SIGTRAP);
	say("kill", traps);
	say("code", last_code);
	say("blocked in the handler", blocked_in_handler);
	asm volatile("int3");
	say("int3", traps);
	say("code", last_code);
	syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGTRAP, &sent);
	say("queued", traps);

	/* Blocked: a hit is told in time, a signal waits. */
	sigprocmask(SIG_BLOCK, &trap, &was);
	say("was blocked", sigismember(&was, SIGTRAP));
	raise(SIGTRAP);
	bump();
	say("while blocked", traps);
	sigpending(&pending);
	say("pending", sigismember(&pending, SIGTRAP));
	pthread_sigmask(SIG_SETMASK, NULL, &was);
	say("is blocked", sigismember(&was, SIGTRAP));
	sigprocmask(SIG_UNBLOCK, &trap, NULL);
	say("unblocked", traps);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	bump();
	pthread_sigmask(SIG_SETMASK, &was, NULL);

	/* In the masks of others: theirs, and of those that wait. */
	act.sa_handler = on_user;
	act.sa_flags = 0;
	act.sa_mask = all;
	sigaction(SIGUSR1, &act, NULL);
	sigaction(SIGUSR1, NULL, &old);
	say("mask of SIGUSR1 has it", sigismember(&old.sa_mask, SIGTRAP));
	raise(SIGUSR1);
	sigaddset(&was, SIGUSR1);
	sigprocmask(SIG_SETMASK, &was, NULL);
	raise(SIGUSR1);
	sigdelset(&all, SIGUSR1);
	sigsuspend(&all);
	raise(SIGUSR1);
	ppoll(NULL, 0, NULL, &all);

	/* By signal(), ignored, and once. */
	say("signal returns mine", signal(SIGTRAP, SIG_IGN) == (sighandler_t)(void *)on_trap);
	raise(SIGTRAP);
	say("ignored", traps);
	bump();
	say("signal returns SIG_IGN", signal(SIGTRAP, jump_out) == SIG_IGN);
	if (!sigsetjmp(out, 1))
		raise(SIGTRAP);
	if (!sigsetjmp(out, 1))
		raise(SIGTRAP);
	sigprocmask(SIG_BLOCK, NULL, &was);
	say("blocked after the jump", sigismember(&was, SIGTRAP));
	memset(&act, 0, sizeof(act));
	act.sa_sigaction = on_trap;
	act.sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER;
	sigaction(SIGTRAP, &act, NULL);
	raise(SIGTRAP);
	say("blocked in the handler", blocked_in_handler);
	sigaction(SIGTRAP, NULL, &old);
	say("reset to the default", old.sa_handler == SIG_DFL);
	bump();
}

static bool trap_is_blocked(void)
{
	sigset_t now;

	sigprocmask(SIG_BLOCK, NULL, &now);
	return sigismember(&now, SIGTRAP);
}

/* Threads that begin with SIGTRAP blocked: of a timer, and of an attribute. */
static void on_time(union sigval value)
{
	(void)value;
	bump();
	say("in the timer's thread", trap_is_blocked());
	bump();
	exit(0);
}

static void *begins_blocked(void *arg)
{
	bump();
	bump();
	return arg;
}

static void blocked_threads(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_time };
	const struct itimerspec soon = { .it_value.tv_nsec = 1000000 };
	pthread_attr_t attr;
	pthread_t id;
	timer_t timer;
	sigset_t all;

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setsigmask_np(&attr, &all);
	pthread_create(&id, &attr, begins_blocked, NULL);
	pthread_join(id, NULL);
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &soon, NULL);
	for (;;)
		pause();
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#pragma GCC diagnostic ignored "-Wrestrict"

/* The calls that wait with another mask, the old ones, and an event of its own. */
static void own_waits(void)
{
	struct sigaction act = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
	const struct timespec long_enough = { .tv_sec = 20 };
	static volatile int own;
	union sigtrap_attr attr = sigtrap_attr(&own, sizeof(own), HW_BREAKPOINT_W, 1);
	sigset_t none;

	sigemptyset(&none);
	sigaddset(&act.sa_mask, SIGTRAP);
	sigaction(SIGTRAP, &act, &act);
	say("the old action in the place of the new", act.sa_handler == SIG_DFL);
	act.sa_handler = on_user;
	sigaddset(&act.sa_mask, SIGTRAP);
	sigaction(SIGUSR1, &act, &act);
	say("so for another", act.sa_handler == SIG_DFL);
	sigaction(SIGUSR1, NULL, &act);
	say("mask of SIGUSR1 has it", sigismember(&act.sa_mask, SIGTRAP));

	sighold(SIGTRAP);
	say("held", trap_is_blocked());
	raise(SIGTRAP);
	bump();
	say("while held", traps);
	say("sigsuspend", sigsuspend(&none));
	say("has let it in", traps);
	raise(SIGTRAP);
	say("ppoll", ppoll(NULL, 0, &long_enough, &none));
	say("its error", errno);
	say("has let it in", traps);
	raise(SIGTRAP);
	say("pselect", pselect(0, NULL, NULL, NULL, &long_enough, &none));
	say("has let it in", traps);
	raise(SIGTRAP);
	say("sigpause", sigpause(SIGTRAP));
	say("has let it in", traps);
	say("still held", trap_is_blocked());
	raise(SIGTRAP);
	sigrelse(SIGTRAP);
	say("released", traps);
	bump();
	say("sigset returns mine", sigset(SIGTRAP, SIG_HOLD) == (sighandler_t)(void *)on_trap);
	say("sigset returns SIG_HOLD", sigset(SIGTRAP, SIG_IGN) == SIG_HOLD);
	raise(SIGTRAP);
	bump();
	say("ignored", traps);
	memset(&act, 0, sizeof(act));
	act.sa_sigaction = on_trap;
	act.sa_flags = SA_SIGINFO;
	sigaction(SIGTRAP, &act, NULL);
	sigignore(SIGTRAP);
	bump();
	sigaction(SIGTRAP, &act, &act);
	say("sigignore", act.sa_handler == SIG_IGN);
	say("sigblock", sigblock(1 << (SIGTRAP - 1)));
	bump();
	say("sigsetmask", sigsetmask(0) == 1 << (SIGTRAP - 1));

	say("an event of its own", sigtrap_open(&attr) >= 0);
	own++;
	say("hits", traps);
	say("code", last_code);
	sighold(SIGTRAP);
	own++;
	bump();
	say("not while held", traps);
	sigrelse(SIGTRAP);
	say("then", traps);
	say("code", last_code);
	say("flags", last_flags);
	bump();
}

#pragma GCC diagnostic pop

static void late(void)
{
	trap_mask(SIG_BLOCK);
	bump();
	trap_mask(SIG_UNBLOCK);
}

/* Closes what is open, as a daemon does. */
static void close_all(void)
{
	int fd;

	say("descriptor", dup(0));
	for (fd = 3; fd < 1024; fd++)
		close(fd);
	bump();
}

/* A frame that leaves its caller out of the copy of the stack. */
NOINLINE static void deep(void)
{
	volatile char large[40000];

	large[0] = large[39999] = 1;
	bump();				/* deep */
	large[1] = 2;
}

/* Code that was not there at the start, and the end right behind the hit. */
static void plugin(const char *path)
{
	void *library = dlopen(path, RTLD_NOW);
	void (*touch)(int *) = library ? (void (*)(int *))dlsym(library, "plugin_touch") : NULL;

	if (!touch) {
		fprintf(stderr, "%s\n", dlerror());
		exit(2);
	}
	touch(&counter);
	kill(getpid(), SIGKILL);
}

/* On an alternate stack, and on a stack pointer that points nowhere. */
static void stacks(void)
{
	static char alternate[65536];
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
	struct sigaction act = { .sa_handler = on_user, .sa_flags = SA_ONSTACK };

	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &act, NULL);
	raise(SIGUSR1);
	asm volatile("mov %%rsp, %%rbx\n\tmov $64, %%rsp\n\tincl %0\n\tmov %%rbx, %%rsp"
		     : "+m"(counter) : : "rbx");
}

static void strange(void);

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	const char *arg = argc > 2 ? argv[2] : "0";

	/* Of a refusal nobody may see this. */
	if (getenv("VICTIM_SAYS"))
		say("main runs", 1);
	twin++;
	other();
	if (!strcmp(mode, "bump")) {
		call_bump();
	} else if (!strcmp(mode, "threads") || !strcmp(mode, "owed")) {
		owed = *mode == 'o';
		rounds = atol(argv[3]);
		threads(atol(arg));
	} else if (!strcmp(mode, "both")) {
		touch_both();
	} else if (!strcmp(mode, "exits")) {
		hit_and_wait();
	} else if (!strcmp(mode, "behind")) {
		behind();
	} else if (!strcmp(mode, "forks")) {
		forks();
	} else if (!strcmp(mode, "exec")) {
		bump();
		execl("/proc/self/exe", "victim", "environment", NULL);
	} else if (!strcmp(mode, "environment")) {
		printf("LD_PRELOAD %s\n", getenv("LD_PRELOAD") ?: "-");
		printf("SIGWATCH_AGENT %s\n", getenv("SIGWATCH_AGENT") ?: "-");
		bump();
	} else if (!strcmp(mode, "system")) {
		bump();
		return system("./victim environment") >> 8;
	} else if (!strcmp(mode, "sizes")) {
		sizes();
	} else if (!strcmp(mode, "reads")) {
		reads();
	} else if (!strcmp(mode, "traps")) {
		own_traps();
	} else if (!strcmp(mode, "waits")) {
		own_waits();
	} else if (!strcmp(mode, "strange")) {
		strange();
	} else if (!strcmp(mode, "blocked-threads")) {
		blocked_threads();
	} else if (!strcmp(mode, "int3")) {
		asm volatile("int3");
	} else if (!strcmp(mode, "late")) {
		late();
	} else if (!strcmp(mode, "close")) {
		close_all();
	} else if (!strcmp(mode, "deep")) {
		deep();
	} else if (!strcmp(mode, "plugin")) {
		plugin(arg);
	} else if (!strcmp(mode, "stacks")) {
		stacks();
	} else if (!strcmp(mode, "library")) {
		library_touch();
		say("shared", shared_count);
	} else if (!strcmp(mode, "name")) {
		prctl(PR_SET_NAME, arg);
		bump();
	} else if (!strcmp(mode, "kill")) {
		bump();
		kill(getpid(), atoi(arg));
		pause();
	} else if (!strcmp(mode, "wait")) {
		bump();
		say("waiting", getpid());
		pause();
	} else if (!strcmp(mode, "exit")) {
		return atoi(arg);
	} else {
		return 2;
	}
	return 0;
}

/* The last here: its lines count from the #line. */
#line 1 "str\033nge.c"
NOINLINE static void strange(void)
{
	counter++;
	asm volatile("");
}
