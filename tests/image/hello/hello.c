// SPDX-License-Identifier: GPL-2.0
/* An external module: is the headers package of the kernel that runs? */
#include <linux/module.h>
#include <linux/perf_event.h>

static int __init hello_init(void)
{
	/* What the series adds is in its headers. */
	struct perf_event_attr attr = { .sigtrap = 1, .sig_data = 42 };

	pr_info("hello: %u %llu\n", attr.sigtrap, attr.sig_data);
	return 0;
}

static void __exit hello_exit(void)
{
}

module_init(hello_init);
module_exit(hello_exit);
MODULE_LICENSE("GPL");
