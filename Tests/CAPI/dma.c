// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// DMA of devices behind an SMMU that Portcullis owns.

#include "dma.h"
#include "driver.h"
#include "portcullis_hypercalls.h"
#include "smmu.h"

#include <libfdt.h>
#include <stdio.h>
#include <string.h>

// Streams of devices, and one that no device has.
enum { STREAM = 0x10, OTHER = 0x12, STRANGER = 0x40 };
#define DOORBELL UINT64_C(0x8090000)
#define DEVICE UINT64_C(0xa000000)
#define PAGE_BYTES UINT64_C(0x1000)
// What another VM has, before the claim.
#define AWAY (HOST_BASE + 0xc0000)
// Where its memory begins now, and a page that the host may read alone.
static uint64_t away, read_only;

struct portcullis_smmus smmus;
struct portcullis_pages smmu_memory;

// All is the host's by this word, Portcullis's memory and registers too, but for what another VM has.
static uint32_t host_reach(void *context, uint64_t address, uint64_t *bytes) {
    (void)context;
    const uint64_t end = HOST_BASE + HOST_BYTES;
    const int is_away = address >= away && address < end;
    *bytes = address < away ? away - address : is_away ? end - address : (UINT64_C(1) << 48) - address;
    if (read_only && address <= read_only && *bytes > read_only - address) {
        *bytes = address == read_only ? PAGE_BYTES : read_only - address;
        if (address == read_only) return PORTCULLIS_KIND_READ;
    }
    return is_away ? 0 : PORTCULLIS_KIND_READ | PORTCULLIS_KIND_WRITE;
}

// The host may read some of its memory alone.
static uint32_t reach_read_only(void *context, uint64_t address, uint64_t *bytes) {
    const uint32_t kinds = host_reach(context, address, bytes);
    if (address >= HOST_BASE || *bytes <= HOST_BASE - address) return address >= HOST_BASE ? kinds & PORTCULLIS_KIND_READ : kinds;
    *bytes = HOST_BASE - address;
    return kinds;
}

static uint32_t no_answer(void *context, uint64_t address, uint64_t *bytes) {
    (void)context, (void)address, (void)bytes;
    return PORTCULLIS_KIND_READ | PORTCULLIS_KIND_WRITE;
}

static uint64_t shifted(void *context, uint64_t address) { return (void)context, address; }

void prepare_smmu(uint32_t policy) {
    prepare("smmu.dtb");
    away = AWAY;
    read_only = 0;
    config.policy = policy;
    config.pool.bytes = POOL_BYTES / 2;
    ops.host_reach = host_reach;
    smmu_memory = (struct portcullis_pages){POOL_BASE + POOL_BYTES / 2, portcullis_smmu_memory_size(1, policy | PORTCULLIS_POLICY_OWN_SMMUS, UINT64_C(0x40000000))};
    smmus = (struct portcullis_smmus){
        .size = sizeof smmus, .smmu_count = 1, .is_complete = 1,
        .smmu = {{.registers = {SMMU_BASE, 0x20000}, .streams_count = 2, .streams = {{STREAM, STREAM}, {OTHER, OTHER}}}},
    };
    // Words that would be descriptors of pages in EL2's memory.
    for (uint64_t at = 0; at < smmu_memory.bytes; at += 8) {
        const uint64_t word = POOL_BASE | 0x7ff;
        memcpy(memory_at(smmu_memory.base + at), &word, 8);
    }
    smmu.memory_base = smmu_memory.base;
    smmu.memory_bytes = smmu_memory.bytes;
    smmu_publish();
}

void start_smmu(uint32_t policy) {
    prepare_smmu(policy);
    if (init(&gate) || portcullis_add_smmus(gate, &smmus, &smmu_memory)) printf("# no SMMU: %s\n", machine.line);
}

static void claim_smmu(uint32_t policy, const char *what) {
    start_smmu(policy);
    const enum portcullis_status status = portcullis_claim(gate);
    check(status == PORTCULLIS_OK, "dma: claim, %s", what);
    if (status) printf("# %s\n", machine.line);
}

static uint64_t load_word(uint64_t address) {
    return trap(gate, abort_syndrome(2, 0, 2), address) == PORTCULLIS_TRAP_COMPLETED ? frame.x[2] : UINT64_MAX;
}

static int reaches(uint64_t address) { return dma_reads(STREAM, address) + dma_writes(STREAM, address) * 2; }

static void test_arguments(void) {
    prepare_smmu(PORTCULLIS_POLICY_OWN_SMMUS);
    init(&gate);
    expect_status(portcullis_claim(gate), PORTCULLIS_ERROR_ORDER, "dma: claim without the SMMUs that are to be owned");
#define WRONG(change, status, name)                                                              \
    do {                                                                                         \
        prepare_smmu(PORTCULLIS_POLICY_OWN_SMMUS);                                               \
        const size_t before = (init(&gate), portcullis_region_count(gate));                      \
        change;                                                                                  \
        expect_status(portcullis_add_smmus(gate, &smmus, &smmu_memory), status, "dma: " name);   \
        check(portcullis_region_count(gate) == before, "dma: no region is left: " name);         \
    } while (0)
    WRONG(smmus.size--, PORTCULLIS_ERROR_STRUCT_SIZE, "a struct that is too small");
    WRONG(smmus.smmu_count = 0, PORTCULLIS_ERROR_ARGUMENT, "no SMMU");
    WRONG(smmus.smmu_count = PORTCULLIS_SMMU_LIMIT + 1, PORTCULLIS_ERROR_ARGUMENT, "too many SMMUs");
    WRONG(smmus.smmu[0].streams_count = PORTCULLIS_STREAMS_LIMIT + 1, PORTCULLIS_ERROR_ARGUMENT, "too many streams");
    WRONG(smmus.smmu[0].streams[0].first++, PORTCULLIS_ERROR_ARGUMENT, "streams that end before they begin");
    WRONG(smmus.smmu[0].registers.bytes = 0x10000, PORTCULLIS_ERROR_ARGUMENT, "one page of registers");
    WRONG(smmus.smmu[0].registers.base++, PORTCULLIS_ERROR_ALIGNMENT, "misaligned registers");
    WRONG(smmus.smmu[0].registers.base = ITS0, PORTCULLIS_ERROR_OVERLAP, "the registers of an ITS");
    WRONG(smmus.smmu[0].registers.base = HOST_BASE, PORTCULLIS_ERROR_KIND, "registers in memory");
    WRONG(smmus.beside_count = PORTCULLIS_BESIDE_LIMIT + 1, PORTCULLIS_ERROR_ARGUMENT, "too much beside");
    WRONG((smmus.beside_count = 1, smmus.beside[0] = smmus.smmu[0].registers), PORTCULLIS_ERROR_OVERLAP, "registers twice");
    WRONG(smmu_memory.base += 0x1000, PORTCULLIS_ERROR_ALIGNMENT, "misaligned memory");
    WRONG(smmu_memory.bytes = 0, PORTCULLIS_ERROR_RANGE, "no memory");
    WRONG(smmu_memory.bytes = 0x50000, PORTCULLIS_ERROR_MEMORY, "too little memory");
    WRONG(smmu_memory.base = POOL_BASE, PORTCULLIS_ERROR_OVERLAP, "the memory of the ITSes");

    prepare_smmu(0);
    init(&gate);
    expect_status(portcullis_add_smmus(gate, &smmus, &smmu_memory), PORTCULLIS_ERROR_ORDER, "dma: SMMUs that are not to be owned");
    prepare_smmu(PORTCULLIS_POLICY_OWN_SMMUS);
    ops.host_reach = NULL;
    init(&gate);
    expect_status(portcullis_add_smmus(gate, &smmus, &smmu_memory), PORTCULLIS_ERROR_ARGUMENT, "dma: no host_reach");
    prepare_smmu(PORTCULLIS_POLICY_OWN_SMMUS);
    ops.host_physical = shifted;
    init(&gate);
    expect_status(portcullis_add_smmus(gate, &smmus, &smmu_memory), PORTCULLIS_ERROR_ARGUMENT, "dma: other addresses of the host");
    prepare_smmu(PORTCULLIS_POLICY_NEST_SMMUS);
    expect_status(init(&gate), PORTCULLIS_ERROR_ARGUMENT, "dma: SMMUs that are nested and not owned");
    start_smmu(PORTCULLIS_POLICY_OWN_SMMUS);
    expect_status(portcullis_add_smmus(gate, &smmus, &smmu_memory), PORTCULLIS_ERROR_ORDER, "dma: add SMMUs twice");
    expect_status(portcullis_add_smmus(gate, NULL, &smmu_memory), PORTCULLIS_ERROR_ARGUMENT, "dma: null");
    check(portcullis_smmu_memory_size(0, PORTCULLIS_POLICY_OWN_SMMUS, 0) == 0 &&
              portcullis_smmu_memory_size(17, PORTCULLIS_POLICY_OWN_SMMUS, 0) == 0 &&
              portcullis_smmu_memory_size(1, PORTCULLIS_POLICY_NEST_SMMUS, 0) == 0 &&
              portcullis_smmu_memory_size(2, PORTCULLIS_POLICY_OWN_SMMUS, 0) > portcullis_smmu_memory_size(1, PORTCULLIS_POLICY_OWN_SMMUS, 0),
          "dma: the recommended size of the memory");
}

static void test_snapshot(void) {
    claim_smmu(PORTCULLIS_POLICY_OWN_SMMUS, "devices see what the host does");
    check(reaches(HOST_BASE) == 3 && reaches(AWAY - 1) == 3 && reaches(DEVICE) == 3 && dma_writes(OTHER, HOST_BASE),
          "dma: devices reach what the host reaches");
    check(reaches(DOORBELL) == 2, "dma: devices ring the doorbell of the ITS, and don't read it");
    check(reaches(AWAY) == 0 && reaches(HOST_BASE + HOST_BYTES - 1) == 0, "dma: devices don't reach another VM");
    check(reaches(POOL_BASE) == 0 && reaches(POOL_BASE + POOL_BYTES / 2 - 1) == 0,
          "dma: devices don't reach the pool, whatever the embedder says");
    check(reaches(smmu_memory.base) == 0 && reaches(smmu_memory.base + smmu_memory.bytes - 1) == 0 &&
              reaches(smmu_memory.base + smmu_memory.bytes) == 3,
          "dma: devices don't reach the SMMU's memory");
    check(reaches(ITS0) == 0 && reaches(SMMU_BASE) == 0 && reaches(SMMU_BASE + 0x1f000) == 0 && reaches(machine.gic.redistributors) == 0,
          "dma: devices don't reach registers that are claimed");
    check(!dma_reads(STRANGER, HOST_BASE) && !dma_writes(STRANGER, HOST_BASE), "dma: a stream of no device reaches nothing");
    check((portcullis_uncovered(gate) & PORTCULLIS_UNCOVERED_IOMMU) == 0, "dma: IOMMUs are covered");
    frame.x[1] = 1;
    check(store(SMMU_BASE + 0x20, 2, 0) == PORTCULLIS_TRAP_INJECTED && refusal == PORTCULLIS_REFUSAL_DEVICE && reaches(AWAY) == 0,
          "dma: the host doesn't program the SMMU");

    start_smmu(PORTCULLIS_POLICY_OWN_SMMUS);
    check(reaches(POOL_BASE) == 3, "dma: before the claim devices reach the pool");
    prepare_smmu(PORTCULLIS_POLICY_OWN_SMMUS);
    smmus.is_complete = 0;
    init(&gate);
    portcullis_add_smmus(gate, &smmus, &smmu_memory);
    check(portcullis_claim(gate) == PORTCULLIS_OK && (portcullis_uncovered(gate) & PORTCULLIS_UNCOVERED_IOMMU),
          "dma: another IOMMU is not covered");
    prepare_smmu(PORTCULLIS_POLICY_OWN_SMMUS);
    ops.host_reach = no_answer;
    init(&gate);
    portcullis_add_smmus(gate, &smmus, &smmu_memory);
    check(portcullis_claim(gate) == PORTCULLIS_OK && reaches(HOST_BASE) == 0, "dma: an embedder that tells of no page has told of nothing");
    prepare_smmu(PORTCULLIS_POLICY_OWN_SMMUS);
    ops.host_reach = reach_read_only;
    init(&gate);
    portcullis_add_smmus(gate, &smmus, &smmu_memory);
    check(portcullis_claim(gate) == PORTCULLIS_OK && reaches(HOST_BASE) == 1 && reaches(DEVICE) == 3,
          "dma: what the host may read its devices may read");
}

static void test_moves(void) {
    claim_smmu(PORTCULLIS_POLICY_OWN_SMMUS, "pages move");
    struct portcullis_pages pages = {HOST_BASE + 0x20000, 2 * PAGE_BYTES};
    check(reaches(pages.base) == 3, "dma: a page that is to go");
    const int commands = smmu.commands;
    expect_status(portcullis_may_give_away(gate, &pages, NULL), PORTCULLIS_OK, "dma: give pages away");
    check(reaches(pages.base) == 0 && reaches(pages.base + PAGE_BYTES) == 0 && smmu.commands > commands,
          "dma: devices have lost them, what the SMMU had cached too");
    check(reaches(pages.base - 1) == 3 && reaches(pages.base + pages.bytes) == 3, "dma: and nothing beside them");
    pages.bytes = PAGE_BYTES;
    expect_status(portcullis_took(gate, &pages), PORTCULLIS_OK, "dma: take one back");
    check(reaches(pages.base) == 3 && reaches(pages.base + PAGE_BYTES) == 0, "dma: devices reach it again, and not the other");
    expect_status(portcullis_took(gate, &pages), PORTCULLIS_ERROR_OWNER, "dma: take it back twice");

    // Another VM's from before the claim.
    pages.base = AWAY;
    away = AWAY + 2 * PAGE_BYTES;
    expect_status(portcullis_took(gate, &pages), PORTCULLIS_OK, "dma: memory comes to the host for the first time");
    check(reaches(AWAY) == 3 && reaches(AWAY + PAGE_BYTES) == 0, "dma: devices reach it then");
    pages.base += PAGE_BYTES;
    expect_status(portcullis_may_give_away(gate, &pages, NULL), PORTCULLIS_OK, "dma: give away what the host never had");
    pages = (struct portcullis_pages){AWAY, 2 * PAGE_BYTES};
    expect_status(portcullis_took(gate, &pages), PORTCULLIS_ERROR_OWNER, "dma: memory that is away in part");
    pages = (struct portcullis_pages){AWAY + PAGE_BYTES, PAGE_BYTES};
    expect_status(portcullis_took(gate, &pages), PORTCULLIS_OK, "dma: take it, and one more that is new");
    check(reaches(AWAY) == 3 && reaches(AWAY + PAGE_BYTES) == 3 && reaches(AWAY + 2 * PAGE_BYTES) == 0, "dma: devices reach two pages");
    pages = (struct portcullis_pages){AWAY + PAGE_BYTES, 2 * PAGE_BYTES};
    expect_status(portcullis_took(gate, &pages), PORTCULLIS_ERROR_OWNER, "dma: memory that is the host's in part");
    pages = (struct portcullis_pages){POOL_BASE, PAGE_BYTES};
    expect_status(portcullis_took(gate, &pages), PORTCULLIS_ERROR_OWNER, "dma: take the pool");
    pages = smmu_memory;
    expect_status(portcullis_took(gate, &pages), PORTCULLIS_ERROR_OWNER, "dma: take the SMMU's memory");
    expect_status(portcullis_may_give_away(gate, &pages, NULL), PORTCULLIS_ERROR_OWNER, "dma: give the SMMU's memory away");
    pages = (struct portcullis_pages){DEVICE, PAGE_BYTES};
    expect_status(portcullis_took(gate, &pages), PORTCULLIS_ERROR_KIND, "dma: take registers");
    check(reaches(POOL_BASE) == 0 && reaches(smmu_memory.base) == 0, "dma: devices reach none of it");

    // What comes back for the host to read alone.
    pages = (struct portcullis_pages){HOST_BASE + 0x30000, 2 * PAGE_BYTES};
    portcullis_may_give_away(gate, &pages, NULL);
    read_only = pages.base + PAGE_BYTES;
    expect_status(portcullis_took(gate, &pages), PORTCULLIS_OK, "dma: take pages of which the host may not write one");
    check(reaches(pages.base) == 0 && reaches(read_only) == 0, "dma: devices don't write it: %s", machine.line);
    expect_status(portcullis_may_give_away(gate, &pages, NULL), PORTCULLIS_OK, "dma: give them away again");
    read_only = 0;
    expect_status(portcullis_took(gate, &pages), PORTCULLIS_OK, "dma: and take them to write");
    check(reaches(pages.base) == 3 && reaches(pages.base + PAGE_BYTES) == 3, "dma: devices reach both again");

    // A page that is in use stays with devices too.
    drive(ITS0);
    stage_mapc(0, 0);
    ring(ITS0);
    pages = (struct portcullis_pages){QUEUE, PAGE_BYTES};
    expect_status(portcullis_may_give_away(gate, &pages, NULL), PORTCULLIS_ERROR_HELD, "dma: give a page of the queue away");
    check(reaches(QUEUE) == 3, "dma: devices reach it still");
}

static void test_hardware(void) {
    claim_smmu(PORTCULLIS_POLICY_OWN_SMMUS, "hardware fails");
    struct portcullis_pages pages = {HOST_BASE + 0x20000, PAGE_BYTES};
    reaches(pages.base);
    smmu.deaf = 1;
    expect_status(portcullis_may_give_away(gate, &pages, NULL), PORTCULLIS_ERROR_SMMU, "dma: an SMMU that doesn't confirm");
    expect_status(portcullis_took(gate, &pages), PORTCULLIS_ERROR_OWNER, "dma: the page has stayed with the host");
    smmu.deaf = 0;
    smmu.kept_count = 0;
    check(reaches(pages.base) == 3, "dma: and with its devices");

    uint64_t value = 0;
    check(portcullis_read_statistic(gate, PORTCULLIS_STATISTIC_SMMUS, &value) == PORTCULLIS_OK && value == 1,
          "dma: the SMMUs are counted");
    smmu_record_fault(STREAM, POOL_BASE);
    check(portcullis_read_statistic(gate, PORTCULLIS_STATISTIC_DMA_ADDRESS, &value) == PORTCULLIS_OK && value == POOL_BASE &&
              strstr(machine.line, "DMA fault: SMMU 0 stream 0x10"),
          "dma: a fault is counted and logged: %s", machine.line);

    struct portcullis_problem problem = {.size = sizeof problem};
#define FAILS(policy, change, due, name)                                                                       \
    do {                                                                                                       \
        prepare_smmu(policy | PORTCULLIS_POLICY_OWN_SMMUS);                                                    \
        problem.address = problem.status = 0;                                                                  \
        config.problem = &problem;                                                                             \
        /* LPIs that are on, with tables in the host's memory. */                                              \
        machine.gic.redistributor[0].propbaser = (HOST_BASE + 0x60000) | 15;                                   \
        machine.gic.redistributor[0].pendbaser = HOST_BASE + 0x70000;                                          \
        machine.gic.redistributor[0].ctlr = 1;                                                                 \
        change;                                                                                                \
        init(&gate);                                                                                           \
        portcullis_add_smmus(gate, &smmus, &smmu_memory);                                                      \
        expect_status(portcullis_claim(gate), due, "dma: " name);                                              \
        check(is_untouched() && problem.status == due && problem.address == SMMU_BASE &&                       \
                  machine.gic.its->ctlr == 0 && machine.gic.its->baser[0] >> 63 == 0 &&                        \
                  machine.gic.its->cbaser >> 63 == 0 && (portcullis_uncovered(gate) & PORTCULLIS_UNCOVERED_IOMMU), \
              "dma: the host has all as before: " name);                                                       \
    } while (0)
    FAILS(0, smmu.silent = 1, PORTCULLIS_ERROR_SMMU, "claim an SMMU that doesn't answer");
    FAILS(0, smmu.not_coherent = 1, PORTCULLIS_ERROR_SMMU, "claim an SMMU that doesn't look into caches");
    FAILS(PORTCULLIS_POLICY_HANDOVER, smmu.deaf = 1, PORTCULLIS_ERROR_SMMU, "claim a deaf SMMU of a host whose LPIs are on");
    FAILS(0, smmu.deaf = 1, PORTCULLIS_ERROR_SMMU, "claim an SMMU that doesn't take commands");
    check(reaches(POOL_BASE) == 3, "dma: an SMMU that can't be driven is given back");
    smmu.deaf = 0;
    expect_status(portcullis_claim(gate), PORTCULLIS_OK, "dma: claim once it does");
    check(reaches(POOL_BASE) == 0 && reaches(HOST_BASE) == 3, "dma: then devices are confined");
    FAILS(0, (smmu.deaf = 1, smmu.registers[0x20 / 8] = UINT64_C(1) << 32 | 1), PORTCULLIS_ERROR_SMMU,
          "claim a deaf SMMU that translates for firmware");
    check(reaches(HOST_BASE) == 0, "dma: its devices reach nothing");
    smmu.deaf = 0;
    expect_status(portcullis_claim(gate), PORTCULLIS_ERROR_SMMU, "dma: it is not tried again");
    // An SMMU that can't split blocks takes a table for each 2 MiB of memory.
    FAILS(0, smmu_memory.bytes = 0x60000, PORTCULLIS_ERROR_POOL, "claim with too few tables");
    check(reaches(HOST_BASE) == 0, "dma: behind an SMMU that was begun devices reach nothing");
    expect_status(portcullis_claim(gate), PORTCULLIS_ERROR_SMMU, "dma: that is not tried again");
    FAILS(PORTCULLIS_POLICY_NEST_SMMUS, smmu.fails_late = 1, PORTCULLIS_ERROR_SMMU, "claim an SMMU that doesn't say what it is, in the end");
    check(reaches(HOST_BASE) == 0, "dma: its devices reach nothing either");
    // The other SMMU of the board has registers that are all zero.
    prepare_smmu(PORTCULLIS_POLICY_OWN_SMMUS);
    config.problem = &problem;
    smmus.smmu_count = 2;
    smmus.smmu[1] = smmus.smmu[0];
    smmus.smmu[1].registers.base = SMMU_BASE + 0x20000;
    smmu_memory.bytes += 0x10000;
    init(&gate);
    expect_status(portcullis_add_smmus(gate, &smmus, &smmu_memory), PORTCULLIS_OK, "dma: add two SMMUs");
    check(portcullis_claim(gate) == PORTCULLIS_ERROR_SMMU && problem.address == SMMU_BASE + 0x20000 && reaches(POOL_BASE) == 3,
          "dma: one of two that can't be driven: %s", machine.line);
}

static void test_streams(void) {
    // How many streams the stream table has room for, by the header.
    static const struct {
        uint32_t policy, last;
        enum portcullis_status status;
        const char *name;
    } cases[] = {
        {0, 131071, PORTCULLIS_OK, "131,071 is a stream"},
        {0, 131072, PORTCULLIS_ERROR_SMMU, "131,072 is none"},
        {PORTCULLIS_POLICY_NEST_SMMUS, 262143, PORTCULLIS_OK, "262,143 is a stream of an SMMU that the host sees"},
        {PORTCULLIS_POLICY_NEST_SMMUS, 262144, PORTCULLIS_ERROR_SMMU, "262,144 is none"},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        prepare_smmu(cases[index].policy | PORTCULLIS_POLICY_OWN_SMMUS);
        smmu_set_stream_bits(24);
        smmus.smmu[0].streams[0].last = cases[index].last;
        init(&gate);
        portcullis_add_smmus(gate, &smmus, &smmu_memory);
        const enum portcullis_status status = portcullis_claim(gate);
        check(status == cases[index].status && (status || dma_writes(cases[index].last, HOST_BASE)), "dma: %s", cases[index].name);
    }
}

static void test_beside(void) {
    static struct portcullis_smmus told;
    prepare_smmu(PORTCULLIS_POLICY_OWN_SMMUS);
    told = (struct portcullis_smmus){.size = sizeof told};
    portcullis_smmus_from_tree(tree, sizeof tree, 4096, &ops, &told);
    told.smmu[0].streams_count = 1;
    told.smmu[0].streams[0].first = told.smmu[0].streams[0].last = STREAM;
    init(&gate);
    const size_t before = portcullis_region_count(gate);
    expect_status(portcullis_add_smmus(gate, &told, &smmu_memory), PORTCULLIS_OK, "dma: add what a tree tells of");
    check(portcullis_region_count(gate) == before + 2 && portcullis_claim(gate) == PORTCULLIS_OK && reaches(HOST_BASE) == 3 &&
              reaches(0x9070000) == 0 && load_word(0x9070000) == UINT64_MAX && refusal == PORTCULLIS_REFUSAL_NO_HANDLER,
          "dma: what is beside the SMMU neither the host nor devices reach");
    prepare_smmu(PORTCULLIS_POLICY_OWN_SMMUS);
    told.smmu_count = 0;
    init(&gate);
    expect_status(portcullis_add_smmus(gate, &told, NULL), PORTCULLIS_OK, "dma: add what is beside no SMMU");
    expect_status(portcullis_add_smmus(gate, &told, NULL), PORTCULLIS_ERROR_ORDER, "dma: add it twice");
    check(portcullis_claim(gate) == PORTCULLIS_OK && load_word(0x9070000) == UINT64_MAX && reaches(POOL_BASE) == 3 &&
              (portcullis_uncovered(gate) & PORTCULLIS_UNCOVERED_IOMMU),
          "dma: the host has lost that, and no device anything");
}

static void test_nested(void) {
    claim_smmu(PORTCULLIS_POLICY_OWN_SMMUS | PORTCULLIS_POLICY_NEST_SMMUS, "the host sees an SMMU");
    check((load_word(SMMU_BASE) & 3) == 2, "dma: the host sees an SMMU with a stage 1 alone");
    check(reaches(HOST_BASE) == 3 && reaches(POOL_BASE) == 0, "dma: behind which devices are confined");
    uint64_t value = 0;
    check(portcullis_read_statistic(gate, PORTCULLIS_STATISTIC_VIRTUAL_SMMUS, &value) == PORTCULLIS_OK && value == 1,
          "dma: it is counted");
    // A command queue of the host, of 256 entries.
    put(SMMU_BASE + 0x90, (HOST_BASE + 0x30000) | 8);
    store(SMMU_BASE + 0x20, 2, 8);
    struct portcullis_pages pages = {HOST_BASE + 0x30000, PAGE_BYTES};
    uint64_t held = 0;
    check(portcullis_may_give_away(gate, &pages, &held) == PORTCULLIS_ERROR_HELD && held == pages.base && machine.shared > 0,
          "dma: a page of the SMMU's queue is held");
    store(SMMU_BASE + 0x20, 2, 0);
    expect_status(portcullis_may_give_away(gate, &pages, NULL), PORTCULLIS_OK, "dma: and no longer, once that is off");
    check(reaches(pages.base) == 0, "dma: devices have lost it");
    // EL2's memory is none for a queue, whoever shares it.
    machine.is_careless = 1;
    put(SMMU_BASE + 0x90, smmu_memory.base | 8);
    store(SMMU_BASE + 0x20, 2, 8);
    check(machine.shared == 0, "dma: the SMMU's own memory is no queue");
}

static void test_tree(void) {
    static struct portcullis_smmus told;
    static _Alignas(8) unsigned char written[0x12000];
    size_t size = 0;
    prepare_smmu(PORTCULLIS_POLICY_OWN_SMMUS);
    told = (struct portcullis_smmus){.size = sizeof told};
    expect_status(portcullis_smmus_from_tree(tree, sizeof tree, 4096, &ops, &told), PORTCULLIS_OK, "dma: SMMUs of a tree");
    check(told.smmu_count == 1 && told.smmu[0].registers.base == SMMU_BASE && told.smmu[0].registers.bytes == 0x20000 &&
              told.is_complete && told.beside_count == 1 && told.beside[0].base == 0x9070000,
          "dma: the one that is used, and beside it the one that is not");
    check(portcullis_write_host_tree(&config, NULL, 0, written, sizeof written, &size) == PORTCULLIS_OK &&
              fdt_node_offset_by_compatible(written, -1, "arm,smmu-v3") < 0,
          "dma: the host's tree has no SMMU");
    config.policy |= PORTCULLIS_POLICY_NEST_SMMUS;
    check(portcullis_write_host_tree(&config, NULL, 0, written, sizeof written, &size) == PORTCULLIS_OK &&
              fdt_node_offset_by_compatible(written, -1, "arm,smmu-v3") >= 0,
          "dma: but for a host that is to see one");
    config.policy = PORTCULLIS_POLICY_NEST_SMMUS;
    expect_status(portcullis_write_host_tree(&config, NULL, 0, written, sizeof written, &size), PORTCULLIS_ERROR_ARGUMENT,
                  "dma: a tree for SMMUs that are nested and not owned");
    prepare("dma-platform.dtb");
    expect_status(portcullis_smmus_from_tree(tree, sizeof tree, 4096, &ops, &told), PORTCULLIS_ERROR_BOARD,
                  "dma: an SMMU of the tree doesn't look into caches");
    prepare("one-its.dtb");
    check(portcullis_smmus_from_tree(tree, sizeof tree, 4096, &ops, &told) == PORTCULLIS_OK && told.smmu_count == 0,
          "dma: a tree without SMMUs");
    prepare_smmu(PORTCULLIS_POLICY_OWN_SMMUS);
    expect_status(portcullis_smmus_from_tree(tree, sizeof tree, 65536, &ops, &told), PORTCULLIS_OK, "dma: SMMUs of a tree with pages of 64 KiB");
    told.size--;
    expect_status(portcullis_smmus_from_tree(tree, sizeof tree, 4096, &ops, &told), PORTCULLIS_ERROR_STRUCT_SIZE, "dma: a list that is too small");
    told.size++;
    expect_status(portcullis_smmus_from_tree(tree, 8, 4096, &ops, &told), PORTCULLIS_ERROR_TREE, "dma: a tree that is cut");
}

void test_dma(void) {
    test_arguments();
    test_snapshot();
    test_moves();
    test_hardware();
    test_streams();
    test_beside();
    test_nested();
    test_tree();
}
