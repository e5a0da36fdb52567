// SPDX-License-Identifier: GPL-2.0
/* watched N: writes a variable N times, two calls deep. What bench/sigwatch.sh watches. */
#include <stdlib.h>

volatile int counter;

__attribute__((noinline)) static void bump(void)
{
	counter++;
	asm volatile("");
}

__attribute__((noinline)) static void work(void)
{
	bump();
	asm volatile("");
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 0;

	while (n--)
		work();
	return 0;
}
