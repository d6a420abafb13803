// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// On an operating system the test host is compiled, so that its sources are checked there too, and
// linked with these definitions, but nothing of it can run.

#include "CEL1Boot.h"

#if !defined(__aarch64__) || defined(__linux__)

uint64_t el1_records[EL1_CPU_LIMIT][EL1_WORDS];
uint32_t el1_interrupts[EL1_CPU_LIMIT][EL1_LPI_COUNT];

#define NOT_HERE \
  { __builtin_trap(); }

uint64_t el1_probe(uint64_t instruction, uint64_t address, uint64_t value) NOT_HERE
uint64_t el1_registers_changed_by_load(uint64_t address) NOT_HERE
uint64_t el1_hvc(uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3) NOT_HERE
uint64_t el1_smc(uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3) NOT_HERE
void el1_enable_mmu(void) NOT_HERE
uint64_t el1_root_table(void) NOT_HERE
void el1_set_root_entry(uint64_t index, uint64_t descriptor) NOT_HERE
uint64_t el1_device_tree(void) NOT_HERE
uint64_t el1_image_start(void) NOT_HERE
uint64_t el1_image_end(void) NOT_HERE
uint64_t el1_secondary_entry_address(void) NOT_HERE
uint64_t el1_visitor_entry_address(void) NOT_HERE
uint64_t el1_scratch_page(void) NOT_HERE
uint64_t el1_read_current_el(void) NOT_HERE
uint64_t el1_read_mpidr(void) NOT_HERE
uint64_t el1_read_isar0(void) NOT_HERE
uint64_t el1_read_counter(void) NOT_HERE
uint64_t el1_read_counter_frequency(void) NOT_HERE
void el1_meter_start(void) NOT_HERE
el1_retired el1_meter_nothing(uint64_t address) NOT_HERE
el1_retired el1_meter_read32(uint64_t address) NOT_HERE
el1_retired el1_meter_read64(uint64_t address) NOT_HERE
el1_retired el1_meter_write32(uint64_t address) NOT_HERE
el1_retired el1_meter_write64(uint64_t address) NOT_HERE
el1_retired el1_meter_now(void) NOT_HERE
el1_retired el1_meter_hvc(uint64_t function) NOT_HERE
el1_retired el1_meter_store32(uint64_t address, uint64_t value) NOT_HERE
el1_retired el1_meter_interrupt(uint64_t address, uint64_t value, uint64_t spins) NOT_HERE
uint64_t el1_arena(void) NOT_HERE
void el1_zero(uint64_t address, uint64_t size) NOT_HERE
void el1_barrier(void) NOT_HERE
void el1_clean(uint64_t address, uint64_t size) NOT_HERE
void el1_enable_cpu_interface(void) NOT_HERE
uint64_t el1_take_interrupts(uint64_t ticks) NOT_HERE
void el1_exit(uint64_t status) NOT_HERE

#endif
