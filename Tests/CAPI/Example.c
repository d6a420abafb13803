// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// A hypervisor that embeds Portcullis. What it has already begins with hyp_, and is declared first.

#include "portcullis.h"

// EL2's translation and the host's. A split gets ready to map single pages, and may fail. A map invalidates the TLBs;
// EL2's returns the address of the first page. EL2 maps memory from hyp_linear_base on.
enum space { EL2, HOST };
int hyp_split(enum space space, const struct portcullis_pages *ranges, size_t count);
uint64_t hyp_map(enum space space, const struct portcullis_pages *pages, int is_mapped);
extern const uint64_t hyp_linear_base;
// Whether all pages are memory of the host alone, by your own record.
int hyp_is_host_memory(const struct portcullis_pages *pages);
// Accesses that return another value than 0 after an abort.
int hyp_load(uint64_t address, uint32_t width, uint64_t *value);
int hyp_store(uint64_t address, uint32_t width, uint64_t value);
void hyp_barrier(void);                            // DSB SY
void hyp_clean(uint64_t address, uint64_t bytes);  // DC CIVAC for each line, then DSB SY
// A system register of the host.
uint64_t hyp_read(enum portcullis_register which);
void hyp_write(enum portcullis_register which, uint64_t value);
uint32_t hyp_cpu(void);
void hyp_log(const char *text, size_t length);
// Moves pages from the host to another VM: your record, both stage 2, TLBs and IOMMU.
int hyp_move_to_other_vm(const struct portcullis_pages *pages);

// The operations. EL2 maps all memory always: there is nothing to do for a share.
static int host_prepare(void *c, enum portcullis_change change, const struct portcullis_pages *r, size_t count) {
    return (void)c, (void)change, hyp_split(HOST, r, count);
}
static void host_commit(void *c, enum portcullis_change change, const struct portcullis_pages *pages) {
    (void)c, hyp_map(HOST, pages, change == PORTCULLIS_GRANT);
}
static void host_abort(void *c, enum portcullis_change change, const struct portcullis_pages *r, size_t count) {
    (void)c, (void)change, (void)r, (void)count;
}
static int el2_prepare(void *c, const struct portcullis_pages *r, size_t count) {
    return (void)c, hyp_split(EL2, r, count);
}
static uint64_t el2_commit(void *c, const struct portcullis_pages *p) { return (void)c, hyp_map(EL2, p, 1); }
static void el2_abort(void *c, const struct portcullis_pages *r, size_t count) { (void)c, (void)r, (void)count; }
static void el2_unmap(void *c, const struct portcullis_pages *p, uint64_t at) { (void)c, (void)at, hyp_map(EL2, p, 0); }
static int device_read(void *c, uint64_t at, uint32_t width, uint64_t *to) { return (void)c, hyp_load(at, width, to); }
static int device_write(void *c, uint64_t at, uint32_t width, uint64_t v) { return (void)c, hyp_store(at, width, v); }
static void barrier(void *c) { (void)c, hyp_barrier(); }
static int host_share(void *c, const struct portcullis_pages *p) { return (void)c, hyp_is_host_memory(p) ? 0 : -1; }
static void host_unshare(void *c, const struct portcullis_pages *p) { (void)c, (void)p; }
static int host_read(void *c, uint64_t at, uint64_t *words, size_t count) {
    int aborted = ((void)c, 0);
    for (size_t i = 0; i < count && !aborted; i++) aborted = hyp_load(at + 8 * i, 8, &words[i]);
    return aborted;
}
static int host_write(void *c, uint64_t at, uint64_t word) { return (void)c, hyp_store(at, 8, word); }
static void clean(void *c, uint64_t at, uint64_t bytes) { (void)c, hyp_clean(at, bytes); }
static uint64_t register_read(void *c, enum portcullis_register which) { return (void)c, hyp_read(which); }
static void register_write(void *c, enum portcullis_register which, uint64_t v) { (void)c, hyp_write(which, v); }
static void log_line(void *c, enum portcullis_log_level level, const char *text, size_t length) {
    (void)c, (void)level, hyp_log(text, length);
}
static uint32_t cpu_index(void *c) { return (void)c, hyp_cpu(); }

static __attribute__((aligned(PORTCULLIS_STATE_ALIGNMENT))) unsigned char memory[PORTCULLIS_STATE_SIZE];
static struct portcullis *gate;

// On the boot CPU, before the host runs. The pool is EL2's, 4 MiB for each ITS; the host's stage 2 leaves it out.
enum portcullis_status example_start(const void *tree, size_t tree_size, struct portcullis_pages pool, uint32_t cpus) {
    static struct portcullis_ops ops;
    static struct portcullis_config config;
    ops.size = sizeof ops;
    ops.host_prepare = host_prepare, ops.host_commit = host_commit, ops.host_abort = host_abort;
    ops.el2_prepare = el2_prepare, ops.el2_commit = el2_commit, ops.el2_abort = el2_abort, ops.el2_unmap = el2_unmap;
    ops.device_read = device_read, ops.device_write = device_write;
    ops.host_read = host_read, ops.host_write = host_write;
    ops.host_share = host_share, ops.host_unshare = host_unshare, ops.order_accesses = barrier, ops.publish = barrier;
    ops.clean = clean, ops.register_read = register_read, ops.register_write = register_write;
    ops.log = log_line, ops.cpu_index = cpu_index;
    config.size = sizeof config, config.version = PORTCULLIS_VERSION, config.page_size = 4096, config.ops = &ops;
    config.tree = tree, config.tree_size = tree_size, config.pool = pool, config.cpus = cpus;
    config.linear_base = hyp_linear_base;
    enum portcullis_status status = portcullis_init(memory, sizeof memory, &config, &gate);
    return status ? status : portcullis_claim(gate);
}

// A synchronous exception from the host, whose registers are in the frame. 0: return to the host.
int example_trap(struct portcullis_frame *frame, uint64_t esr, uint64_t far, uint64_t hpfar) {
    enum portcullis_trap outcome = portcullis_handle_trap(gate, frame, esr, far, hpfar, NULL);
    if (outcome == PORTCULLIS_TRAP_NOT_AN_ABORT || outcome == PORTCULLIS_TRAP_NOT_READY) return -1;
    // An address that Portcullis does not have, nor anybody else.
    return outcome == PORTCULLIS_TRAP_UNCLAIMED && portcullis_inject_abort(gate, frame, esr, far, hpfar) ? -1 : 0;
}

// Memory of the host for another VM. Where the host uses it, `*held` says which page.
enum portcullis_status example_donate(struct portcullis_pages pages, uint64_t *held) {
    enum portcullis_status status = portcullis_may_give_away(gate, &pages, held);
    if (status || hyp_move_to_other_vm(&pages) == 0) return status;
    portcullis_took(gate, &pages);
    return PORTCULLIS_ERROR_HOST_REFUSED;
}
