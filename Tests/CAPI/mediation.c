// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#include "mediation.h"
#include "driver.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_choices(void) {
    prepare("one-its.dtb");
#define CHOICE(member, wrong, status, name)      \
    prepare("one-its.dtb");                      \
    config.member = wrong;                       \
    expect_status(init(&gate), status, name)
    CHOICE(cpus, 0, PORTCULLIS_ERROR_ARGUMENT, "init for no CPU");
    CHOICE(cpus, 4097, PORTCULLIS_ERROR_ARGUMENT, "init for too many CPUs");
    CHOICE(policy, 128, PORTCULLIS_ERROR_ARGUMENT, "init with a policy that does not exist");
    CHOICE(pool.base, POOL_BASE + 0x1000, PORTCULLIS_ERROR_ALIGNMENT,
           "init with a misaligned pool");
    CHOICE(pool.bytes, 0x11000, PORTCULLIS_ERROR_ALIGNMENT,
           "init with a pool of a misaligned size");
    CHOICE(pool.bytes, 0, PORTCULLIS_ERROR_ITS_POOL, "init without a pool");
    CHOICE(pool.base, UINT64_C(1) << 48, PORTCULLIS_ERROR_RANGE, "init with a pool above 48 bits");
    CHOICE(pool.base, UINT64_MAX << 16, PORTCULLIS_ERROR_RANGE, "init with a pool that wraps");
    prepare("eight-its.dtb");
    config.pool.bytes = 0x70000;
    expect_status(init(&gate), PORTCULLIS_ERROR_ITS_POOL, "init with a pool of less than a part each");
    prepare("one-its.dtb");
    ops.cpu_index = NULL;
    expect_status(init(&gate), PORTCULLIS_ERROR_ARGUMENT, "init of several CPUs without their index");
    prepare("no-its.dtb");
    config.pool = (struct portcullis_pages){0, 0};
    expect_status(init(&gate), PORTCULLIS_OK, "init without a pool and without an ITS");

    check(portcullis_pool_size(0) == 0 && portcullis_pool_size(2) == 2 * portcullis_pool_size(1) &&
              portcullis_pool_size(1) % 0x10000 == 0,
          "the recommended pool is for each ITS");
    prepare("eight-its.dtb");
    config.pool.bytes = portcullis_pool_size(8);
    check(init(&gate) == PORTCULLIS_OK && portcullis_claim(gate) == PORTCULLIS_OK,
          "the recommended pool is enough for eight ITSes");
}

// Whether the hardware is off and holds no address.
static int is_reset(const struct its *its) {
    return its->ctlr == 0 && its->cbaser == 0 && its->baser[0] >> 63 == 0 && its->baser[1] >> 63 == 0;
}

static void test_claim_of_its(void) {
    struct its *its = machine.gic.its;
    gate = start("one-its.dtb");
    its->ctlr = 1;
    expect_status(portcullis_claim(gate), PORTCULLIS_OK, "claim an ITS that firmware has left on");
    check(its->ctlr == 0 && its->outside == 0 &&
              is_pool(its->cbaser & UINT64_C(0xffffffffff000), 0x10000) &&
              is_pool(its->baser[0] & UINT64_C(0xfffffffff000), 4096) &&
              is_pool(its->baser[1] & UINT64_C(0xfffffffff000), 4096),
          "it is off, and has a queue and tables of the pool");
    check(machine.mapped == 16 + REDISTRIBUTOR_REGION_PAGES && machine.el2_prepared == 0,
          "nothing of the GIC stays mapped but the control frame and the Redistributors");

#define FAILS(member, status, name)                                              \
    gate = start("one-its.dtb");                                                 \
    machine.gic.member = 1;                                                      \
    expect_status(portcullis_claim(gate), status, name);                         \
    check(is_untouched() && is_reset(its), "the host has all of it: " name);     \
    machine.gic.member = 0;                                                      \
    expect_status(portcullis_claim(gate), PORTCULLIS_OK, "claim after: " name)
    FAILS(its[0].silent, PORTCULLIS_ERROR_ITS, "claim an ITS that does not answer");
    FAILS(its[0].restless, PORTCULLIS_ERROR_ITS, "claim an ITS that does not come to rest");
    FAILS(its[0].refuses_queue, PORTCULLIS_ERROR_ITS, "claim an ITS that takes no queue");
    FAILS(its[0].refuses_tables, PORTCULLIS_ERROR_ITS, "claim an ITS that takes no tables");
    FAILS(silent_distributor, PORTCULLIS_ERROR_GIC, "claim when the Distributor is silent");
    FAILS(silent_redistributors, PORTCULLIS_ERROR_GIC, "claim when a Redistributor is silent");

    for (uint32_t size = 4096; size <= 65536; size *= 4) {
        prepare("one-its.dtb");
        config.page_size = size;
        init(&gate);
        check(portcullis_claim(gate) == PORTCULLIS_OK && machine.split_pages == 0,
              "with pages of %u bytes none of them is mapped in part", size);
    }

    gate = start("one-its.dtb");
    machine.refuse_gic = 1;
    expect_status(portcullis_claim(gate), PORTCULLIS_ERROR_EL2_REFUSED,
                  "claim when the Distributor cannot be mapped");
    check(is_untouched(), "a GIC that cannot be mapped leaves everything as it was");
    machine.refuse_gic = 0;
    machine.bad_address = 3;
    expect_status(portcullis_claim(gate), PORTCULLIS_ERROR_EL2_ADDRESS,
                  "claim when the Distributor is mapped to an address of no use");
    check(is_untouched(), "a useless address of it leaves everything as it was");

    prepare("one-its.dtb");
    config.pool.bytes = 0x20000;
    init(&gate);
    expect_status(portcullis_claim(gate), PORTCULLIS_ERROR_ITS_POOL, "claim with a small pool");
    check(is_untouched() && is_reset(its) && its->outside == 0,
          "a small pool leaves the host all of it");
    check(strcmp(machine.line, "ITS 0: its memory is too small") == 0,
          "the log tells why an ITS is not mediated");

    gate = start("two-its.dtb");
    machine.gic.its[1].silent = 1;
    expect_status(portcullis_claim(gate), PORTCULLIS_ERROR_ITS, "claim when the second is silent");
    check(is_untouched() && is_reset(its), "the first ITS is the host's again, and has no address");
    machine.gic.its[1].silent = 0;
    expect_status(portcullis_claim(gate), PORTCULLIS_OK, "claim both after that");

    gate = start("two-its.dtb");
    struct portcullis_region region = {
        .size = sizeof region, .base = 0x9100000, .bytes = 0x1000, .stride = 0x10000, .count = 2,
    };
    portcullis_add_region(gate, &region);
    expect_status(portcullis_claim(gate), PORTCULLIS_ERROR_EL2_ADDRESS,
                  "claim ITSes, and frames to EL2 addresses at other distances");
    check(is_untouched() && is_reset(its) && is_reset(its + 1),
          "no ITS is set up for a claim that fails");
}

// What a host does to an ITS whatever the tree says of it: aims its queue at EL2's memory.
static int aims_at_the_pool(void) {
    struct its *its = machine.gic.its;
    uint64_t value = VALID | POOL_BASE;
    if (store(ITS0 + GITS_CBASER, 3, value) == PORTCULLIS_TRAP_UNCLAIMED)
        gic_access(&machine.gic, ITS0 + GITS_CBASER, 1, &value);
    return its->cbaser == value;
}

static void test_disabled(void) {
    gate = start_leaving("disabled-its.dtb");
    expect_status(portcullis_claim(gate), PORTCULLIS_OK, "claim ITSes that the tree disables");
    check(machine.revoked == 32 && portcullis_region_count(gate) == 2, "the host loses both");
    check(!aims_at_the_pool() && refusal == PORTCULLIS_REFUSAL_NO_HANDLER,
          "the queue of a disabled ITS is not aimed at EL2's memory");
    struct portcullis_its_counters now = {.size = sizeof now};
    expect_status(portcullis_its_counters(gate, 0, &now), PORTCULLIS_ERROR_INDEX,
                  "counters of a disabled ITS");
    gate = start_leaving("no-its.dtb");
    portcullis_claim(gate);
    check(aims_at_the_pool(), "that of one that the tree does not tell of is");
}

// What is left out, by its address; all ITSes with 1.
static uint64_t left_out;
static int left_out_asked;
static int leave_out(void *context, uint64_t control_frame) {
    left_out_asked += context == &machine;
    return left_out == 1 || left_out == control_frame;
}

static enum portcullis_status init_without(const char *name, uint64_t its) {
    prepare(name);
    config.leave_out = leave_out;
    left_out = its;
    left_out_asked = 0;
    return init(&gate);
}

static void test_left_out(void) {
    struct its *its = machine.gic.its;
    const uint64_t second = UINT64_C(0x1008080000);
    struct portcullis_its_counters now = {.size = sizeof now};
    struct portcullis_region_info info = {.size = sizeof info};

    expect_status(init_without("two-its.dtb", second), PORTCULLIS_OK, "init without the second ITS");
    check(left_out_asked == 2, "it is asked once for each ITS");
    check(strcmp(machine.line, "left out: the ITS at 0x1008080000") == 0, "the log tells what is left out");
    its[1].ctlr = 1;
    expect_status(portcullis_claim(gate), PORTCULLIS_OK, "claim without the second ITS");
    check(machine.revoked == 16 + REDISTRIBUTOR_PAGES && its[1].ctlr == 1 && its[1].cbaser == 0 &&
              trap(gate, abort_syndrome(3, 0, 1), second) == PORTCULLIS_TRAP_UNCLAIMED,
          "it is not touched");
    expect_status(portcullis_its_counters(gate, 1, &now), PORTCULLIS_ERROR_INDEX, "counters of what is left out");

    expect_status(init_without("two-its.dtb", ITS0), PORTCULLIS_OK, "init without the first ITS");
    portcullis_claim(gate);
    check(portcullis_region_at(gate, 0, &info) == PORTCULLIS_OK && info.base == second &&
              portcullis_region_count(gate) == 1,
          "the second is the only one, and has the index 0");
    drive(second);
    stage_mapc(0, 0);
    check(ring(second) == PORTCULLIS_TRAP_COMPLETED && its[1].fetched_count == 1 && its[0].ctlr == 0 &&
              counters(0).accepted == 1,
          "it is mediated");

    init_without("two-its.dtb", 1);
    config.pool = (struct portcullis_pages){0, 0};
    expect_status(init(&gate), PORTCULLIS_OK, "init without any ITS, and without a pool");
    expect_status(portcullis_claim(gate), PORTCULLIS_OK, "claim without any ITS");
    check(machine.revoked == REDISTRIBUTOR_PAGES && portcullis_region_count(gate) == 0, "no ITS is taken");

    init_without("disabled-its.dtb", 0);
    const int asked = left_out_asked;
    init_without("disabled-its.dtb", 1);
    check(asked == 2 && left_out_asked == 2 && portcullis_region_count(gate) == 0,
          "ITSes that the tree disables are left out as well");
}

// One state for each of two VMs, which have an ITS each.
static void test_two_states(void) {
    static _Alignas(PORTCULLIS_STATE_ALIGNMENT) unsigned char other_memory[PORTCULLIS_STATE_SIZE];
    struct its *its = machine.gic.its;
    const uint64_t second = UINT64_C(0x1008080000);
    struct portcullis *other;
    init_without("two-its.dtb", second);
    portcullis_claim(gate);
    config.policy = PORTCULLIS_POLICY_LEAVE_REDISTRIBUTORS;
    config.pool.base += POOL_BYTES / 2;
    config.pool.bytes = POOL_BYTES / 2;
    left_out = ITS0;
    expect_status(portcullis_init(other_memory, sizeof other_memory, &config, &other), PORTCULLIS_OK,
                  "init of a second state");
    expect_status(portcullis_claim(other), PORTCULLIS_OK, "claim by a second state");
    drive(ITS0);
    stage_mapc(0, 0);
    ring(ITS0);
    struct portcullis *first = gate;
    gate = other;
    check(trap(gate, abort_syndrome(3, 0, 1), ITS0) == PORTCULLIS_TRAP_UNCLAIMED, "one VM's ITS is not the other's");
    drive(second);
    stage_mapc(1, 1);
    stage_mapc(2, 1);
    ring(second);
    check(its[0].fetched_count == 1 && its[1].fetched_count == 2 && counters(0).accepted == 2,
          "each state has its own ITS");
    gate = first;
    check(counters(0).accepted == 1, "and its own counters");
}

static void test_registers(void) {
    struct its *its = machine.gic.its;
    gate = start_claimed("one-its.dtb");
    uint64_t queue = its->cbaser, devices = its->baser[0], collections = its->baser[1];

    check(get(ITS0 + GITS_CTLR) == UINT64_MAX && trap(gate, abort_syndrome(2, 0, 2), ITS0) ==
              PORTCULLIS_TRAP_COMPLETED && frame.x[2] == VALID >> 32,
          "GITS_CTLR is 32 bits wide, quiescent and not enabled");
    /* EL2 has a table for 1024 collections: CIL, and CIDbits of 10 bits. */
    check(get(ITS0 + GITS_TYPER) == ((its->typer & ~(UINT64_C(0xf) << 32)) | UINT64_C(0x19) << 32),
          "GITS_TYPER is the hardware's, but for the collections that EL2 has room for");
    put(ITS0 + GITS_CBASER, VALID | QUEUE | 15);
    check(get(ITS0 + GITS_CBASER) == (VALID | QUEUE | 15) && its->cbaser == queue,
          "the host's queue is told to the host alone");
    store(ITS0 + GITS_BASER0, 2, TABLE & 0xffffffff);
    store(ITS0 + GITS_BASER0 + 4, 2, VALID >> 32 | TABLE >> 32);
    put(ITS0 + GITS_BASER1, VALID | POOL_BASE);
    check((get(ITS0 + GITS_BASER0) & ~(UINT64_C(0x71f) << 48)) == (VALID | TABLE) &&
              its->baser[0] == devices,
          "a table that is written in halves is told to the host alone");
    check((get(ITS0 + GITS_BASER1) & ~(UINT64_C(0x71f) << 48)) == (VALID | POOL_BASE) &&
              its->baser[1] == collections && its->outside == 0,
          "a table in memory of EL2 is not installed");
    uint64_t ignored = counters(0).ignored;
    check(put(ITS0 + 0xc000, 1) && get(ITS0 + 0xc000) == 0 && counters(0).ignored == ignored + 2,
          "what no register is reads as zero, ignores stores, and is counted");
    store(ITS0 + GITS_CTLR, 2, 1);
    check(its->ctlr == 1, "Enabled reaches the hardware");
    put(ITS0 + GITS_CBASER, VALID | TABLE);
    check(get(ITS0 + GITS_CBASER) == (VALID | QUEUE | 15), "an enabled ITS keeps its queue");
    check(trap(gate, abort_syndrome(1, 0, 2), ITS0) == PORTCULLIS_TRAP_INJECTED &&
              refusal == PORTCULLIS_REFUSAL_WIDTH,
          "a 16-bit load of an ITS is refused");
    check(trap(gate, abort_syndrome(2, 0, 1), ITS0 + 0x10040) == PORTCULLIS_TRAP_UNCLAIMED,
          "the doorbell of the devices is not claimed");
}

static void test_commands(void) {
    struct its *its = machine.gic.its;
    begin("one-its.dtb");
    machine.publishes = machine.cleans = 0;
    stage_mapd(7, TABLE + 0x20000);
    stage_mapc(0, 3);
    stage_mapti(7, 1, 8192);
    stage_inv(7, 1);
    stage_sync(3);
    check(ring(ITS0) == PORTCULLIS_TRAP_COMPLETED && its->fetched_count == 5,
          "five commands of the host reach the hardware with one doorbell");
    const uint64_t *mapd = its->fetched[0].words;
    check(mapd[0] == (0x08 | UINT64_C(7) << 32) && mapd[1] == 4 && mapd[2] >> 63 &&
              is_pool(mapd[2] & UINT64_C(0xfffffffffff00), 256),
          "a device gets a translation table of the pool, not of the host");
    check(fetched(its, 1, 0x09, 0, VALID | 3 << 16) &&
              fetched(its, 2, 0x0a | UINT64_C(7) << 32, UINT64_C(8192) << 32 | 1, 0) &&
              fetched(its, 3, 0x0c | UINT64_C(7) << 32, 1, 0) && fetched(its, 4, 0x05, 0, 3 << 16),
          "what names no memory reaches it as it is");
    check(get(ITS0 + GITS_CREADR) == staged, "GITS_CREADR says that all is done");
    struct portcullis_its_counters now = counters(0);
    check(now.accepted == 5 && now.doorbells == 1 && now.publications == 1 && now.broken == 0,
          "the counters tell of it");
    check(machine.publishes > 0 && machine.cleans == 0,
          "memory is published to an ITS that looks into caches");
    check(machine.shared == 16, "the queue is shared while it is in use");
    store(ITS0 + GITS_CTLR, 2, 0);
    put(ITS0 + GITS_CBASER, 0);
    check(machine.shared == 0, "and no longer");
    put(ITS0 + GITS_CBASER, VALID | QUEUE | 15);
    store(ITS0 + GITS_CTLR, 2, 1);
    /* Enabling looks into the host's tables, too. */
    machine.cleans = machine.host_cleans = 0;
    staged = 0;
    stage_inv(7, 1);
    stage_sync(3);
    ring(ITS0);
    check(machine.host_cleans == 2 && machine.cleans == 2 && machine.bad_cleans == 0,
          "of a queue that is written past the caches each command is cleaned before it is read");

    begin("dma-noncoherent.dtb");
    machine.cleans = machine.host_cleans = 0;
    stage_mapc(0, 0);
    ring(ITS0);
    check(its->fetched_count == 1 && machine.cleans > 0 && machine.bad_cleans == 0 &&
              machine.host_cleans == 0,
          "memory of the pool is cleaned for an ITS that does not look into caches");
}

static void test_refused_commands(void) {
    struct its *its = machine.gic.its;
    begin("one-its.dtb");
    machine.lines = 0;
    stage_mapc(0, 0);
    stage_mapc(1, REDISTRIBUTOR_COUNT);
    stage_mapti(9, 0, 8192);
    stage(0xff, 0, 0, 0);
    stage_mapd(7, TABLE);
    stage_mapti(7, 0, 8191);
    stage_mapti(7, 0, 1 << 16);
    stage_sync(0);
    check(ring(ITS0) == PORTCULLIS_TRAP_COMPLETED && its->fetched_count == 3 &&
              fetched(its, 0, 0x09, 0, VALID) && (its->fetched[1].words[0] & 0xff) == 0x08 &&
              fetched(its, 2, 0x05, 0, 0),
          "the hardware gets the permitted commands and no other");
    struct portcullis_its_counters now = counters(0);
    check(now.accepted == 3 && now.refused_for[PORTCULLIS_COMMAND_UNKNOWN_TARGET] == 1 &&
              now.refused_for[PORTCULLIS_COMMAND_DEVICE_NOT_MAPPED] == 1 &&
              now.refused_for[PORTCULLIS_COMMAND_RESERVED] == 1 &&
              now.refused_for[PORTCULLIS_COMMAND_INTERRUPT_OUT_OF_RANGE] == 2,
          "each refusal is counted by its reason");
    check(get(ITS0 + GITS_CREADR) == staged, "refused commands are skipped");
    check(machine.lines == 1 && strstr(machine.line, "ITS 0: command refused: ") == machine.line,
          "the log tells of the last one");

    prepare("one-its.dtb");
    config.policy = PORTCULLIS_POLICY_STALL;
    init(&gate);
    portcullis_claim(gate);
    drive(ITS0);
    stage_mapc(0, 0);
    stage(0xff, 0, 0, 0);
    stage_sync(0);
    ring(ITS0);
    check(get(ITS0 + GITS_CREADR) == (0x20 | STALLED) && its->fetched_count == 1,
          "a refused command stalls the queue where that is the policy");
    memset(memory_at(QUEUE + 0x20), 0, 32);
    staged = 0x20;
    stage_mapc(1, 1);
    staged = 0x60;
    check(store(ITS0 + GITS_CWRITER, 3, staged | 1) == PORTCULLIS_TRAP_COMPLETED &&
              its->fetched_count == 3 && get(ITS0 + GITS_CREADR) == 0x60,
          "Retry goes on with what the host has mended");
}

static void test_memory_of_others(void) {
    struct its *its = machine.gic.its;
    gate = start_claimed("one-its.dtb");
    put(ITS0 + GITS_CBASER, VALID | POOL_BASE);
    put(ITS0 + GITS_BASER0, VALID | TABLE);
    put(ITS0 + GITS_BASER1, VALID | TABLE);
    store(ITS0 + GITS_CTLR, 2, 1);
    uint64_t ignored = counters(0).ignored;
    put(ITS0 + GITS_CWRITER, 0x40);
    check(its->fetched_count == 0 && machine.shared == 0 && counters(0).ignored == ignored + 1 &&
              get(ITS0 + GITS_CREADR) == STALLED,
          "a queue in memory of EL2 is not read, and stalls");

    begin("one-its.dtb");
    stage_mapc(0, 3);
    machine.abort_memory = 1;
    check(ring(ITS0) == PORTCULLIS_TRAP_COMPLETED && its->fetched_count == 0 &&
              get(ITS0 + GITS_CREADR) == STALLED,
          "a queue that does not answer stalls");
    machine.abort_memory = 0;
    check(put(ITS0 + GITS_CWRITER, staged | 1) && its->fetched_count == 1 &&
              get(ITS0 + GITS_CREADR) == staged,
          "and goes on by Retry");
    check(its->outside == 0, "nothing that the hardware was told lies outside of the pool");
}

static void test_unfinished(void) {
    struct its *its = machine.gic.its;
    begin("one-its.dtb");
    stage_mapc(0, 0);
    for (int index = 0; index < 1500; index++) stage(0x0d, 0, 0, 0);
    check(ring(ITS0) == PORTCULLIS_TRAP_UNFINISHED &&
              frame.elr == 0x1000 && its->fetched_count < 1501,
          "a store with too much work for one trap runs again");
    int traps = 1;
    while (traps < 100 && ring(ITS0) == PORTCULLIS_TRAP_UNFINISHED) traps++;
    check(its->fetched_count == 1501 && traps < 10 &&
              frame.elr == 0x1004,
          "it is stepped over when all is done");
    check(get(ITS0 + GITS_CREADR) == staged && counters(0).accepted == 1501,
          "each command is carried out once");

    its->silent = 1;
    stage_mapc(1, 1);
    check(ring(ITS0) == PORTCULLIS_TRAP_COMPLETED && counters(0).broken == 1,
          "an ITS that answers with aborts is broken");
    its->silent = 0;
    stage_mapc(2, 2);
    ring(ITS0);
    check(its->fetched_count == 1501, "and gets no further command");
}

static void test_several(void) {
    struct its *its = machine.gic.its;
    uint64_t second = UINT64_C(0x1008080000);
    begin("two-its.dtb");
    drive(second);
    stage_mapc(5, 1);
    check(ring(second) == PORTCULLIS_TRAP_COMPLETED && its[0].fetched_count == 0 &&
              fetched(its + 1, 0, 0x09, 0, VALID | 1 << 16 | 5),
          "a command reaches the ITS that it was given to");
    check(counters(0).accepted == 0 && counters(1).accepted == 1, "each ITS has its own counters");
    uint64_t first_queue = its[0].cbaser & UINT64_C(0xffffffffff000);
    uint64_t second_queue = its[1].cbaser & UINT64_C(0xffffffffff000);
    check(second_queue - first_queue == POOL_BYTES / 2, "each ITS has its part of the pool");
}

static void test_virtual_interrupts(void) {
    struct its *its = machine.gic.its;
    for (uint32_t policy = 0; policy <= PORTCULLIS_POLICY_VIRTUAL; policy += PORTCULLIS_POLICY_VIRTUAL) {
        int offered = policy != 0;
        prepare("one-its.dtb");
        its->typer |= 2;
        config.policy = policy;
        init(&gate);
        portcullis_claim(gate);
        drive(ITS0);
        check((get(ITS0 + GITS_TYPER) >> 1 & 1) == (uint64_t)offered,
              "virtual interrupts are %s", offered ? "offered by policy" : "not offered");
        // VMAPP: vPE 0 with 14 bits of vINTIDs.
        stage(0x29, 0, VALID, TABLE | 13);
        ring(ITS0);
        struct portcullis_its_counters now = counters(0);
        check(now.refused_for[PORTCULLIS_COMMAND_VIRTUAL] == (uint64_t)!offered &&
                  now.accepted == (uint64_t)offered && machine.shared == (offered ? 18 : 16),
              "a vPE is %s", offered ? "mapped, with its table held" : "refused");
        stage(0x29, UINT64_C(1) << 32, VALID, POOL_BASE | 13);
        ring(ITS0);
        check(counters(0).refused_for[PORTCULLIS_COMMAND_NOT_HOST_MEMORY] == (uint64_t)offered,
              "a vPE with its table in memory of EL2 is %s", offered ? "refused for that" : "refused");
    }
}

static void test_counters(void) {
    struct portcullis_its_counters now = {.size = sizeof now};
    gate = start("one-its.dtb");
    expect_status(portcullis_its_counters(gate, 0, &now), PORTCULLIS_ERROR_ORDER,
                  "counters before the claim");
    gate = start_claimed("one-its.dtb");
    expect_status(portcullis_its_counters(gate, 0, &now), PORTCULLIS_OK, "counters of an ITS");
    expect_status(portcullis_its_counters(gate, 1, &now), PORTCULLIS_ERROR_INDEX,
                  "counters of one too many");
    expect_status(portcullis_its_counters(gate, SIZE_MAX, &now), PORTCULLIS_ERROR_INDEX,
                  "counters of the last index");
    expect_status(portcullis_its_counters(NULL, 0, &now), PORTCULLIS_ERROR_ARGUMENT,
                  "counters without a state");
    expect_status(portcullis_its_counters(gate, 0, NULL), PORTCULLIS_ERROR_ARGUMENT,
                  "counters without a place for them");
    now.size--;
    expect_status(portcullis_its_counters(gate, 0, &now), PORTCULLIS_ERROR_STRUCT_SIZE,
                  "counters into a short struct");
}

#define ROUNDS 200

// Rings the doorbell of a queue in which nothing is new, and looks where the hardware is.
static void *ring_often(void *result) {
    struct portcullis_frame own = {{0}, 0, 0};
    int *completed = result;
    for (int round = 0; round < ROUNDS; round++) {
        own.x[1] = staged;
        *completed += portcullis_handle_trap(gate, &own, abort_syndrome(3, 1, 1), ITS0 + GITS_CWRITER,
                                             ITS0 >> 12 << 4, NULL) ==
                      PORTCULLIS_TRAP_COMPLETED;
        own.x[2] = 0;
        *completed += portcullis_handle_trap(gate, &own, abort_syndrome(3, 0, 2), ITS0 + GITS_CREADR,
                                             ITS0 >> 12 << 4, NULL) ==
                          PORTCULLIS_TRAP_COMPLETED &&
                      own.x[2] == staged;
    }
    return NULL;
}

static void test_threads(void) {
    struct its *its = machine.gic.its;
    pthread_t threads[2];
    int completed[2] = {0, 0};
    begin("one-its.dtb");
    stage_mapc(0, 0);
    stage_sync(0);
    machine.is_watched = 1;
    for (int index = 0; index < 2; index++)
        pthread_create(&threads[index], NULL, ring_often, &completed[index]);
    for (int index = 0; index < 2; index++) pthread_join(threads[index], NULL);
    check(completed[0] == 2 * ROUNDS && completed[1] == 2 * ROUNDS,
          "two CPUs that trap on the same ITS at once are both answered");
    check(!machine.overlaps, "one of them is in it at a time");
    check(counters(0).doorbells == 2 * ROUNDS && counters(0).accepted == 2 &&
              its->fetched_count == 2,
          "no doorbell is lost, and no command is carried out twice");
}

// No operation may do this: the lock of one ITS is held, and that of another is asked for.
static int share_and_trap(void *context, const struct portcullis_pages *pages) {
    (void)context, (void)pages;
    get(UINT64_C(0x1008080000) + GITS_TYPER);
    return 0;
}

// What a process writes to standard error that drives an ITS, with `share` as its operation.
static size_t run_apart(int (*share)(void *, const struct portcullis_pages *), char *text, size_t size) {
    int ends[2];
    size_t length = 0;
    prepare("two-its.dtb");
    if (share) ops.host_share = share;
    if (init(&gate) != PORTCULLIS_OK || portcullis_claim(gate) != PORTCULLIS_OK || pipe(ends)) return 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        drive(ITS0);
        fputs("driven", stderr);
        _exit(0);
    }
    close(ends[1]);
    for (ssize_t more; (more = read(ends[0], text + length, size - 1 - length)) > 0;) length += (size_t)more;
    text[length] = 0;
    close(ends[0]);
    waitpid(child, NULL, 0);
    return length;
}

static void test_lock_order(void) {
    static char text[0x10000];
    check(run_apart(NULL, text, sizeof text) > 0 && strcmp(text, "driven") == 0,
          "a process of its own drives an ITS");
    check(run_apart(share_and_trap, text, sizeof text) > 0 && strstr(text, "lock order") && !strstr(text, "driven"),
          "a debug build stops where the lock of one ITS is asked for with another's held");
}

void test_mediation(void) {
    test_lock_order();
    test_choices();
    test_claim_of_its();
    test_disabled();
    test_left_out();
    test_two_states();
    test_registers();
    test_commands();
    test_refused_commands();
    test_memory_of_others();
    test_unfinished();
    test_several();
    test_virtual_interrupts();
    test_counters();
    test_threads();
}
