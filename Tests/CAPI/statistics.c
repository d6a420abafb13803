// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#include "statistics.h"
#include "driver.h"
#include "portcullis_hypercalls.h"

static uint64_t read_statistic(uint64_t number) {
    uint64_t value = 0xdead;
    if (portcullis_read_statistic(gate, number, &value) != PORTCULLIS_OK) return ~UINT64_C(0);
    return value;
}

// The number of a figure of the ITS at an index.
static uint64_t of_its(uint64_t index, uint64_t number) {
    return PORTCULLIS_STATISTIC_PAGE * (1 + index) + number;
}

static void expect(uint64_t number, uint64_t want, const char *name) {
    uint64_t value = read_statistic(number);
    check(value == want, "%s: %llu", name, (unsigned long long)value);
}

static void test_figures(void) {
    uint64_t value = 7;
    begin("two-its.dtb");
    uint64_t stores = read_statistic(of_its(0, PORTCULLIS_STATISTIC_STORES + GITS_CWRITER / 4));
    stage_mapc(0, 0);
    stage_mapti(9, 2, 8193);
    ring(ITS0);
    get(ITS0 + GITS_CREADR);
    get(ITS0 + GITS_CREADR);
    expect(PORTCULLIS_STATISTIC_ITSES, 2, "statistic: ITSes");
    expect(PORTCULLIS_STATISTIC_REDISTRIBUTORS, REDISTRIBUTOR_COUNT, "statistic: Redistributors");
    expect(of_its(0, PORTCULLIS_STATISTIC_LOADS + GITS_CREADR / 4), 0,
           "statistic: loads are not counted");
    expect(of_its(0, PORTCULLIS_STATISTIC_STORES + GITS_CWRITER / 4), stores + 1,
           "statistic: stores to GITS_CWRITER");
    expect(of_its(0, PORTCULLIS_STATISTIC_ACCEPTED + 0x09), 1, "statistic: MAPC that was accepted");
    expect(of_its(0, PORTCULLIS_STATISTIC_ACCEPTED + 0x0a), 0, "statistic: MAPTI that was not");
    expect(of_its(0, PORTCULLIS_STATISTIC_COMMANDS_REFUSED + PORTCULLIS_COMMAND_DEVICE_NOT_MAPPED), 1,
           "statistic: commands that were refused");
    check(counters(0).doorbells > 0, "the doorbell was rung");
    expect(of_its(0, PORTCULLIS_STATISTIC_DOORBELLS), counters(0).doorbells, "statistic: doorbells");
    expect(of_its(1, PORTCULLIS_STATISTIC_ACCEPTED + 0x09), 0, "statistic: of another ITS");
    check(read_statistic(PORTCULLIS_STATISTIC_CLAIMED_PAGES) == (uint64_t)machine.revoked,
          "statistic: claimed pages");
    expect(PORTCULLIS_STATISTIC_TRAPS, 0, "statistic: what the embedder keeps");
    expect_status(portcullis_read_statistic(gate, of_its(2, PORTCULLIS_STATISTIC_DOORBELLS), &value),
                  PORTCULLIS_ERROR_INDEX, "statistic of an ITS too many");
    expect_status(portcullis_read_statistic(gate, 511, &value), PORTCULLIS_ERROR_INDEX,
                  "statistic with the number of nothing");
    expect_status(portcullis_read_statistic(gate, ~UINT64_C(0), &value), PORTCULLIS_ERROR_INDEX,
                  "statistic with the last number");
    expect_status(portcullis_read_statistic(NULL, 0, &value), PORTCULLIS_ERROR_ARGUMENT,
                  "statistic without a state");
    expect_status(portcullis_read_statistic(gate, 0, NULL), PORTCULLIS_ERROR_ARGUMENT,
                  "statistic without a place");
    check(value == 7, "what is refused sets nothing");
    gate = start("one-its.dtb");
    expect_status(portcullis_read_statistic(gate, 0, &value), PORTCULLIS_ERROR_ORDER,
                  "statistic before the claim");
    gate = start_claimed("one-its.dtb");
    expect(of_its(0, PORTCULLIS_STATISTIC_ACCEPTED + 0x09), 0, "statistic: a new state counts anew");
}

void test_statistics(void) {
    test_figures();
}
