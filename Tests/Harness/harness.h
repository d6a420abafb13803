// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// What the files of the harness share.
#ifndef HARNESS_H
#define HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"
#include "portcullis_aarch64.h"
#include "portcullis_hypercalls.h"

#define PAGE 4096u

#define READ_SYSREG(name)                                           \
    ({                                                              \
        uint64_t value_;                                            \
        __asm__ volatile("mrs %0, " #name : "=r"(value_));          \
        value_;                                                     \
    })
#define WRITE_SYSREG(name, value) __asm__ volatile("msr " #name ", %0" ::"r"((uint64_t)(value)) : "memory")

// One CPU; TPIDR_EL2 points to its own.
struct cpu {
    uint64_t stack_top;   // read by entry.S
    uint64_t index;       // affinity level 0 of MPIDR_EL1
    uint64_t entry;       // where the host wants the CPU to start, and what x0 is then
    uint64_t context;
    struct portcullis_frame host;    // while the second VM has the CPU
    uint64_t host_sctlr;
    bool is_in_guest;
};
extern struct cpu cpus[MAX_CPUS];
static inline struct cpu *this_cpu(void) { return (struct cpu *)READ_SYSREG(tpidr_el2); }

// RW: EL1 is AArch64. TSC: SMC traps. VM: stage 2, of which the control has none, so that it protects nothing.
#define HCR_EL2_VALUE (1ull << 31 | 1 << 19 | MEDIATE)

struct lock { uint32_t held; };
static inline void lock(struct lock *lock) {
    while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE)) {}
}
static inline void unlock(struct lock *lock) { __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE); }

// Places that the linker script names.
extern char harness_start[], harness_canary[], harness_text[], harness_text_end[], harness_rodata_end[],
    harness_image_end[], harness_pool[], harness_trace[], harness_smmu[], harness_end[];
// Of each CPU STACK_BYTES.
extern char stacks[];

// entry.S
void enter_host(uint64_t entry, uint64_t context, struct cpu *cpu) __attribute__((noreturn));
void secondary_entry(void);
void turn_mmu_on(void);
struct smc_result { uint64_t x0, x1, x2, x3; };
void smc(uint64_t function, const uint64_t arguments[3], struct smc_result *result);

// translation.c
void translation_build(void);
void translation_load(bool is_guest);
bool translation_move(const struct portcullis_pages *pages, bool to_guest);
void translation_add_silent_memory(void);
bool host_owns(uint64_t base, uint64_t bytes);
bool host_reaches(uint64_t address);
void set_translation_operations(struct portcullis_ops *ops);

// cpu.c
void cpu_begin(struct cpu *cpu);
void secondary_main(struct cpu *cpu) __attribute__((noreturn));
bool relay_psci(struct portcullis_frame *frame);
void power_off(void) __attribute__((noreturn));
void inject_external_abort(struct portcullis_frame *frame, uint64_t esr, uint64_t far);

// guest.c
bool guest_begin(void);
bool guest_is_there(void);
int64_t guest_move(uint64_t base, bool to_guest, uint64_t *held);
void guest_enter(struct portcullis_frame *frame);
void guest_leave(struct portcullis_frame *frame, uint64_t esr);

// stack.c
void stack_paint(void);
uint64_t stack_use(uint64_t top);

// main.c
extern struct portcullis *gate;
static inline void clean_memory(uint64_t address, uint64_t bytes) { portcullis_aarch64_clean(NULL, address, bytes); }
void harness_main(void) __attribute__((noreturn));
void host_exception(struct portcullis_frame *frame);
uint64_t own_exception(uint64_t esr, uint64_t elr);
void harness_panic(void) __attribute__((noreturn));
void print(const char *text);
void print_hex(uint64_t value);
void print_decimal(uint64_t value);
void write_trace(void);

#endif
