// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// What the tests share: a small machine stands in for the hardware, and the operations record what they
// were asked.

#ifndef MACHINE_H
#define MACHINE_H

#include "gic.h"
#include "portcullis.h"

// One line of TAP.
void check(int passed, const char *name, ...);
void expect_status(enum portcullis_status got, enum portcullis_status want, const char *name);
// Prints the plan; what main returns.
int finish(void);

// MARK: The machine

#define WINDOW UINT64_C(0xffff800000000000)

struct mapping {
    uint64_t base, bytes, address;
};

struct machine {
    struct gic gic;
    // What fails.
    int refuse_host, refuse_el2, refuse_grant, refuse_gic, abort_device, abort_memory;
    // What EL2 sees at an address of no use: 1: what is claimed, 2: the Redistributors, 3: the Distributor.
    int bad_address;
    // Whether it shares whatever it is asked for.
    int is_careless;
    // How many pages are donated before one is refused.
    int donation_limit;
    // Whether EL2's addresses are at a fixed distance from the physical ones, as of a linear map;
    // otherwise each mapping follows the last one behind a guard page.
    int linear;
    // What is open: pages that the host has lost, EL2 mappings, prepared changes, shared pages.
    int revoked, mapped, host_prepared, el2_prepared, shared, donated;
    // How many ranges for EL2 were no whole pages of its size.
    int split_pages;
    uint64_t next;
    struct mapping mappings[256];
    int mapping_count;
    // The last access to a device that is not of the GIC.
    uint64_t device_address, device_value;
    uint32_t device_width;
    int device_reads, device_writes, barriers, lines;
    // How often memory was made visible; cleaning outside of the pool and
    // the host's memory is a mistake.
    int cleans, host_cleans, publishes, bad_cleans;
    // Whether accesses to the GIC are watched, how many are under way, and whether there were two.
    int is_watched, inside, overlaps;
    uint32_t cpu;
    uint64_t registers[PORTCULLIS_MPIDR_EL1 + 1];
    char line[256];
};

extern _Alignas(PORTCULLIS_STATE_ALIGNMENT) unsigned char memory[PORTCULLIS_STATE_SIZE];
extern struct machine machine;
extern struct portcullis_ops ops;
extern struct portcullis_config config;
extern unsigned char tree[0x10000];

// A new machine and a configuration for it in which nothing is wrong.
void prepare(const char *name);
// A gate on a new machine, which must succeed.
struct portcullis *start(const char *name);
// The same, with the Redistributors left to the host.
struct portcullis *start_leaving(const char *name);
// A gate on a new machine, with the claim.
struct portcullis *start_claimed(const char *name);
// A gate on the machine as it is.
enum portcullis_status init(struct portcullis **gate);
// Where EL2 sees what is mapped from this address on; 0 where nothing is.
uint64_t mapped_at(uint64_t base);
// Whether nothing is taken, mapped, prepared or shared.
int is_untouched(void);

// MARK: Traps

extern struct portcullis_frame frame;
extern enum portcullis_refusal refusal;

// ESR_EL2 of a data abort from EL1, translation fault at level 3, with a valid syndrome.
uint64_t abort_syndrome(int log2_width, int is_write, int reg);
// The host at 0x1000 with `value` in x1, its vectors at 0x80000.
void begin_trap(uint64_t value);
enum portcullis_trap trap(struct portcullis *gate, uint64_t esr, uint64_t address);

#endif
