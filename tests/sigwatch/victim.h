/* SPDX-License-Identifier: GPL-2.0 */
/* other.c: a second file of the program. library.c: a library that it is linked with. */
void other(void);
void library_touch(void);
extern int shared_count;
