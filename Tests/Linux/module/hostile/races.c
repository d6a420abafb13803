// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * Attacks by two CPUs: while one rings the doorbell, the other changes what the ITS is about to read.
 *
 * A race is run in pieces, so that the kernel is not kept from its work for long, until it is won or has been
 * run often enough: more often on a machine that is slow, whose CPUs seldom run at the same time.
 */
#include "hostile.h"

#include <linux/io.h>
#include <linux/processor.h>
#include <linux/sched.h>

#define ROUNDS 2000
#define PIECE 250
/*
 * Of races that move what the kernel has programmed, each of which is slow. They are won within a piece, but for
 * machines whose CPUs seldom run at the same time.
 */
#define SLOW_ROUNDS 1500
#define SLOW_PIECE 50

static u64 own_table(void) { return virt_to_phys((void *)table_page); }

/* ---- A command that another CPU changes -------------------------------------------------------- */

/* The words 0 and 2 of the command in `slot`: one pair and then the other. */
static struct {
    u64 *slot, *seen;
    u64 first[2], second[2];
} flip;

static void dwell(void) {
    int index;

    for (index = 0; index < 8; index++)
        cpu_relax();
}

static void flip_slot(void *unused) {
    while (is_needed()) {
        u64 *slot = READ_ONCE(flip.slot);

        smp_store_release(&flip.seen, slot);
        if (!slot)
            continue;
        WRITE_ONCE(slot[2], flip.second[1]);
        WRITE_ONCE(slot[0], flip.second[0]);
        dwell();
        WRITE_ONCE(slot[0], flip.first[0]);
        WRITE_ONCE(slot[2], flip.first[1]);
        dwell();
    }
}

static void wait_for_helper(u64 *slot) {
    u64 start = now();

    WRITE_ONCE(flip.slot, slot);
    while (smp_load_acquire(&flip.seen) != slot && within(start, 1000))
        cpu_relax();
}

/* Rings for the command that is put, while it changes; then maps the event. */
static void race_once(struct command command) {
    u64 *slot = queue_slot(queue_place());

    put(command);
    wait_for_helper(slot);
    ring();
    wait_for_helper(NULL);
    put(mapti(DEVICE, 0, LPI, 0));
    ring();
}

/* The kind changes, and with it what the address in it means: INV has none. */
static void race_kind(struct outcome *outcome) {
    struct command harmless = event_command(INV, DEVICE, 3);
    int round;

    flip.first[0] = harmless.word[0];
    flip.first[1] = 0;
    flip.second[0] = MAPD | (u64)DEVICE << 32;
    flip.second[1] = canary | VALID;
    for (round = 0; round < PIECE; round++, outcome->rounds++) {
        put(mapd(DEVICE, own_table(), 4));
        ring();
        race_once(harmless);
    }
}

static void race_address(struct outcome *outcome) {
    struct command honest = mapd(DEVICE, own_table(), 4);
    int round;

    flip.first[0] = flip.second[0] = honest.word[0];
    flip.first[1] = honest.word[2];
    flip.second[1] = canary | VALID;
    for (round = 0; round < PIECE; round++, outcome->rounds++)
        race_once(honest);
}

/* As long as the other CPU needs to come by. */
static void linger(void) {
    u64 start = now();

    while (within(start, 1))
        cpu_relax();
}

/* What the kernel has sent before is not to be carried out once more. */
static void fill_queue(void) {
    struct command harmless = sync_command();
    u64 offset;

    for (offset = 0; offset < queue_size(); offset += sizeof harmless)
        memcpy(queue_slot(offset), harmless.word, sizeof harmless);
}

/* ---- The doorbell ------------------------------------------------------------------------------ */

static bool is_filled;

static void ring_anywhere(void *unused) {
    u64 round = 0;

    while (is_needed() && !READ_ONCE(is_filled))
        cpu_relax();
    while (is_needed()) {
        store32(its + GITS_CWRITER, ++round * 17 * 32 & (queue_size() - 1));
        load64(its + GITS_CREADR);
    }
}

/* While one CPU writes commands and rings for them, another rings for places that are not written yet. */
static void race_doorbell(struct outcome *outcome) {
    int round;

    fill_queue();
    smp_store_release(&is_filled, true);
    for (round = 0; round < SLOW_PIECE; round++, outcome->rounds++) {
        u64 *slot = queue_slot(queue_place());
        struct command event = mapti(DEVICE, 0, LPI, 0);
        struct command harmless = sync_command();

        /* What is there when the other CPU rings is evil; what this one rings for is not. */
        put(mapd(DEVICE, canary, 4));
        put(event);
        linger();
        memcpy(slot, harmless.word, sizeof harmless);
        ring_within(2);
    }
    /* The next race fills it anew before anybody rings for places that nobody has written. */
    WRITE_ONCE(is_filled, false);
}

/* ---- Registers --------------------------------------------------------------------------------- */

static void move_table(void *unused) {
    void __iomem *base = table_base(DEVICES);
    u64 honest = load64(base), evil = flat_table(canary, 1);

    while (is_needed()) {
        disable_its();
        store64(base, evil);
        enable_its();
        linger();
        disable_its();
        store32(base, (u32)honest);
        store32(base + 4, honest >> 32);
        enable_its();
        linger();
    }
}

static void race_table(struct outcome *outcome) {
    int round;

    for (round = 0; round < SLOW_PIECE; round++, outcome->rounds++) {
        put(mapd(DEVICE, own_table(), 4));
        ring_within(2);
        /* Or all rounds are over before the table has moved once. */
        linger();
    }
}

static void repeat(struct outcome *outcome, u64 rounds, void (*attack)(struct outcome *),
                   void (*help)(void *)) {
    do {
        race_its(outcome, attack, help);
        cond_resched();
    } while (!outcome->unmade && !outcome->overwritten && !outcome->taken && outcome->rounds < rounds * pace);
}

static void kind_attack(struct outcome *outcome) { repeat(outcome, ROUNDS, race_kind, flip_slot); }
static void address_attack(struct outcome *outcome) { repeat(outcome, ROUNDS / 2, race_address, flip_slot); }
static void doorbell_attack(struct outcome *outcome) {
    repeat(outcome, SLOW_ROUNDS, race_doorbell, ring_anywhere);
}
static void table_attack(struct outcome *outcome) { repeat(outcome, SLOW_ROUNDS, race_table, move_table); }

const struct attack race_attacks[] = {
    {"kind-of-a-command", kind_attack},
    {"address-in-a-command", address_attack},
    {"doorbell-by-another-cpu", doorbell_attack},
    {"device-table-moved", table_attack},
    {},
};
