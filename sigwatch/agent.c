// SPDX-License-Identifier: GPL-2.0
/*
 * The preloaded side: opens the events before main, and records each hit in the
 * ring. The handler is async-signal-safe, takes no lock and allocates nothing.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include "agent.h"
#include "sigtrap.h"

#define PAGE 4096UL

struct ring *ring;
static pid_t program;
static int64_t last[MAX_WATCHES];	/* what this process found there last */
static uint8_t has_last[MAX_WATCHES];
static pid_t dying;		/* this process, once a hit is about to end it */

/*
 * Copies what is mapped of @len bytes at @from, up to the first page that is
 * not. The kernel reads: that faults on nothing and hits no watchpoint.
 */
static size_t peek(void *to, uint64_t from, size_t len)
{
	struct iovec local = { to, len }, remote[STACK_BYTES / PAGE + 1];
	unsigned int n = 0;
	uint64_t at = from;
	long got;

	/* A page each: what of one range is read in part, nobody promises. */
	for (; at < from + len; n++) {
		uint64_t next = (at | (PAGE - 1)) + 1;

		if (next > from + len)
			next = from + len;
		remote[n].iov_base = (void *)at;
		remote[n].iov_len = next - at;
		at = next;
	}
	got = sys(SYS_process_vm_readv, sys(SYS_getpid), &local, 1, remote, n, 0);
	return got < 0 ? 0 : got;
}

static int peek_value(unsigned int w, int64_t *value)
{
	union { int8_t b; int16_t h; int32_t w; int64_t l; } v;
	uint32_t len = ring->watch[w].len;

	if (peek(&v, ring->watch[w].addr, len) != len)
		return 0;
	*value = len == 1 ? v.b : len == 2 ? v.h : len == 4 ? v.w : v.l;
	return 1;
}

static int launcher_lives(void)
{
	pid_t launcher = ring->launcher;

	/* A zombie can be signalled, but is no parent. */
	if (sys(SYS_getpid) == program && sys(SYS_getppid) != launcher)
		return 0;
	return sys(SYS_kill, launcher, 0) != -ESRCH;
}

/* Waits until positions before @pos are printed; 0 if nobody will. */
static int wait_printed(uint64_t pos)
{
	const struct timespec timeout = { .tv_nsec = 100 * 1000 * 1000 };
	uint32_t room;
	int lives = 1;

	while (lives) {
		room = __atomic_load_n(&ring->room, __ATOMIC_ACQUIRE);
		if (__atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE) >= pos)
			return 1;
		__atomic_add_fetch(&ring->wait_room, 1, __ATOMIC_SEQ_CST);
		if (sys(SYS_futex, &ring->room, FUTEX_WAIT, room, &timeout) == -ETIMEDOUT)
			lives = launcher_lives();
		__atomic_sub_fetch(&ring->wait_room, 1, __ATOMIC_SEQ_CST);
	}
	return 0;
}

/* Lossless: a full ring is waited for. NULL: the launcher has died. */
static struct slot *claim(uint64_t *pos, pid_t tid)
{
	for (;;) {
		uint64_t head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE), next = head;
		struct slot *slot = &ring->slots[head % SLOTS];
		uint64_t state = slot_state(head, SLOT_FREE, 0);
		int mine = __atomic_compare_exchange_n(&slot->state, &state,
						       slot_state(head, SLOT_CLAIMED, tid), 0,
						       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);

		/* Whoever finds it claimed moves on the head, as the claimer may be gone. */
		if (mine || SLOT_POS(state) == head)
			__atomic_compare_exchange_n(&ring->head, &next, head + 1, 0,
						    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
		if (mine) {
			*pos = head;
			return slot;
		}
		if (SLOT_POS(state) < head && !wait_printed(head - SLOTS + 1))
			return NULL;
	}
}

static void publish(struct slot *slot, uint64_t pos, pid_t tid)
{
	uint64_t state = slot_state(pos, SLOT_CLAIMED, tid);

	__atomic_compare_exchange_n(&slot->state, &state, slot_state(pos, SLOT_FULL, 0), 0,
				    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
	__atomic_add_fetch(&ring->news, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&ring->wait_news, __ATOMIC_SEQ_CST))
		sys(SYS_futex, &ring->news, FUTEX_WAKE, 1);
}

static int is_known(uint64_t pc)
{
	uint32_t n = __atomic_load_n(&ring->nr_known, __ATOMIC_ACQUIRE), i;

	for (i = 0; i < n; i++)
		if (pc >= ring->known[i].from && pc < ring->known[i].to)
			return 1;
	return n == MAX_KNOWN;
}

static void see(struct hit *hit, unsigned int w, const struct sigtrap_info *info,
		const ucontext_t *uc)
{
	static const uint8_t order[NR_REGS] = {
		REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
		REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP,
	};
	struct timespec now;
	int i;

	/* The value first: others may change it. Before an instruction runs there is none. */
	hit->has_old = hit->has_new = 0;
	if (ring->watch[w].type != HW_BREAKPOINT_X) {
		hit->has_new = peek_value(w, &hit->new);
		hit->has_old = __atomic_exchange_n(&has_last[w], hit->has_new, __ATOMIC_ACQ_REL);
		hit->old = __atomic_exchange_n(&last[w], hit->new, __ATOMIC_ACQ_REL);
	}
	sys(SYS_clock_gettime, CLOCK_REALTIME, &now);
	hit->time = now.tv_sec * 1000000000ULL + now.tv_nsec;
	hit->pid = sys(SYS_getpid);
	hit->tid = sys(SYS_gettid);
	sys(SYS_prctl, PR_GET_NAME, hit->name);
	hit->watch = w;
	hit->late = info->flags & SIGTRAP_FLAG_ASYNC;
	for (i = 0; i < NR_REGS; i++)
		hit->regs[i] = uc->uc_mcontext.gregs[order[i]];
}

int is_hit(const siginfo_t *si)
{
	return ring && si->si_code == TRAP_PERF &&
	       (sigtrap_info(si)->data & -MAX_WATCHES) == ring->cookie;
}

/*
 * Waits until no other thread is owed a signal, of which it would die in our
 * place; 0 if nobody will tell.
 */
static int wait_go(void)
{
	const struct timespec timeout = { .tv_nsec = 100 * 1000 * 1000 }, now = { 0 };
	const uint64_t trap = 1UL << (SIGTRAP - 1);
	siginfo_t si;

	/* What the same instruction hit besides would come before the one to die of. */
	while (sys(SYS_rt_sigtimedwait, &trap, &si, &now, sizeof(trap)) == SIGTRAP)
		if (is_hit(&si))
			__atomic_add_fetch(&ring->total, 1, __ATOMIC_RELAXED);
	while (!__atomic_load_n(&ring->go, __ATOMIC_ACQUIRE))
		if (sys(SYS_futex, &ring->go, FUTEX_WAIT, 0, &timeout) == -ETIMEDOUT &&
		    !launcher_lives())
			return 0;
	return 1;
}

static void die(const siginfo_t *si, ucontext_t *uc, uint64_t pos)
{
	if (wait_printed(pos + 1) && wait_go())
		signals_die(si, uc);
	else
		__atomic_store_n(&dying, 0, __ATOMIC_RELAXED);
}

void take_hit(const siginfo_t *si, ucontext_t *uc)
{
	const struct sigtrap_info *info = sigtrap_info(si);
	unsigned int w = info->data & (MAX_WATCHES - 1);
	uint64_t seq = __atomic_fetch_add(&ring->total, 1, __ATOMIC_RELAXED), pos;
	struct slot *slot;
	struct hit hit;
	int stops = seq + 1 == ring->stop, ends = stops && ring->stop_with == STOP_CORE;

	/* The launcher takes the events away soon. */
	if (ring->max && seq >= ring->max)
		return;
	if (ends)
		__atomic_store_n(&dying, sys(SYS_getpid), __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&ring->hits[w], 1, __ATOMIC_RELAXED);
	see(&hit, w, info, uc);
	hit.stop = stops;
	hit.waits = stops || !is_known(hit.regs[REG_DWARF_PC]);
	slot = claim(&pos, hit.tid);
	if (!slot) {
		if (ends)
			__atomic_store_n(&dying, 0, __ATOMIC_RELAXED);
		return;
	}
	slot->record.hit = hit;
	slot->record.stack_addr = hit.regs[REG_DWARF_RSP] - RED_ZONE;
	slot->record.stack_len = 0;
	if (ring->want_stack)
		slot->record.stack_len =
			peek(slot->record.stack, slot->record.stack_addr, STACK_BYTES);
	publish(slot, pos, hit.tid);
	if (ends) {
		die(si, uc, pos);
	} else if (hit.waits && wait_printed(pos + 1) && stops) {
		/* Where Yama asks for it: gdb need not be our parent. */
		sys(SYS_prctl, PR_SET_PTRACER, PR_SET_PTRACER_ANY);
		sys(SYS_kill, sys(SYS_getpid), SIGSTOP);
	}
}

static int open_watch(unsigned int w)
{
	const struct watch *watch = &ring->watch[w];
	union sigtrap_attr attr =
		sigtrap_attr((void *)watch->addr, watch->len, watch->type, ring->cookie | w);

	attr.perf.disabled = 1;
	sigtrap_set(&attr, SIGTRAP_INHERIT);
	if (!ring->follow)
		sigtrap_set(&attr, SIGTRAP_INHERIT_THREAD);
	return sigtrap_open(&attr);
}

/* The launcher holds the events: there the program cannot close them. */
static void open_all(int sock)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(MAX_WATCHES * sizeof(int))];
	} control = { 0 };
	struct opened opened = { 0 };
	struct iovec iov = { &opened, sizeof(opened) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[MAX_WATCHES];
	unsigned int w;

	for (w = 0; w < ring->nr_watches; w++) {
		has_last[w] = peek_value(w, &last[w]);
		fds[w] = open_watch(w);
		if (fds[w] < 0) {
			opened.error = errno;
			opened.watch = w;
			break;
		}
	}
	if (!opened.error) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(w * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(w * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, w * sizeof(int));
	}
	sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (w--)
		close(fds[w]);
}

/* The environment as the user gave it, in the place where it is. */
static void restore_environment(void)
{
	char **from, **to, *rest;

	for (from = to = environ; *from; from++) {
		if (!strncmp(*from, AGENT_ENV "=", sizeof(AGENT_ENV)))
			continue;
		if (!strncmp(*from, "LD_PRELOAD=", 11)) {
			rest = strchr(*from, ':');
			if (!rest)
				continue;
			memmove(*from + 11, rest + 1, strlen(rest));
		}
		*to++ = *from;
	}
	*to = NULL;
}

/* Not a stdio or library call more than needed: this runs before the program's main. */
__attribute__((constructor)) static void agent_init(void)
{
	const char *text = getenv(AGENT_ENV);
	int sock, memory, agent;
	char *end, go;
	void *p;

	if (!text)
		return;
	sock = strtol(text, &end, 10);
	memory = strtol(end + 1, &end, 10);
	agent = strtol(end + 1, NULL, 10);
	p = mmap(NULL, sizeof(*ring), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (p == MAP_FAILED)
		_exit(125);
	close(memory);
	if (agent >= 0)
		close(agent);
	restore_environment();
	program = getpid();
	signals_init();
	/* I am here; what am I to watch? */
	if (send(sock, "", 1, MSG_NOSIGNAL) != 1 || recv(sock, &go, 1, 0) != 1)
		_exit(125);
	ring = p;
	open_all(sock);
	/* The events are enabled before the answer: no library call from here. */
	if (sys(SYS_read, sock, &go, 1) != 1)
		sys(SYS_exit_group, 125);
	sys(SYS_close, sock);
}

/*
 * Libraries that are about to go are looked up before they do. And who exits does
 * not get ahead of a hit that ends the program; but not for ever, as a debugger
 * may keep the signal from it.
 */
__attribute__((destructor)) static void agent_exit(void)
{
	const struct timespec tick = { .tv_nsec = 1000 * 1000 };
	int left = 5000;

	if (!ring)
		return;
	wait_printed(__atomic_load_n(&ring->head, __ATOMIC_ACQUIRE));
	while (__atomic_load_n(&dying, __ATOMIC_RELAXED) == sys(SYS_getpid) && left--)
		sys(SYS_nanosleep, &tick, NULL);
}
