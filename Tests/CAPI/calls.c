// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// The calls of the host that the library answers, and the trace.

#include "calls.h"
#include "driver.h"
#include "portcullis_hypercalls.h"

#include <string.h>

#define NOT_SUPPORTED (~UINT64_C(0))
#define MARK UINT64_C(0x5a5a)
// The memory of the trace, behind a smaller pool, and its bytes.
#define TRACE_BASE (POOL_BASE + POOL_BYTES / 2)
#define TRACE_BYTES UINT64_C(0x10000)

static enum portcullis_answer call(uint64_t function, uint64_t request, uint64_t argument) {
    for (int index = 0; index < 31; index++) frame.x[index] = MARK + (uint64_t)index;
    frame.x[0] = function;
    frame.x[1] = request;
    frame.x[2] = argument;
    return portcullis_handle_call(gate, &frame);
}

// A call that is answered with an error alone.
static void expect_error(uint64_t request, uint64_t argument, uint64_t want, const char *name) {
    check(call(PORTCULLIS_HYPERCALL, request, argument) == PORTCULLIS_ANSWER_GIVEN && frame.x[0] == want,
          "call: %s: %lld", name, (long long)frame.x[0]);
}

// Whether it is left to the embedder, with all registers as they were.
static int is_left(uint64_t function) {
    struct portcullis_frame before;
    frame.elr = 0x1000;
    for (int index = 0; index < 31; index++) frame.x[index] = MARK + (uint64_t)index;
    frame.x[0] = function;
    before = frame;
    return portcullis_handle_call(gate, &frame) == PORTCULLIS_ANSWER_NONE && memcmp(&before, &frame, sizeof frame) == 0;
}

static void test_answers(void) {
    uint64_t figure = 0;
    gate = start("two-its.dtb");
    check(is_left(PORTCULLIS_HYPERCALL), "before the claim no call is answered");
    begin("two-its.dtb");
    check(is_left(0x84000000) && is_left(PORTCULLIS_HYPERCALL | 1u << 17) && is_left(PORTCULLIS_HYPERCALL ^ 1u << 31),
          "other calls are left to the embedder");
    check(portcullis_handle_call(NULL, &frame) == PORTCULLIS_ANSWER_NONE &&
              portcullis_handle_call(gate, NULL) == PORTCULLIS_ANSWER_NONE,
          "without a state or a frame there is no answer");
    frame.elr = 0x1000;
    check(call(PORTCULLIS_HYPERCALL, PORTCULLIS_CALL_VERSION, 0) == PORTCULLIS_ANSWER_GIVEN && frame.x[0] == 0 &&
              frame.x[1] == 1 && frame.x[2] == 0 && frame.x[3] == 0 && frame.x[4] == portcullis_region_count(gate) + 1,
          "call: the version, and how many regions there are, the Redistributors included");
    check(frame.x[5] == MARK + 5 && frame.x[30] == MARK + 30 && frame.elr == 0x1000, "call: other registers stay");
    check(call(PORTCULLIS_HYPERCALL | 1u << 16 | UINT64_C(1) << 40, PORTCULLIS_CALL_VERSION, 0) == PORTCULLIS_ANSWER_GIVEN,
          "call: a hint and the high word are no part of the function");
    check(call(PORTCULLIS_HYPERCALL, PORTCULLIS_CALL_MEMORY, 0) == PORTCULLIS_ANSWER_GIVEN && frame.x[0] == 0 &&
              frame.x[1] == POOL_BASE && frame.x[2] == POOL_BYTES && frame.x[4] == MARK + 4,
          "call: the memory of the ITSes");
    uint64_t typer = get(UINT64_C(0x1008080000) + GITS_TYPER);
    check(call(PORTCULLIS_HYPERCALL, PORTCULLIS_CALL_ITS, 1) == PORTCULLIS_ANSWER_GIVEN && frame.x[0] == 0 &&
              frame.x[1] == typer && frame.x[4] == UINT64_C(0x1008080000),
          "call: an ITS as it is for the host");
    expect_error(PORTCULLIS_CALL_ITS, 2, NOT_SUPPORTED, "an ITS that there is none of");
    expect_error(PORTCULLIS_CALL_ITS, UINT64_C(1) << 32, NOT_SUPPORTED, "an ITS far beyond");
    expect_error(PORTCULLIS_CALL_CANARY, 0, NOT_SUPPORTED, "a canary");
    expect_error(PORTCULLIS_CALL_TRACE, 0, NOT_SUPPORTED, "a trace that is not kept");
    expect_error(0x999, 0, NOT_SUPPORTED, "an unknown request");
    ring(ITS0);
    const uint64_t number = PORTCULLIS_STATISTIC_PAGE + PORTCULLIS_STATISTIC_DOORBELLS;
    expect_status(portcullis_read_statistic(gate, number, &figure), PORTCULLIS_OK, "read a statistic");
    check(call(PORTCULLIS_HYPERCALL, PORTCULLIS_CALL_STATISTIC, number) == PORTCULLIS_ANSWER_GIVEN && frame.x[0] == 0 &&
              frame.x[1] == figure && figure > 0,
          "call: a statistic");
    expect_error(PORTCULLIS_CALL_STATISTIC, 511, (uint64_t)PORTCULLIS_HYPERCALL_INVALID, "the statistic of nothing");
    expect_error(PORTCULLIS_CALL_HAND_OVER, 0, (uint64_t)PORTCULLIS_HYPERCALL_DENIED, "handover without trust");
    expect_error(PORTCULLIS_CALL_HAND_OVER, 2, (uint64_t)PORTCULLIS_HYPERCALL_INVALID, "handover of no ITS");
    expect_error(PORTCULLIS_CALL_FINALISE, 0, (uint64_t)PORTCULLIS_HYPERCALL_DENIED, "finalise without trust");
}

static void begin_trusted(int is_live) {
    prepare("one-its.dtb");
    config.policy = PORTCULLIS_POLICY_HANDOVER;
    init(&gate);
    portcullis_claim(gate);
    if (is_live) drive(ITS0);
}

static void test_trust(void) {
    struct portcullis_problem problem = {.size = sizeof problem};
    begin_trusted(1);
    config.problem = &problem;
    machine.gic.its->typer |= 2;  // virtual LPIs, which are not offered
    init(&gate);
    portcullis_claim(gate);
    drive(ITS0);
    check(call(PORTCULLIS_HYPERCALL, PORTCULLIS_CALL_ITS, 0) == PORTCULLIS_ANSWER_GIVEN && !(frame.x[1] >> 1 & 1) &&
              get(ITS0 + GITS_TYPER) >> 1 & 1,
          "call: an ITS is told as it will be, not as it is while it is forwarded");
    check(call(PORTCULLIS_HYPERCALL, PORTCULLIS_CALL_FINALISE, 0) == PORTCULLIS_ANSWER_LIVE,
          "call: the host must not go on with a live ITS that was not handed over");
    check(strstr(machine.line, "live") != NULL && problem.status == PORTCULLIS_ERROR_LIVE && problem.its == 0 &&
              problem.address == ITS0,
          "the log says so, and the problem: %s", machine.line);
    problem.status = PORTCULLIS_OK;
    expect_status(portcullis_finalise(gate), PORTCULLIS_ERROR_LIVE, "finalise when it is too late");
    check(problem.status == PORTCULLIS_ERROR_LIVE, "the problem says so again");
    store(ITS0 + GITS_CTLR, 2, 0);
    machine.gic.its->ctlr = 0;
    expect_status(portcullis_finalise(gate), PORTCULLIS_OK, "finalise once the ITS is off");
    expect_status(portcullis_finalise(gate), PORTCULLIS_OK, "and again");
    expect_error(PORTCULLIS_CALL_FINALISE, 0, (uint64_t)PORTCULLIS_HYPERCALL_DENIED, "finalise again");
    begin_trusted(0);
    struct portcullis_sizes sizes = {.size = sizeof sizes};
    expect_status(portcullis_measure(gate, &sizes), PORTCULLIS_ERROR_ORDER, "measure an ITS that is not mediated");
    expect_error(PORTCULLIS_CALL_FINALISE, 0, 0, "finalise with an ITS that is disabled");
    check(is_pool(machine.gic.its->cbaser & UINT64_C(0xffffffffff000), 0x1000), "it has a queue of the pool then");
    expect_error(PORTCULLIS_CALL_FINALISE, 0, (uint64_t)PORTCULLIS_HYPERCALL_DENIED, "finalise once more");
    begin_trusted(0);
    expect_status(portcullis_finalise(gate), PORTCULLIS_OK, "finalise by the embedder");
    expect_error(PORTCULLIS_CALL_FINALISE, 0, (uint64_t)PORTCULLIS_HYPERCALL_DENIED, "finalise after the embedder");
}

// MARK: Trace

static uint64_t now;
static uint64_t clock_of(void *context) {
    (void)context;
    return now += 10;
}

static enum portcullis_status init_traced(uint64_t base, uint64_t bytes) {
    prepare("one-its.dtb");
    config.pool.bytes = POOL_BYTES / 2;
    config.trace = (struct portcullis_pages){base, bytes};
    config.clock_frequency = 1000;
    ops.clock = clock_of;
    now = 0;
    return init(&gate);
}

static void test_trace_memory(void) {
    expect_status(init_traced(TRACE_BASE + 8, TRACE_BYTES), PORTCULLIS_ERROR_ALIGNMENT, "a trace that is not aligned");
    expect_status(init_traced(TRACE_BASE, 0x800), PORTCULLIS_ERROR_ALIGNMENT, "a trace of half a page");
    expect_status(init_traced(UINT64_C(1) << 48, TRACE_BYTES), PORTCULLIS_ERROR_RANGE, "a trace out of range");
    expect_status(init_traced(TRACE_BASE - 0x1000, TRACE_BYTES), PORTCULLIS_ERROR_OVERLAP, "a trace in the pool");
    init_traced(TRACE_BASE, TRACE_BYTES);
    ops.clock = NULL;
    expect_status(init(&gate), PORTCULLIS_ERROR_ARGUMENT, "a trace without a clock");
}

static void test_trace(void) {
    struct portcullis_record record = {{0}}, first;
    unsigned kinds = 0;
    size_t count = 0;
    test_trace_memory();
    expect_status(init_traced(TRACE_BASE, TRACE_BYTES), PORTCULLIS_OK, "init with a trace");
    expect_status(portcullis_take_record(gate, &record), PORTCULLIS_ERROR_ORDER, "a record before the claim");
    machine.gic.its[0].refuses_queue = 1;
    expect_status(portcullis_claim(gate), PORTCULLIS_ERROR_ITS, "claim of an ITS that does not take its queue");
    machine.gic.its[0].refuses_queue = 0;
    expect_status(portcullis_claim(gate), PORTCULLIS_OK, "claim with a trace");
    drive(ITS0);
    stage_mapc(0, 0);
    stage_mapti(9, 2, 8193);
    ring(ITS0);
    check(call(PORTCULLIS_HYPERCALL, PORTCULLIS_CALL_TRACE, 0) == PORTCULLIS_ANSWER_GIVEN && frame.x[0] == 0,
          "call: the first half of a record");
    uint64_t half = frame.x[2];
    expect_status(portcullis_take_record(gate, &first), PORTCULLIS_OK, "take a record");
    check((first.words[0] & 0xff) == 1 && first.words[2] == UINT64_C(0x4543415254524f50) && half == first.words[1],
          "the first one is the header, as the host has read it");
    check(portcullis_take_record(gate, &record) == PORTCULLIS_OK && (record.words[0] & 0xff) == 2 && record.words[2] == ITS0,
          "the second one is the ITS, at its physical address: %llx", (unsigned long long)record.words[2]);
    while (portcullis_take_record(gate, &record) == PORTCULLIS_OK && count++ < 1000) kinds |= 1u << (record.words[0] & 0xff);
    expect_status(portcullis_take_record(gate, &record), PORTCULLIS_ERROR_INDEX, "a record when none is left");
    check(count > 8 && kinds >> 6 & 1 && !(kinds >> 1 & 1), "accesses and commands follow, and no second header: %x", kinds);
    expect_error(PORTCULLIS_CALL_TRACE, 1, 1, "a record when none is left");
    expect_error(PORTCULLIS_CALL_TRACE, 2, (uint64_t)PORTCULLIS_HYPERCALL_INVALID, "a third half");
    check(call(PORTCULLIS_HYPERCALL, PORTCULLIS_CALL_STATISTIC, PORTCULLIS_STATISTIC_FREQUENCY) == PORTCULLIS_ANSWER_GIVEN &&
              frame.x[1] == 1000,
          "the clock is known");
    // Twice as many as there is room for: the count of the lost comes last.
    const uint64_t loads = 2 * TRACE_BYTES / 64;
    for (uint64_t index = 0; index < loads; index++) get(ITS0 + GITS_CREADR);
    for (count = 0; portcullis_take_record(gate, &record) == PORTCULLIS_OK; count++) kinds = record.words[0] & 0xff;
    // The last one is not an access.
    check(kinds == 9 && count - 1 + record.words[2] >= loads && count - 1 < loads,
          "what was lost is told: %llu beside %zu of %llu", (unsigned long long)record.words[2], count, (unsigned long long)loads);
    expect_status(portcullis_take_record(NULL, &record), PORTCULLIS_ERROR_ARGUMENT, "a record without a state");
    expect_status(portcullis_take_record(gate, NULL), PORTCULLIS_ERROR_ARGUMENT, "a record without a place");
    gate = start_claimed("one-its.dtb");
    expect_status(portcullis_take_record(gate, &record), PORTCULLIS_ERROR_ORDER, "a record where no trace is kept");
}

void test_calls(void) {
    test_answers();
    test_trust();
    test_trace();
}
