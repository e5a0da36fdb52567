// SPDX-License-Identifier: GPL-2.0
/* Compiled in a kernel's build: nm -S tells the sizes. */
#include <linux/perf_event.h>
#include <linux/sched.h>

char perf_event[sizeof(struct perf_event)];
char perf_event_context[sizeof(struct perf_event_context)];
char task_struct[sizeof(struct task_struct)];
