// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#define _POSIX_C_SOURCE 200809L

#include "pages.h"
#include "driver.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

// What the other VM gets. The embedder of these tests is careless: its host_share agrees to all of the host's memory.
#define GUEST (HOST_BASE + 0xc0000)
#define GUEST_BYTES UINT64_C(0x20000)
static const struct portcullis_pages guest = {GUEST, GUEST_BYTES};

// Tables of LPIs with 16 bits of INTIDs, as the registers of a Redistributor name them.
#define CONFIGURATION (HOST_BASE + 0x60000)
#define PENDING (HOST_BASE + 0x70000)
#define FRAME UINT64_C(0x80a0000)
enum { GICR_CTLR = 0x0, GICR_PROPBASER = 0x70, GICR_PENDBASER = 0x78, ID_BITS = 15 };

static void enable_lpis(uint64_t configuration, uint64_t pending) {
    put(FRAME + GICR_PROPBASER, configuration | ID_BITS);
    put(FRAME + GICR_PENDBASER, pending);
    store(FRAME + GICR_CTLR, 2, 1);
}

// The host's queue at an address: the ITS is enabled, and has a command there.
static void queue_at(uint64_t address) {
    store(ITS0 + GITS_CTLR, 2, 0);
    put(ITS0 + GITS_CBASER, VALID | COHERENT | address);
    store(ITS0 + GITS_CTLR, 2, 1);
    staged = 0;
    stage_at(address);
    stage_mapc(0, 0);
    ring(ITS0);
}

static enum portcullis_status give(uint64_t base, uint64_t bytes, uint64_t *held) {
    const struct portcullis_pages pages = {base, bytes};
    return portcullis_may_give_away(gate, &pages, held);
}
static enum portcullis_status take(uint64_t base, uint64_t bytes) {
    const struct portcullis_pages pages = {base, bytes};
    return portcullis_took(gate, &pages);
}

static void expect_held(uint64_t base, uint64_t bytes, uint64_t want, const char *name) {
    uint64_t held = 0;
    int lines = machine.shared;
    check(give(base, bytes, &held) == PORTCULLIS_ERROR_HELD && held == want && machine.shared == lines,
          "not given away: %s", name);
    check(take(base, bytes) == PORTCULLIS_ERROR_OWNER, "and stays the host's: %s", name);
}

// What a host aims at the other VM, when the embedder has asked and when it has not.
static void test_aimed(void) {
    const struct its *its = machine.gic.its;
    const struct redistributor *hardware = machine.gic.redistributor;
    for (int asks = 1; asks >= 0; asks--) {
        const char *name = asks ? "is refused" : "lands, where nobody has asked";
        begin("one-its.dtb");
        if (asks) expect_status(give(GUEST, GUEST_BYTES, NULL), PORTCULLIS_OK, "give memory away");
        enable_lpis(CONFIGURATION, GUEST);
        check((hardware->ctlr & 1) != asks && (hardware->pendbaser == GUEST) != asks,
              "a pending table in the other VM %s", name);

        begin("one-its.dtb");
        if (asks) give(GUEST, GUEST_BYTES, NULL);
        // The last page alone is the other VM's.
        enable_lpis(GUEST - 0xd000, PENDING);
        check((hardware->ctlr & 1) != asks, "a configuration table that reaches into it %s", name);

        begin("one-its.dtb");
        if (asks) give(GUEST, GUEST_BYTES, NULL);
        machine.shared = 0;
        queue_at(GUEST + 0x1000);
        check((its->fetched_count == 1) != asks && (machine.shared == 1) != asks &&
                  (get(ITS0 + GITS_CREADR) == STALLED) == asks,
              "a queue in the other VM %s", name);

        prepare("one-its.dtb");
        machine.gic.its->typer |= 2;
        config.policy = PORTCULLIS_POLICY_VIRTUAL;
        init(&gate);
        portcullis_claim(gate);
        drive(ITS0);
        if (asks) give(GUEST, GUEST_BYTES, NULL);
        stage(0x29, 0, VALID, GUEST | 13);
        ring(ITS0);
        check(counters(0).refused_for[PORTCULLIS_COMMAND_NOT_HOST_MEMORY] == (uint64_t)asks &&
                  (its->fetched_count == 1) != asks,
              "a pending table of a vPE in the other VM %s", name);
    }
}

static void test_held(void) {
    gate = start_claimed("one-its.dtb");
    enable_lpis(CONFIGURATION, PENDING);
    expect_held(PENDING - 0x2000, 0x8000, PENDING, "a pending table");
    expect_held(CONFIGURATION + 0xd000, 0x2000, CONFIGURATION + 0xd000, "the last page of a configuration table");
    expect_status(give(CONFIGURATION + 0xe000, 0x2000, NULL), PORTCULLIS_OK, "give what is behind it away");
    expect_status(give(PENDING + 0x2000, 0x1000, NULL), PORTCULLIS_OK, "give what is behind the pending table away");

    begin("one-its.dtb");
    queue_at(QUEUE);
    expect_held(QUEUE, 0x1000, QUEUE, "a queue");
    expect_status(give(QUEUE, 0x1000, NULL), PORTCULLIS_ERROR_HELD, "give a queue away, without a place for the address");
    store(ITS0 + GITS_CTLR, 2, 0);
    put(ITS0 + GITS_CBASER, 0);
    expect_status(give(QUEUE, 0x1000, NULL), PORTCULLIS_OK, "give away what was a queue");
    queue_at(QUEUE);
    check(get(ITS0 + GITS_CREADR) == STALLED, "it is none any more");
    expect_status(take(QUEUE, 0x1000), PORTCULLIS_OK, "take it back");
    queue_at(QUEUE);
    check(get(ITS0 + GITS_CREADR) == staged && machine.shared == 1, "it is one again");

    // A page that is in use is told of, whatever is beside it.
    queue_at(POOL_BASE - 0x1000);
    expect_held(POOL_BASE - 0x1000, 0x2000, POOL_BASE - 0x1000, "a queue beside the pool");

    // The second ITS, of which the lock is another.
    begin("two-its.dtb");
    uint64_t second = UINT64_C(0x1008080000);
    drive(second);
    stage_mapc(0, 0);
    ring(second);
    expect_held(QUEUE + 0x3000, 0x1000, QUEUE + 0x3000, "the queue of a second ITS");

    prepare("one-its.dtb");
    machine.gic.its->typer |= 2;
    config.policy = PORTCULLIS_POLICY_VIRTUAL;
    init(&gate);
    portcullis_claim(gate);
    drive(ITS0);
    // 16 bits of vINTIDs take two pages.
    stage(0x29, 0, VALID, TABLE | 15);
    ring(ITS0);
    expect_held(TABLE + 0x1000, 0x1000, TABLE + 0x1000, "a pending table of a vPE");

    // What is left to the host nobody looks at.
    prepare("one-its.dtb");
    config.policy = PORTCULLIS_POLICY_LEAVE_REDISTRIBUTORS;
    init(&gate);
    portcullis_claim(gate);
    expect_status(give(PENDING, 0x1000, NULL), PORTCULLIS_OK, "give away without mediated Redistributors");
}

static void test_errors(void) {
    uint64_t held = 1;
    gate = start("one-its.dtb");
    expect_status(give(GUEST, 0x1000, NULL), PORTCULLIS_ERROR_ORDER, "give away before the claim");
    expect_status(take(GUEST, 0x1000), PORTCULLIS_ERROR_ORDER, "take back before the claim");
    gate = start_claimed("one-its.dtb");
    expect_status(portcullis_may_give_away(NULL, &guest, NULL), PORTCULLIS_ERROR_ARGUMENT, "give away without a state");
    expect_status(portcullis_may_give_away(gate, NULL, NULL), PORTCULLIS_ERROR_ARGUMENT, "give away without pages");
    expect_status(portcullis_took(NULL, &guest), PORTCULLIS_ERROR_ARGUMENT, "take back without a state");
    expect_status(portcullis_took(gate, NULL), PORTCULLIS_ERROR_ARGUMENT, "take back without pages");
    expect_status(give(GUEST + 8, 0x1000, NULL), PORTCULLIS_ERROR_ALIGNMENT, "give away from the middle of a page");
    expect_status(give(GUEST, 0x800, NULL), PORTCULLIS_ERROR_ALIGNMENT, "give half a page away");
    expect_status(give(GUEST, 0, NULL), PORTCULLIS_ERROR_RANGE, "give nothing away");
    expect_status(give(UINT64_MAX << 12, 0x1000, NULL), PORTCULLIS_ERROR_RANGE, "give the end of addresses away");
    expect_status(give(ITS0, 0x1000, NULL), PORTCULLIS_ERROR_KIND, "give registers away");
    expect_status(give(UINT64_C(0xbffff000), 0x2000, NULL), PORTCULLIS_ERROR_KIND, "give away more than there is");
    expect_status(give(POOL_BASE - 0x1000, 0x2000, NULL), PORTCULLIS_ERROR_OWNER, "give the pool away");
    expect_status(give(GUEST, GUEST_BYTES, &held), PORTCULLIS_OK, "give away");
    expect_status(give(GUEST + 0x1000, 0x1000, &held), PORTCULLIS_ERROR_OWNER, "give away again");
    expect_status(give(GUEST - 0x1000, 0x2000, &held), PORTCULLIS_ERROR_OWNER, "give away again, with a page before");
    check(held == 1, "no address is told where none is held");
    expect_status(take(GUEST - 0x1000, 0x2000), PORTCULLIS_ERROR_OWNER, "take back more than is away");
    expect_status(take(GUEST + 0x1000, 0x1000), PORTCULLIS_OK, "take a page back");
    expect_status(take(GUEST + 0x1000, 0x1000), PORTCULLIS_ERROR_OWNER, "take a page back again");
    expect_status(take(GUEST, 0x1000), PORTCULLIS_OK, "take the page before it back");
    expect_status(take(GUEST + 0x2000, GUEST_BYTES - 0x2000), PORTCULLIS_OK, "take the rest back");
    expect_status(take(POOL_BASE, 0x1000), PORTCULLIS_ERROR_OWNER, "take the pool back");

    prepare("one-its.dtb");
    config.page_size = 65536;
    init(&gate);
    portcullis_claim(gate);
    expect_status(give(GUEST + 0x1000, 0x10000, NULL), PORTCULLIS_ERROR_ALIGNMENT, "give away less than a page of 64 KiB");
    expect_status(give(GUEST, 0x10000, NULL), PORTCULLIS_OK, "give a page of 64 KiB away");
}

// Before a handover the hardware has tables of which nobody knows where they are.
static void test_trusted(void) {
    prepare("one-its.dtb");
    config.policy = PORTCULLIS_POLICY_HANDOVER;
    init(&gate);
    portcullis_claim(gate);
    expect_status(give(GUEST, 0x1000, NULL), PORTCULLIS_ERROR_ORDER, "give away while an ITS is forwarded");
    drive(ITS0);
    expect_status(portcullis_finalise(gate), PORTCULLIS_ERROR_LIVE, "finalise with a live ITS");
    expect_status(give(GUEST, 0x1000, NULL), PORTCULLIS_ERROR_LIVE, "give away beside a live ITS");
    expect_status(take(GUEST, 0x1000), PORTCULLIS_ERROR_OWNER, "nothing was given away");
}

// Memory of the state for what is away: two tables for an area of 128 MiB alone.
static void test_room(void) {
    int refused = 0, given = 0;
    for (size_t pages = 1; pages < 40 && !given; pages++) {
        prepare("one-its.dtb");
        size_t size = portcullis_state_size() - 144 * 4096 + pages * 4096;
        if (portcullis_init(memory, size, &config, &gate) || portcullis_claim(gate)) continue;
        enum portcullis_status status = give(UINT64_C(0xa0000000), 0x1000, NULL);
        refused += status == PORTCULLIS_ERROR_POOL;
        given = status == PORTCULLIS_OK;
        if (status == PORTCULLIS_ERROR_POOL && take(UINT64_C(0xa0000000), 0x1000) != PORTCULLIS_ERROR_OWNER) given = -1;
    }
    check(refused > 0 && given == 1, "a state without room for what is away says so");

    // What is taken back makes room: the tables are used again and again.
    int failures = take(UINT64_C(0xa0000000), 0x1000) != PORTCULLIS_OK;
    for (uint64_t round = 0; round < 2000; round++) {
        uint64_t base = UINT64_C(0xa0000000) + round % 4 * 0x8000000 + round * 0x1000;
        failures += give(base, 0x1000, NULL) != PORTCULLIS_OK || take(base, 0x1000) != PORTCULLIS_OK;
    }
    check(failures == 0, "pages go away and come back without end");
    gate = start_claimed("one-its.dtb");
    expect_status(give(UINT64_C(0x90000000), 0x30000000, NULL), PORTCULLIS_OK, "give 768 MiB away at once");
    expect_status(take(UINT64_C(0x90000000), 0x30000000), PORTCULLIS_OK, "take 768 MiB back at once");
}

// MARK: The race

// An embedder that gives memory away on one CPU while the host has it used for a queue on another: in the middle of
// the trap, behind all checks.
static struct race {
    pthread_t thread;
    int asks, has_begun, is_given, held_when_given;
    uint32_t held;
    enum portcullis_status status;
    int (*share)(void *context, const struct portcullis_pages *pages);
} race;

static void *give_in_race(void *unused) {
    (void)unused;
    __atomic_store_n(&race.has_begun, 1, __ATOMIC_SEQ_CST);
    race.status = race.asks ? give(GUEST, GUEST_BYTES, NULL) : PORTCULLIS_OK;
    // One that does not ask looks at its count of shares.
    int is_free = race.asks ? race.status == PORTCULLIS_OK : __atomic_load_n(&race.held, __ATOMIC_SEQ_CST) == 0;
    __atomic_store_n(&race.is_given, is_free, __ATOMIC_SEQ_CST);
    return NULL;
}

static int share_in_race(void *context, const struct portcullis_pages *pages) {
    if (pages->base == GUEST && !race.has_begun) {
        pthread_create(&race.thread, NULL, give_in_race, NULL);
        // The other CPU gets as far as it can.
        for (int round = 0; round < 50 && !__atomic_load_n(&race.is_given, __ATOMIC_SEQ_CST); round++)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    int status = race.share(context, pages);
    if (pages->base == GUEST && status == 0) __atomic_add_fetch(&race.held, 1, __ATOMIC_SEQ_CST);
    return status;
}

static void test_race(void) {
    for (int asks = 1; asks >= 0; asks--) {
        prepare("one-its.dtb");
        race = (struct race){.asks = asks, .share = ops.host_share};
        ops.host_share = share_in_race;
        init(&gate);
        portcullis_claim(gate);
        drive(ITS0);
        queue_at(GUEST);
        pthread_join(race.thread, NULL);
        check(race.held == 1 && race.is_given != asks,
              asks ? "memory that a trap is about to use is not given away"
                   : "one that does not ask gives away what is used a moment later");
        if (asks) expect_status(race.status, PORTCULLIS_ERROR_HELD, "give away in the middle of a trap");
    }
}

// The same for a second or so, without anybody who waits: one CPU gives a page away and takes it back, while on the
// other the host makes it its queue and lets go of it.
static struct stress {
    int stops, is_away, held, breaches, given;
    int (*share)(void *context, const struct portcullis_pages *pages);
    void (*unshare)(void *context, const struct portcullis_pages *pages);
} stress;

static int share_in_stress(void *context, const struct portcullis_pages *pages) {
    if (pages->base == GUEST) {
        if (__atomic_load_n(&stress.is_away, __ATOMIC_SEQ_CST)) __atomic_add_fetch(&stress.breaches, 1, __ATOMIC_SEQ_CST);
        __atomic_add_fetch(&stress.held, 1, __ATOMIC_SEQ_CST);
    }
    return stress.share(context, pages);
}
static void unshare_in_stress(void *context, const struct portcullis_pages *pages) {
    stress.unshare(context, pages);
    if (pages->base == GUEST) __atomic_sub_fetch(&stress.held, 1, __ATOMIC_SEQ_CST);
}

static void *give_often(void *unused) {
    (void)unused;
    while (!__atomic_load_n(&stress.stops, __ATOMIC_SEQ_CST)) {
        if (give(GUEST, 0x1000, NULL) != PORTCULLIS_OK) continue;
        __atomic_store_n(&stress.is_away, 1, __ATOMIC_SEQ_CST);
        stress.given++;
        if (__atomic_load_n(&stress.held, __ATOMIC_SEQ_CST)) __atomic_add_fetch(&stress.breaches, 1, __ATOMIC_SEQ_CST);
        __atomic_store_n(&stress.is_away, 0, __ATOMIC_SEQ_CST);
        take(GUEST, 0x1000);
    }
    return NULL;
}

static void test_stress(void) {
    pthread_t thread;
    int queues = 0;
    prepare("one-its.dtb");
    stress = (struct stress){.share = ops.host_share, .unshare = ops.host_unshare};
    ops.host_share = share_in_stress;
    ops.host_unshare = unshare_in_stress;
    init(&gate);
    portcullis_claim(gate);
    drive(ITS0);
    pthread_create(&thread, NULL, give_often, NULL);
    for (int round = 0; round < 3000; round++) {
        queue_at(GUEST);
        queues += get(ITS0 + GITS_CREADR) == staged;
        put(ITS0 + GITS_CTLR, 0);
        put(ITS0 + GITS_CBASER, 0);
        // Where one CPU is left for both.
        if (round % 100 == 0) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    __atomic_store_n(&stress.stops, 1, __ATOMIC_SEQ_CST);
    pthread_join(thread, NULL);
    check(queues > 0 && stress.given > 0 && stress.breaches == 0,
          "of a page that goes back and forth nobody has a queue while it is away");
    if (stress.breaches || !queues || !stress.given)
        printf("# %d queues, %d times away, %d breaches\n", queues, stress.given, stress.breaches);
}

void test_pages(void) {
    test_aimed();
    test_held();
    test_errors();
    test_trusted();
    test_room();
    test_race();
    test_stress();
}
