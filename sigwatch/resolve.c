// SPDX-License-Identifier: GPL-2.0
/*
 * Names into addresses before the program runs, and addresses into names and
 * lines while it does. A stack is unwound from its copy in the record, after the
 * fact: the thread has long gone on.
 */
#define _GNU_SOURCE
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <linux/hw_breakpoint.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "sigwatch.h"

#define AGENT "sigwatch-agent.so"
#define USER_END 0x800000000000ULL

static Dwfl *dwfl;
static char program[PATH_MAX];		/* the main module: of a script, its interpreter */

static const char *module_path(Dwfl_Module *mod)
{
	return dwfl_module_info(mod, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The record whose stack is being unwound. */
static const struct record *current;
static bool beyond_copy;

static pid_t next_thread(Dwfl *d, void *arg, void **thread)
{
	(void)d, (void)arg, (void)thread;
	return 0;
}

static bool get_thread(Dwfl *d, pid_t tid, void *arg, void **thread)
{
	(void)d, (void)tid, (void)arg, (void)thread;
	return true;
}

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
	(void)arg;
	return dwfl_thread_state_registers(thread, 0, NR_REGS, current->hit.regs);
}

static bool read_stack(Dwfl *d, Dwarf_Addr addr, Dwarf_Word *value, void *arg)
{
	uint64_t offset = addr - current->stack_addr;

	(void)d, (void)arg;
	if (addr < current->stack_addr || offset > current->stack_len ||
	    current->stack_len - offset < sizeof(*value)) {
		beyond_copy = true;
		return false;
	}
	memcpy(value, current->stack + offset, sizeof(*value));
	return true;
}

/* Where the agent need not ask whether a module is known. */
static void note_known(pid_t pid, struct ring *ring)
{
	char *line = NULL, path[32], mode[8];
	uint64_t from, to;
	size_t size = 0;
	uint32_t i, n;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	if (!maps)
		return;
	while (getline(&line, &size, maps) > 0) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &from, &to, mode) != 3 ||
		    !strchr(mode, 'x'))
			continue;
		n = ring->nr_known;
		for (i = 0; i < n; i++)
			if (ring->known[i].from == from && ring->known[i].to == to)
				break;
		if (i < n || n == MAX_KNOWN)
			continue;
		ring->known[n].from = from;
		ring->known[n].to = to;
		__atomic_store_n(&ring->nr_known, n + 1, __ATOMIC_RELEASE);
	}
	free(line);
	fclose(maps);
}

void resolve_modules(pid_t pid, struct ring *ring)
{
	static const Dwfl_Callbacks files = {
		.find_elf = dwfl_linux_proc_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
	};
	static const Dwfl_Thread_Callbacks threads = {
		.next_thread = next_thread,
		.get_thread = get_thread,
		.set_initial_registers = set_registers,
		.memory_read = read_stack,
	};
	bool first = !dwfl;
	char path[32];
	int error;

	if (first) {
		snprintf(path, sizeof(path), "/proc/%d/exe", pid);
		if (readlink(path, program, sizeof(program) - 1) < 0)
			refuse(STATUS_REFUSED, "%s: %s", path, strerror(errno));
		dwfl = must(dwfl_begin(&files));
	} else {
		dwfl_report_begin_add(dwfl);
	}
	error = dwfl_linux_proc_report(dwfl, pid);
	dwfl_report_end(dwfl, NULL, NULL);
	if (first && error)
		refuse(STATUS_REFUSED, "the program's memory map cannot be read: %s",
		       error > 0 ? strerror(error) : dwfl_errmsg(-1));
	if (first && !dwfl_attach_state(dwfl, NULL, pid, &threads, NULL))
		refuse(STATUS_REFUSED, "libdw cannot unwind the program's stacks: %s",
		       dwfl_errmsg(-1));
	note_known(pid, ring);
}

/* A symbol search and what it found: one candidate for each address. */
struct candidate {
	Dwfl_Module *mod;
	GElf_Addr addr;
	GElf_Sym sym;
};

struct search {
	const char *name, *module;	/* module: NULL for the program */
	bool libraries;			/* all of them */
	bool global;			/* what was found so far is */
	struct candidate found[8];
	int n;
	/* Of the modules that were searched: */
	int modules, symbols;
	const char *stripped;
};

static bool has_symbol_table(Dwfl_Module *mod)
{
	const char *debug = NULL;
	Elf_Scn *scn = NULL;
	GElf_Addr bias;
	GElf_Shdr shdr;
	Elf *elf = dwfl_module_getelf(mod, &bias);

	dwfl_module_info(mod, NULL, NULL, NULL, NULL, NULL, NULL, &debug);
	while (elf && !debug && (scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &shdr) && shdr.sh_type == SHT_SYMTAB)
			return true;
	return debug;
}

static void consider(struct search *search, Dwfl_Module *mod, const GElf_Sym *sym, GElf_Addr addr)
{
	bool global = GELF_ST_BIND(sym->st_info) != STB_LOCAL;
	int i;

	/* What others can see goes before what they cannot. */
	if (global && !search->global) {
		search->global = true;
		search->n = 0;
	}
	if (global < search->global)
		return;
	for (i = 0; i < search->n; i++)
		if (search->found[i].addr == addr)
			return;
	if (i < (int)(sizeof(search->found) / sizeof(search->found[0])))
		search->found[search->n++] = (struct candidate){ mod, addr, *sym };
}

static bool is_module(Dwfl_Module *mod, const char *name)
{
	const char *path = module_path(mod), *base = base_name(path);
	char real[PATH_MAX];

	if (strchr(name, '/'))
		return realpath(name, real) && !strcmp(path, real);
	return !strcmp(base, name) ||
	       (!strncmp(base, name, strlen(name)) && !strncmp(base + strlen(name), ".so", 3));
}

static int search_module(Dwfl_Module *mod, void **data, const char *path, Dwarf_Addr start,
			 void *arg)
{
	struct search *search = arg;
	bool wanted = search->module	? is_module(mod, search->module) :
		      search->libraries ? strcmp(path, program) && *path == '/' :
					  !strcmp(path, program);
	int i, n;

	(void)data, (void)start;
	/* The agent's own sigaction() is not what the user means. */
	if (!wanted || !strcmp(base_name(path), AGENT))
		return DWARF_CB_OK;
	n = dwfl_module_getsymtab(mod);
	search->modules++;
	if (!has_symbol_table(mod))
		search->stripped = path;
	for (i = 1; i < n; i++) {
		GElf_Word shndx;
		GElf_Addr addr, bias;
		GElf_Sym sym;
		Elf *elf;
		const char *name =
			dwfl_module_getsym_info(mod, i, &sym, &addr, &shndx, &elf, &bias);
		int type = GELF_ST_TYPE(sym.st_info);

		if (!name || shndx == SHN_UNDEF || shndx == SHN_ABS || type == STT_FILE ||
		    type == STT_SECTION)
			continue;
		search->symbols++;
		/* In a .symtab a name may have a version. */
		if (!strncmp(name, search->name, strcspn(name, "@")) &&
		    !search->name[strcspn(name, "@")])
			consider(search, mod, &sym, addr);
	}
	return DWARF_CB_OK;
}

static int find_module(Dwfl_Module *mod, void **data, const char *path, Dwarf_Addr start, void *arg)
{
	struct search *search = arg;

	(void)data, (void)path, (void)start;
	if (!is_module(mod, search->module))
		return DWARF_CB_OK;
	search->found[0].mod = mod;
	return DWARF_CB_ABORT;
}

static Dwfl_Module *module_named(const char *name)
{
	struct search search = { .module = name };

	dwfl_getmodules(dwfl, find_module, &search, 0);
	return search.found[0].mod;
}

static noreturn void no_symbol(const struct search *search, const char *where)
{
	if (search->stripped && !search->libraries)
		refuse(STATUS_REFUSED,
		       "%s has no symbol '%s': it is stripped, only %d exported symbols are left: install its debug symbols (Debian: the -dbgsym package), or give an address, %s+0xOFFSET",
		       where, search->name, search->symbols, base_name(where));
	refuse(STATUS_REFUSED, "%s has no symbol '%s' (nm prints what it has)", where,
	       search->name);
}

static noreturn void ambiguous(const struct search *search)
{
	char *list = NULL;
	size_t size;
	FILE *f = must(open_memstream(&list, &size));
	int i;

	for (i = 0; i < search->n; i++) {
		Dwfl_Module *mod = search->found[i].mod;
		GElf_Addr bias = 0;

		dwfl_module_getelf(mod, &bias);
		fprintf(f, " %s+0x%" PRIx64, base_name(module_path(mod)),
			search->found[i].addr - bias);
	}
	fclose(f);
	refuse(STATUS_REFUSED, "'%s' is ambiguous: take one of%s", search->name, list);
}

static struct candidate find_symbol(const char *module, const char *name)
{
	struct search first = { .name = name, .module = module }, second = { .name = name };

	dwfl_getmodules(dwfl, search_module, &first, 0);
	if (module && !first.modules)
		refuse(STATUS_REFUSED,
		       "no module '%s' is loaded at the start: a library that the program loads later must be preloaded (LD_PRELOAD=%s)",
		       module, module);
	if (!first.n && module)
		no_symbol(&first, module);
	if (!first.n) {
		second.libraries = true;
		dwfl_getmodules(dwfl, search_module, &second, 0);
		if (!second.n && first.stripped)
			no_symbol(&first, program);
		if (!second.n)
			refuse(STATUS_REFUSED,
			       "%s has no symbol '%s' (nm prints what it has), nor have the libraries that it is loaded with",
			       program, name);
		first = second;
	} else if (module && first.global &&
		   GELF_ST_TYPE(first.found[0].sym.st_info) == STT_OBJECT) {
		/* A program may have a copy of a library's variable, which then all use. */
		dwfl_getmodules(dwfl, search_module, &second, 0);
		if (second.n == 1 && second.global && second.found[0].addr != first.found[0].addr) {
			fprintf(stderr,
				"sigwatch: %s:%s: all use the program's copy of it: watching that\n",
				module, name);
			first = second;
		}
	}
	if (first.n > 1 && GELF_ST_TYPE(first.found[0].sym.st_info) != STT_GNU_IFUNC)
		ambiguous(&first);
	return first.found[0];
}

static bool number(const char *text, uint64_t *value)
{
	char *end;
	int base = !strncasecmp(text, "0x", 2) ? 16 : 10;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, base);
	return !*end && !errno;
}

/* The end of what the module takes in memory, as its own addresses count. */
static uint64_t module_end(Elf *elf)
{
	uint64_t end = 0;
	GElf_Phdr phdr;
	size_t n, i;

	if (elf_getphdrnum(elf, &n))
		return 0;
	for (i = 0; i < n; i++)
		if (gelf_getphdr(elf, i, &phdr) && phdr.p_type == PT_LOAD &&
		    phdr.p_vaddr + phdr.p_memsz > end)
			end = phdr.p_vaddr + phdr.p_memsz;
	return end;
}

static uint64_t in_module(Dwfl_Module *mod, const char *name, uint64_t offset)
{
	GElf_Addr bias = 0;
	Elf *elf = dwfl_module_getelf(mod, &bias);

	if (!elf || offset >= module_end(elf))
		refuse(STATUS_REFUSED,
		       "%s+0x%" PRIx64
		       ": the module ends before that (OFFSET is an address as nm prints it)",
		       name, offset);
	return bias + offset;
}

static void use_symbol(const char *what, const char *name, const struct candidate *c,
		       uint64_t offset, struct watch *watch)
{
	int type = GELF_ST_TYPE(c->sym.st_info);
	bool execute = watch->type == HW_BREAKPOINT_X;
	uint64_t size = c->sym.st_size;

	if (type == STT_TLS)
		refuse(STATUS_REFUSED,
		       "'%s' is thread-local: each thread has one, at an address of its own", name);
	if (type == STT_GNU_IFUNC)
		refuse(STATUS_REFUSED,
		       "'%s' is chosen when the program is loaded (IFUNC): name the function that is chosen on this machine",
		       name);
	if (type == STT_FUNC && !execute)
		refuse(STATUS_REFUSED, "'%s' is a function: -x tells when it runs", name);
	if (type == STT_OBJECT && execute)
		refuse(STATUS_REFUSED,
		       "'%s' is data: -w and -r tell of accesses, -x is for functions", name);
	watch->addr = c->addr + offset;
	if (watch->len)
		return;
	if (offset || (size != 1 && size != 2 && size != 4 && size != 8))
		refuse(STATUS_REFUSED,
		       "'%s' has %" PRIu64
		       " bytes: say which to watch, SYMBOL+OFFSET, and how many with -l 1, 2, 4 or 8 (%s/8)",
		       name, size, what);
	watch->len = size;
}

/* Takes /[LEN][KIND] off the end. */
static void take_suffix(const char *what, char *text, struct watch *watch)
{
	char *slash = strrchr(text, '/'), *end;
	unsigned long len;

	if (!slash || slash[1 + strcspn(slash + 1, ":+.-_")])
		return;
	len = strtoul(slash + 1, &end, 10);
	if (*end && (!strchr("rwx", *end) || end[1]))
		return;
	if (end != slash + 1) {
		if (len != 1 && len != 2 && len != 4 && len != 8)
			refuse(STATUS_REFUSED, "'%s': a watchpoint has a length of 1, 2, 4 or 8",
			       what);
		watch->len = len;
	}
	if (*end)
		watch->type = *end == 'r' ? HW_BREAKPOINT_RW :
			      *end == 'w' ? HW_BREAKPOINT_W :
					    HW_BREAKPOINT_X;
	*slash = 0;
}

void resolve_watch(char *what, struct watch *watch)
{
	char *text = must(strdup(what)), *plus, *colon;
	Dwfl_Module *mod = NULL;
	struct candidate c;
	uint64_t offset = 0;

	take_suffix(what, text, watch);
	if (watch->type == HW_BREAKPOINT_X) {
		if (watch->len)
			refuse(STATUS_REFUSED,
			       "'%s': a length is for data, -x is for one instruction", what);
		watch->len = sizeof(long);
	}
	plus = strrchr(text, '+');
	if (plus && number(plus + 1, &offset))
		*plus = 0;
	else if (plus)
		refuse(STATUS_REFUSED, "'%s': '%s' is no offset: a number, hexadecimal after 0x",
		       what, plus + 1);
	colon = strrchr(text, ':');
	if (!*text || (colon && (colon == text || !colon[1])))
		refuse(STATUS_REFUSED,
		       "'%s': a SYMBOL, LIB:SYMBOL, MODULE+OFFSET or 0xADDRESS is wanted", what);
	if (plus && !colon)
		mod = module_named(text);

	if (*text >= '0' && *text <= '9' && !colon && !mod) {
		if (strncasecmp(text, "0x", 2) || !number(text, &watch->addr))
			refuse(STATUS_REFUSED, "'%s': an address is a hexadecimal number, 0x first",
			       what);
		watch->addr += offset;
	} else if (mod) {
		watch->addr = in_module(mod, text, offset);
	} else {
		if (colon)
			*colon = 0;
		c = find_symbol(colon ? text : NULL, colon ? colon + 1 : text);
		use_symbol(what, colon ? colon + 1 : text, &c, offset, watch);
	}
	if (!watch->len)
		refuse(STATUS_REFUSED,
		       "'%s' is an address: say how many bytes to watch, with -l 1, 2, 4 or 8",
		       what);
	if (watch->addr >= USER_END)
		refuse(STATUS_REFUSED, "'%s': 0x%" PRIx64 " is not an address of user space", what,
		       watch->addr);
	if (watch->type != HW_BREAKPOINT_X && watch->addr % watch->len)
		refuse(STATUS_REFUSED,
		       "'%s': 0x%" PRIx64
		       " is not a multiple of %u, and what a watchpoint covers must be: watch fewer bytes, or in parts",
		       what, watch->addr, watch->len);
	free(text);
}

/* A place in the code that has been looked up: most hits come from few. */
struct place {
	uint64_t at;
	struct frame frame;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *p = a, *q = b;

	return p->at < q->at ? -1 : p->at > q->at;
}

static void look_up(uint64_t at, struct frame *frame)
{
	static void *places;
	struct place key = { .at = at }, *place, **found = tfind(&key, &places, compare_places);
	Dwfl_Module *mod;
	Dwfl_Line *line;
	GElf_Addr bias;
	GElf_Sym sym;
	uint64_t pc = frame->pc;

	if (found) {
		*frame = (*found)->frame;
		/* Two pcs, after a call and of a signal, may be looked up at one address. */
		frame->offset += pc - frame->pc;
		frame->pc = pc;
		return;
	}
	mod = dwfl_addrmodule(dwfl, at);
	if (!mod)
		return;
	frame->module = module_path(mod);
	frame->function = dwfl_module_addrinfo(mod, at, &frame->offset, &sym, NULL, NULL, NULL);
	if (frame->function) {
		frame->offset += pc - at;
	} else {
		dwfl_module_getelf(mod, &bias);
		frame->offset = pc - bias;
	}
	line = dwfl_module_getsrc(mod, at);
	if (line)
		frame->file = dwfl_lineinfo(line, NULL, &frame->line, NULL, NULL, NULL);
	place = must(malloc(sizeof(*place)));
	*place = (struct place){ at, *frame };
	must(tsearch(place, &places, compare_places));
}

struct walk {
	struct frame *frames;
	int n, max;
	bool past;			/* the first pc is past the access */
};

static int take_frame(Dwfl_Frame *state, void *arg)
{
	struct walk *walk = arg;
	struct frame *frame = &walk->frames[walk->n];
	Dwarf_Addr pc;
	bool exact;

	if (!dwfl_frame_pc(state, &pc, &exact))
		return DWARF_CB_ABORT;
	*frame = (struct frame){ .pc = pc };
	look_up(walk->n ? pc - !exact : pc - walk->past, frame);
	return ++walk->n < walk->max ? DWARF_CB_OK : DWARF_CB_ABORT;
}

int resolve_frames(const struct record *r, const struct watch *watch, struct frame *frames, int max,
		   bool *more)
{
	struct walk walk = { frames, 0, max, watch->type != HW_BREAKPOINT_X && !r->hit.late };

	*more = false;
	if (!max)
		return 0;
	current = r;
	beyond_copy = false;
	dwfl_getthread_frames(dwfl, r->hit.tid, take_frame, &walk);
	*more = beyond_copy && walk.n < max && max > 1;
	/* Without unwind information there is still the place itself. */
	if (!walk.n) {
		frames[0] = (struct frame){ .pc = r->hit.regs[REG_DWARF_PC] };
		look_up(frames[0].pc - walk.past, &frames[0]);
		walk.n = 1;
	}
	return walk.n;
}
