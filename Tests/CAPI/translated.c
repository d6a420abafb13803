// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// A host whose addresses are not physical ones.

#include "translated.h"
#include "driver.h"
#include "portcullis_hypercalls.h"

#include <string.h>

// What the host calls its memory is so much further on, and each two blocks of 64 KiB have changed places.
#define SHIFT UINT64_C(0x10000000)
#define BLOCK UINT64_C(0x10000)
#define FRAME UINT64_C(0x80a0000)
enum { GICR_CTLR = 0x0, GICR_PROPBASER = 0x70, GICR_PENDBASER = 0x78 };
#define CONFIGURATION (HOST_BASE + 0x60000)
#define PENDING (HOST_BASE + 0x70000)
#define ID_BITS 15

static int (*share)(void *context, const struct portcullis_pages *pages);
static void (*unshare)(void *context, const struct portcullis_pages *pages);
// By how much physical addresses are odd.
static uint64_t skew;
static int agrees_to_all;
static int translations;

static uint64_t physical(void *context, uint64_t address) {
    (void)context;
    translations++;
    return ((address - SHIFT) ^ BLOCK) + skew;
}
static int share_translated(void *context, const struct portcullis_pages *pages) {
    const struct portcullis_pages found = {((pages->base - SHIFT) ^ BLOCK) + skew, pages->bytes};
    if (agrees_to_all) return machine.shared += (int)(pages->bytes / 4096), 0;
    if (pages->base / BLOCK != (pages->base + pages->bytes - 1) / BLOCK) return -1;  // two pieces
    return share(context, &found);
}
static void unshare_translated(void *context, const struct portcullis_pages *pages) {
    const struct portcullis_pages found = {((pages->base - SHIFT) ^ BLOCK) + skew, pages->bytes};
    unshare(context, &found);
}

static void start_translated(uint32_t policy) {
    prepare("one-its.dtb");
    if (policy & PORTCULLIS_POLICY_VIRTUAL) machine.gic.its->typer |= 2;
    config.policy = policy;
    share = ops.host_share;
    unshare = ops.host_unshare;
    ops.host_share = share_translated;
    ops.host_unshare = unshare_translated;
    ops.host_physical = physical;
    skew = 0;
    agrees_to_all = 0;
    translations = 0;
    init(&gate);
    portcullis_claim(gate);
}

// The host's own addresses; what it stages lies in physical memory.
static void drive_translated(void) {
    staged = 0;
    stage_at(QUEUE ^ BLOCK);
    put(ITS0 + GITS_CBASER, VALID | COHERENT | (QUEUE + SHIFT) | (QUEUE_BYTES / 4096 - 1));
    for (uint64_t index = 0; index < 3; index++)
        put(ITS0 + GITS_BASER0 + 8 * index, VALID | (TABLE + SHIFT + index * 0x10000));
    store(ITS0 + GITS_CTLR, 2, 1);
}

static void test_its(void) {
    const struct its *its = machine.gic.its;
    start_translated(PORTCULLIS_POLICY_VIRTUAL);
    drive_translated();
    stage_mapc(0, 0);
    stage(0x29, 0, VALID, (TABLE + SHIFT) | 13);
    check(ring(ITS0) == PORTCULLIS_TRAP_COMPLETED && its->fetched_count == 2 && its->outside == 0 &&
              fetched(its, 0, 0x09, 0, VALID),
          "translated: commands are read from where the host has its queue");
    check(its->fetched[1].words[3] == ((TABLE ^ BLOCK) | 13) && machine.shared == 18,
          "translated: the hardware has the physical address of a pending table: %llx",
          (unsigned long long)its->fetched[1].words[3]);
    check((get(ITS0 + GITS_CBASER) & UINT64_C(0xffffffff000)) == QUEUE + SHIFT && translations > 0,
          "translated: the host reads its own address");
    // An address that is physical is none of the host's.
    stage(0x29, UINT64_C(1) << 32, VALID, TABLE | 13);
    ring(ITS0);
    check(counters(0).refused_for[PORTCULLIS_COMMAND_NOT_HOST_MEMORY] == 1 && its->fetched_count == 2,
          "translated: a physical address is refused");
    struct portcullis_pages away = {QUEUE + SHIFT, 0x1000};
    uint64_t held = 0;
    check(portcullis_may_give_away(gate, &away, &held) == PORTCULLIS_ERROR_HELD && held == QUEUE + SHIFT,
          "translated: a page of the queue is held, by the host's address");
    // With the identity map the pool would have the page of this address.
    away.base = POOL_BASE;
    expect_status(portcullis_may_give_away(gate, &away, NULL), PORTCULLIS_OK, "translated: give away a page that nobody uses");
    expect_status(portcullis_took(gate, &away), PORTCULLIS_OK, "translated: take it back");
}

static void enable(uint64_t configuration, uint64_t pending) {
    store(FRAME + GICR_PROPBASER, 3, configuration | ID_BITS);
    store(FRAME + GICR_PENDBASER, 3, pending);
    store(FRAME + GICR_CTLR, 2, 1);
}

static void test_redistributors(void) {
    struct redistributor *hardware = machine.gic.redistributor;
    start_translated(0);
    enable(CONFIGURATION + SHIFT, PENDING + SHIFT);
    check(hardware->ctlr == 1 && hardware->outside == 0 && hardware->propbaser == ((CONFIGURATION ^ BLOCK) | ID_BITS) &&
              hardware->pendbaser == (PENDING ^ BLOCK),
          "translated: a Redistributor has the physical addresses of its tables");
    check(get(FRAME + GICR_PROPBASER) == ((CONFIGURATION + SHIFT) | ID_BITS) && get(FRAME + GICR_PENDBASER) == PENDING + SHIFT,
          "translated: the host reads what it has written");
    struct portcullis_pages away = {PENDING + SHIFT, 0x1000};
    expect_status(portcullis_may_give_away(gate, &away, NULL), PORTCULLIS_ERROR_HELD, "translated: give away a pending table");
    store(FRAME + GICR_CTLR, 2, 0);
    enable(CONFIGURATION + SHIFT, PENDING + SHIFT);
    check(hardware->ctlr == 1 && hardware->outside == 0 && hardware->pendbaser == (PENDING ^ BLOCK),
          "translated: LPIs go off and on again");

    start_translated(0);
    enable(CONFIGURATION, PENDING);
    check(hardware->ctlr == 0 && hardware->outside == 0 && machine.shared == 0, "translated: physical addresses are refused");
    start_translated(0);
    enable(CONFIGURATION + SHIFT + 0x8000, PENDING + SHIFT);
    check(hardware->ctlr == 0 && machine.shared == 0, "translated: a table that the embedder refuses, in two pieces, is not used");
    // An embedder that agrees to all: its own pool is none of the host's.
    start_translated(0);
    agrees_to_all = 1;
    enable(CONFIGURATION + SHIFT, (POOL_BASE ^ BLOCK) + SHIFT);
    check(hardware->ctlr == 0 && machine.shared == 0, "translated: what leads to the pool is refused, whoever agrees");
    enable(CONFIGURATION + SHIFT, PENDING + SHIFT);
    check(hardware->ctlr == 1, "translated: and what does not is used");
    start_translated(0);
    skew = 0x1000;
    enable(CONFIGURATION + SHIFT, PENDING + SHIFT);
    check(hardware->ctlr == 0 && hardware->outside == 0 && machine.shared == 0,
          "translated: a pending table that the hardware can't be told of is refused");
    // Without the operation the hardware is told what the host has written: it is not memory of its own.
    start_translated(0);
    ops.host_physical = NULL;
    init(&gate);
    portcullis_claim(gate);
    enable(CONFIGURATION + SHIFT, PENDING + SHIFT);
    check(hardware->ctlr == 1 && hardware->outside == 1, "translated: without a translation the same lands elsewhere");
}

static void test_refused(void) {
    struct redistributor *hardware = machine.gic.redistributor;
    start_translated(0);
    // The hardware has physical addresses, of which the host's are not known.
    prepare("one-its.dtb");
    ops.host_physical = physical;
    ops.host_share = share_translated;
    init(&gate);
    *hardware = (struct redistributor){.ctlr = 1, .propbaser = (CONFIGURATION + SHIFT) | ID_BITS, .pendbaser = PENDING + SHIFT};
    expect_status(portcullis_claim(gate), PORTCULLIS_ERROR_GIC, "translated: claim LPIs that firmware has left on");
    check(machine.shared == 0, "translated: nothing is held then");
    config.policy = PORTCULLIS_POLICY_HANDOVER;
    expect_status(init(&gate), PORTCULLIS_ERROR_ARGUMENT, "translated: a handover by other addresses");
}

void test_translated(void) {
    test_its();
    test_redistributors();
    test_refused();
}
