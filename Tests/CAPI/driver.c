// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#include "driver.h"

#include <string.h>

struct portcullis *gate;
uint64_t staged;
static uint64_t queue;

enum portcullis_trap store(uint64_t address, int log2_width, uint64_t value) {
    frame.x[1] = value;
    return trap(gate, abort_syndrome(log2_width, 1, 1), address);
}

int put(uint64_t address, uint64_t value) {
    return store(address, 3, value) == PORTCULLIS_TRAP_COMPLETED;
}

uint64_t get(uint64_t address) {
    return trap(gate, abort_syndrome(3, 0, 2), address) == PORTCULLIS_TRAP_COMPLETED ? frame.x[2]
                                                                                    : UINT64_MAX;
}

void drive(uint64_t its) {
    staged = 0;
    queue = QUEUE;
    put(its + GITS_CBASER, VALID | COHERENT | QUEUE | (QUEUE_BYTES / 4096 - 1));
    put(its + GITS_BASER0, VALID | TABLE);
    put(its + GITS_BASER1, VALID | (TABLE + 0x10000));
    put(its + GITS_BASER2, VALID | (TABLE + 0x20000));
    store(its + GITS_CTLR, 2, 1);
}

void begin(const char *name) {
    gate = start_claimed(name);
    drive(ITS0);
}

void stage(uint64_t word0, uint64_t word1, uint64_t word2, uint64_t word3) {
    uint64_t words[] = {word0, word1, word2, word3};
    memcpy(memory_at(queue + staged), words, sizeof words);
    staged = (staged + sizeof words) % QUEUE_BYTES;
}

void stage_mapd(uint64_t device, uint64_t table) {
    stage(0x08 | device << 32, 4, VALID | table, 0);
}
void stage_mapc(uint64_t collection, uint64_t target) {
    stage(0x09, 0, VALID | target << 16 | collection, 0);
}
void stage_mapti(uint64_t device, uint64_t event, uint64_t interrupt) {
    stage(0x0a | device << 32, interrupt << 32 | event, 0, 0);
}
void stage_inv(uint64_t device, uint64_t event) { stage(0x0c | device << 32, event, 0, 0); }
void stage_sync(uint64_t target) { stage(0x05, 0, target << 16, 0); }

void stage_at(uint64_t place) { queue = place; }

enum portcullis_trap ring(uint64_t its) { return store(its + GITS_CWRITER, 3, staged); }

struct portcullis_its_counters counters(size_t index) {
    struct portcullis_its_counters now = {.size = sizeof now};
    if (portcullis_its_counters(gate, index, &now) != PORTCULLIS_OK) now.broken = 99;
    return now;
}

int fetched(const struct its *its, size_t index, uint64_t word0, uint64_t word1,
                   uint64_t word2) {
    const uint64_t *words = its->fetched[index].words;
    return index < its->fetched_count && words[0] == word0 && words[1] == word1 &&
           words[2] == word2 && words[3] == 0;
}
