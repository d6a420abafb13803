// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#include "handover.h"
#include "dma.h"
#include "driver.h"
#include "portcullis_hypercalls.h"
#include "smmu.h"

#include <string.h>

#define DEVICES (HOST_BASE + 0x80000)
#define COLLECTIONS (HOST_BASE + 0x90000)
#define DEVICE_TABLE (HOST_BASE + 0xa0000)
#define STAGING (HOST_BASE + 0xb0000)
#define DESCRIPTOR (HOST_BASE + 0xd0000)

// What the host says: one device with 32 events, one collection at processor 0.
struct descriptor {
    struct portcullis_handover header;
    struct portcullis_handover_device device;
    uint64_t collection;
};

static struct descriptor *descriptor(void) { return (struct descriptor *)(void *)memory_at(DESCRIPTOR); }

// The host drives its first ITS through what is forwarded.
static void drive_trusted(void) {
    const struct its *its = machine.gic.its;
    drive(ITS0);
    stage_mapd(7, DEVICE_TABLE);
    stage_mapc(0, 0);
    stage_mapti(7, 1, 8192);
    ring(ITS0);
    struct descriptor *says = descriptor();
    *says = (struct descriptor){
        .header = {.version = 1, .control_frame = ITS0, .command_base = its->cbaser,
                   .staging_queue = STAGING, .devices = 1, .collections = 1},
        .device = {.device_id = 7, .event_id_bits = 5, .table = DEVICE_TABLE},
    };
    for (int index = 0; index < 8; index++)
        says->header.table_bases[index] = get(ITS0 + GITS_BASER0 + (uint64_t)index * 8);
}

// A host that is trusted, and drives its first ITS.
static void begin_trusted(const char *name) {
    prepare(name);
    config.policy = PORTCULLIS_POLICY_HANDOVER;
    init(&gate);
    portcullis_claim(gate);
    drive_trusted();
}

static void expect_refusal(int64_t want, const char *name) {
    int64_t reason = 0;
    const struct its *its = machine.gic.its;
    uint64_t queue = its->cbaser;
    check(portcullis_hand_over(gate, 0, DESCRIPTOR, &reason) == PORTCULLIS_ERROR_HANDOVER &&
              reason == want,
          "%s: %d", name, (int)want);
    check(its->ctlr == 1 && its->cbaser == queue && machine.donated == 0 && machine.shared == 0,
          "the host keeps all of it: %s", name);
}

static void test_taken_over(void) {
    struct its *its = machine.gic.its;
    struct portcullis_its_counters now = {.size = sizeof now};
    begin_trusted("one-its.dtb");
    check(its->fetched_count == 3 && fetched(its, 0, 0x08 | UINT64_C(7) << 32, 4, VALID | DEVICE_TABLE),
          "the commands of a trusted host reach the hardware as they are");
    expect_status(portcullis_its_counters(gate, 0, &now), PORTCULLIS_ERROR_ORDER,
                  "counters of an ITS that is forwarded");
    uint64_t queue = its->cbaser, devices = its->baser[0];
    expect_status(portcullis_hand_over(gate, 0, DESCRIPTOR, NULL), PORTCULLIS_OK, "hand over");
    check(its->ctlr == 1 && its->cbaser == queue && its->baser[0] == devices,
          "Enabled, queue and tables of the hardware stay");
    check(machine.donated > 0 && machine.shared == 16 &&
              machine.mapped == 16 + REDISTRIBUTOR_REGION_PAGES,
          "its memory is the host's no longer, and the staging queue is shared");
    expect_status(portcullis_hand_over(gate, 0, DESCRIPTOR, NULL), PORTCULLIS_ERROR_ORDER,
                  "hand over again");

    // What hardware uses is not the host's to give to another VM; after a refusal it was given back, and is.
    const uint64_t donated[] = {queue & 0xfffffffff000, devices & 0xfffffffff000, DEVICE_TABLE & ~0xfffull};
    int owned = 0;
    for (int index = 0; index < 3; index++) {
        struct portcullis_pages pages = {donated[index], 0x1000};
        owned += portcullis_may_give_away(gate, &pages, NULL) == PORTCULLIS_ERROR_OWNER;
    }
    check(owned == 3, "no page that was donated with the ITS is given away: %d of 3", owned);

    // The host goes on with a queue of its own, at the offset where the old one was.
    stage_at(STAGING);
    stage_mapti(7, 2, 8193);
    stage_mapti(9, 2, 8193);
    stage_inv(7, 1);
    check(ring(ITS0) == PORTCULLIS_TRAP_COMPLETED && its->fetched_count == 5 &&
              fetched(its, 3, 0x0a | UINT64_C(7) << 32, UINT64_C(8193) << 32 | 2, 0) &&
              fetched(its, 4, 0x0c | UINT64_C(7) << 32, 1, 0),
          "the hardware that was handed over gets the permitted commands and no other");
    check(counters(0).refused_for[PORTCULLIS_COMMAND_DEVICE_NOT_MAPPED] == 1 &&
              get(ITS0 + GITS_CREADR) == staged,
          "what is refused is counted, and skipped");
    expect_status(portcullis_finalise(gate), PORTCULLIS_OK, "finalise");
    expect_status(portcullis_finalise(gate), PORTCULLIS_OK, "finalise again");
    stage_inv(7, 2);
    check(ring(ITS0) == PORTCULLIS_TRAP_COMPLETED && its->fetched_count == 6, "and go on");
}

static void test_not_taken_over(void) {
    begin_trusted("one-its.dtb");
    descriptor()->header.version = 2;
    expect_refusal(PORTCULLIS_HANDOVER_MALFORMED, "hand over by another version");
    begin_trusted("one-its.dtb");
    descriptor()->header.table_bases[0] ^= 0x1000;
    expect_refusal(PORTCULLIS_HANDOVER_MISMATCH, "hand over with another table");
    begin_trusted("one-its.dtb");
    descriptor()->header.staging_queue = POOL_BASE;
    expect_refusal(PORTCULLIS_HANDOVER_OWNERSHIP, "hand over with a staging queue in memory of EL2");
    begin_trusted("one-its.dtb");
    descriptor()->device.table = POOL_BASE;
    expect_refusal(PORTCULLIS_HANDOVER_OWNERSHIP, "hand over with a device in memory of EL2");
    // What that had donated is donated no longer: it is donated again by one that is right.
    descriptor()->device.table = DEVICE_TABLE;
    expect_status(portcullis_hand_over(gate, 0, DESCRIPTOR, NULL), PORTCULLIS_OK,
                  "hand over behind one that was refused");

    // Each donation fails once.
    int refusals = 0, leaks = 0;
    int64_t reason = 0;
    begin_trusted("one-its.dtb");
    for (machine.donation_limit = 0; machine.donation_limit < 100; machine.donation_limit++) {
        if (portcullis_hand_over(gate, 0, DESCRIPTOR, &reason) == PORTCULLIS_OK) break;
        refusals++;
        leaks += reason != PORTCULLIS_HANDOVER_OWNERSHIP || machine.donated || machine.shared;
    }
    check(refusals > 3 && machine.donation_limit < 100 && leaks == 0,
          "every donation that is refused leaves the host all of it");

    begin_trusted("one-its.dtb");
    check(portcullis_hand_over(gate, 0, POOL_BASE, &reason) == PORTCULLIS_ERROR_HANDOVER &&
              reason == PORTCULLIS_HANDOVER_UNREADABLE,
          "a descriptor in memory of EL2 is not read");
    expect_status(portcullis_hand_over(gate, 1, DESCRIPTOR, NULL), PORTCULLIS_ERROR_INDEX,
                  "hand over one too many");
    expect_status(portcullis_hand_over(NULL, 0, DESCRIPTOR, NULL), PORTCULLIS_ERROR_ARGUMENT,
                  "hand over without a state");
    gate = start_claimed("one-its.dtb");
    expect_status(portcullis_hand_over(gate, 0, DESCRIPTOR, NULL), PORTCULLIS_ERROR_ORDER,
                  "hand over for a host that is not trusted");
    gate = start("one-its.dtb");
    expect_status(portcullis_hand_over(gate, 0, DESCRIPTOR, NULL), PORTCULLIS_ERROR_ORDER,
                  "hand over before the claim");
    prepare("one-its.dtb");
    config.policy = PORTCULLIS_POLICY_HANDOVER;
    ops.host_donate = NULL;
    expect_status(init(&gate), PORTCULLIS_ERROR_ARGUMENT, "init for a handover without donations");
}

static void test_finalise(void) {
    struct its *its = machine.gic.its;
    expect_status(portcullis_finalise(NULL), PORTCULLIS_ERROR_ARGUMENT, "finalise without a state");
    gate = start("one-its.dtb");
    expect_status(portcullis_finalise(gate), PORTCULLIS_ERROR_ORDER, "finalise before the claim");
    gate = start_claimed("one-its.dtb");
    expect_status(portcullis_finalise(gate), PORTCULLIS_OK, "finalise without any trust");

    begin_trusted("two-its.dtb");
    expect_status(portcullis_finalise(gate), PORTCULLIS_ERROR_LIVE,
                  "finalise when a live ITS was not handed over");
    check(trap(gate, abort_syndrome(2, 0, 2), ITS0) == PORTCULLIS_TRAP_INJECTED &&
              refusal == PORTCULLIS_REFUSAL_NO_HANDLER,
          "nobody answers for it any more");
    expect_status(portcullis_hand_over(gate, 0, DESCRIPTOR, NULL), PORTCULLIS_ERROR_ORDER,
                  "hand over after the trust has ended");
    check(its[1].cbaser >> 63 && its[1].outside == 0 && counters(1).broken == 0,
          "an ITS that was disabled is set up from then on");
    put(UINT64_C(0x1008080000) + GITS_CBASER, VALID | QUEUE | 15);
    check(is_pool(its[1].cbaser & UINT64_C(0xffffffffff000), 0x10000),
          "and keeps its queue in the pool");
}

static void test_devices(void) {
    const struct its *its = machine.gic.its;
    start_smmu(PORTCULLIS_POLICY_HANDOVER | PORTCULLIS_POLICY_OWN_SMMUS);
    check(portcullis_claim(gate) == PORTCULLIS_OK, "the SMMU of a trusted host is taken over");
    drive_trusted();
    const uint64_t donated[] = {its->cbaser & 0xfffffffff000, its->baser[0] & 0xfffffffff000, DEVICE_TABLE & ~0xfffull};
    int reached[4] = {0};
    descriptor()->header.staging_queue = POOL_BASE;
    for (int step = 0; step < 4; step++) {
        // A handover that is refused behind its donations, one of which an SMMU does not confirm, and one that succeeds.
        if (step > 0) smmu.kept_count = 0;
        if (step == 2) descriptor()->header.staging_queue = STAGING, smmu.deaf = 1;
        const enum portcullis_status status = step ? portcullis_hand_over(gate, 0, DESCRIPTOR, NULL) : PORTCULLIS_OK;
        check(status == (step == 1 || step == 2 ? PORTCULLIS_ERROR_HANDOVER : PORTCULLIS_OK), "devices beside a handover: step %d", step);
        smmu.deaf = 0;
        for (int index = 0; index < 3; index++) reached[step] += dma_writes(0x10, donated[index]);
    }
    check(reached[0] == 3 && reached[1] == 3 && reached[2] == 3 && reached[3] == 0,
          "devices reach what a live ITS uses until that is donated: %d, %d, %d, %d", reached[0], reached[1], reached[2], reached[3]);
    struct portcullis_pages pages = {donated[0], 0x1000};
    expect_status(portcullis_took(gate, &pages), PORTCULLIS_ERROR_OWNER, "take what was donated");
}

void test_handover(void) {
    test_taken_over();
    test_devices();
    test_not_taken_over();
    test_finalise();
}
