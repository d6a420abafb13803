// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// The C interface as an embedder uses it. Prints TAP version 14.

#include "board.h"
#include "calls.h"
#include "embedding.h"
#include "handover.h"
#include "host_tree.h"
#include "machine.h"
#include "mediation.h"
#include "pages.h"
#include "redistributors.h"
#include "statistics.h"
#include "dma.h"
#include "translated.h"

#include <libfdt.h>
#include <stdio.h>
#include <string.h>

// MARK: The callback of a region

struct call {
    int count, answer;
    uint64_t offset, value;
    uint32_t width, flags;
};

static int answer(void *context, uint64_t offset, uint32_t width, uint32_t flags,
                  uint64_t *value) {
    struct call *call = context;
    call->count++;
    call->offset = offset;
    call->width = width;
    call->flags = flags;
    if (flags & PORTCULLIS_ACCESS_WRITE) {
        call->value = *value;
    } else {
        *value = call->value;
    }
    return call->answer;
}

static struct portcullis_region region_at(uint64_t base) {
    return (struct portcullis_region){
        .size = sizeof(struct portcullis_region), .base = base, .bytes = 0x1000,
        .widths = PORTCULLIS_WIDTH_32, .kinds = PORTCULLIS_KIND_READ | PORTCULLIS_KIND_WRITE,
        .handler = PORTCULLIS_HANDLER_FORWARD,
    };
}

static void test_texts(void) {
    int distinct = 1, present = 1;
    for (int a = 0; a >= PORTCULLIS_ERROR_OWNER; a--) {
        const char *text = portcullis_strerror((enum portcullis_status)a);
        present &= text != NULL && *text != 0 && strcmp(text, "unknown status") != 0;
        for (int b = 0; b > a; b--)
            distinct &= strcmp(text, portcullis_strerror((enum portcullis_status)b)) != 0;
    }
    check(present, "every status has a text");
    check(distinct, "no two statuses have the same text");
    check(strcmp(portcullis_strerror((enum portcullis_status)-999), "unknown status") == 0,
          "an unknown status has a text");
}

static void test_init(void) {
    check(portcullis_state_size() <= PORTCULLIS_STATE_SIZE, "the constant size is large enough");
    check(portcullis_state_alignment() <= PORTCULLIS_STATE_ALIGNMENT,
          "the constant alignment is large enough");

    struct portcullis *gate = NULL;
    prepare("one-its.dtb");
    expect_status(portcullis_init(memory, portcullis_state_size(), &config, &gate), PORTCULLIS_OK,
                  "init with the recommended size");
    check(portcullis_region_count(gate) == 1, "the ITS of the tree is registered");
    check(machine.revoked == 0 && machine.mapped == 0, "init takes nothing from the host");
    check(portcullis_version() == PORTCULLIS_VERSION, "the library tells its version");
    config.version = PORTCULLIS_VERSION + 1;
    expect_status(init(&gate), PORTCULLIS_ERROR_VERSION, "init with the header of another version");
    config.version = PORTCULLIS_VERSION;
    expect_status(portcullis_init(NULL, sizeof memory, &config, &gate), PORTCULLIS_ERROR_ARGUMENT,
                  "init without memory");
    expect_status(portcullis_init(memory, sizeof memory, NULL, &gate), PORTCULLIS_ERROR_ARGUMENT,
                  "init without a configuration");
    expect_status(portcullis_init(memory, sizeof memory, &config, NULL), PORTCULLIS_ERROR_ARGUMENT,
                  "init without a place for the state");
    expect_status(portcullis_init(memory + 8, sizeof memory - 8, &config, &gate),
                  PORTCULLIS_ERROR_MEMORY, "init in memory that is not aligned");
    expect_status(portcullis_init(memory, 64, &config, &gate), PORTCULLIS_ERROR_MEMORY,
                  "init in memory that is too small");
    expect_status(portcullis_init(memory, 0, &config, &gate), PORTCULLIS_ERROR_MEMORY,
                  "init in no memory");

    prepare("one-its.dtb");
    config.size--;
    expect_status(init(&gate), PORTCULLIS_ERROR_STRUCT_SIZE, "init with a short configuration");
    prepare("one-its.dtb");
    ops.size--;
    expect_status(init(&gate), PORTCULLIS_ERROR_STRUCT_SIZE, "init with a short table");
    prepare("one-its.dtb");
    config.size += 8;
    ops.size += 8;
    expect_status(init(&gate), PORTCULLIS_OK, "init with structs of a later header");
    prepare("one-its.dtb");
    config.ops = NULL;
    expect_status(init(&gate), PORTCULLIS_ERROR_ARGUMENT, "init without a table");
    prepare("one-its.dtb");
    config.tree = NULL;
    expect_status(init(&gate), PORTCULLIS_ERROR_ARGUMENT, "init without a tree");
    prepare("one-its.dtb");
    config.page_size = 8192;
    expect_status(init(&gate), PORTCULLIS_ERROR_ARGUMENT, "init with a page size that does not exist");
    prepare("one-its.dtb");
    config.features = 0x20;
    expect_status(init(&gate), PORTCULLIS_ERROR_ARGUMENT, "init with a feature that does not exist");
    prepare("one-its.dtb");
    ops.log = NULL;
    ops.cpu_index = NULL;
    config.cpus = 1;
    expect_status(init(&gate), PORTCULLIS_OK, "init without the optional operations");

#define MISSING(operation)                                                                \
    prepare("one-its.dtb");                                                               \
    ops.operation = NULL;                                                                 \
    expect_status(init(&gate), PORTCULLIS_ERROR_ARGUMENT, "init without " #operation)
    MISSING(host_prepare);
    MISSING(host_commit);
    MISSING(host_abort);
    MISSING(el2_prepare);
    MISSING(el2_commit);
    MISSING(el2_abort);
    MISSING(el2_unmap);
    MISSING(device_read);
    MISSING(device_write);
    MISSING(order_accesses);
    MISSING(host_share);
    MISSING(host_unshare);
    MISSING(host_read);
    MISSING(host_write);
    MISSING(clean);
    MISSING(publish);
    MISSING(register_read);
    MISSING(register_write);

    prepare("one-its.dtb");
    config.tree_size = 40;
    expect_status(init(&gate), PORTCULLIS_ERROR_TREE, "init with a tree that is cut off");
    prepare("one-its.dtb");
    config.tree_size = 0;
    expect_status(init(&gate), PORTCULLIS_ERROR_TREE, "init with a tree of no bytes");
    prepare("one-its.dtb");
    tree[0] ^= 1;
    expect_status(init(&gate), PORTCULLIS_ERROR_TREE, "init with another magic");
    prepare("refused.dtb");
    expect_status(init(&gate), PORTCULLIS_ERROR_BOARD, "init on a board that cannot be protected");
    check(machine.lines > 0 && strstr(machine.line, "device tree: ") == machine.line,
          "the log tells why the board is refused");
    check(portcullis_region_count(start("eight-its.dtb")) == 8, "eight ITSes are registered");
    check(portcullis_region_count(start("no-its.dtb")) == 0, "a board may be without an ITS");
}

static void test_add_region(void) {
    struct portcullis *gate = start("one-its.dtb");
    struct portcullis_region region = region_at(0x9010000);
    expect_status(portcullis_add_region(NULL, &region), PORTCULLIS_ERROR_ARGUMENT,
                  "add without a state");
    expect_status(portcullis_add_region(gate, NULL), PORTCULLIS_ERROR_ARGUMENT,
                  "add without a region");
    region.size--;
    expect_status(portcullis_add_region(gate, &region), PORTCULLIS_ERROR_STRUCT_SIZE,
                  "add a short region");
#define WRONG(member, wrong, status, name)  \
    region = region_at(0x9010000);          \
    region.member = wrong;                  \
    expect_status(portcullis_add_region(gate, &region), status, name)
    WRONG(base, 0x9010800, PORTCULLIS_ERROR_ALIGNMENT, "add a misaligned base");
    WRONG(bytes, 0x800, PORTCULLIS_ERROR_ALIGNMENT, "add a misaligned size");
    WRONG(bytes, 0, PORTCULLIS_ERROR_RANGE, "add an empty region");
    WRONG(base, UINT64_C(0xfffffffffffff000), PORTCULLIS_ERROR_RANGE, "add the last page of 64 bits");
    WRONG(base, UINT64_C(1) << 48, PORTCULLIS_ERROR_RANGE, "add a region above 48 bits");
    WRONG(bytes, UINT64_C(0xfffffffffffff000), PORTCULLIS_ERROR_RANGE, "add a region that wraps");
    WRONG(base, 0x8080000, PORTCULLIS_ERROR_OVERLAP, "add a page of the ITS");
    WRONG(base, 0x80000000, PORTCULLIS_ERROR_KIND, "add a page of memory");
    WRONG(widths, 0x10, PORTCULLIS_ERROR_ARGUMENT, "add a width that does not exist");
    WRONG(kinds, 4, PORTCULLIS_ERROR_ARGUMENT, "add a kind that does not exist");
    WRONG(callback, answer, PORTCULLIS_ERROR_ARGUMENT, "add a forwarded region with a callback");
    WRONG(handler, PORTCULLIS_HANDLER_CALLBACK, PORTCULLIS_ERROR_ARGUMENT,
          "add a callback region without one");
    WRONG(handler, (enum portcullis_handler)7, PORTCULLIS_ERROR_ARGUMENT,
          "add a handler that does not exist");
    check(portcullis_region_count(gate) == 1, "what was refused is not registered");

    gate = start_leaving("one-its.dtb");
    enum portcullis_status status = PORTCULLIS_OK;
    for (uint64_t index = 1; index < PORTCULLIS_REGION_LIMIT; index++) {
        region = region_at(0x9010000 + index * 0x1000);
        if (!status) status = portcullis_add_region(gate, &region);
    }
    expect_status(status, PORTCULLIS_OK, "add as many as there may be");
    region = region_at(0xa000000);
    expect_status(portcullis_add_region(gate, &region), PORTCULLIS_ERROR_FULL, "add one more");
    expect_status(portcullis_claim(gate), PORTCULLIS_OK, "claim as many as there may be");
    check(machine.revoked == 16 + PORTCULLIS_REGION_LIMIT - 1, "the host has lost all their pages");

    gate = start("one-its.dtb");
    status = PORTCULLIS_OK;
    for (uint64_t index = 1; index < PORTCULLIS_REGION_LIMIT; index++) {
        region = region_at(0x9010000 + index * 0x1000);
        if (!status) status = portcullis_add_region(gate, &region);
    }
    expect_status(status, PORTCULLIS_OK, "add as many as there may be, Redistributors not counted");
    expect_status(portcullis_claim(gate), PORTCULLIS_ERROR_FULL, "claim those and the Redistributors");
    check(is_untouched(), "too many regions leave everything as it was");

    prepare("one-its.dtb");
    config.page_size = 65536;
    gate = NULL;
    expect_status(portcullis_init(memory, sizeof memory, &config, &gate), PORTCULLIS_OK,
                  "init with 64 KiB pages");
    region = region_at(0x9011000);
    expect_status(portcullis_add_region(gate, &region), PORTCULLIS_ERROR_ALIGNMENT,
                  "add a 4 KiB page to 64 KiB pages");
}

static uint64_t typer_of(struct portcullis *gate) {
    frame.x[2] = 0;
    trap(gate, abort_syndrome(3, 0, 2), 0x8080008);
    return frame.x[2];
}

static void test_claim(void) {
    expect_status(portcullis_claim(NULL), PORTCULLIS_ERROR_ARGUMENT, "claim without a state");
    struct portcullis *gate = start("two-its.dtb");
    machine.refuse_host = 1;
    expect_status(portcullis_claim(gate), PORTCULLIS_ERROR_HOST_REFUSED, "claim");
    check(is_untouched(), "a refusal of stage 2 leaves everything as it was");
    machine.refuse_host = 0;
    machine.refuse_el2 = 1;
    expect_status(portcullis_claim(gate), PORTCULLIS_ERROR_EL2_REFUSED, "claim");
    check(is_untouched(), "a refusal of EL2's translation leaves everything as it was");
    machine.refuse_el2 = 0;
    machine.bad_address = 1;
    expect_status(portcullis_claim(gate), PORTCULLIS_ERROR_EL2_ADDRESS, "claim");
    check(is_untouched(), "a useless address leaves everything as it was");
    check(trap(gate, abort_syndrome(2, 0, 0), 0x8080000) == PORTCULLIS_TRAP_NOT_READY,
          "no trap is answered before the claim");
    machine.bad_address = 0;
    expect_status(portcullis_claim(gate), PORTCULLIS_OK, "claim after three failures");
    check(machine.revoked == 32 + REDISTRIBUTOR_PAGES &&
              machine.mapped == 32 + REDISTRIBUTOR_REGION_PAGES && machine.host_prepared == 0 &&
              machine.el2_prepared == 0,
          "the control frames of both ITSes are taken and mapped");
    expect_status(portcullis_claim(gate), PORTCULLIS_ERROR_ORDER, "claim again");
    struct portcullis_region region = region_at(0x9010000);
    expect_status(portcullis_add_region(gate, &region), PORTCULLIS_ERROR_ORDER,
                  "add after the claim");

    gate = start_leaving("one-its.dtb");
    machine.bad_address = machine.refuse_grant = 1;
    expect_status(portcullis_claim(gate), PORTCULLIS_ERROR_STUCK, "claim and be stuck");
    check(machine.revoked == 16, "pages that are stuck stay out of the host's reach");
    machine.bad_address = machine.refuse_grant = 0;
    expect_status(portcullis_claim(gate), PORTCULLIS_ERROR_ORDER, "claim when stuck");
    check(trap(gate, abort_syndrome(2, 0, 0), 0x8080000) == PORTCULLIS_TRAP_NOT_READY,
          "no trap is answered when stuck");

    // The smallest memory, page by page, until it is enough.
    int too_small = 0, too_few = 0, leaks = 0;
    size_t size;
    for (size = PORTCULLIS_STATE_ALIGNMENT; size <= sizeof memory; size += 4096) {
        prepare("one-its.dtb");
        enum portcullis_status status = portcullis_init(memory, size, &config, &gate);
        if (status == PORTCULLIS_ERROR_MEMORY) {
            too_small++;
            continue;
        }
        if (status == PORTCULLIS_OK) status = portcullis_claim(gate);
        if (status == PORTCULLIS_OK) break;
        too_few += status == PORTCULLIS_ERROR_POOL;
        leaks += !is_untouched();
    }
    check(too_small > 0 && too_few > 0 && size < sizeof memory, "a small memory is refused: %s",
          portcullis_strerror(PORTCULLIS_ERROR_POOL));
    check(leaks == 0, "a claim without memory to keep track leaves everything as it was");
    struct portcullis_sizes sizes = {.size = sizeof sizes};
    check(portcullis_measure(gate, &sizes) == PORTCULLIS_OK && sizes.state_bytes == size,
          "measure: the smallest memory is what is in use: %llu of %zu", (unsigned long long)sizes.state_bytes, size);
    gate = start("one-its.dtb");
    expect_status(portcullis_measure(gate, &sizes), PORTCULLIS_ERROR_ORDER, "measure before the claim");
    check(portcullis_claim(gate) == PORTCULLIS_OK && portcullis_measure(gate, &sizes) == PORTCULLIS_OK && sizes.state_bytes == size,
          "measure: more memory does not make it more");
    const uint64_t least = sizes.pool_bytes;
    for (config.pool.bytes = 0x10000; config.pool.bytes < POOL_BYTES; config.pool.bytes += 0x10000)
        if (init(&gate) == PORTCULLIS_OK && portcullis_claim(gate) == PORTCULLIS_OK) break;
    check(config.pool.bytes == least, "measure: the smallest pool is what is in use: %llu of %llu", (unsigned long long)least,
          (unsigned long long)config.pool.bytes);
    // A table of one level is at most half of what an ITS gets, and tells the host how many devices there are.
    prepare("one-its.dtb");
    machine.gic.its->is_flat = 1;
    init(&gate);
    portcullis_claim(gate);
    const uint64_t type = typer_of(gate);
    check(portcullis_measure(gate, &sizes) == PORTCULLIS_OK, "measure an ITS with a table of one level");
    config.pool.bytes = sizes.pool_bytes;
    check(init(&gate) == PORTCULLIS_OK && portcullis_claim(gate) == PORTCULLIS_OK && typer_of(gate) == type &&
              portcullis_measure(gate, &sizes) == PORTCULLIS_OK && sizes.pool_bytes == config.pool.bytes,
          "measure: with the smallest pool the ITS is the same");
    config.pool.bytes -= 0x10000;
    check(init(&gate) != PORTCULLIS_OK || portcullis_claim(gate) != PORTCULLIS_OK || typer_of(gate) != type,
          "measure: with less it is not");
    expect_status(portcullis_measure(NULL, &sizes), PORTCULLIS_ERROR_ARGUMENT, "measure without a state");
    expect_status(portcullis_measure(gate, NULL), PORTCULLIS_ERROR_ARGUMENT, "measure without a place");
    sizes.size--;
    expect_status(portcullis_measure(gate, &sizes), PORTCULLIS_ERROR_STRUCT_SIZE, "measure into a short struct");

    gate = start("no-its.dtb");
    expect_status(portcullis_claim(gate), PORTCULLIS_OK, "claim nothing");
    check(trap(gate, abort_syndrome(2, 0, 0), 0x8080000) == PORTCULLIS_TRAP_UNCLAIMED,
          "an access to what is not claimed is the embedder's");
}

// A frame of two pages each 0x10000, as often as asked for.
static struct portcullis_region strided(uint32_t count) {
    struct portcullis_region region = region_at(0x9100000);
    region.bytes = 0x2000;
    region.stride = 0x10000;
    region.count = count;
    return region;
}

static struct portcullis_problem problem;

// A configuration whose problems are told.
static void prepare_told(const char *name) {
    prepare(name);
    problem = (struct portcullis_problem){.size = sizeof problem, .its = 77};
    config.problem = &problem;
}

static void expect_problem(enum portcullis_status status, int its, uint64_t address, const char *name) {
    check(problem.status == status && problem.its == its && problem.node == -1 && problem.address == address,
          "problem: %s: %d at %llx", name, problem.its, (unsigned long long)problem.address);
}

static void test_problems(void) {
    struct portcullis *gate = NULL;
    prepare_told("refused.dtb");
    expect_status(init(&gate), PORTCULLIS_ERROR_BOARD, "init of a board that is refused, told");
    const char *node = problem.node > 0 ? fdt_get_name(tree, problem.node, NULL) : NULL;
    check(problem.status == PORTCULLIS_ERROR_BOARD && problem.its == -1 && node && strstr(machine.line, node),
          "problem: the node that the log names: %s", node ? node : "none");
    prepare_told("two-its.dtb");
    check(init(&gate) == PORTCULLIS_OK && problem.its == 77, "problem: none where there is none");
    machine.refuse_el2 = 1;
    portcullis_claim(gate);
    expect_problem(PORTCULLIS_ERROR_EL2_REFUSED, -1, 0x8000000, "the Distributor can't be mapped");
    machine.refuse_el2 = 0;
    machine.gic.silent_redistributors = 1;
    portcullis_claim(gate);
    expect_problem(PORTCULLIS_ERROR_GIC, -1, 0x80a0000, "a Redistributor is silent");
    machine.gic.silent_redistributors = 0;
    machine.refuse_host = 1;
    portcullis_claim(gate);
    expect_problem(PORTCULLIS_ERROR_HOST_REFUSED, -1, 0x8080000, "stage 2 can't be changed");
    machine.refuse_host = 0;
    machine.gic.its[1].refuses_queue = 1;
    portcullis_claim(gate);
    expect_problem(PORTCULLIS_ERROR_ITS, 1, UINT64_C(0x1008080000), "an ITS takes no queue");
    machine.gic.its[1].refuses_queue = 0;
    check(portcullis_claim(gate) == PORTCULLIS_OK && problem.status == PORTCULLIS_ERROR_ITS, "problem: the last one stays");
    portcullis_claim(gate);
    expect_problem(PORTCULLIS_ERROR_ORDER, -1, 0, "a second claim");
    prepare_told("two-its.dtb");
    portcullis_init(memory, PORTCULLIS_STATE_ALIGNMENT, &config, &gate);
    expect_problem(PORTCULLIS_ERROR_MEMORY, -1, 0, "a small memory");
    prepare_told("one-its.dtb");
    init(&gate);
    portcullis_finalise(gate);
    expect_problem(PORTCULLIS_ERROR_ORDER, -1, 0, "finalise before the claim");
    prepare_told("one-its.dtb");
    problem.size--;
    expect_status(init(&gate), PORTCULLIS_ERROR_STRUCT_SIZE, "init with a short place for problems");
}

static void test_strided(void) {
    struct portcullis *gate = start_leaving("one-its.dtb");
    struct portcullis_region region;
#define WRONG_STRIDED(member, wrong, status, name)  \
    region = strided(3);                            \
    region.member = wrong;                          \
    expect_status(portcullis_add_region(gate, &region), status, name)
    WRONG_STRIDED(stride, 0, PORTCULLIS_ERROR_STRIDE, "add frames without a stride");
    WRONG_STRIDED(stride, 0x1000, PORTCULLIS_ERROR_STRIDE, "add frames that overlap each other");
    WRONG_STRIDED(stride, 0x3000, PORTCULLIS_ERROR_STRIDE, "add frames 12 KiB apart");
    WRONG_STRIDED(stride, UINT64_C(1) << 63, PORTCULLIS_ERROR_RANGE, "add frames 2^63 apart");
    WRONG_STRIDED(stride, UINT64_C(1) << 47, PORTCULLIS_ERROR_RANGE,
                  "add frames the last of which is above 48 bits");
    WRONG_STRIDED(bytes, 0x1800, PORTCULLIS_ERROR_ALIGNMENT, "add frames of a misaligned size");
    WRONG_STRIDED(count, UINT32_MAX, PORTCULLIS_ERROR_RANGE, "add 2^32 - 1 frames");
    WRONG_STRIDED(count, PORTCULLIS_FRAME_LIMIT, PORTCULLIS_ERROR_FULL,
                  "add more frames than there may be with that of the ITS");
    WRONG_STRIDED(base, 0x8070000, PORTCULLIS_ERROR_OVERLAP, "add frames the second of which is the ITS");
    WRONG_STRIDED(base, 0x7fff0000, PORTCULLIS_ERROR_KIND, "add frames the second of which is memory");
    check(portcullis_region_count(gate) == 1, "no wrong frames are registered");

    region = strided(3);
    expect_status(portcullis_add_region(gate, &region), PORTCULLIS_OK, "add three frames");
    region.base += 0x2000;
    expect_status(portcullis_add_region(gate, &region), PORTCULLIS_OK,
                  "add three frames between those");
    region.base += 0x1000;
    expect_status(portcullis_add_region(gate, &region), PORTCULLIS_ERROR_OVERLAP,
                  "add three frames that share pages with those");
    expect_status(portcullis_claim(gate), PORTCULLIS_ERROR_EL2_ADDRESS,
                  "claim frames to EL2 addresses at other distances");
    check(is_untouched(), "other distances leave everything as it was");
    machine.linear = 1;
    expect_status(portcullis_claim(gate), PORTCULLIS_OK, "claim frames to a linear map");
    check(machine.revoked == 16 + 6 * 2 &&
              machine.mapped == machine.revoked + REDISTRIBUTOR_REGION_PAGES &&
              machine.host_prepared == 0 && machine.el2_prepared == 0,
          "the frames are taken and mapped, and nothing between them");
    struct portcullis_region_info info = {.size = sizeof info};
    check(portcullis_region_at(gate, 1, &info) == PORTCULLIS_OK && info.base == 0x9100000 &&
              info.bytes == 0x2000 && info.stride == 0x10000 && info.count == 3 &&
              info.address == WINDOW + 0x9100000,
          "frames are told as they were added");
    check(portcullis_region_at(gate, 0, &info) == PORTCULLIS_OK && info.stride == 0 &&
              info.count == 1,
          "a region that does not repeat is one frame");

    int reached = 1;
    for (uint64_t frame = 0; frame < 3; frame++) {
        uint64_t address = 0x9100000 + frame * 0x10000 + 0x1008;
        reached &= trap(gate, abort_syndrome(2, 0, 1), address) == PORTCULLIS_TRAP_COMPLETED &&
                   machine.device_address == WINDOW + address;
    }
    check(reached, "a load of each frame reaches its device");
    int reads = machine.device_reads;
    check(trap(gate, abort_syndrome(2, 0, 1), 0x9104000) == PORTCULLIS_TRAP_UNCLAIMED &&
              trap(gate, abort_syndrome(2, 0, 1), 0x9130000) == PORTCULLIS_TRAP_UNCLAIMED &&
              trap(gate, abort_syndrome(2, 0, 1), 0x90ff000) == PORTCULLIS_TRAP_UNCLAIMED &&
              machine.device_reads == reads,
          "what lies between, behind and before the frames is not claimed");

    gate = start_leaving("no-its.dtb");
    machine.linear = 1;
    struct call call = {.value = 7};
    region = strided(PORTCULLIS_FRAME_LIMIT);
    region.handler = PORTCULLIS_HANDLER_CALLBACK;
    region.callback = answer;
    region.callback_context = &call;
    expect_status(portcullis_add_region(gate, &region), PORTCULLIS_OK,
                  "add as many frames as there may be");
    struct portcullis_region one = region_at(0xb000000);
    expect_status(portcullis_add_region(gate, &one), PORTCULLIS_ERROR_FULL, "add one frame more");
    expect_status(portcullis_claim(gate), PORTCULLIS_OK, "claim as many frames as there may be");
    check(machine.revoked == 2 * PORTCULLIS_FRAME_LIMIT, "the host has lost all frames");
    uint64_t last = (PORTCULLIS_FRAME_LIMIT - 1) * UINT64_C(0x10000) + 0x1ffc;
    check(trap(gate, abort_syndrome(2, 0, 2), 0x9100000 + last) == PORTCULLIS_TRAP_COMPLETED &&
              call.count == 1 && call.offset == last && frame.x[2] == 7,
          "a callback is told the offset from the base of the region for a load");
    check(trap(gate, abort_syndrome(2, 1, 2), 0x9110004) == PORTCULLIS_TRAP_COMPLETED &&
              call.count == 2 && call.offset == 0x10004,
          "a callback is told the offset from the base of the region for a store");

    gate = start_leaving("no-its.dtb");
    region = strided(3);
    portcullis_add_region(gate, &region);
    machine.refuse_grant = 1;
    expect_status(portcullis_claim(gate), PORTCULLIS_ERROR_STUCK, "claim frames and be stuck");
    check(machine.revoked == 6, "frames that are stuck stay out of the host's reach");
}

static void test_region_at(void) {
    struct portcullis *gate = start("one-its.dtb");
    struct portcullis_region_info info = {.size = sizeof info, .address = 1};
    expect_status(portcullis_region_at(gate, 0, &info), PORTCULLIS_OK, "tell of a region");
    check(info.base == 0x8080000 && info.bytes == 0x10000 && info.address == 0,
          "a region has no address before the claim");
    portcullis_claim(gate);
    portcullis_region_at(gate, 0, &info);
    check(info.address == mapped_at(0x8080000), "a region has the address that the embedder gave");
    expect_status(portcullis_region_at(gate, 1, &info), PORTCULLIS_ERROR_INDEX,
                  "tell of one too many");
    expect_status(portcullis_region_at(gate, SIZE_MAX, &info), PORTCULLIS_ERROR_INDEX,
                  "tell of the last index");
    expect_status(portcullis_region_at(NULL, 0, &info), PORTCULLIS_ERROR_ARGUMENT,
                  "tell without a state");
    expect_status(portcullis_region_at(gate, 0, NULL), PORTCULLIS_ERROR_ARGUMENT,
                  "tell without a place for it");
    info.size = 8;
    expect_status(portcullis_region_at(gate, 0, &info), PORTCULLIS_ERROR_STRUCT_SIZE,
                  "tell into a short struct");
    check(portcullis_region_count(NULL) == 0, "no state has no regions");
}

static void test_injected(void) {
    struct portcullis *gate = start("one-its.dtb");
    begin_trap(0);
    const uint64_t esr = abort_syndrome(2, 0, 1), far = 0xa000000;
    expect_status(portcullis_inject_abort(NULL, &frame, esr, far, far >> 8), PORTCULLIS_ERROR_ARGUMENT,
                  "inject without a state");
    expect_status(portcullis_inject_abort(gate, NULL, esr, far, far >> 8), PORTCULLIS_ERROR_ARGUMENT,
                  "inject without a frame");
    expect_status(portcullis_inject_abort(gate, &frame, UINT64_C(0x16) << 26, far, far >> 8),
                  PORTCULLIS_ERROR_ARGUMENT, "inject for what is no abort");
    check(frame.elr == 0x1000, "nothing is injected then");
    expect_status(portcullis_inject_abort(gate, &frame, esr, far, far >> 8), PORTCULLIS_OK,
                  "inject for an access of no region");
    check(machine.registers[PORTCULLIS_ESR_EL1] == 0x96000010 &&
              machine.registers[PORTCULLIS_FAR_EL1] == far &&
              machine.registers[PORTCULLIS_ELR_EL1] == 0x1000 &&
              frame.elr == 0x80200,
          "the host takes it at its vector");
}

// The library looks at the Distributor itself, which a region of the embedder may have.
static void test_distributor(void) {
    struct portcullis_region region = {
        .size = sizeof region, .base = 0x8000000, .bytes = 0x10000, .widths = PORTCULLIS_WIDTH_32,
        .kinds = PORTCULLIS_KIND_READ, .handler = PORTCULLIS_HANDLER_FORWARD,
    };
    struct portcullis *gate = start("one-its.dtb");
    machine.linear = 1;
    expect_status(portcullis_add_region(gate, &region), PORTCULLIS_OK, "add the Distributor");
    expect_status(portcullis_claim(gate), PORTCULLIS_OK, "claim the Distributor in a linear map");
    check(trap(gate, abort_syndrome(2, 0, 2), 0x8000004) == PORTCULLIS_TRAP_COMPLETED && frame.x[2] == 15 << 19,
          "a region with the Distributor stays mapped: %llx", (unsigned long long)frame.x[2]);
}

static void test_forwarded(void) {
    struct portcullis *gate = start("one-its.dtb");
    struct portcullis_region region = region_at(0x9010000);
    struct portcullis_region_info info = {.size = sizeof info};
    region.widths |= PORTCULLIS_WIDTH_64;
    portcullis_add_region(gate, &region);
    portcullis_claim(gate);
    portcullis_region_at(gate, 1, &info);
    machine.device_value = UINT64_C(0x1122334455667788);

    memset(&frame, 0xff, sizeof frame);
    check(trap(gate, abort_syndrome(2, 0, 5), 0x9010004) == PORTCULLIS_TRAP_COMPLETED &&
              machine.device_address == info.address + 4 && machine.device_width == 4,
          "a 32-bit load reaches the device");
    check(frame.x[5] == 0x55667788, "a 32-bit load is zero-extended into its register");
    check(frame.x[4] == UINT64_MAX && frame.x[6] == UINT64_MAX, "a load changes no other register");
    check(frame.elr == 0x1004, "the host continues behind the load");
    check(trap(gate, abort_syndrome(3, 0, 30), 0x9010008) == PORTCULLIS_TRAP_COMPLETED &&
              frame.x[30] == machine.device_value && machine.device_width == 8,
          "a 64-bit load reaches the device");
    frame.x[7] = UINT64_C(0xaabbccdd00000001);
    check(trap(gate, abort_syndrome(2, 1, 7), 0x9010000) == PORTCULLIS_TRAP_COMPLETED &&
              machine.device_writes == 1 && machine.device_value == 1,
          "a 32-bit store reaches the device with 32 bits");
    check(trap(gate, abort_syndrome(2, 1, 31), 0x9010000) == PORTCULLIS_TRAP_COMPLETED &&
              machine.device_value == 0,
          "register 31 stores zero");
    machine.barriers = 0;
    check(trap(gate, abort_syndrome(2, 0, 0) | 1 << 14, 0x9010000) == PORTCULLIS_TRAP_COMPLETED &&
              machine.barriers == 2,
          "an acquiring load has a barrier on each side");

    int reads = machine.device_reads;
    check(trap(gate, abort_syndrome(0, 0, 1), 0x9010000) == PORTCULLIS_TRAP_INJECTED &&
              refusal == PORTCULLIS_REFUSAL_WIDTH,
          "an 8-bit load is refused");
    check(machine.registers[PORTCULLIS_ESR_EL1] == 0x96000010 &&
              machine.registers[PORTCULLIS_FAR_EL1] == 0x9010000 &&
              machine.registers[PORTCULLIS_ELR_EL1] == 0x1000 &&
              machine.registers[PORTCULLIS_SPSR_EL1] == 0x3c5 &&
              frame.elr == 0x80200,
          "the host takes a synchronous external abort at its vector");
    check(strstr(machine.line, "CPU 3: refused: ") == machine.line, "the log tells of a refusal");
    check(trap(gate, abort_syndrome(3, 0, 1), 0x9010004) == PORTCULLIS_TRAP_INJECTED &&
              refusal == PORTCULLIS_REFUSAL_MISALIGNED,
          "a misaligned load is refused");
    check(trap(gate, abort_syndrome(2, 0, 1) & ~(UINT64_C(1) << 24), 0x9010000) ==
                  PORTCULLIS_TRAP_INJECTED && refusal == PORTCULLIS_REFUSAL_NO_SYNDROME,
          "a load without a syndrome is refused");
    check(trap(gate, UINT64_C(0x20) << 26 | 1 << 25 | 0x07, 0x9010000) ==
                  PORTCULLIS_TRAP_INJECTED && refusal == PORTCULLIS_REFUSAL_INSTRUCTION_FETCH,
          "an instruction fetch is refused");
    check(trap(gate, abort_syndrome(2, 0, 1) | 1 << 7, 0x9010000) == PORTCULLIS_TRAP_INJECTED &&
              refusal == PORTCULLIS_REFUSAL_TABLE_WALK,
          "a stage-1 walk is refused");
    check(machine.device_reads == reads, "what is refused does not reach the device");
    check(trap(gate, abort_syndrome(2, 1, 31) | 1 << 8, 0x9010000) == PORTCULLIS_TRAP_SKIPPED,
          "cache maintenance is skipped");
    check(trap(gate, abort_syndrome(2, 0, 1), 0x8090040) == PORTCULLIS_TRAP_UNCLAIMED,
          "the doorbell is not claimed");
    check(trap(gate, UINT64_C(0x16) << 26, 0) == PORTCULLIS_TRAP_NOT_AN_ABORT,
          "an HVC is not an abort");
    machine.abort_device = 1;
    frame.x[1] = 42;
    check(trap(gate, abort_syndrome(2, 0, 1), 0x9010000) == PORTCULLIS_TRAP_INJECTED &&
              refusal == PORTCULLIS_REFUSAL_EXTERNAL_ABORT && frame.x[1] == 42,
          "an external abort of a load is reflected");
    check(trap(gate, abort_syndrome(2, 1, 1), 0x9010000) == PORTCULLIS_TRAP_INJECTED &&
              refusal == PORTCULLIS_REFUSAL_EXTERNAL_ABORT,
          "an external abort of a store is reflected");
    check(portcullis_handle_trap(gate, &frame, abort_syndrome(0, 0, 1), 0x9010000, 0x90100, NULL) ==
              PORTCULLIS_TRAP_INJECTED,
          "the reason may be unwanted");
    check(portcullis_handle_trap(NULL, &frame, 0, 0, 0, NULL) == PORTCULLIS_TRAP_NOT_READY,
          "no state answers no trap");
    check(portcullis_handle_trap(gate, NULL, 0, 0, 0, NULL) == PORTCULLIS_TRAP_NOT_READY,
          "no frame answer no trap");
}

static void test_callback(void) {
    struct portcullis *gate = start("one-its.dtb");
    struct call call = {.value = UINT64_C(0xfedcba9876543210)};
    struct portcullis_region region = region_at(0x9010000);
    region.bytes = 0x2000;
    region.widths = PORTCULLIS_WIDTH_8 | PORTCULLIS_WIDTH_32;
    region.handler = PORTCULLIS_HANDLER_CALLBACK;
    region.callback = answer;
    region.callback_context = &call;
    portcullis_add_region(gate, &region);
    region = region_at(0x9020000);
    region.handler = PORTCULLIS_HANDLER_NONE;
    portcullis_add_region(gate, &region);
    region = region_at(0x9030000);
    region.kinds = PORTCULLIS_KIND_READ;
    portcullis_add_region(gate, &region);
    region = region_at(0x9040000);
    region.kinds = PORTCULLIS_KIND_WRITE;
    portcullis_add_region(gate, &region);
    expect_status(portcullis_claim(gate), PORTCULLIS_OK, "claim an ITS and own regions");
    memset(&ops, 0, sizeof ops);
    memset(&config, 0, sizeof config);
    memset(tree, 0, sizeof tree);

    check(trap(gate, abort_syndrome(2, 0, 2), 0x9011008) == PORTCULLIS_TRAP_COMPLETED &&
              call.count == 1 && call.offset == 0x1008 && call.width == 4 && call.flags == 0,
          "the callback is asked for a load; table, configuration and tree are gone");
    check(frame.x[2] == 0x76543210, "a load takes the low bytes of the callback's value");
    // SSE and SF: extend to 64 bits.
    call.value = 0x180;
    check(trap(gate, abort_syndrome(0, 0, 2) | 1 << 21 | 1 << 15, 0x9010003) ==
                  PORTCULLIS_TRAP_COMPLETED && frame.x[2] == UINT64_C(0xffffffffffffff80),
          "a signed 8-bit load of the callback's value extends the sign");
    frame.x[3] = UINT64_C(0xffffffff12345678);
    check(trap(gate, abort_syndrome(2, 1, 3) | 1 << 14, 0x9010000) == PORTCULLIS_TRAP_COMPLETED &&
              call.value == 0x12345678 &&
              call.flags == (PORTCULLIS_ACCESS_WRITE | PORTCULLIS_ACCESS_ORDERED),
          "the callback gets a store, and that it releases");
    int count = call.count;
    check(trap(gate, abort_syndrome(3, 0, 2), 0x9010000) == PORTCULLIS_TRAP_INJECTED &&
              refusal == PORTCULLIS_REFUSAL_WIDTH && call.count == count,
          "a width that the callback's region does not permit is refused without asking");
    call.answer = 1;
    frame.x[2] = 42;
    check(trap(gate, abort_syndrome(2, 0, 2), 0x9010000) == PORTCULLIS_TRAP_INJECTED &&
              refusal == PORTCULLIS_REFUSAL_DEVICE && frame.x[2] == 42,
          "a load that the callback refuses changes no register");
    check(trap(gate, abort_syndrome(2, 1, 2), 0x9010000) == PORTCULLIS_TRAP_INJECTED &&
              refusal == PORTCULLIS_REFUSAL_DEVICE,
          "a store that the callback refuses aborts");
    check(trap(gate, abort_syndrome(2, 0, 2), 0x9020000) == PORTCULLIS_TRAP_INJECTED &&
              refusal == PORTCULLIS_REFUSAL_NO_HANDLER,
          "a region without a handler is out of reach");
    check(trap(gate, abort_syndrome(2, 1, 2), 0x9030000) == PORTCULLIS_TRAP_INJECTED &&
              refusal == PORTCULLIS_REFUSAL_NOT_WRITABLE,
          "a region that may be read may not be written");
    check(trap(gate, abort_syndrome(2, 0, 2), 0x9040000) == PORTCULLIS_TRAP_INJECTED &&
              refusal == PORTCULLIS_REFUSAL_NOT_READABLE,
          "a region that may be written may not be read");
    check(machine.device_reads == 0 && machine.device_writes == 0,
          "no device was reached for any of these");
}

int main(void) {
    printf("TAP version 14\n");
    test_texts();
    test_init();
    test_add_region();
    test_claim();
    test_problems();
    test_strided();
    test_region_at();
    test_injected();
    test_forwarded();
    test_distributor();
    test_callback();
    test_mediation();
    test_redistributors();
    test_statistics();
    test_handover();
    test_calls();
    test_host_tree();
    test_translated();
    test_dma();
    test_board();
    test_pages();
    test_embedding();
    return finish();
}
