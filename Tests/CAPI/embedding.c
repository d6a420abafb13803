// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// The hypervisor of Example.c: what it has already is the machine of these tests.

#include "embedding.h"
#include "driver.h"

// Example.c is written to be read, and declares what it calls itself.
enum space { EL2, HOST };
int hyp_split(enum space space, const struct portcullis_pages *ranges, size_t count);
uint64_t hyp_map(enum space space, const struct portcullis_pages *pages, int is_mapped);
int hyp_is_host_memory(const struct portcullis_pages *pages);
int hyp_load(uint64_t address, uint32_t width, uint64_t *value);
int hyp_store(uint64_t address, uint32_t width, uint64_t value);
void hyp_barrier(void);
void hyp_clean(uint64_t address, uint64_t bytes);
uint64_t hyp_read(enum portcullis_register which);
void hyp_write(enum portcullis_register which, uint64_t value);
uint32_t hyp_cpu(void);
void hyp_log(const char *text, size_t length);
int hyp_move_to_other_vm(const struct portcullis_pages *pages);
extern uint64_t hyp_linear_base;
uint64_t hyp_linear_base;

int hyp_split(enum space space, const struct portcullis_pages *ranges, size_t count) {
    return space == EL2 ? ops.el2_prepare(&machine, ranges, count)
                        : ops.host_prepare(&machine, PORTCULLIS_REVOKE, ranges, count);
}
uint64_t hyp_map(enum space space, const struct portcullis_pages *pages, int is_mapped) {
    if (space == EL2 && is_mapped) return ops.el2_commit(&machine, pages);
    if (space == EL2) ops.el2_unmap(&machine, pages, mapped_at(pages->base));
    else ops.host_commit(&machine, is_mapped ? PORTCULLIS_GRANT : PORTCULLIS_REVOKE, pages);
    return 0;
}
int hyp_is_host_memory(const struct portcullis_pages *pages) { return is_host(pages->base, pages->bytes); }

static int is_memory(uint64_t address, uint32_t width) { return is_host(address - memory_distance(), width); }
int hyp_load(uint64_t address, uint32_t width, uint64_t *value) {
    return is_memory(address, width) ? ops.host_read(&machine, address, value, 1)
                                     : ops.device_read(&machine, address, width, value);
}
int hyp_store(uint64_t address, uint32_t width, uint64_t value) {
    return is_memory(address, width) ? ops.host_write(&machine, address, value)
                                     : ops.device_write(&machine, address, width, value);
}
void hyp_barrier(void) { ops.order_accesses(&machine); }
void hyp_clean(uint64_t address, uint64_t bytes) { ops.clean(&machine, address, bytes); }
uint64_t hyp_read(enum portcullis_register which) { return ops.register_read(&machine, which); }
void hyp_write(enum portcullis_register which, uint64_t value) { ops.register_write(&machine, which, value); }
uint32_t hyp_cpu(void) { return 0; }
void hyp_log(const char *text, size_t length) { ops.log(&machine, PORTCULLIS_LOG_INFO, text, length); }

static int moved, refuses;
int hyp_move_to_other_vm(const struct portcullis_pages *pages) {
    if (refuses) return -1;
    moved += (int)(pages->bytes / 4096);
    return 0;
}

// MARK: The tests

enum portcullis_status example_start(const void *tree, size_t tree_size, struct portcullis_pages pool, uint32_t cpus);
int example_trap(struct portcullis_frame *frame, uint64_t esr, uint64_t far, uint64_t hpfar);
enum portcullis_status example_donate(struct portcullis_pages pages, uint64_t *held);

// A 64-bit access of the host through x1; 1 where the example is done with it.
static int example_access(uint64_t address, int is_write, uint64_t *value) {
    begin_trap(*value);
    int status = example_trap(&frame, abort_syndrome(3, is_write, 1), address, address >> 12 << 4);
    *value = frame.x[1];
    return status == 0;
}
static int example_put(uint64_t address, uint64_t value) { return example_access(address, 1, &value); }

void test_embedding(void) {
    const struct its *its = machine.gic.its;
    const struct portcullis_pages spare = {HOST_BASE + 0xc0000, 0x2000}, queue = {QUEUE, QUEUE_BYTES};
    prepare("one-its.dtb");
    hyp_linear_base = memory_distance();
    expect_status(example_start(tree, sizeof tree, config.pool, 1), PORTCULLIS_OK, "the example starts");
    check(machine.revoked == 16 + REDISTRIBUTOR_PAGES && machine.lines > 0, "and takes the registers from its host");
    uint64_t value = 0, held = 0;
    check(example_access(ITS0 + GITS_TYPER, 0, &value) && (value & 0xff) == (its->typer & 0xff), "its host reads an ITS");
    check(example_put(ITS0 + GITS_CBASER, VALID | QUEUE | 15) && example_put(ITS0 + GITS_BASER0, VALID | TABLE) &&
              example_put(ITS0 + GITS_BASER1, VALID | (TABLE + 0x10000)),
          "and gives it a queue and tables");
    begin_trap(1);
    example_trap(&frame, abort_syndrome(2, 1, 1), ITS0 + GITS_CTLR, ITS0 >> 12 << 4);
    staged = 0;
    stage_at(QUEUE);
    stage_mapc(0, 0);
    check(example_put(ITS0 + GITS_CWRITER, staged) && its->fetched_count == 1 && its->outside == 0,
          "a command reaches the hardware");
    check(example_put(0x7000000, 1) && frame.elr == 0x80200,
          "what nobody has is an external abort");
    check(example_trap(&frame, UINT64_C(0x16) << 26, 0, 0) == -1, "a call is not for Portcullis");
    check(example_donate(queue, &held) == PORTCULLIS_ERROR_HELD && held == QUEUE && moved == 0, "it keeps the queue");
    refuses = 1;
    expect_status(example_donate(spare, &held), PORTCULLIS_ERROR_HOST_REFUSED, "donate what can't be moved");
    refuses = 0;
    check(example_donate(spare, &held) == PORTCULLIS_OK && moved == 2, "it gives other memory away");
}
