// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// The test host's own machine code: entry, vectors, single-instruction probes, calls to the firmware.
//
// All values are scalars, so that the Swift side needs no unsafe code. This header is also included
// by the assembly.

#pragma once

/// The CPUs that the test host has state for; affinity level 0 of MPIDR_EL1 is the index.
#define EL1_CPU_LIMIT 8

// The words of a CPU's record. TPIDR_EL1 points to it; the vectors and the probes write it.

/// Where the next exception resumes; 0 means that none is expected.
#define EL1_WORD_RESUME 0
/// Exceptions taken since the last probe began.
#define EL1_WORD_COUNT 1
/// The offset of the vector that the last exception used.
#define EL1_WORD_VECTOR 2
#define EL1_WORD_ESR 3
#define EL1_WORD_FAR 4
#define EL1_WORD_ELR 5
#define EL1_WORD_SPSR 6
/// The base register after the probed instruction.
#define EL1_WORD_BASE 7
/// The address that follows the probed instruction.
#define EL1_WORD_NEXT 8
/// x0 to x4 as the last firmware or hypervisor call returned them.
#define EL1_WORD_RESULT 9
/// The link register, kept across a branch into the unknown.
#define EL1_WORD_LINK 14

// What a secondary CPU found and what it's told.

/// x0 at its entry.
#define EL1_WORD_CONTEXT 16
#define EL1_WORD_CURRENT_EL 17
/// SCTLR_EL1 and DAIF at its entry.
#define EL1_WORD_SCTLR 18
#define EL1_WORD_DAIF 19
/// How often it entered; written last of the entry's words.
#define EL1_WORD_ENTRIES 20
/// Rounds of register reads that it made, and values that were wrong.
#define EL1_WORD_ROUNDS 21
#define EL1_WORD_WRONG 22
/// Set by the boot CPU to let it switch itself off.
#define EL1_WORD_RELEASE 23
/// What CPU_OFF returned, where it returned.
#define EL1_WORD_OFF_RESULT 24

// Interrupts, which are taken in el1_take_interrupts and el1_meter_interrupt alone.

/// Interrupts that were acknowledged, and those among them that no test expects.
#define EL1_WORD_INTERRUPTS 25
#define EL1_WORD_UNEXPECTED 26
/// The meter's two counters at the first instruction of the last handler.
#define EL1_WORD_METER 27
/// What a secondary CPU is to do: read the ITS, take interrupts, or change all the time a word,
/// GITS_CWRITER, or a GITS_BASER with the ITS disabled meanwhile.
#define EL1_WORD_JOB 29
#define EL1_JOB_READ 0
#define EL1_JOB_INTERRUPTS 1
#define EL1_JOB_FLIP 2
#define EL1_JOB_RING 3
#define EL1_JOB_MOVE 4
#define EL1_JOB_WATCH 5
/// The address of that word or register, or 0, and what it is combined with by exclusive or.
#define EL1_WORD_ADDRESS 30
#define EL1_WORD_DIFFERENCE 31

#define EL1_WORDS 32

/// The first INTID of an LPI, and how many LPIs are counted one by one.
#define EL1_LPI_FIRST 8192
#define EL1_LPI_COUNT 4096
/// The INTID of the virtual timer.
#define EL1_TIMER_INTID 27

/// Memory that the tests give to the ITS, in bytes.
#define EL1_ARENA_SIZE 0x530000

/// Entries of a translation table.
#define EL1_TABLE_ENTRIES 512

// The probed instructions. Each has x1 as base, x0 (w0) as data, holding a given value before.
#define EL1_LDR_X 0
#define EL1_LDR_W 1
#define EL1_LDRH 2
#define EL1_LDRB 3
#define EL1_LDRSW 4
#define EL1_LDRSH_X 5
#define EL1_LDRSB_X 6
#define EL1_LDRSH_W 7
#define EL1_LDRSB_W 8
#define EL1_LDR_XZR 9
#define EL1_LDR_WZR 10
#define EL1_LDAR_W 11
#define EL1_LDAR_X 12
#define EL1_STR_X 13
#define EL1_STR_W 14
#define EL1_STRH 15
#define EL1_STRB 16
#define EL1_STR_XZR 17
#define EL1_STR_WZR 18
#define EL1_STLR_W 19
#define EL1_STLR_X 20
#define EL1_LDP_X 21
#define EL1_LDP_W 22
#define EL1_STP_X 23
#define EL1_STP_W 24
#define EL1_LDR_W_POST 25
#define EL1_STR_W_POST 26
#define EL1_LDR_W_PRE 27
#define EL1_STR_W_PRE 28
#define EL1_LDR_Q 29
#define EL1_STR_Q 30
#define EL1_LDR_D 31
#define EL1_STR_D 32
#define EL1_LDXR_W 33
#define EL1_LDXR_STXR_X 34
#define EL1_LDADD_X 35
#define EL1_DC_CIVAC 36
#define EL1_DC_IVAC 37
#define EL1_IC_IVAU 38
#define EL1_DC_ZVA 39
/// AT S1E1R; x0 is PAR_EL1 after it.
#define EL1_AT_S1E1R 40
/// A branch with link to x1.
#define EL1_FETCH 41
/// A byte load on SP_EL0.
#define EL1_LDRB_SP0 42
/// A load from EL0, which then makes an SVC.
#define EL1_LDR_W_EL0 43
#define EL1_LDRB_EL0 44
/// A load into w30, whose value is then moved to x0.
#define EL1_LDR_W_X30 45
#define EL1_PROBES 46

#ifndef __ASSEMBLER__

#include <stdint.h>

/// The record of each CPU.
extern uint64_t el1_records[EL1_CPU_LIMIT][EL1_WORDS];

/// Reads a word of a CPU's record, and what was written before it (load-acquire).
static inline uint64_t el1_record(uint64_t cpu, uint64_t word) {
  return __atomic_load_n(&el1_records[cpu % EL1_CPU_LIMIT][word % EL1_WORDS], __ATOMIC_ACQUIRE);
}

/// Writes a word of a CPU's record after what was written before (store-release).
static inline void el1_set_record(uint64_t cpu, uint64_t word, uint64_t value) {
  __atomic_store_n(&el1_records[cpu % EL1_CPU_LIMIT][word % EL1_WORDS], value, __ATOMIC_RELEASE);
}

/// Executes one instruction of EL1_LDR_X … with `address` in x1 and `value` in x0; returns x0 after it.
///
/// Exceptions are counted in the record of the CPU and resume after the instruction.
uint64_t el1_probe(uint64_t instruction, uint64_t address, uint64_t value);

/// Loads 32 bits with every other general register and the flags holding a pattern.
///
/// Returns a set: bit n for register n that changed, bit 31 for the flags; all ones after an exception.
uint64_t el1_registers_changed_by_load(uint64_t address);

/// HVC #0 and SMC #0 with x0 to x3 (x4 is 0); returns x0, and x0 to x4 are in the record after it.
uint64_t el1_hvc(uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3);
uint64_t el1_smc(uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3);

/// Sets the base of the translation tables and switches the MMU on.
///
/// Used by the boot CPU; secondary CPUs do the same before they touch memory.
void el1_enable_mmu(void);

/// The address of the translation table that a walk begins with.
uint64_t el1_root_table(void);
/// Writes one entry of that table and makes it visible to walks.
void el1_set_root_entry(uint64_t index, uint64_t descriptor);

/// The address of the device tree that the image was started with (x0).
uint64_t el1_device_tree(void);
/// The addresses of the image's first byte and of the byte behind its last.
uint64_t el1_image_start(void);
uint64_t el1_image_end(void);
/// Where a secondary CPU enters.
uint64_t el1_secondary_entry_address(void);
/// Where a CPU enters, with the MMU off, that waits for one interrupt, writes its INTID and MPIDR_EL1 to the two words
/// at x0, and switches itself off.
uint64_t el1_visitor_entry_address(void);
/// A page of own memory, for the checks of the probes themselves.
uint64_t el1_scratch_page(void);

uint64_t el1_read_current_el(void);
uint64_t el1_read_mpidr(void);
uint64_t el1_read_isar0(void);
/// The system counter and its frequency.
uint64_t el1_read_counter(void);
uint64_t el1_read_counter_frequency(void);

/// The address of EL1_ARENA_SIZE bytes of own memory, a multiple of 64 KiB; never zeroed by the boot.
uint64_t el1_arena(void);

/// Memory that a device reads or writes: one access each, which the compiler keeps as it is.
static inline uint64_t el1_load64(uint64_t address) {
  return __atomic_load_n((uint64_t *)(uintptr_t)address, __ATOMIC_RELAXED);
}
static inline void el1_store64(uint64_t address, uint64_t value) {
  __atomic_store_n((uint64_t *)(uintptr_t)address, value, __ATOMIC_RELAXED);
}
static inline void el1_store8(uint64_t address, uint64_t value) {
  __atomic_store_n((uint8_t *)(uintptr_t)address, (uint8_t)value, __ATOMIC_RELAXED);
}
/// Zeroes memory; `size` is a multiple of 16.
void el1_zero(uint64_t address, uint64_t size);
/// DSB SY: what was stored is there before the next access to a device.
void el1_barrier(void);
/// Cleans memory to the point of coherency, for a device that doesn't look into caches.
void el1_clean(uint64_t address, uint64_t size);

/// How often each CPU took each LPI.
extern uint32_t el1_interrupts[EL1_CPU_LIMIT][EL1_LPI_COUNT];
static inline uint64_t el1_interrupt_count(uint64_t cpu, uint64_t intid) {
  return __atomic_load_n(
      &el1_interrupts[cpu % EL1_CPU_LIMIT][(intid - EL1_LPI_FIRST) % EL1_LPI_COUNT],
      __ATOMIC_ACQUIRE);
}

/// Lets this CPU take group 1 interrupts of any priority, when it unmasks them.
void el1_enable_cpu_interface(void);
/// Waits at most `ticks` of the counter for an interrupt, takes all that are pending, and returns how
/// many that were, the virtual timer's own, which ends the wait, not among them.
uint64_t el1_take_interrupts(uint64_t ticks);

/// Instructions retired between two readings.
typedef struct el1_retired {
  /// At EL1 and EL2.
  uint64_t both;
  /// At EL1 alone.
  uint64_t el1;
} el1_retired;
/// Has the performance monitors count.
void el1_meter_start(void);
/// The counters' values.
el1_retired el1_meter_now(void);
/// What the readings themselves retire, and the same with one access to `address` between them.
el1_retired el1_meter_nothing(uint64_t address);
el1_retired el1_meter_read32(uint64_t address);
el1_retired el1_meter_read64(uint64_t address);
el1_retired el1_meter_write32(uint64_t address);
el1_retired el1_meter_write64(uint64_t address);

/// The same with an HVC of the function.
el1_retired el1_meter_hvc(uint64_t function);
/// The same with a 32-bit store of `value` to `address`.
el1_retired el1_meter_store32(uint64_t address, uint64_t value);
/// From such a store to the first instruction of the interrupt handler; all ones where no interrupt
/// comes within `spins` looks.
el1_retired el1_meter_interrupt(uint64_t address, uint64_t value, uint64_t spins);

/// Ends the machine through semihosting with an exit status, or by PSCI where there is none.
void el1_exit(uint64_t status) __attribute__((noreturn));

// Implemented by the test host.

/// What a secondary CPU does with its MMU on, on a stack of its own; it must not return.
void el1_secondary_main(uint64_t cpu);
/// An exception that no probe asked for: reports it and ends the machine.
void el1_unexpected_exception(uint64_t cpu);

#endif
