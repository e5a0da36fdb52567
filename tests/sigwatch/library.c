// SPDX-License-Identifier: GPL-2.0
#include "victim.h"

int library_count;
/* The program refers to this one, so that it may have a copy of it. */
int shared_count;

void library_touch(void)
{
	library_count = 5;		/* library */
	shared_count = 6;
}

/* What dlopen() finds, in the same library by another name. */
void plugin_touch(int *p)
{
	*p = 99;			/* plugin */
}
