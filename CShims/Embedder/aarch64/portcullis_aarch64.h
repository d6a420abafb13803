// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// Operations of portcullis.h that are the same in each hypervisor whose EL2 runs with HCR_EL2.E2H clear. Use all of
// them, or those that suit you:
//
//     static struct portcullis_ops ops = {.size = sizeof ops};
//     portcullis_aarch64_operations(&ops);  // then set yours
//
// Loads and stores that may abort are left to you. In your vector of a synchronous exception that EL2 has taken from
// itself, with X0 to X18 and X30 saved:
//
//     uint64_t next = portcullis_aarch64_fix_up(esr, elr);
//     if (next) elr = next; else panic();
//
// Then write ELR_EL2, restore the registers, and return by ERET. An SError stays yours. A linker script keeps the
// section portcullis_fixups, by this name, where EL2 can read it. Such an abort overwrites ELR_EL2 and SPSR_EL2: save
// those of the host in the frame of its trap when it enters EL2, and write them back when it leaves.

#ifndef PORTCULLIS_AARCH64_H
#define PORTCULLIS_AARCH64_H

#ifndef __aarch64__
#error "portcullis_aarch64.h is for AArch64"
#endif

#include "portcullis.h"

// MARK: Accesses that may abort

/// A guarded instruction and where EL2 continues after its abort, as distances from the members themselves.
struct portcullis_aarch64_fixup {
    int32_t instruction;  ///< the instruction
    int32_t next;         ///< where EL2 continues
};
// The linker makes these symbols where the section is.
extern const struct portcullis_aarch64_fixup __start_portcullis_fixups[] __attribute__((visibility("hidden")));
extern const struct portcullis_aarch64_fixup __stop_portcullis_fixups[] __attribute__((visibility("hidden")));

/// Where EL2 continues after a synchronous exception that it has taken from itself; 0 where that is no abort of an
/// access of this file. `esr` and `elr` are ESR_EL2 and ELR_EL2.
static inline uint64_t portcullis_aarch64_fix_up(uint64_t esr, uint64_t elr) {
    const struct portcullis_aarch64_fixup *fixup = __start_portcullis_fixups;
    if ((esr >> 26 & 0x3f) != 0x25) return 0;  // a data abort without a change of Exception level
    for (; fixup != __stop_portcullis_fixups; fixup++)
        if ((uint64_t)(uintptr_t)&fixup->instruction + (uint64_t)(int64_t)fixup->instruction == elr)
            return (uint64_t)(uintptr_t)&fixup->next + (uint64_t)(int64_t)fixup->next;
    return 0;
}

// One guarded instruction. `aborted` is 0 after it, or 1 after its abort.
#define PORTCULLIS_AARCH64_GUARDED(instruction)              \
    "1: " instruction "\n"                                   \
    "mov %w[aborted], #0\n"                                  \
    "b 3f\n"                                                 \
    "2: mov %w[aborted], #1\n"                               \
    "3:\n"                                                   \
    ".pushsection portcullis_fixups, \"aR\", %%progbits\n"   \
    ".balign 4\n"                                            \
    ".word 1b - ., 2b - .\n"                                 \
    ".popsection\n"
#define PORTCULLIS_AARCH64_LOAD(instruction)                              \
    __asm__ volatile(PORTCULLIS_AARCH64_GUARDED(instruction)              \
                     : [aborted] "=&r"(aborted), [value] "=&r"(loaded)    \
                     : [address] "r"(address)                             \
                     : "memory")
#define PORTCULLIS_AARCH64_STORE(instruction)                             \
    __asm__ volatile(PORTCULLIS_AARCH64_GUARDED(instruction)              \
                     : [aborted] "=&r"(aborted)                           \
                     : [address] "r"(address), [value] "r"(value)         \
                     : "memory")

/// device_read.
static inline int portcullis_aarch64_device_read(void *context, uint64_t address, uint32_t width, uint64_t *value) {
    uint64_t loaded;
    int aborted;
    (void)context;
    switch (width) {
    case 1: PORTCULLIS_AARCH64_LOAD("ldrb %w[value], [%[address]]"); break;
    case 2: PORTCULLIS_AARCH64_LOAD("ldrh %w[value], [%[address]]"); break;
    case 4: PORTCULLIS_AARCH64_LOAD("ldr %w[value], [%[address]]"); break;
    default: PORTCULLIS_AARCH64_LOAD("ldr %x[value], [%[address]]"); break;
    }
    if (!aborted) *value = loaded;
    return aborted;
}

/// device_write.
static inline int portcullis_aarch64_device_write(void *context, uint64_t address, uint32_t width, uint64_t value) {
    int aborted;
    (void)context;
    switch (width) {
    case 1: PORTCULLIS_AARCH64_STORE("strb %w[value], [%[address]]"); break;
    case 2: PORTCULLIS_AARCH64_STORE("strh %w[value], [%[address]]"); break;
    case 4: PORTCULLIS_AARCH64_STORE("str %w[value], [%[address]]"); break;
    default: PORTCULLIS_AARCH64_STORE("str %x[value], [%[address]]"); break;
    }
    return aborted;
}

/// host_read.
static inline int portcullis_aarch64_host_read(void *context, uint64_t address, uint64_t *words, size_t count) {
    int aborted = 0;
    size_t index;
    for (index = 0; index < count && !aborted; index++)
        aborted = portcullis_aarch64_device_read(context, address + 8 * index, 8, &words[index]);
    return aborted;
}

/// host_write.
static inline int portcullis_aarch64_host_write(void *context, uint64_t address, uint64_t word) {
    return portcullis_aarch64_device_write(context, address, 8, word);
}

#undef PORTCULLIS_AARCH64_GUARDED
#undef PORTCULLIS_AARCH64_LOAD
#undef PORTCULLIS_AARCH64_STORE

// MARK: Barriers and caches

/// order_accesses.
static inline void portcullis_aarch64_order_accesses(void *context) {
    (void)context;
    __asm__ volatile("dmb sy" ::: "memory");
}

/// publish.
static inline void portcullis_aarch64_publish(void *context) {
    (void)context;
    __asm__ volatile("dsb ishst" ::: "memory");
}

/// clean.
static inline void portcullis_aarch64_clean(void *context, uint64_t address, uint64_t bytes) {
    const uint64_t end = address + bytes;
    uint64_t type, line;
    (void)context;
    __asm__ volatile("mrs %0, ctr_el0" : "=r"(type));
    line = UINT64_C(4) << (type >> 16 & 0xf);  // CTR_EL0.DminLine
    for (address &= ~(line - 1); address < end; address += line)
        __asm__ volatile("dc civac, %0" ::"r"(address) : "memory");
    __asm__ volatile("dsb sy" ::: "memory");
}

// MARK: The clock

/// clock: CNTPCT_EL0, whose unit CNTFRQ_EL0 tells.
static inline uint64_t portcullis_aarch64_clock(void *context) {
    uint64_t counts;
    (void)context;
    __asm__ volatile("isb; mrs %0, cntpct_el0" : "=r"(counts)::"memory");
    return counts;
}

// MARK: System registers

#define PORTCULLIS_AARCH64_MRS(name) __asm__ volatile("mrs %0, " name : "=r"(value))
#define PORTCULLIS_AARCH64_MSR(name) __asm__ volatile("msr " name ", %0" ::"r"(value) : "memory")

/// register_read, of the registers themselves.
static inline uint64_t portcullis_aarch64_register_read(void *context, enum portcullis_register which) {
    uint64_t value = 0;
    (void)context;
    switch (which) {
    case PORTCULLIS_ESR_EL1: PORTCULLIS_AARCH64_MRS("esr_el1"); break;
    case PORTCULLIS_FAR_EL1: PORTCULLIS_AARCH64_MRS("far_el1"); break;
    case PORTCULLIS_ELR_EL1: PORTCULLIS_AARCH64_MRS("elr_el1"); break;
    case PORTCULLIS_SPSR_EL1: PORTCULLIS_AARCH64_MRS("spsr_el1"); break;
    case PORTCULLIS_VBAR_EL1: PORTCULLIS_AARCH64_MRS("vbar_el1"); break;
    case PORTCULLIS_SCTLR_EL1: PORTCULLIS_AARCH64_MRS("sctlr_el1"); break;
    case PORTCULLIS_SCTLR2_EL1: PORTCULLIS_AARCH64_MRS("s3_0_c1_c0_3"); break;
    case PORTCULLIS_TCR_EL1: PORTCULLIS_AARCH64_MRS("tcr_el1"); break;
    case PORTCULLIS_TTBR0_EL1: PORTCULLIS_AARCH64_MRS("ttbr0_el1"); break;
    case PORTCULLIS_TTBR1_EL1: PORTCULLIS_AARCH64_MRS("ttbr1_el1"); break;
    case PORTCULLIS_MPIDR_EL1: PORTCULLIS_AARCH64_MRS("mpidr_el1"); break;
    }
    return value;
}

/// register_write, of the registers themselves.
static inline void portcullis_aarch64_register_write(void *context, enum portcullis_register which, uint64_t value) {
    (void)context;
    switch (which) {
    case PORTCULLIS_ESR_EL1: PORTCULLIS_AARCH64_MSR("esr_el1"); break;
    case PORTCULLIS_FAR_EL1: PORTCULLIS_AARCH64_MSR("far_el1"); break;
    case PORTCULLIS_ELR_EL1: PORTCULLIS_AARCH64_MSR("elr_el1"); break;
    case PORTCULLIS_SPSR_EL1: PORTCULLIS_AARCH64_MSR("spsr_el1"); break;
    default: break;  // the others are only read
    }
}

#undef PORTCULLIS_AARCH64_MRS
#undef PORTCULLIS_AARCH64_MSR

/// Sets the operations of this file, and no other member.
static inline void portcullis_aarch64_operations(struct portcullis_ops *ops) {
    ops->device_read = portcullis_aarch64_device_read;
    ops->device_write = portcullis_aarch64_device_write;
    ops->order_accesses = portcullis_aarch64_order_accesses;
    ops->host_read = portcullis_aarch64_host_read;
    ops->host_write = portcullis_aarch64_host_write;
    ops->clean = portcullis_aarch64_clean;
    ops->publish = portcullis_aarch64_publish;
    ops->clock = portcullis_aarch64_clock;
    ops->register_read = portcullis_aarch64_register_read;
    ops->register_write = portcullis_aarch64_register_write;
}

#endif
