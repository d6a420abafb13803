// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * What EL2 counts, for user space: /proc/portcullis has a line for each count that is not zero, its number
 * and its value. Under Portcullis alone: elsewhere the call may be an undefined instruction.
 */
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

/* As in portcullis_hypercalls.h, which is written for hosts that have the C library's headers. */
#define PORTCULLIS_HYPERCALL 0xC6005043u
#define PORTCULLIS_CALL_STATISTIC 0x301u
#define PORTCULLIS_STATISTIC_PAGE 512u
#define PORTCULLIS_STATISTIC_ITSES 0u

static bool read_statistic(u64 number, u64 *value) {
    register u64 x0 asm("x0") = PORTCULLIS_HYPERCALL;
    register u64 x1 asm("x1") = PORTCULLIS_CALL_STATISTIC;
    register u64 x2 asm("x2") = number;
    register u64 x3 asm("x3") = 0;

    asm volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
    *value = x1;
    return x0 == 0;
}

static int statistics_show(struct seq_file *file, void *unused) {
    u64 count, number, value;

    if (!read_statistic(PORTCULLIS_STATISTIC_ITSES, &count))
        return -ENODEV;
    for (number = 0; number < PORTCULLIS_STATISTIC_PAGE * (1 + count); number++)
        if (read_statistic(number, &value) && value)
            seq_printf(file, "%llu %llu\n", number, value);
    return 0;
}

static struct proc_dir_entry *entry;

static int __init portcullis_init(void) {
    entry = proc_create_single("portcullis", 0444, NULL, statistics_show);
    return entry ? 0 : -ENOMEM;
}
module_init(portcullis_init);

static void __exit portcullis_exit(void) { proc_remove(entry); }
module_exit(portcullis_exit);

MODULE_DESCRIPTION("What Portcullis counts at EL2");
MODULE_LICENSE("Apache-2.0");
