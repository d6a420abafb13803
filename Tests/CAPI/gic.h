// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// A GIC as far as Portcullis looks at one, and the memory that its ITSes reach: register files, and
// queues that are fetched from memory at once.

#ifndef GIC_H
#define GIC_H

#include <stddef.h>
#include <stdint.h>

// The host's memory, and behind it that of EL2.
#define HOST_BASE UINT64_C(0x80000000)
#define HOST_BYTES UINT64_C(0x100000)
#define POOL_BASE (HOST_BASE + HOST_BYTES)
#define POOL_BYTES UINT64_C(0x2000000)

#define ITS_COUNT 8
#define REDISTRIBUTOR_COUNT 8
// The pages of 4 KiB that a claim takes of all of them (an RD frame each), and that the tree gives their region.
#define REDISTRIBUTOR_PAGES (REDISTRIBUTOR_COUNT * 16)
#define REDISTRIBUTOR_REGION_PAGES 256
#define COMMAND_LIMIT 4096

struct command {
    uint64_t words[4];
};

struct its {
    uint64_t typer, cbaser, cwriter, creadr, baser[8];
    uint32_t ctlr;
    // What it does wrong: answer with aborts, never come to rest, not take a queue or tables.
    int silent, restless, refuses_queue, refuses_tables;
    // Whether no table has two levels.
    int is_flat;
    // How many queues and tables it was given outside of the pool.
    int outside;
    // What it has fetched.
    struct command fetched[COMMAND_LIMIT];
    size_t fetched_count;
};

struct redistributor {
    uint64_t propbaser, pendbaser;
    uint32_t ctlr;
    // How often LPIs were enabled with a table outside of the host's memory.
    int outside;
};

struct gic {
    struct redistributor redistributor[REDISTRIBUTOR_COUNT];
    struct its its[ITS_COUNT];
    uint64_t its_base[ITS_COUNT];
    uint64_t redistributors;
    int silent_distributor, silent_redistributors;
};

enum gic_access { GIC_NOT_HERE = 0, GIC_DONE = 1, GIC_ABORTED = -1 };

// The GIC of the board whose tree has this name.
void gic_reset(struct gic *gic, const char *name);
// One access to the register at a physical address.
enum gic_access gic_access(struct gic *gic, uint64_t address, int is_write, uint64_t *value);

// The byte of memory at a physical address, and the distance of all of them from it.
unsigned char *memory_at(uint64_t address);
uint64_t memory_distance(void);
// Whether a range lies in the pool, or in the host's memory.
int is_pool(uint64_t base, uint64_t bytes);
int is_host(uint64_t base, uint64_t bytes);

#endif
