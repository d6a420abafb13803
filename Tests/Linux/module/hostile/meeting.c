// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * All CPUs in one place.
 *
 * Each is called by an interrupt, so none is inside the kernel's driver of the ITS, which does its work with
 * interrupts masked. A CPU that is coming up is in that driver before it is online, and can't be called: then all
 * leave and meet again.
 */
#include "hostile.h"

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/processor.h>
#include <linux/sched.h>
#include <linux/smp.h>

#include <asm/sysreg.h>

u64 now(void) {
    asm volatile("isb" ::: "memory");
    return read_sysreg(cntvct_el0);
}

bool within(u64 start, u64 milliseconds) {
    return now() - start < milliseconds * pace * (read_sysreg(cntfrq_el0) / 1000);
}

static struct {
    void (*lead)(void *);
    void (*help)(void *);
    void (*before)(void);
    void (*after)(void);
    void *argument;
    atomic_t arrived, left;
    int count;
    bool is_summoned, is_over, has_helped, is_whole;
} meeting;

/* Whether every CPU is here that runs the kernel. */
static bool is_whole(void) {
    return num_online_cpus() == meeting.count && (cpu_online(VICTIM) || psci_affinity_info(VICTIM) == PSCI_OFF);
}

bool is_needed(void) { return !READ_ONCE(meeting.is_over); }

void summon_helper(void) { smp_store_release(&meeting.is_summoned, true); }

void dismiss_helper(void) {
    WRITE_ONCE(meeting.is_over, true);
    while (meeting.help && !smp_load_acquire(&meeting.has_helped))
        cpu_relax();
}

static void wait_for_all(atomic_t *counter) {
    atomic_inc(counter);
    while (atomic_read(counter) < meeting.count)
        cpu_relax();
}

static void attend(void *unused) {
    unsigned int self = raw_smp_processor_id();

    if (meeting.before)
        meeting.before();
    wait_for_all(&meeting.arrived);
    if (self == 0) {
        meeting.is_whole = is_whole();
        if (meeting.is_whole)
            meeting.lead(meeting.argument);
        WRITE_ONCE(meeting.is_over, true);
    } else if (self == HELPER && meeting.help) {
        while (is_needed() && !smp_load_acquire(&meeting.is_summoned))
            cpu_relax();
        if (is_needed())
            meeting.help(meeting.argument);
        smp_store_release(&meeting.has_helped, true);
    }
    while (is_needed())
        cpu_relax();
    if (meeting.after)
        meeting.after();
    wait_for_all(&meeting.left);
}

static void hold(void) {
    do {
        cond_resched();
        atomic_set(&meeting.arrived, 0);
        atomic_set(&meeting.left, 0);
        meeting.is_summoned = meeting.is_over = meeting.has_helped = false;
        preempt_disable();
        meeting.count = num_online_cpus();
        on_each_cpu(attend, NULL, 1);
        preempt_enable();
    } while (!meeting.is_whole);
}

void meet(void (*lead)(void *), void (*help)(void *), void *argument) {
    meeting.lead = lead;
    meeting.help = help;
    meeting.before = meeting.after = NULL;
    meeting.argument = argument;
    hold();
}

void meet_all(void (*before)(void), void (*lead)(void *), void (*after)(void), void *argument) {
    meeting.lead = lead;
    meeting.help = NULL;
    meeting.before = before;
    meeting.after = after;
    meeting.argument = argument;
    hold();
}
