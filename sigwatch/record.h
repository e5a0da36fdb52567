/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the launcher and the agent share: one mapping of memory that outlives
 * the program, with what to watch and a ring of records of hits.
 */
#ifndef RECORD_H
#define RECORD_H

#include <stdint.h>
#include <sys/types.h>

#define MAX_WATCHES 4			/* x86 has four debug registers */
#define SLOTS 512
#define STACK_BYTES 16384		/* of the stack, from below its pointer upwards */
#define RED_ZONE 128			/* below the stack pointer: a leaf function may use it */
#define MAX_KNOWN 512
#define AGENT_ENV "SIGWATCH_AGENT"	/* SOCKET,MEMORY,AGENT: descriptors, or -1 */

enum stop_with { STOP_WAIT, STOP_CORE };

struct watch {
	uint64_t addr;
	uint32_t len, type;		/* HW_BREAKPOINT_{W,RW,X} */
};

/* In DWARF's order, as an unwinder takes them; the pc is the return address. */
enum { REG_DWARF_RSP = 7, REG_DWARF_PC = 16, NR_REGS = 17 };

struct hit {
	uint64_t time;			/* CLOCK_REALTIME, in ns */
	int32_t pid, tid;
	char name[16];
	uint32_t watch;
	uint8_t late;			/* SIGTRAP was blocked when it happened */
	uint8_t has_old, has_new;
	uint8_t waits;			/* the thread waits until it is printed */
	uint8_t stop;			/* and then stops */
	int64_t old, new;
	uint64_t regs[NR_REGS];
};

struct record {
	struct hit hit;
	uint64_t stack_addr;
	uint32_t stack_len;
	uint8_t stack[STACK_BYTES];
};

/*
 * A slot's state names the position that it is for and the thread that claims
 * it: in one word, so that a thread that dies at any point leaves no slot of
 * which nobody knows whose it is.
 */
enum { SLOT_FREE, SLOT_CLAIMED, SLOT_FULL };

static inline uint64_t slot_state(uint64_t pos, int what, pid_t tid)
{
	/* PID_MAX_LIMIT is 1 << 22. */
	return pos << 24 | (uint64_t)(tid & 0x3fffff) << 2 | what;
}

#define SLOT_POS(state) ((state) >> 24)
#define SLOT_TID(state) ((pid_t)((state) >> 2 & 0x3fffff))
#define SLOT_WHAT(state) ((int)((state) & 3))

struct slot {
	uint64_t state;
	struct record record;
};

struct ring {
	/* Set by the launcher before the program's main runs. */
	int32_t launcher;		/* its pid */
	uint32_t nr_watches;
	struct watch watch[MAX_WATCHES];
	uint64_t cookie;		/* sig_data of the events, less the number of the watch */
	uint64_t max, stop;		/* hits; 0: no limit, never */
	uint32_t stop_with, follow, want_stack;

	/*
	 * Where code was mapped when the launcher last looked. A hit elsewhere
	 * waits until it has looked again, as the program might end before.
	 */
	uint32_t nr_known;
	struct { uint64_t from, to; } known[MAX_KNOWN];

	/* Counted by the handlers: every hit, up to max. */
	uint64_t total, hits[MAX_WATCHES];

	uint64_t head;			/* the next position to claim */
	uint64_t tail;			/* the next to be printed */
	uint32_t room, wait_room;	/* futex: changes with tail; how many wait for it */
	uint32_t go;			/* futex: set once the hit that ends the program may do so */
	uint32_t news, wait_news;	/* futex: changes with each record; the launcher waits */
	struct slot slots[SLOTS];
};

/*
 * The agent says that it is there (a byte, 0; errno if the program could not be
 * executed), gets a byte when it knows what to watch, opens the events, says
 * how that went, and gets another byte when they are enabled.
 */
struct opened {
	int32_t error;			/* errno; 0: the events' descriptors come along */
	uint32_t watch;
};

#endif
