// SPDX-License-Identifier: GPL-2.0
/*
 * The agent needs SIGTRAP handled and not blocked. The program gets to see what
 * it would see without the agent: its own handler, mask and SIGTRAPs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include "agent.h"
#include "sigtrap.h"

#define TLS static __thread __attribute__((tls_model("initial-exec")))

/* SIGTRAP as the program believes it blocked, and one that waits for that to end. */
TLS int blocked, pending;
TLS siginfo_t pending_info;

/* The program's action for SIGTRAP; two, so that the handler reads one that is not being written */
static struct sigaction actions[2];
static unsigned int action;
/* libc sets it in each action, and so it is seen in what an action replaces. */
#define RESTORER 0x04000000
/* Signals whose sa_mask had SIGTRAP in it. */
static uint64_t masks_trap;
static int writing;

static int active;

/* The next definition of each libc function that has one here. */
#define FUNCTIONS(DO)								\
	DO(sigaction) DO(signal) DO(ssignal) DO(bsd_signal) DO(sysv_signal)	\
	DO(__sysv_signal) DO(pthread_sigmask) DO(sigprocmask) DO(sigpending)	\
	DO(sigsuspend) DO(ppoll) DO(pselect) DO(epoll_pwait) DO(epoll_pwait2)	\
	DO(__xpg_sigpause) DO(pthread_attr_setsigmask_np) DO(timer_create)	\
	DO(longjmp) DO(_longjmp) DO(siglongjmp) DO(__longjmp_chk)
#define POINTER(name) __typeof__(&name) name;
#define FIND(name) libc.name = (__typeof__(&name))dlsym(RTLD_NEXT, #name);

sighandler_t bsd_signal(int sig, sighandler_t handler);
sighandler_t sysv_signal(int sig, sighandler_t handler);
int __xpg_sigpause(int sig);
void __longjmp_chk(jmp_buf env, int value) __attribute__((noreturn));

static struct { FUNCTIONS(POINTER) } libc;

/* By the constructor, as a handler may be the next to ask; or for one that runs before it. */
static void find_libc(void)
{
	FUNCTIONS(FIND)
}

#define REAL(name) (*({ if (!libc.name) find_libc(); libc.name; }))

static void send_to_self(const siginfo_t *si)
{
	sys(SYS_rt_tgsigqueueinfo, sys(SYS_getpid), sys(SYS_gettid), SIGTRAP, si);
}

/* Ends the process as by default, from the place that @uc is of, once the handler returns. */
void signals_die(const siginfo_t *si, ucontext_t *uc)
{
	const uint64_t by_default[4] = { 0 };

	sys(SYS_rt_sigaction, SIGTRAP, by_default, NULL, 8);
	sigdelset(&uc->uc_sigmask, SIGTRAP);
	send_to_self(si);
}

/* A SIGTRAP that is none of ours. */
static void program_trap(int sig, siginfo_t *si, ucontext_t *uc)
{
	const struct sigaction *now = &actions[__atomic_load_n(&action, __ATOMIC_ACQUIRE)];
	struct sigaction act = *now;
	sigset_t during;
	int was = blocked, forced = si->si_code > 0 && si->si_code != TRAP_PERF;
	unsigned int i;

	/* An instruction that traps is not to be blocked or ignored; what was sent, or is an event's, is. */
	if (was && !forced) {
		if (pending)
			return;
		pending_info = *si;
		if (si->si_code == TRAP_PERF)
			((struct sigtrap_info *)&pending_info.si_addr)->flags |= SIGTRAP_FLAG_ASYNC;
		pending = 1;
		return;
	}
	if (act.sa_handler == SIG_IGN && !forced)
		return;
	if (act.sa_handler == SIG_DFL || act.sa_handler == SIG_IGN || was) {
		signals_die(si, uc);
		return;
	}
	if (act.sa_flags & SA_RESETHAND)
		actions[action].sa_handler = SIG_DFL;
	for (i = 0; i < sizeof(during) / sizeof(long); i++)
		during.__val[i] = uc->uc_sigmask.__val[i] | act.sa_mask.__val[i];
	blocked = !(act.sa_flags & SA_NODEFER) || sigismember(&act.sa_mask, SIGTRAP);
	sigdelset(&during, SIGTRAP);
	sys(SYS_rt_sigprocmask, SIG_SETMASK, &during, NULL, 8);
	if (act.sa_flags & SA_SIGINFO)
		act.sa_sigaction(sig, si, uc);
	else
		act.sa_handler(sig);
	sigfillset(&during);
	sys(SYS_rt_sigprocmask, SIG_SETMASK, &during, NULL, 8);
	blocked = was;
	if (pending && !blocked) {
		pending = 0;
		send_to_self(&pending_info);
	}
}

static void on_trap(int sig, siginfo_t *si, void *uc)
{
	if (is_hit(si))
		take_hit(si, uc);
	else
		program_trap(sig, si, uc);
}

static void unblocked(void)
{
	blocked = 0;
	if (!pending)
		return;
	pending = 0;
	send_to_self(&pending_info);
}

/* A set without SIGTRAP, in @room. */
static const sigset_t *without_trap(const sigset_t *set, sigset_t *room)
{
	if (!active || !set || sigismember(set, SIGTRAP) != 1)
		return set;
	*room = *set;
	sigdelset(room, SIGTRAP);
	return room;
}

static void trap_action(const struct sigaction *new, struct sigaction *old)
{
	/* @old may be where @new is. */
	const struct sigaction was = actions[action];

	if (new) {
		actions[!action] = *new;
		actions[!action].sa_flags |= RESTORER;
		__atomic_store_n(&action, !action, __ATOMIC_RELEASE);
		if (new->sa_handler == SIG_IGN)
			pending = 0;
	}
	if (old)
		*old = was;
}

static int change_mask(__typeof__(&sigprocmask) real, int how, const sigset_t *new, sigset_t *old)
{
	sigset_t room;
	int was = blocked, in = active && new && sigismember(new, SIGTRAP) == 1;
	int result = real(how, without_trap(new, &room), old);

	if (result)
		return result;
	if (old && was)
		sigaddset(old, SIGTRAP);
	if (in && how != SIG_UNBLOCK)
		blocked = 1;
	else if (new && (in || how == SIG_SETMASK))
		unblocked();
	return 0;
}

/* A mask for the time that sigsuspend() or one of its kin waits. */
struct waiting {
	sigset_t room, before;
	int was, held;
};

static const sigset_t *begin_wait(const sigset_t *set, struct waiting *w)
{
	sigset_t all;

	w->was = blocked;
	w->held = 0;
	if (!active || !set)
		return set;
	if (sigismember(set, SIGTRAP) == 1) {
		blocked = 1;
	} else if (blocked) {
		/* One that was held back is to end the wait, and not to come before it. */
		sigfillset(&all);
		REAL(pthread_sigmask)(SIG_SETMASK, &all, &w->before);
		w->held = 1;
		unblocked();
	}
	return without_trap(set, &w->room);
}

static int end_wait(int result, const sigset_t *set, const struct waiting *w)
{
	int error = errno;

	if (!active || !set)
		return result;
	if (w->was)
		blocked = 1;
	else
		unblocked();
	if (w->held)
		REAL(pthread_sigmask)(SIG_SETMASK, &w->before, NULL);
	errno = error;
	return result;
}

/* What a timer with SIGEV_THREAD calls. */
struct notice {
	void (*function)(union sigval value);
	union sigval value;
};

/* libc begins these threads with all signals blocked. */
static void notify(union sigval value)
{
	const struct notice notice = *(struct notice *)value.sival_ptr;
	sigset_t trap, was;

	sigemptyset(&trap);
	sigaddset(&trap, SIGTRAP);
	REAL(pthread_sigmask)(SIG_UNBLOCK, &trap, &was);
	blocked = sigismember(&was, SIGTRAP);
	notice.function(notice.value);
}

#pragma GCC visibility push(default)

int sigaction(int sig, const struct sigaction *new, struct sigaction *old)
{
	struct sigaction without;
	uint64_t bit = sig > 0 && sig <= 64 ? 1ULL << (sig - 1) : 0;
	int had = !!(masks_trap & bit), has = new && sigismember(&new->sa_mask, SIGTRAP) == 1, result;
	sigset_t all, before;

	if (sig == SIGTRAP && active) {
		sigfillset(&all);
		REAL(pthread_sigmask)(SIG_SETMASK, &all, &before);
		while (__atomic_exchange_n(&writing, 1, __ATOMIC_ACQUIRE))
			;
		trap_action(new, old);
		__atomic_store_n(&writing, 0, __ATOMIC_RELEASE);
		REAL(pthread_sigmask)(SIG_SETMASK, &before, NULL);
		return 0;
	}
	if (new) {
		without = *new;
		if (active)
			sigdelset(&without.sa_mask, SIGTRAP);
	}
	result = REAL(sigaction)(sig, new ? &without : NULL, old);
	if (result)
		return result;
	/* What was said of it, as @old may be in its place by now. */
	if (has)
		__atomic_or_fetch(&masks_trap, bit, __ATOMIC_RELAXED);
	else if (new)
		__atomic_and_fetch(&masks_trap, ~bit, __ATOMIC_RELAXED);
	if (old && had)
		sigaddset(&old->sa_mask, SIGTRAP);
	return 0;
}

static sighandler_t set_handler(int sig, sighandler_t handler, int flags)
{
	struct sigaction old, new = { .sa_handler = handler, .sa_flags = flags };

	if (handler == SIG_ERR) {
		errno = EINVAL;
		return SIG_ERR;
	}
	if (!(flags & SA_NODEFER))
		sigaddset(&new.sa_mask, sig);
	return sigaction(sig, &new, &old) ? SIG_ERR : old.sa_handler;
}

/* Of the other signals, signal() and its kin stay libc's: siginterrupt() has a say in them. */
#define SIGNAL(name, flags)                                                                        \
	sighandler_t name(int sig, sighandler_t handler)                                           \
	{                                                                                          \
		return sig == SIGTRAP && active ? set_handler(sig, handler, flags) :               \
						  REAL(name)(sig, handler);                        \
	}
SIGNAL(signal, SA_RESTART)
SIGNAL(ssignal, SA_RESTART)
SIGNAL(bsd_signal, SA_RESTART)
SIGNAL(sysv_signal, SA_RESETHAND | SA_NODEFER)
SIGNAL(__sysv_signal, SA_RESETHAND | SA_NODEFER)

int pthread_sigmask(int how, const sigset_t *new, sigset_t *old)
{
	return change_mask(REAL(pthread_sigmask), how, new, old);
}

int sigprocmask(int how, const sigset_t *new, sigset_t *old)
{
	return change_mask(REAL(sigprocmask), how, new, old);
}

/* libc's own of these call what is above by names of its own. */
static int change_one(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	return sigaddset(&set, sig) ? -1 : sigprocmask(how, &set, NULL);
}

int sighold(int sig)
{
	return change_one(SIG_BLOCK, sig);
}

int sigrelse(int sig)
{
	return change_one(SIG_UNBLOCK, sig);
}

int sigignore(int sig)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	return sigaction(sig, &ignore, NULL);
}

sighandler_t sigset(int sig, sighandler_t handler)
{
	struct sigaction old, new = { .sa_handler = handler };
	const int hold = handler == SIG_HOLD;
	sigset_t set, before;

	if (handler == SIG_ERR) {
		errno = EINVAL;
		return SIG_ERR;
	}
	sigemptyset(&set);
	if (sigaddset(&set, sig) || sigaction(sig, hold ? NULL : &new, &old) ||
	    sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, &before))
		return SIG_ERR;
	return sigismember(&before, sig) ? SIG_HOLD : old.sa_handler;
}

static int change_word(int how, int mask)
{
	sigset_t set, before;

	sigemptyset(&set);
	set.__val[0] = (unsigned int)mask;
	return sigprocmask(how, &set, &before) ? -1 : (int)before.__val[0];
}

int sigblock(int mask)
{
	return change_word(SIG_BLOCK, mask);
}

int sigsetmask(int mask)
{
	return change_word(SIG_SETMASK, mask);
}

int sigpending(sigset_t *set)
{
	int result = REAL(sigpending)(set);

	if (!result && pending)
		sigaddset(set, SIGTRAP);
	return result;
}

/* What a handler does while these wait is to be told in time, too. */
int sigsuspend(const sigset_t *set)
{
	struct waiting w;
	const sigset_t *now = begin_wait(set, &w);

	return end_wait(REAL(sigsuspend)(now), set, &w);
}

/* sigpause(), but for those that took it from BSD long ago. */
int __xpg_sigpause(int sig)
{
	sigset_t set;

	if (sig != SIGTRAP || !active)
		return REAL(__xpg_sigpause)(sig);
	sigprocmask(SIG_BLOCK, NULL, &set);
	sigdelset(&set, SIGTRAP);
	return sigsuspend(&set);
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *set)
{
	struct waiting w;
	const sigset_t *now = begin_wait(set, &w);

	return end_wait(REAL(ppoll)(fds, n, timeout, now), set, &w);
}

int pselect(int n, fd_set *in, fd_set *out, fd_set *except, const struct timespec *timeout,
	    const sigset_t *set)
{
	struct waiting w;
	const sigset_t *now = begin_wait(set, &w);

	return end_wait(REAL(pselect)(n, in, out, except, timeout, now), set, &w);
}

int epoll_pwait(int fd, struct epoll_event *events, int n, int timeout, const sigset_t *set)
{
	struct waiting w;
	const sigset_t *now = begin_wait(set, &w);

	return end_wait(REAL(epoll_pwait)(fd, events, n, timeout, now), set, &w);
}

int epoll_pwait2(int fd, struct epoll_event *events, int n, const struct timespec *timeout,
		 const sigset_t *set)
{
	struct waiting w;
	const sigset_t *now = begin_wait(set, &w);

	return end_wait(REAL(epoll_pwait2)(fd, events, n, timeout, now), set, &w);
}

int pthread_attr_setsigmask_np(pthread_attr_t *attr, const sigset_t *set)
{
	sigset_t room;

	return REAL(pthread_attr_setsigmask_np)(attr, without_trap(set, &room));
}

int timer_create(clockid_t clock, struct sigevent *event, timer_t *timer)
{
	struct sigevent own;
	struct notice *notice;
	int result;

	if (!active || !event || event->sigev_notify != SIGEV_THREAD)
		return REAL(timer_create)(clock, event, timer);
	/* Kept, as there may be a thread on its way to it when the timer is deleted. */
	notice = malloc(sizeof(*notice));
	if (!notice) {
		errno = EAGAIN;
		return -1;
	}
	*notice = (struct notice){ event->sigev_notify_function, event->sigev_value };
	own = *event;
	own.sigev_notify_function = notify;
	own.sigev_value.sival_ptr = notice;
	result = REAL(timer_create)(clock, &own, timer);
	if (result)
		free(notice);
	return result;
}

/* A jump out of the program's handler restores a mask that was saved: SIGTRAP is never in it. */
#define JUMP(name)								\
	void name(jmp_buf env, int value)					\
	{									\
		if (active && env[0].__mask_was_saved)				\
			unblocked();						\
		REAL(name)(env, value);						\
		abort();							\
	}
JUMP(longjmp)
JUMP(_longjmp)
JUMP(siglongjmp)
JUMP(__longjmp_chk)

#pragma GCC visibility pop

void signals_init(void)
{
	struct sigaction act = { .sa_sigaction = on_trap,
				 .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };
	sigset_t trap, old;

	find_libc();
	sigfillset(&act.sa_mask);
	REAL(sigaction)(SIGTRAP, &act, &actions[action]);
	sigemptyset(&trap);
	sigaddset(&trap, SIGTRAP);
	REAL(pthread_sigmask)(SIG_UNBLOCK, &trap, &old);
	blocked = sigismember(&old, SIGTRAP);
	active = 1;
}
