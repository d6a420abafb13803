// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * Attacks on a CPU that is off, and while it comes and goes. User space switches it off, by the kernel's own
 * hotplug, before it starts those that want it so.
 */
#include "hostile.h"

#include <linux/cpumask.h>
#include <linux/io.h>
#include <linux/processor.h>
#include <linux/mm.h>
#include <linux/sched.h>

#define ALREADY_ON (-4)
#define ON_PENDING (-5)
#define INVALID_ADDRESS (-9)
#define ROUNDS 50
/* How long the attacks last that go on while the kernel's CPUs come and go. */
#define MILLISECONDS 4000

/* What a CPU runs that an attack has started: it counts itself and switches itself off. */
asm(".pushsection .text\n"
    "hostile_stub:\n"
    "  ldr x1, [x0]\n"
    "  add x1, x1, #1\n"
    "  str x1, [x0]\n"
    "  dsb sy\n"
    "  mov w0, #2\n"
    "  movk w0, #0x8400, lsl #16\n"
    "  hvc #0\n"
    "  b .\n"
    "hostile_stub_end:\n"
    ".popsection\n");
extern const char hostile_stub[], hostile_stub_end[];

/* Physical memory for it, which a CPU with its MMU off sees: the code, then the count. */
static u64 stub;

static volatile u64 *count_of_starts(void) { return (u64 *)(stub + PAGE_SIZE / 2); }

static void clean(const void *address) { asm volatile("dc civac, %0\ndsb sy" ::"r"(address) : "memory"); }

bool make_stub(void) {
    stub = __get_free_page(GFP_KERNEL | __GFP_ZERO);
    if (!stub)
        return false;
    memcpy((void *)stub, hostile_stub, hostile_stub_end - hostile_stub);
    clean((void *)stub);
    clean((void *)count_of_starts());
    asm volatile("ic ialluis\ndsb sy\nisb" ::: "memory");
    return true;
}

void forget_stub(void) { free_page(stub); }

static u64 stub_address(void) { return virt_to_phys((void *)stub); }
static u64 count_address(void) { return virt_to_phys((void *)count_of_starts()); }

static bool is_off(struct outcome *outcome) {
    if (!cpu_online(VICTIM) && psci_affinity_info(VICTIM) == PSCI_OFF)
        return true;
    outcome->unmade = "the CPU is not off";
    return false;
}

static bool wait_until_off(void) {
    u64 start = now();

    while (within(start, 2000))
        if (psci_affinity_info(VICTIM) == PSCI_OFF)
            return true;
    return false;
}

static void note_canary(struct outcome *outcome) {
    struct outcome before = {};

    check_canary(&before);
    take_aborts();
}

/* ---- Entry points that are not the host's ------------------------------------------------------ */

static void start_at(struct outcome *outcome, u64 entry) {
    long status;

    if (!is_off(outcome))
        return;
    note_canary(outcome);
    status = psci_cpu_on(VICTIM, entry, 0);
    if (!status)
        outcome->started += 1;
    else if (status != INVALID_ADDRESS)
        outcome->wrong += 1;
    check_canary(outcome);
}

static void entry_in_el2(struct outcome *outcome) { start_at(outcome, canary); }
static void entry_in_its(struct outcome *outcome) { start_at(outcome, its_frame); }

/* ---- Two CPUs start one ------------------------------------------------------------------------ */

static struct {
    struct outcome *outcome;
    u64 entry, other_entry;
    long status, other_status;
    int round, other_round;
} start;

static void start_too(void *unused) {
    int round = 0;

    while (is_needed()) {
        if (READ_ONCE(start.round) == round) {
            cpu_relax();
            continue;
        }
        round++;
        start.other_status = psci_cpu_on(VICTIM, start.other_entry, count_address());
        smp_store_release(&start.other_round, round);
    }
}

static void start_both(void *unused) {
    struct outcome *outcome = start.outcome;
    int round;

    start.round = start.other_round = 0;
    summon_helper();
    for (round = 1; round <= ROUNDS && !outcome->started; round++, outcome->rounds++) {
        u64 before = *count_of_starts(), begin = now();
        u64 due;

        WRITE_ONCE(start.round, round);
        start.status = psci_cpu_on(VICTIM, start.entry, count_address());
        while (smp_load_acquire(&start.other_round) != round && within(begin, 2000))
            cpu_relax();
        if (start.other_entry != start.entry && !start.other_status) {
            outcome->started += 1;
            break;
        }
        /* Each success is one start; a second one comes only after the CPU was off again. */
        due = !start.status + !start.other_status;
        while (*count_of_starts() - before < due && within(begin, 2000))
            cpu_relax();
        if (!wait_until_off()) {
            outcome->unmade = "the CPU does not go off again";
            break;
        }
        if (!due || *count_of_starts() - before != due)
            outcome->wrong += 1;
        if (start.status && start.status != ALREADY_ON && start.status != ON_PENDING)
            outcome->wrong += 1;
    }
}

static void start_from_two(struct outcome *outcome, u64 other_entry) {
    if (!is_off(outcome))
        return;
    note_canary(outcome);
    start.outcome = outcome;
    start.entry = stub_address();
    start.other_entry = other_entry;
    meet(start_both, start_too, NULL);
    check_canary(outcome);
}

static void started_twice(struct outcome *outcome) { start_from_two(outcome, stub_address()); }
static void started_with_two_entries(struct outcome *outcome) { start_from_two(outcome, canary); }

/* ---- While the kernel switches it off and on --------------------------------------------------- */

static void start_meanwhile(struct outcome *outcome) {
    u64 begin = now();

    note_canary(outcome);
    for (; within(begin, MILLISECONDS) && !outcome->started; outcome->rounds++) {
        if (!psci_cpu_on(VICTIM, canary, 0) || !psci_cpu_on(VICTIM, its_frame, 0))
            outcome->started += 1;
        psci_affinity_info(VICTIM);
        cond_resched();
    }
    check_canary(outcome);
}

static void aim_meanwhile(struct outcome *outcome) { keep_aiming(outcome, VICTIM, MILLISECONDS); }

static void aim_at_off(struct outcome *outcome) {
    if (is_off(outcome))
        aim_pending_table(outcome, VICTIM);
}

static void aim_at_off_attack(struct outcome *outcome) { attack_its(outcome, aim_at_off); }

const struct attack hotplug_attacks[] = {
    {"pending-table-of-a-cpu-that-is-off", aim_at_off_attack},
    {"pending-table-while-the-cpu-comes-and-goes", aim_meanwhile},
    {"cpu-started-by-two-at-once", started_twice},
    {"entry-point-in-the-its", entry_in_its},
    {"entry-point-in-el2", entry_in_el2},
    {"entry-points-of-two-at-once", started_with_two_entries},
    {"entry-point-while-the-cpu-comes-and-goes", start_meanwhile},
    {},
};
