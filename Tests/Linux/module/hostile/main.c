// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * The attacks for user space: /proc/hostile has a directory for each group and in it a file for each attack.
 * Reading it carries the attack out and tells what it came to, a word and a number a line.
 */
#include "hostile.h"

#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

static const struct {
    const char *name;
    const struct attack *attacks;
} groups[] = {
    {"registers", register_attacks},
    {"commands", command_attacks},
    {"redistributors", redistributor_attacks},
    {"races", race_attacks},
    {"hotplug", hotplug_attacks},
};

unsigned int pace = 1;
module_param(pace, uint, 0444);

static DEFINE_MUTEX(one_at_a_time);
static struct proc_dir_entry *directory;

static int attack_show(struct seq_file *file, void *unused) {
    const struct attack *attack = file->private;
    struct outcome outcome = {};

    mutex_lock(&one_at_a_time);
    attack->run(&outcome);
    mutex_unlock(&one_at_a_time);
    seq_printf(file, "overwritten %llu\n", outcome.overwritten);
    if (outcome.overwritten)
        seq_printf(file, "first %#llx\n", outcome.first - canary);
    seq_printf(file, "taken %llu\n", outcome.taken);
    seq_printf(file, "started %llu\n", outcome.started);
    seq_printf(file, "wrong %llu\n", outcome.wrong);
    seq_printf(file, "aborts %llu\n", outcome.aborts);
    seq_printf(file, "rounds %llu\n", outcome.rounds);
    if (outcome.unmade)
        seq_printf(file, "unmade %s\n", outcome.unmade);
    return 0;
}

static void forget(void) {
    proc_remove(directory);
    forget_stub();
    forget_redistributors();
    forget_its();
    forget_canary();
}

static int __init hostile_init(void) {
    int group;

    if (!find_canary() || !find_its() || !find_redistributors() || !make_stub()) {
        forget();
        return -ENODEV;
    }
    directory = proc_mkdir("hostile", NULL);
    for (group = 0; directory && group < ARRAY_SIZE(groups); group++) {
        struct proc_dir_entry *parent = proc_mkdir(groups[group].name, directory);
        const struct attack *attack;

        for (attack = groups[group].attacks; parent && attack->name; attack++)
            proc_create_single_data(attack->name, 0400, parent, attack_show, (void *)attack);
    }
    /* What is missing there is an attack that was not run, for who counts them. */
    return 0;
}
module_init(hostile_init);

static void __exit hostile_exit(void) { forget(); }
module_exit(hostile_exit);

MODULE_DESCRIPTION("A hostile kernel: attacks on EL2 by the interrupt controller and by PSCI");
MODULE_LICENSE("Apache-2.0");
