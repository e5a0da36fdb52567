/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SIGWATCH_H
#define SIGWATCH_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdnoreturn.h>
#include "record.h"

enum { STATUS_REFUSED = 125, STATUS_NOT_EXECUTABLE = 126, STATUS_NOT_FOUND = 127 };

#define MAX_FRAMES 32

/* sigwatch.c */

/* Says why, ends the program if it waits for its main, and exits. */
noreturn void refuse(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *must(void *allocated);

/* program.c: what is to be run. */

/* The path that is to be executed; refuses what cannot be watched. */
char *program_find(const char *name);

/* resolve.c: the process in the eyes of libdwfl. */

struct frame {
	uint64_t pc;
	const char *module, *function, *file;	/* NULL: not known */
	uint64_t offset;			/* into the function, or else the module */
	int line;
};

/* The modules of a process: at first, and whenever it has got new ones. */
void resolve_modules(pid_t pid, struct ring *ring);
/* WHAT, as on the command line; @watch has the default type and length. Refuses what cannot be. */
void resolve_watch(char *what, struct watch *watch);
/* The frames of a hit; their number. *more: there are more, but not in the copy of the stack. */
int resolve_frames(const struct record *r, const struct watch *watch, struct frame *frames, int max,
		   bool *more);

/* print.c */

struct summary {
	uint64_t hits, threads;
};

struct output {
	FILE *file;
	bool json;
	char *const *names;		/* of the watches, as on the command line */
	const struct watch *watches;
	unsigned int nr_watches;
};

/* Without what would not be text; in JSON escaped. */
void print_name(FILE *f, const char *name, bool json);
void print_hit(const struct output *out, const struct hit *hit, const struct frame *frames, int n,
	       bool more);
/* On stderr in words; with --json also as the output's last line. */
void print_summary(const struct output *out, const struct summary *summary, uint64_t lost);

#endif
