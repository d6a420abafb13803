// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#include "board.h"
#include "driver.h"
#include "portcullis_hypercalls.h"

#include <string.h>

static struct portcullis_board board;

static enum portcullis_status from_tree(void) {
    memset(&board, 0xa5, sizeof board);
    board.size = sizeof board;
    return portcullis_board_from_tree(tree, sizeof tree, config.page_size, config.policy, &ops, &board);
}

static enum portcullis_status init_board(void) {
    gate = NULL;
    // A tree is of no account.
    config.tree = NULL;
    config.tree_size = 0;
    return portcullis_init_board(memory, sizeof memory, &config, &board, &gate);
}

// The regions of a gate that is claimed, as one number.
static uint64_t regions(void) {
    uint64_t sum = (uint64_t)machine.revoked << 48;
    struct portcullis_region_info info = {.size = sizeof info};
    for (size_t index = 0; portcullis_region_at(gate, index, &info) == PORTCULLIS_OK; index++)
        sum = sum * 31 + (info.base ^ info.bytes << 8 ^ info.count);
    return sum;
}

static void test_trees(void) {
    static const char *const trees[] = {"one-its.dtb",   "odd-memory.dtb", "two-its.dtb",
                                        "eight-its.dtb", "no-its.dtb",     "disabled-its.dtb"};
    for (size_t index = 0; index < sizeof trees / sizeof *trees; index++) {
        // The Redistributors of the last one are not where the machine has them.
        const int leaves = strcmp(trees[index], "disabled-its.dtb") == 0;
        gate = leaves ? start_leaving(trees[index]) : start(trees[index]);
        portcullis_claim(gate);
        uint64_t due = regions();
        prepare(trees[index]);
        if (leaves) config.policy = PORTCULLIS_POLICY_LEAVE_REDISTRIBUTORS;
        enum portcullis_status status = from_tree();
        check(status == PORTCULLIS_OK && init_board() == PORTCULLIS_OK && portcullis_claim(gate) == PORTCULLIS_OK &&
                  regions() == due,
              "the board of a tree is what the tree is: %s", trees[index]);
    }
    prepare("one-its.dtb");
    from_tree();
    check(board.its_count == 1 && board.its[0].registers.base == ITS0 && board.its[0].registers.bytes == 0x20000 &&
              board.its[0].is_unused == 0 && board.distributor == 0x8000000,
          "it tells where the ITS and the Distributor are");
    check(board.redistributors_count == 1 && board.redistributors[0].registers.base == 0x80a0000 &&
              board.memory_count == 1 && board.memory[0].base == 0x80000000 && board.memory[0].bytes == 0x40000000,
          "and where Redistributors and memory are");
    prepare("disabled-its.dtb");
    from_tree();
    check(board.its_count == 2 && board.its[0].is_unused && board.its[1].is_unused, "an ITS that is disabled is not used");
    prepare("dma-noncoherent.dtb");
    from_tree();
    check(board.its[0].traits == PORTCULLIS_TRAIT_NOT_COHERENT, "an ITS that does not look into caches has that trait");
    prepare("refused.dtb");
    expect_status(from_tree(), PORTCULLIS_ERROR_BOARD, "the board of a tree that is refused");
    check(machine.lines > 0, "the log tells why");
    prepare("one-its.dtb");
    tree[0] ^= 1;
    expect_status(from_tree(), PORTCULLIS_ERROR_TREE, "the board of what is no tree");
}

// A board that a program knows.
static void known_board(void) {
    prepare("one-its.dtb");
    memset(&board, 0, sizeof board);
    board.size = sizeof board;
    board.distributor = 0x8000000;
    board.its_count = board.redistributors_count = board.memory_count = 1;
    board.its[0].registers = (struct portcullis_pages){ITS0, 0x20000};
    board.redistributors[0].registers = (struct portcullis_pages){0x80a0000, 0x100000};
    board.memory[0] = (struct portcullis_pages){0x80000000, 0x40000000};
}

static void test_known(void) {
    const struct its *its = machine.gic.its;
    for (uint32_t trait = 0; trait <= PORTCULLIS_TRAIT_NOT_COHERENT; trait++) {
        known_board();
        board.its[0].traits = trait;
        check(init_board() == PORTCULLIS_OK && portcullis_claim(gate) == PORTCULLIS_OK,
              "a board that is known is claimed%s", trait ? ", with a trait" : "");
        drive(ITS0);
        machine.cleans = 0;
        stage_mapc(0, 0);
        check(ring(ITS0) == PORTCULLIS_TRAP_COMPLETED && its->fetched_count == 1 && its->outside == 0 &&
                  (machine.cleans > 0) == (trait != 0),
              "its ITS is mediated%s", trait ? ", with its trait" : "");
    }
    known_board();
    board.its[0].is_unused = 1;
    board.its[1] = board.its[0];
    board.its_count = 2;
    expect_status(init_board(), PORTCULLIS_ERROR_BOARD, "init with one ITS twice");
    board.its[1].registers.base = UINT64_C(0x1008080000);
    init_board();
    check(portcullis_claim(gate) == PORTCULLIS_OK && portcullis_region_count(gate) == 2 &&
              trap(gate, abort_syndrome(3, 0, 1), ITS0) == PORTCULLIS_TRAP_INJECTED,
          "nobody answers for an ITS that is not used");
    known_board();
    board.distributor = 0;
    check(init_board() == PORTCULLIS_OK && portcullis_claim(gate) == PORTCULLIS_OK, "a board may be without a Distributor");
    known_board();
    board.redistributors_count = 0;
    // What nobody has begun is not looked at, whatever is in its place.
    for (size_t index = 0; index < sizeof memory; index++) memory[index] = (unsigned char)(index / 4);
    uint64_t value = 7;
    struct portcullis_pages away = {HOST_BASE, 0x1000};
    check(init_board() == PORTCULLIS_OK && portcullis_claim(gate) == PORTCULLIS_OK &&
              portcullis_read_statistic(gate, PORTCULLIS_STATISTIC_REDISTRIBUTORS, &value) == PORTCULLIS_OK && value == 0 &&
              portcullis_may_give_away(gate, &away, NULL) == PORTCULLIS_OK,
          "a board may be without Redistributors");
    check(portcullis_uncovered(gate) & PORTCULLIS_UNCOVERED_REDISTRIBUTORS, "and is told that they are not covered");
    known_board();
    board.its_count = 0;
    check(init_board() == PORTCULLIS_OK && portcullis_claim(gate) == PORTCULLIS_OK && portcullis_region_count(gate) == 0,
          "and without an ITS");
}

// Masters of DMA that nothing confines.
static void test_masters(void) {
    const uint64_t registers = 0xa040000;
    prepare("dma-platform.dtb");
    check(from_tree() == PORTCULLIS_OK && board.masters_count == 0 && machine.lines > 0 &&
              strstr(machine.line, "is not confined") != NULL,
          "masters that nothing confines are told of: %s", machine.line);
    const int told = machine.lines;
    prepare("dma-platform.dtb");
    config.policy = PORTCULLIS_POLICY_CLAIM_MASTERS;
    uint32_t found = 0, behind = 0;
    enum portcullis_status status = from_tree();
    for (uint32_t index = 0; index < board.masters_count; index++) {
        const struct portcullis_pages *pages = &board.masters[index];
        found += pages->base <= registers && registers < pages->base + pages->bytes;
        // Behind an SMMUv3, and behind an IOMMU of another kind: the embedder drives both.
        behind += pages->base <= 0xa000000 && 0xa000000 < pages->base + pages->bytes;
        behind += pages->base <= 0xa010000 && 0xa010000 < pages->base + pages->bytes;
    }
    check(status == PORTCULLIS_OK && found == 1 && behind == 0 && machine.lines == told,
          "by policy their registers are listed, and those of nobody who is behind an IOMMU");
    for (uint32_t count = 0; count < 2; count++) {
        known_board();
        board.masters[0] = (struct portcullis_pages){registers, 0x1000};
        board.masters_count = count;
        check(init_board() == PORTCULLIS_OK && portcullis_claim(gate) == PORTCULLIS_OK &&
                  portcullis_region_count(gate) == 1 + count,
              count ? "what is listed is claimed" : "what is not listed stays with the host");
        check(trap(gate, abort_syndrome(2, 1, 1), registers) ==
                      (count ? PORTCULLIS_TRAP_INJECTED : PORTCULLIS_TRAP_UNCLAIMED) &&
                  (!count || refusal == PORTCULLIS_REFUSAL_NO_HANDLER),
              count ? "and nobody answers there" : "and is no region");
    }
    known_board();
    board.masters_count = PORTCULLIS_BOARD_MASTER_LIMIT + 1;
    expect_status(init_board(), PORTCULLIS_ERROR_BOARD, "init with too many masters");
    known_board();
    board.masters[0] = (struct portcullis_pages){registers + 1, 0x1000};
    board.masters_count = 1;
    expect_status(init_board(), PORTCULLIS_ERROR_BOARD, "init with registers of a master that are no pages");
    known_board();
    board.masters[0] = (struct portcullis_pages){registers, 0x1000};
    board.masters_count = 1;
    config.page_size = 65536;
    expect_status(init_board(), PORTCULLIS_ERROR_BOARD, "init with registers of a master that share a page");
    check(strstr(machine.line, "share a page") != NULL, "the log tells where");
    known_board();
    board.masters[0] = (struct portcullis_pages){0x80000000, 0x1000};
    board.masters_count = 1;
    check(init_board() == PORTCULLIS_OK && portcullis_claim(gate) == PORTCULLIS_ERROR_KIND && is_untouched(),
          "memory is no register of a master");
}

static int leave_second(void *context, uint64_t control_frame) {
    (void)context;
    return control_frame == UINT64_C(0x1008080000);
}

static void expect_uncovered(uint32_t want, const char *name) {
    check(portcullis_uncovered(gate) == (PORTCULLIS_UNCOVERED_IOMMU | want), "not covered %s: %x", name,
          portcullis_uncovered(gate));
}

// What the library says that it does not cover.
static void test_uncovered(void) {
    check(portcullis_uncovered(NULL) == 0x3f, "without a state nothing is covered");
    gate = start("one-its.dtb");
    expect_uncovered(PORTCULLIS_UNCOVERED_LIVE, "before the claim is the ITS");
    machine.lines = 0;
    portcullis_claim(gate);
    expect_uncovered(0, "on a plain board is what IOMMUs confine");
    check(machine.lines > 1 && strncmp(machine.line, "not covered: DMA", 16) == 0, "the log tells of it: %s", machine.line);
    struct portcullis_region region = {.size = sizeof region, .base = 0x9010000, .bytes = 0x1000,
                                       .widths = PORTCULLIS_WIDTH_32, .kinds = PORTCULLIS_KIND_READ};
    for (int index = 0; index < 2; index++) {
        gate = start_leaving("one-its.dtb");
        region.handler = index ? PORTCULLIS_HANDLER_FORWARD : PORTCULLIS_HANDLER_NONE;
        portcullis_add_region(gate, &region);
        portcullis_claim(gate);
        expect_uncovered(PORTCULLIS_UNCOVERED_REDISTRIBUTORS | (index ? PORTCULLIS_UNCOVERED_FORWARDED : 0),
                         index ? "are Redistributors that are left, and what is forwarded" : "are Redistributors that are left");
    }
    prepare("two-its.dtb");
    config.leave_out = leave_second;
    init(&gate);
    portcullis_claim(gate);
    expect_uncovered(PORTCULLIS_UNCOVERED_LEFT_OUT, "is an ITS that is left out");
    prepare("one-its.dtb");
    config.policy = PORTCULLIS_POLICY_HANDOVER;
    init(&gate);
    portcullis_claim(gate);
    expect_uncovered(PORTCULLIS_UNCOVERED_LIVE, "is an ITS that is not handed over");
    portcullis_finalise(gate);
    expect_uncovered(0, "once the trust has ended is no ITS");
    prepare("dma-platform.dtb");
    check(from_tree() == PORTCULLIS_OK && board.is_confined == 0, "a board with a master that nothing confines says so");
    prepare("one-its.dtb");
    check(from_tree() == PORTCULLIS_OK && board.is_confined == 1, "and one without says so");
    for (uint32_t index = 0; index < 2; index++) {
        known_board();
        board.is_confined = index;
        init_board();
        portcullis_claim(gate);
        expect_uncovered(index ? 0 : PORTCULLIS_UNCOVERED_MASTERS,
                         index ? "are no masters where there are none" : "are masters that nobody knows of");
    }
}

static void test_errors(void) {
#define WRONG(change, name)                                 \
    known_board();                                          \
    change;                                                 \
    expect_status(init_board(), PORTCULLIS_ERROR_BOARD, "init with " name); \
    check(machine.lines > 0 && strncmp(machine.line, "board: ", 7) == 0, "the log tells of " name)
    WRONG(board.distributor += 0x1000, "a Distributor in the middle of its frame");
    WRONG(board.its[0].registers.base += 0x1000, "a misaligned ITS");
    WRONG(board.its[0].registers.bytes = 0, "an ITS without registers");
    WRONG(board.its[0].registers.bytes = 0x1000, "an ITS of one page");
    WRONG(board.its[0].registers.base = UINT64_C(1) << 52, "an ITS beyond all addresses");
    WRONG(board.its[0].registers.base = UINT64_C(0) - 0x10000, "an ITS that wraps");
    WRONG(board.its[0].traits = 4, "a trait that does not exist");
    WRONG(board.traits = 4, "a trait of the GIC that does not exist");
    WRONG(board.its[0].registers.base = 0x80a0000, "an ITS among Redistributors");
    WRONG(board.its[0].registers.base = 0x80000000, "an ITS in memory");
    WRONG(board.distributor = ITS0, "a Distributor that is an ITS");
    WRONG(board.redistributors[0].registers.bytes = 0x8000, "half a frame of a Redistributor");
    WRONG(board.redistributors[0].stride = 0x1000, "Redistributors that overlap");
    WRONG(board.redistributors[0].registers.bytes = UINT64_C(1) << 33, "more Redistributors than there may be");
    WRONG(board.memory[0].base += 8, "misaligned memory");
    WRONG(board.memory[0].bytes = 0, "memory that is none");
    WRONG(board.its_count = PORTCULLIS_BOARD_ITS_LIMIT + 1, "more ITSes than there is room for");
    WRONG(board.redistributors_count = PORTCULLIS_BOARD_RANGE_LIMIT + 1, "more Redistributors than there is room for");
    WRONG(board.memory_count = PORTCULLIS_BOARD_RANGE_LIMIT + 1, "more memory than there is room for");
    known_board();
    for (uint32_t index = 0; index <= PORTCULLIS_ITS_LIMIT; index++)
        board.its[index].registers = (struct portcullis_pages){UINT64_C(0x1000000000) + index * 0x20000, 0x20000};
    board.its_count = PORTCULLIS_ITS_LIMIT + 1;
    expect_status(init_board(), PORTCULLIS_ERROR_BOARD, "init with more ITSes than there may be");
    known_board();
    board.memory[1] = board.memory[0];
    board.memory_count = 2;
    expect_status(init_board(), PORTCULLIS_ERROR_BOARD, "init with memory twice");

    known_board();
    board.size--;
    expect_status(init_board(), PORTCULLIS_ERROR_STRUCT_SIZE, "init with a short board");
    expect_status(portcullis_board_from_tree(tree, sizeof tree, 4096, 0, &ops, &board), PORTCULLIS_ERROR_STRUCT_SIZE,
                  "a short board of a tree");
    known_board();
    expect_status(portcullis_init_board(memory, sizeof memory, &config, NULL, &gate), PORTCULLIS_ERROR_ARGUMENT,
                  "init without a board");
    expect_status(portcullis_board_from_tree(NULL, 1, 4096, 0, &ops, &board), PORTCULLIS_ERROR_ARGUMENT, "a board of no tree");
    expect_status(portcullis_board_from_tree(tree, sizeof tree, 4096, 0, NULL, &board), PORTCULLIS_ERROR_ARGUMENT,
                  "a board without operations");
    expect_status(portcullis_board_from_tree(tree, sizeof tree, 4095, 0, &ops, &board), PORTCULLIS_ERROR_ARGUMENT,
                  "a board with pages of no size");
    ops.size--;
    expect_status(from_tree(), PORTCULLIS_ERROR_STRUCT_SIZE, "a board with short operations");
}

void test_board(void) {
    test_trees();
    test_known();
    test_masters();
    test_uncovered();
    test_errors();
}
