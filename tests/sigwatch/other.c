// SPDX-License-Identifier: GPL-2.0
#include "victim.h"

static volatile int twin;

void other(void)
{
	twin += 2;
}
