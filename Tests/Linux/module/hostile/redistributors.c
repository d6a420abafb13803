// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * Attacks by the LPI tables of the Redistributors, which hardware reads and writes by itself.
 *
 * An LPI that no driver uses is not enabled in the kernel's configuration table. Once it is signalled its bit
 * in the pending table is set, and stays so.
 */
#include "hostile.h"

#include <linux/cpumask.h>
#include <linux/io.h>
#include <linux/of.h>
#include <linux/sched.h>

#include <asm/sysreg.h>

#define GICR_CTLR 0x0000
#define GICR_TYPER 0x0008
#define GICR_PROPBASER 0x0070
#define GICR_PENDBASER 0x0078
#define ENABLE_LPIS 1u
#define RWP (1u << 3)
#define VIRTUAL_LPIS (1u << 1)
#define LAST (1u << 4)
#define ZEROED (1ull << 62)
/* Inner shareable and write-back, and non-cacheable. */
#define ATTRIBUTES (7ull << 7 | 1ull << 10)
#define NON_CACHEABLE (1ull << 7)
/* An LPI whose bit in a pending table at the canary is set. */
#define SET_LPI (8192u + 912)
#define REGION (16 * 0x40000)
#define ICC_HPPIR1 sys_reg(3, 0, 12, 12, 2)

static void __iomem *region;

bool find_redistributors(void) {
    u64 address = address_of_redistributors();

    if (address)
        region = ioremap(address, REGION);
    return region;
}

void forget_redistributors(void) {
    if (region)
        iounmap(region);
}

/* The Redistributor of a CPU, by its lowest affinity. */
static void __iomem *frame_of(unsigned int cpu) {
    u64 offset = 0;

    for (;;) {
        u64 type = load64(region + offset + GICR_TYPER);

        if ((type >> 32 & 0xff) == cpu)
            return region + offset;
        if (type & LAST)
            return NULL;
        offset += type & VIRTUAL_LPIS ? 0x40000 : 0x20000;
    }
}

static void disable(void __iomem *frame) {
    u64 start = now();

    store32(frame + GICR_CTLR, load32(frame + GICR_CTLR) & ~ENABLE_LPIS);
    while (load32(frame + GICR_CTLR) & RWP && within(start, 1000))
        ;
}

static void enable(void __iomem *frame) {
    store32(frame + GICR_CTLR, load32(frame + GICR_CTLR) | ENABLE_LPIS);
}

/* The tables that the kernel has named. */
struct tables {
    u64 configuration, pending;
};

static struct tables tables_of(void __iomem *frame) {
    return (struct tables){load64(frame + GICR_PROPBASER), load64(frame + GICR_PENDBASER)};
}

static void give_back(struct outcome *outcome, void __iomem *frame, struct tables tables) {
    disable(frame);
    store64(frame + GICR_PROPBASER, tables.configuration);
    store64(frame + GICR_PENDBASER, tables.pending & ~ZEROED);
    enable(frame);
    if (!(load32(frame + GICR_CTLR) & ENABLE_LPIS))
        outcome->unmade = "LPIs can't be enabled after it";
}

/* Sends an LPI to a CPU, by INT or CLEAR. */
static void signal(u8 opcode, u32 interrupt, unsigned int cpu) {
    put(mapd(DEVICE, virt_to_phys((void *)table_page), 4));
    put(mapti(DEVICE, 0, interrupt, cpu));
    put(event_command(opcode, DEVICE, 0));
    put((struct command){{SYNC, 0, target_of(cpu)}});
    ring();
}

/* What `write` puts into the registers while LPIs are disabled; then an LPI comes. */
static void aim(struct outcome *outcome, unsigned int cpu, void (*write)(void __iomem *frame), u8 opcode,
                u32 interrupt) {
    void __iomem *frame = frame_of(cpu);
    struct tables tables;

    if (!frame || !(load32(frame + GICR_CTLR) & ENABLE_LPIS)) {
        outcome->unmade = "LPIs are not enabled";
        return;
    }
    tables = tables_of(frame);
    disable(frame);
    write(frame);
    enable(frame);
    signal(opcode, interrupt, cpu);
    give_back(outcome, frame, tables);
}

static void pending64(void __iomem *frame) { store64(frame + GICR_PENDBASER, canary | ATTRIBUTES); }

static void pending32(void __iomem *frame) {
    store32(frame + GICR_PENDBASER, (u32)(canary | ATTRIBUTES));
    store32(frame + GICR_PENDBASER + 4, canary >> 32);
}

static void pending32_high_first(void __iomem *frame) {
    store32(frame + GICR_PENDBASER + 4, canary >> 32);
    store32(frame + GICR_PENDBASER, (u32)(canary | ATTRIBUTES));
}

static void pending_zeroed(void __iomem *frame) {
    store64(frame + GICR_PENDBASER, (canary + 0x10000) | ATTRIBUTES | ZEROED);
}

static void pending_non_cacheable(void __iomem *frame) {
    store64(frame + GICR_PENDBASER, canary | NON_CACHEABLE);
}

static void pending_joined(void __iomem *frame) {
    u64 lowest = canary & -canary;

    store64(frame + GICR_PENDBASER, (canary & ~lowest) | ATTRIBUTES);
    store64(frame + GICR_PENDBASER, load64(frame + GICR_PENDBASER) | lowest);
}

static void configuration(void __iomem *frame) {
    store64(frame + GICR_PROPBASER, canary | ATTRIBUTES | 15);
}

void aim_pending_table(struct outcome *outcome, unsigned int cpu) { aim(outcome, cpu, pending64, INT, LPI); }

static void own64(struct outcome *outcome) { aim_pending_table(outcome, 0); }
static void own32(struct outcome *outcome) { aim(outcome, 0, pending32, INT, LPI); }
static void own32_high_first(struct outcome *outcome) { aim(outcome, 0, pending32_high_first, INT, LPI); }
static void own_zeroed(struct outcome *outcome) { aim(outcome, 0, pending_zeroed, INT, LPI); }
static void own_non_cacheable(struct outcome *outcome) { aim(outcome, 0, pending_non_cacheable, INT, LPI); }
static void own_joined(struct outcome *outcome) { aim(outcome, 0, pending_joined, INT, LPI); }
static void own_cleared(struct outcome *outcome) { aim(outcome, 0, pending64, CLEAR, SET_LPI); }
static void other(struct outcome *outcome) { aim_pending_table(outcome, HELPER); }

static void while_enabled(struct outcome *outcome) {
    void __iomem *frame = frame_of(0);
    struct tables tables = tables_of(frame);

    pending64(frame);
    signal(INT, LPI, 0);
    /* What it has written CLEAR takes back. */
    check_canary(outcome);
    put(event_command(CLEAR, DEVICE, 0));
    ring();
    give_back(outcome, frame, tables);
}

/* An LPI that the kernel has disabled comes to the CPU all the same where EL2's memory is asked about it. */
static void take_configuration(struct outcome *outcome) {
    void __iomem *frame = frame_of(0);
    struct tables tables = tables_of(frame);

    disable(frame);
    configuration(frame);
    enable(frame);
    signal(INT, ENABLED_LPI, 0);
    if (read_sysreg_s(ICC_HPPIR1) == ENABLED_LPI)
        outcome->taken += 1;
    put(event_command(CLEAR, DEVICE, 0));
    ring();
    give_back(outcome, frame, tables);
}

#define ON_ITS(name) \
    static void name##_attack(struct outcome *outcome) { attack_its(outcome, name); }
ON_ITS(own64)
ON_ITS(own32)
ON_ITS(own32_high_first)
ON_ITS(own_zeroed)
ON_ITS(own_non_cacheable)
ON_ITS(own_joined)
ON_ITS(own_cleared)
ON_ITS(other)
ON_ITS(while_enabled)
ON_ITS(take_configuration)

/* ---- With the LPIs of all CPUs disabled, each by itself ---------------------------------------- */

static struct {
    struct outcome *outcome;
    struct tables tables[NR_CPUS];
} all;

static void disable_own(void) {
    unsigned int cpu = raw_smp_processor_id();
    void __iomem *frame = frame_of(cpu);

    all.tables[cpu] = tables_of(frame);
    disable(frame);
    /* EL2 gives the tables back when their own CPU looks. */
    load32(frame + GICR_CTLR);
}

static void enable_own(void) {
    unsigned int cpu = raw_smp_processor_id();

    give_back(all.outcome, frame_of(cpu), all.tables[cpu]);
}

static void lead_configuration(void *argument) {
    struct outcome *outcome = argument, before = {};
    void __iomem *frame = frame_of(0);

    check_canary(&before);
    take_aborts();
    if (!remember_its(outcome))
        return;
    configuration(frame);
    enable(frame);
    signal(INT, ENABLED_LPI, 0);
    if (read_sysreg_s(ICC_HPPIR1) == ENABLED_LPI)
        outcome->taken += 1;
    put(event_command(CLEAR, DEVICE, 0));
    ring();
    outcome->aborts += take_aborts();
    give_back(outcome, frame, all.tables[0]);
    restore_its(outcome);
    check_canary(outcome);
}

static void all_disabled_attack(struct outcome *outcome) {
    all.outcome = outcome;
    meet_all(disable_own, lead_configuration, enable_own, outcome);
}

/* ---- While the kernel goes on ------------------------------------------------------------------ */

static struct {
    struct outcome *outcome;
    unsigned int cpu;
} aiming;

/* An event that a store to GITS_TRANSLATER raises. */
static void map_cpu_event(void *unused) {
    struct outcome *outcome = aiming.outcome, before = {};

    check_canary(&before);
    take_aborts();
    if (!remember_its(outcome))
        return;
    put(mapd(CPU_DEVICE, virt_to_phys((void *)table_page), 4));
    put(mapti(CPU_DEVICE, 0, LPI, aiming.cpu));
    ring();
    return_queue(outcome);
}

static void unmap_cpu_event(void *unused) {
    struct outcome *outcome = aiming.outcome;

    if (!remember_its(outcome))
        return;
    put(event_command(CLEAR, CPU_DEVICE, 0));
    ring();
    restore_its(outcome);
    outcome->aborts += take_aborts();
    check_canary(outcome);
}

void keep_aiming(struct outcome *outcome, unsigned int cpu, u64 milliseconds) {
    void __iomem *frame = frame_of(cpu);
    struct tables tables;
    u64 start;

    if (!frame) {
        outcome->unmade = "there is no such Redistributor";
        return;
    }
    tables = tables_of(frame);
    aiming.outcome = outcome;
    aiming.cpu = cpu;
    meet(map_cpu_event, NULL, NULL);
    if (outcome->unmade)
        return;
    for (start = now(); within(start, milliseconds); outcome->rounds++) {
        disable(frame);
        pending64(frame);
        enable(frame);
        store32(translater, 0);
        give_back(outcome, frame, tables);
        cond_resched();
    }
    meet(unmap_cpu_event, NULL, NULL);
}

const struct attack redistributor_attacks[] = {
    {"pending-table-64-bit", own64_attack},
    {"pending-table-32-bit", own32_attack},
    {"pending-table-32-bit-high-half-first", own32_high_first_attack},
    {"pending-table-zeroed", own_zeroed_attack},
    {"pending-table-non-cacheable", own_non_cacheable_attack},
    {"pending-table-bits-joined", own_joined_attack},
    {"pending-table-bit-cleared", own_cleared_attack},
    {"pending-table-of-another-cpu", other_attack},
    {"pending-table-while-enabled", while_enabled_attack},
    {"configuration-table", take_configuration_attack},
    {"configuration-table-of-all-cpus", all_disabled_attack},
    {},
};
