// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#define _POSIX_C_SOURCE 200809L

#include "machine.h"
#include "smmu.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int test_count, failures;

void check(int passed, const char *name, ...) {
    va_list arguments;
    va_start(arguments, name);
    printf("%s %d - ", passed ? "ok" : "not ok", ++test_count);
    vprintf(name, arguments);
    printf("\n");
    va_end(arguments);
    if (!passed) failures++;
}

void expect_status(enum portcullis_status got, enum portcullis_status want, const char *name) {
    check(got == want, "%s: %s", name, portcullis_strerror(want));
    if (got != want) printf("# got %d, %s\n", (int)got, portcullis_strerror(got));
}

int finish(void) {
    printf("1..%d\n", test_count);
    return failures != 0;
}

// MARK: The machine

static int host_prepare(void *context, enum portcullis_change change,
                        const struct portcullis_pages *ranges, size_t count) {
    struct machine *m = context;
    (void)ranges;
    if (count == 0 || (change == PORTCULLIS_GRANT ? m->refuse_grant : m->refuse_host)) return -1;
    m->host_prepared += (int)count;
    return 0;
}

static void host_commit(void *context, enum portcullis_change change,
                        const struct portcullis_pages *pages) {
    struct machine *m = context;
    int count = (int)(pages->bytes / 4096);
    m->host_prepared--;
    m->revoked += change == PORTCULLIS_REVOKE ? count : -count;
}

static void host_abort(void *context, enum portcullis_change change,
                       const struct portcullis_pages *ranges, size_t count) {
    struct machine *m = context;
    (void)change, (void)ranges;
    m->host_prepared -= (int)count;
}

static int el2_prepare(void *context, const struct portcullis_pages *ranges, size_t count) {
    struct machine *m = context;
    if (m->refuse_el2) return -1;
    // What is mapped for a moment is the Distributor.
    if (m->refuse_gic && ranges->base == 0x8000000) return -1;
    for (size_t index = 0; index < count; index++)
        m->split_pages += (ranges[index].base | ranges[index].bytes) % config.page_size != 0;
    m->el2_prepared += (int)count;
    return 0;
}

static uint64_t el2_commit(void *context, const struct portcullis_pages *pages) {
    struct machine *m = context;
    uint64_t address = m->linear ? WINDOW + pages->base : m->next;
    m->el2_prepared--;
    m->next += pages->bytes + 4096;
    m->mapped += (int)(pages->bytes / 4096);
    m->mappings[m->mapping_count++] = (struct mapping){pages->base, pages->bytes, address};
    const int kind = pages->base == m->gic.redistributors ? 2 : pages->base == 0x8000000 ? 3 : 1;
    const int is_bad = m->bad_address == kind;
    return is_bad ? address + 8 : address;
}

static void el2_abort(void *context, const struct portcullis_pages *ranges, size_t count) {
    struct machine *m = context;
    (void)ranges;
    m->el2_prepared -= (int)count;
}

static void el2_unmap(void *context, const struct portcullis_pages *pages, uint64_t address) {
    struct machine *m = context;
    // In a linear map all that are at one address end at once.
    for (int index = m->mapping_count - 1; index >= 0; index--)
        if (m->mappings[index].address == (address & ~UINT64_C(0xfff)) &&
            m->mappings[index].base == pages->base)
            m->mappings[index] = m->mappings[--m->mapping_count];
    m->mapped -= (int)(pages->bytes / 4096);
}

// Where an EL2 virtual address leads, or nowhere.
static uint64_t physical(const struct machine *m, uint64_t address) {
    for (int index = m->mapping_count - 1; index >= 0; index--)
        if (address - m->mappings[index].address < m->mappings[index].bytes)
            return m->mappings[index].base + (address - m->mappings[index].address);
    return UINT64_MAX;
}

// An access to the GIC; two at once are a mistake where all go to one ITS, and are given time to meet.
static enum gic_access access_gic(struct machine *m, uint64_t address, int is_write,
                                  uint64_t *value) {
    if (!m->is_watched) return gic_access(&m->gic, physical(m, address), is_write, value);
    if (__atomic_add_fetch(&m->inside, 1, __ATOMIC_SEQ_CST) > 1) m->overlaps = 1;
    nanosleep(&(struct timespec){.tv_nsec = 10000}, NULL);
    enum gic_access access = gic_access(&m->gic, physical(m, address), is_write, value);
    __atomic_sub_fetch(&m->inside, 1, __ATOMIC_SEQ_CST);
    return access;
}

static int device_read(void *context, uint64_t address, uint32_t width, uint64_t *value) {
    struct machine *m = context;
    enum gic_access access = access_gic(m, address, 0, value);
    if (access == GIC_NOT_HERE) access = smmu_access(physical(m, address), 0, width, value);
    if (access != GIC_NOT_HERE) return access == GIC_ABORTED;
    m->device_reads++;
    m->device_address = address;
    m->device_width = width;
    *value = m->device_value;
    return m->abort_device;
}

static int device_write(void *context, uint64_t address, uint32_t width, uint64_t value) {
    struct machine *m = context;
    enum gic_access access = access_gic(m, address, 1, &value);
    if (access == GIC_NOT_HERE) access = smmu_access(physical(m, address), 1, width, &value);
    if (access != GIC_NOT_HERE) return access == GIC_ABORTED;
    m->device_writes++;
    m->device_address = address;
    m->device_width = width;
    m->device_value = value;
    return m->abort_device;
}

static int host_share(void *context, const struct portcullis_pages *pages) {
    struct machine *m = context;
    if (!is_host(pages->base, pages->bytes) && !m->is_careless) return -1;
    m->shared += (int)(pages->bytes / 4096);
    return 0;
}

static void host_unshare(void *context, const struct portcullis_pages *pages) {
    ((struct machine *)context)->shared -= (int)(pages->bytes / 4096);
}

static int host_read(void *context, uint64_t address, uint64_t *words, size_t count) {
    struct machine *m = context;
    if (m->abort_memory) return -1;
    for (size_t i = 0; i < count; i++)
        words[i] = __atomic_load_n((uint64_t *)(uintptr_t)address + i, __ATOMIC_RELAXED);
    return 0;
}

static int host_write(void *context, uint64_t address, uint64_t word) {
    if (((struct machine *)context)->abort_memory) return -1;
    __atomic_store_n((uint64_t *)(uintptr_t)address, word, __ATOMIC_RELAXED);
    return 0;
}

static int host_donate(void *context, const struct portcullis_pages *pages) {
    struct machine *m = context;
    if (!is_host(pages->base, pages->bytes) || m->donated >= m->donation_limit) return -1;
    m->donated += (int)(pages->bytes / 4096);
    return 0;
}

static void host_give_back(void *context, const struct portcullis_pages *pages) {
    ((struct machine *)context)->donated -= (int)(pages->bytes / 4096);
}

static void clean(void *context, uint64_t address, uint64_t bytes) {
    struct machine *m = context;
    const uint64_t base = address - memory_distance();
    m->cleans++;
    m->host_cleans += is_host(base, bytes);
    m->bad_cleans += !is_pool(base, bytes) && !is_host(base, bytes);
}

static void publish(void *context) {
    ((struct machine *)context)->publishes++;
    smmu_publish();
}

static void order_accesses(void *context) { ((struct machine *)context)->barriers++; }

// Every CPU has its own; here they share one set, whose values do not matter where several run.
static uint64_t register_read(void *context, enum portcullis_register which) {
    return __atomic_load_n(&((struct machine *)context)->registers[which], __ATOMIC_RELAXED);
}

static void register_write(void *context, enum portcullis_register which, uint64_t value) {
    __atomic_store_n(&((struct machine *)context)->registers[which], value, __ATOMIC_RELAXED);
}

static void log_line(void *context, enum portcullis_log_level level, const char *text,
                     size_t length) {
    struct machine *m = context;
    (void)level;
    m->lines++;
    if (length > sizeof m->line - 1) length = sizeof m->line - 1;
    memcpy(m->line, text, length);
    m->line[length] = 0;
}

static uint32_t cpu_index(void *context) {
    return ((struct machine *)context)->cpu;
}

// MARK: A gate on the machine

_Alignas(PORTCULLIS_STATE_ALIGNMENT) unsigned char memory[PORTCULLIS_STATE_SIZE];
struct machine machine;
struct portcullis_ops ops;
struct portcullis_config config;
unsigned char tree[0x10000];

static size_t read_tree(const char *name) {
    FILE *file = fopen(name, "rb");
    size_t size = file ? fread(tree, 1, sizeof tree, file) : 0;
    if (file) fclose(file);
    if (size == 0) {
        printf("Bail out! cannot read %s\n", name);
        exit(2);
    }
    return size;
}

void prepare(const char *name) {
    memset(&machine, 0, sizeof machine);
    machine.next = WINDOW;
    machine.cpu = 3;
    machine.donation_limit = 1000;
    gic_reset(&machine.gic, name);
    smmu_reset();
    ops = (struct portcullis_ops){
        .size = sizeof ops, .context = &machine, .host_prepare = host_prepare,
        .host_commit = host_commit, .host_abort = host_abort, .el2_prepare = el2_prepare,
        .el2_commit = el2_commit, .el2_abort = el2_abort, .el2_unmap = el2_unmap,
        .device_read = device_read, .device_write = device_write,
        .order_accesses = order_accesses, .host_share = host_share, .host_unshare = host_unshare,
        .host_read = host_read, .host_write = host_write,
        .host_donate = host_donate, .host_give_back = host_give_back, .clean = clean,
        .publish = publish, .register_read = register_read,
        .register_write = register_write, .log = log_line, .cpu_index = cpu_index,
    };
    config = (struct portcullis_config){
        .size = sizeof config, .version = PORTCULLIS_VERSION, .page_size = 4096, .tree = tree, .tree_size = read_tree(name),
        .ops = &ops, .cpus = 4, .linear_base = memory_distance(),
        .pool = {.base = POOL_BASE, .bytes = POOL_BYTES},
    };
    memset(memory, 0xa5, sizeof memory);
}

static struct portcullis *start_with(const char *name, uint32_t policy) {
    struct portcullis *gate = NULL;
    prepare(name);
    config.policy = policy;
    if (init(&gate) != PORTCULLIS_OK) {
        printf("Bail out! no gate for %s: %s\n", name, machine.line);
        exit(2);
    }
    return gate;
}

struct portcullis *start(const char *name) { return start_with(name, 0); }

struct portcullis *start_leaving(const char *name) {
    return start_with(name, PORTCULLIS_POLICY_LEAVE_REDISTRIBUTORS);
}

struct portcullis *start_claimed(const char *name) {
    struct portcullis *gate = start(name);
    enum portcullis_status status = portcullis_claim(gate);
    if (status != PORTCULLIS_OK) {
        printf("Bail out! no claim for %s: %s\n", name, portcullis_strerror(status));
        exit(2);
    }
    return gate;
}

enum portcullis_status init(struct portcullis **gate) {
    *gate = NULL;
    enum portcullis_status status = portcullis_init(memory, sizeof memory, &config, gate);
    if ((status == PORTCULLIS_OK) != (*gate != NULL)) return (enum portcullis_status)-1000;
    return status;
}

uint64_t mapped_at(uint64_t base) {
    for (int index = 0; index < machine.mapping_count; index++)
        if (machine.mappings[index].base == base) return machine.mappings[index].address;
    return 0;
}

int is_untouched(void) {
    return machine.revoked == 0 && machine.mapped == 0 && machine.host_prepared == 0 &&
           machine.el2_prepared == 0 && machine.shared == 0 && machine.donated == 0;
}

// MARK: Traps

uint64_t abort_syndrome(int log2_width, int is_write, int reg) {
    return UINT64_C(0x24) << 26 | 1u << 25 | 1u << 24 | (uint64_t)log2_width << 22 |
           (uint64_t)reg << 16 | (log2_width == 3 ? 1u << 15 : 0) | (is_write ? 1u << 6 : 0) | 0x07;
}

struct portcullis_frame frame;
enum portcullis_refusal refusal;

void begin_trap(uint64_t value) {
    frame.x[1] = value;
    frame.elr = 0x1000;
    frame.spsr = 0x3c5;  // EL1h, DAIF
    machine.registers[PORTCULLIS_VBAR_EL1] = 0x80000;
}

enum portcullis_trap trap(struct portcullis *gate, uint64_t esr, uint64_t address) {
    begin_trap(frame.x[1]);
    refusal = (enum portcullis_refusal)99;
    return portcullis_handle_trap(gate, &frame, esr, address, address >> 12 << 4, &refusal);
}
