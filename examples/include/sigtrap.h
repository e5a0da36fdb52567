/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A SIGTRAP for every hit of a hardware breakpoint: perf_event_open() with
 * attr.sigtrap = 1, for programs.
 *
 *	static long x;
 *	union sigtrap_attr attr = sigtrap_attr(&x, sizeof(x), HW_BREAKPOINT_W, 7);
 *	int fd = sigtrap_open(&attr);
 *
 * From here to close(fd), a write to x by this thread runs the SIGTRAP handler
 * (SA_SIGINFO) in this thread, before its next instruction:
 *
 *	void handler(int sig, siginfo_t *si, void *uc)
 *	{
 *		if (si->si_code == TRAP_PERF)
 *			... sigtrap_info(si)->data == 7, ->addr == &x ...
 *	}
 *
 * It needs a kernel with this series, or Linux 5.13 or later; the system's
 * headers may be older. Define _GNU_SOURCE before the first include.
 */
#ifndef SIGTRAP_H
#define SIGTRAP_H

#include <errno.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef TRAP_PERF
#define TRAP_PERF 6			/* siginfo_t.si_code */
#endif

#define SIGTRAP_FLAG_ASYNC 1		/* sigtrap_info.flags: SIGTRAP was blocked when it happened */

/* What siginfo_t holds from si_addr on when si_code is TRAP_PERF. */
struct sigtrap_info {
	void *addr;			/* the watched address */
	unsigned long data;		/* the event's sig_data */
	uint32_t type;			/* the event's attr.type: PERF_TYPE_BREAKPOINT */
	uint32_t flags;			/* SIGTRAP_FLAG_ASYNC or 0 */
	unsigned long perf;		/* (bp_len << 16) | bp_type; 0 on a mainline kernel, which does not tell */
} __attribute__((may_alias));

static inline const struct sigtrap_info *sigtrap_info(const siginfo_t *si)
{
	return (const struct sigtrap_info *)&si->si_addr;
}

#ifdef __LP64__
_Static_assert(offsetof(siginfo_t, si_addr) == 0x10, "si_addr");
_Static_assert(offsetof(struct sigtrap_info, data) == 0x18 - 0x10, "si_perf_data");
_Static_assert(offsetof(struct sigtrap_info, type) == 0x20 - 0x10, "si_perf_type");
_Static_assert(offsetof(struct sigtrap_info, flags) == 0x24 - 0x10, "si_perf_flags");
_Static_assert(offsetof(struct sigtrap_info, perf) == 0x28 - 0x10, "si_perf");
#else
_Static_assert(offsetof(siginfo_t, si_addr) == 0x0c, "si_addr");
_Static_assert(offsetof(struct sigtrap_info, data) == 0x10 - 0x0c, "si_perf_data");
_Static_assert(offsetof(struct sigtrap_info, type) == 0x14 - 0x0c, "si_perf_type");
_Static_assert(offsetof(struct sigtrap_info, flags) == 0x18 - 0x0c, "si_perf_flags");
_Static_assert(offsetof(struct sigtrap_info, perf) == 0x1c - 0x0c, "si_perf");
#endif

#define SIGTRAP_ATTR_SIZE 128		/* PERF_ATTR_SIZE_VER7 */

/* perf_event_attr, and by word what an older linux/perf_event.h has no name for. */
union sigtrap_attr {
	struct perf_event_attr perf;
	uint64_t word[SIGTRAP_ATTR_SIZE / 8];
};

#define SIGTRAP_ATTR_FLAGS 5		/* word: the bits, disabled the first */
#define SIGTRAP_ATTR_DATA 15		/* word: sig_data */

enum sigtrap_flag {
	SIGTRAP_INHERIT = 1,		/* threads and processes begun from now on are watched too */
	SIGTRAP_INHERIT_THREAD = 35,	/* of those, threads only; needs SIGTRAP_INHERIT */
	SIGTRAP_REMOVE_ON_EXEC = 36,	/* must be set: a new program did not ask for the signal */
	SIGTRAP_SIGTRAP = 37,
};

_Static_assert(offsetof(struct perf_event_attr, read_format) == 8 * (SIGTRAP_ATTR_FLAGS - 1), "flags");

static inline void sigtrap_set(union sigtrap_attr *attr, enum sigtrap_flag flag)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	attr->word[SIGTRAP_ATTR_FLAGS] |= 1ULL << (63 - flag);
#else
	attr->word[SIGTRAP_ATTR_FLAGS] |= 1ULL << flag;
#endif
}

/* The length of an execute breakpoint, in bytes. */
#ifdef __aarch64__
#define SIGTRAP_X_LEN 4
#else
#define SIGTRAP_X_LEN sizeof(long)
#endif

/*
 * The attribute of a breakpoint: @len bytes (1, 2, 4 or 8; SIGTRAP_X_LEN for
 * HW_BREAKPOINT_X) at @addr, a multiple of @len unless it is code. @type is
 * HW_BREAKPOINT_W, HW_BREAKPOINT_RW or HW_BREAKPOINT_X. @data comes back in
 * sigtrap_info.data. Accesses by the kernel, in a system call, do not count.
 */
static inline union sigtrap_attr sigtrap_attr(const volatile void *addr, unsigned int len,
					      unsigned int type, unsigned long data)
{
	union sigtrap_attr attr = { .word = { 0 } };

	attr.perf.type = PERF_TYPE_BREAKPOINT;
	attr.perf.size = SIGTRAP_ATTR_SIZE;
	attr.perf.sample_period = 1;
	attr.perf.exclude_kernel = 1;
	attr.perf.exclude_hv = 1;
	attr.perf.bp_addr = (uintptr_t)addr;
	attr.perf.bp_len = len;
	attr.perf.bp_type = type;
	attr.word[SIGTRAP_ATTR_DATA] = data;
	sigtrap_set(&attr, SIGTRAP_REMOVE_ON_EXEC);
	sigtrap_set(&attr, SIGTRAP_SIGTRAP);
	return attr;
}

/* Watches the calling thread. A file descriptor, or -1 and errno: see sigtrap_strerror(). */
static inline int sigtrap_open(const union sigtrap_attr *attr)
{
	return syscall(SYS_perf_event_open, attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

/*
 * Makes the event, in every thread and process that inherited it, what @attr
 * says, all or none of them. Only bp_addr, bp_len, bp_type, sig_data and
 * disabled may differ from what it was opened with. 0, or -1 and errno.
 */
static inline int sigtrap_modify(int fd, const union sigtrap_attr *attr)
{
	return ioctl(fd, PERF_EVENT_IOC_MODIFY_ATTRIBUTES, attr);
}

/* What a failed sigtrap_open() with a sound attribute means. */
static inline const char *sigtrap_strerror(int err)
{
	switch (err) {
	case EINVAL:
	case E2BIG:
		return "this kernel has no attr.sigtrap (needs this series, or Linux 5.13 or later)";
	case ENOSPC:
		return "no free debug register: a debugger or another perf event holds them";
	case EACCES:
	case EPERM:
		return "not permitted: see /proc/sys/kernel/perf_event_paranoid, or a seccomp filter forbids it";
	case ENOSYS:
		return "this kernel has no perf events (CONFIG_PERF_EVENTS)";
	case ENOENT:
	case ENODEV:
	case EOPNOTSUPP:
		return "no hardware breakpoints on this machine";
	default:
		return strerror(err);
	}
}

/*
 * The saved pc: where the thread goes on when the handler returns. After a data
 * access it is past the instruction, which ends at pc - 1; an execute
 * breakpoint's is the instruction, which has not run yet.
 */
#if defined(__x86_64__)
#define SIGTRAP_PC(uc) ((uc)->uc_mcontext.gregs[REG_RIP])
#elif defined(__i386__)
#define SIGTRAP_PC(uc) ((uc)->uc_mcontext.gregs[REG_EIP])
#elif defined(__aarch64__)
#define SIGTRAP_PC(uc) ((uc)->uc_mcontext.pc)
#elif defined(__arm__)
#define SIGTRAP_PC(uc) ((uc)->uc_mcontext.arm_pc)
#else
#error "where does this architecture's ucontext_t keep the pc?"
#endif

static inline unsigned long sigtrap_pc(const void *uc)
{
	return SIGTRAP_PC((const ucontext_t *)uc);
}

static inline void sigtrap_set_pc(void *uc, unsigned long pc)
{
	SIGTRAP_PC((ucontext_t *)uc) = pc;
}

#endif
