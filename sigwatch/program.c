// SPDX-License-Identifier: GPL-2.0
/* Finds the program as a shell would, and tells whether the agent can be preloaded into it. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "sigwatch.h"

#define LOADER "ld-linux-x86-64.so.2"
#define MAX_SCRIPTS 5			/* as many interpreters of scripts as the kernel takes */

static void check_file(const char *path);

/* Refuses unless @path, a PT_INTERP or #! line's, ends in the loader that the agent is made for. */
static void check_loader(const char *path, const char *loader)
{
	const char *base = strrchr(loader, '/');

	if (strcmp(base ? base + 1 : loader, LOADER))
		refuse(STATUS_REFUSED,
		       "%s is loaded by %s: only programs of glibc's loader (%s) can be watched",
		       path, loader, LOADER);
}

static void check_elf(const char *path, int fd, const Elf64_Ehdr *ehdr)
{
	char loader[256];
	Elf64_Phdr phdr;
	int i;

	if (ehdr->e_ident[EI_CLASS] != ELFCLASS64 || ehdr->e_machine != EM_X86_64)
		refuse(STATUS_REFUSED,
		       "%s is a %s program: only 64-bit x86_64 programs can be watched", path,
		       ehdr->e_ident[EI_CLASS] == ELFCLASS32 ? "32-bit" : "foreign");
	for (i = 0; i < ehdr->e_phnum; i++) {
		ssize_t size;

		if (pread(fd, &phdr, sizeof(phdr), ehdr->e_phoff + i * sizeof(phdr)) !=
		    sizeof(phdr))
			refuse(STATUS_NOT_EXECUTABLE,
			       "%s is cut short: its program headers cannot be read", path);
		if (phdr.p_type != PT_INTERP)
			continue;
		size = phdr.p_filesz < sizeof(loader) ? phdr.p_filesz : sizeof(loader) - 1;
		if (pread(fd, loader, size, phdr.p_offset) != size)
			refuse(STATUS_NOT_EXECUTABLE,
			       "%s is cut short: its loader's name cannot be read", path);
		loader[size] = 0;
		check_loader(path, loader);
		return;
	}
	refuse(STATUS_REFUSED,
	       "%s is a static program, into which nothing can be preloaded: link it without -static",
	       path);
}

static void check_script(const char *path, char *line)
{
	static int scripts;
	char *interpreter, *base;

	line[strcspn(line, "\n")] = 0;
	interpreter = strtok(line, " \t");
	if (!interpreter)
		refuse(STATUS_NOT_EXECUTABLE, "%s begins with #! but names no interpreter", path);
	if (++scripts > MAX_SCRIPTS)
		refuse(STATUS_NOT_EXECUTABLE,
		       "%s: the interpreter of a script is a script, more than %d times over", path,
		       MAX_SCRIPTS);
	base = strrchr(interpreter, '/');
	if (!strcmp(base ? base + 1 : interpreter, "env"))
		refuse(STATUS_REFUSED,
		       "%s is run by %s, which executes another program, and that is not watched: name it, as in sigwatch WHAT -- %s %s",
		       path, interpreter, strtok(NULL, " \t") ?: "INTERPRETER", path);
	check_file(interpreter);
}

static void check_privileges(const char *path, int fd)
{
	char capability[64];
	bool other_user, other_group;
	struct stat st;

	if (fstat(fd, &st))
		refuse(STATUS_NOT_EXECUTABLE, "%s: %s", path, strerror(errno));
	/* What the loader calls secure: LD_PRELOAD is ignored. */
	other_user = (st.st_mode & S_ISUID) && st.st_uid != getuid();
	/* Without the group's x it is no setgid program. */
	other_group = (st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP) && st.st_gid != getgid();
	if (other_user || other_group)
		refuse(STATUS_REFUSED,
		       "%s is %s, so LD_PRELOAD is ignored: run it as its owner, or watch a copy without that bit",
		       path, other_user ? "setuid" : "setgid");
	if (getuid() && fgetxattr(fd, "security.capability", capability, sizeof(capability)) > 0)
		refuse(STATUS_REFUSED,
		       "%s has file capabilities, so LD_PRELOAD is ignored: run it as root, or watch a copy without them",
		       path);
}

static void check_file(const char *path)
{
	union { Elf64_Ehdr ehdr; char text[257]; } head = { .text = "" };
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		refuse(errno == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE,
		       "%s cannot be read, which sigwatch must: %s", path, strerror(errno));
	if (read(fd, &head, sizeof(head) - 1) < 0)
		refuse(STATUS_NOT_EXECUTABLE, "%s cannot be read, which sigwatch must: %s", path,
		       strerror(errno));
	if (!memcmp(head.text, ELFMAG, SELFMAG)) {
		check_privileges(path, fd);
		check_elf(path, fd, &head.ehdr);
	} else if (!memcmp(head.text, "#!", 2)) {
		check_script(path, head.text + 2);
	} else {
		refuse(STATUS_NOT_EXECUTABLE,
		       "%s is neither an ELF program nor a script that begins with #!", path);
	}
	close(fd);
}

static bool executable(const char *path, int *error)
{
	struct stat st;

	if (stat(path, &st)) {
		if (errno != ENOENT && errno != ENOTDIR)
			*error = errno;
		return false;
	}
	if (S_ISDIR(st.st_mode))
		*error = EISDIR;
	else if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS))
		*error = errno;
	else
		return true;
	return false;
}

char *program_find(const char *name)
{
	const char *dir, *end, *path = getenv("PATH") ?: "/usr/local/bin:/usr/bin:/bin";
	char *file = NULL;
	int error = ENOENT;

	if (strchr(name, '/')) {
		file = must(strdup(name));
		if (!executable(file, &error))
			refuse(error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE, "%s: %s",
			       name, strerror(error));
		check_file(file);
		return file;
	}
	for (dir = path; *name; dir = end + 1) {
		end = strchrnul(dir, ':');
		free(file);
		if (asprintf(&file, "%.*s%s%s", (int)(end - dir), dir, end > dir ? "/" : "./",
			     name) < 0)
			must(NULL);
		if (executable(file, &error)) {
			check_file(file);
			return file;
		}
		if (!*end)
			break;
	}
	if (error == ENOENT || error == EISDIR)
		refuse(STATUS_NOT_FOUND, "%s: no such program in PATH", name);
	refuse(STATUS_NOT_EXECUTABLE, "%s, in PATH: %s", name, strerror(error));
}
