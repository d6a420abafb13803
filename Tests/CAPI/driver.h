// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// A host that drives an ITS through traps.

#ifndef DRIVER_H
#define DRIVER_H

#include "machine.h"

enum register_offset {
    GITS_CTLR = 0x0, GITS_TYPER = 0x8, GITS_CBASER = 0x80, GITS_CWRITER = 0x88, GITS_CREADR = 0x90,
    GITS_BASER0 = 0x100, GITS_BASER1 = 0x108, GITS_BASER2 = 0x110,
};

#define ITS0 UINT64_C(0x8080000)
#define VALID (UINT64_C(1) << 63)
// Inner Shareable and write-back.
#define COHERENT (UINT64_C(7) << 59 | UINT64_C(1) << 10)
#define STALLED UINT64_C(1)

// Where the host has its queue, of 64 KiB, and what it takes for a table.
#define QUEUE (HOST_BASE + 0x40000)
#define QUEUE_BYTES UINT64_C(0x10000)
#define TABLE (HOST_BASE + 0x80000)

// The gate that it runs behind, and the offset of the next command.
extern struct portcullis *gate;
extern uint64_t staged;

enum portcullis_trap store(uint64_t address, int log2_width, uint64_t value);
// A 64-bit store, whether it was answered; and a 64-bit load.
int put(uint64_t address, uint64_t value);
uint64_t get(uint64_t address);
// The queue, the tables, and Enabled, as a driver of a host does it.
void drive(uint64_t its);
// A claimed gate on a new machine, and the first ITS driven.
void begin(const char *name);

void stage(uint64_t word0, uint64_t word1, uint64_t word2, uint64_t word3);
void stage_mapd(uint64_t device, uint64_t table);
void stage_mapc(uint64_t collection, uint64_t target);
void stage_mapti(uint64_t device, uint64_t event, uint64_t interrupt);
void stage_inv(uint64_t device, uint64_t event);
void stage_sync(uint64_t target);
// Puts what is staged from now on at another address.
void stage_at(uint64_t queue);
enum portcullis_trap ring(uint64_t its);

struct portcullis_its_counters counters(size_t index);
// Whether the hardware has fetched command `index` as these words, the last of which is zero.
int fetched(const struct its *its, size_t index, uint64_t word0, uint64_t word1, uint64_t word2);

#endif
