// SPDX-License-Identifier: GPL-2.0
/*
 * deny ERRNO PROGRAM [ARGUMENT]...: a kernel on which perf_event_open() fails
 * like that. hog N PROGRAM [ARGUMENT]...: one on which N debug registers of each
 * processor are taken. attach PID: what a debugger that is not the parent does.
 */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

static void hog(int n)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.bp_type = HW_BREAKPOINT_W,
		.bp_len = 8,
	};
	static long nothing;

	attr.bp_addr = (unsigned long)&nothing;
	while (n--) {
		if (syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0) < 0) {
			perror("hog");
			exit(2);
		}
	}
}

static void deny(int error)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_perf_event_open, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { 4, filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		perror("deny");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && strstr(argv[0], "attach")) {
		if (!ptrace(PTRACE_ATTACH, atoi(argv[1]), NULL, NULL))
			return 0;
		perror("attach");
		return 1;
	}
	if (argc < 3)
		return 2;
	(strstr(argv[0], "hog") ? hog : deny)(atoi(argv[1]));
	execv(argv[2], argv + 2);
	return 2;
}
