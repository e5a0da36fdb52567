// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "demo.h"

/* Which of them is a process is told by crew_start(). */
static const char *const names[CREW] = { "alice", "bob", "carol", "dave", "child", "child-2nd" };

enum { FIRST_THREAD = 0, CHILD = 4, CHILD_THREAD = 5 };

/* In memory shared with the child. */
struct crew {
	sem_t done;
	struct {
		sem_t go;
		void (*job)(void);	/* NULL: stop */
	} member[CREW];
};

static struct crew *crew;
static pthread_t threads[CREW];
static pid_t child;

static void wait_for(sem_t *sem)
{
	while (sem_wait(sem))
		;
}

static void *member(void *arg)
{
	int me = (intptr_t)arg;

	prctl(PR_SET_NAME, names[me]);
	for (;;) {
		wait_for(&crew->member[me].go);
		if (!crew->member[me].job)
			return NULL;
		crew->member[me].job();
		sem_post(&crew->done);
	}
}

static void start_thread(int me)
{
	int err = pthread_create(&threads[me], NULL, member, (void *)(intptr_t)me);

	if (err)
		die(2, "pthread_create", strerror(err));
}

static noreturn void child_main(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	start_thread(CHILD_THREAD);
	member((void *)CHILD);
	pthread_join(threads[CHILD_THREAD], NULL);
	_exit(0);
}

void crew_start(void)
{
	crew = shared_memory(sizeof(*crew));
	sem_init(&crew->done, 1, 0);
	for (int i = 0; i < CREW; i++)
		sem_init(&crew->member[i].go, 1, 0);

	/* While there is one thread: a fork() beside others may find locks held. */
	child = fork();
	if (child < 0)
		die(2, "fork", strerror(errno));
	if (!child)
		child_main();
	for (int i = FIRST_THREAD; i < CHILD; i++)
		start_thread(i);
}

static void send(int member, void (*job)(void))
{
	crew->member[member].job = job;
	sem_post(&crew->member[member].go);
}

void crew_turn(int member, void (*job)(void))
{
	send(member, job);
	wait_for(&crew->done);
}

void crew_all(void (*job)(void))
{
	for (int i = 0; i < CREW; i++)
		send(i, job);
	for (int i = 0; i < CREW; i++)
		wait_for(&crew->done);
}

void crew_stop(void)
{
	int status;

	for (int i = 0; i < CREW; i++)
		send(i, NULL);
	for (int i = FIRST_THREAD; i < CHILD; i++)
		pthread_join(threads[i], NULL);
	if (waitpid(child, &status, 0) != child || status)
		die(1, "child", "did not end well");
}
