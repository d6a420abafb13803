// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * The seam between the EL2 image's assembly and its Swift: what each calls of the other, and where
 * the linker script put things.
 */
#pragma once

#if defined(__aarch64__) && !defined(__linux__)
#include <stddef.h>
#include <stdint.h>

#include "el2_sizes.h"

/* ---- Swift, called by the assembly ---------------------------------------------------------- */

/*
 * Runs with the MMU off at the load address. Builds EL2's own stage 1 and fills in
 * el2_translation; returns 0, or non-zero when the image cannot be mapped.
 */
uint64_t el2_build_translation(void);

/* The boot CPU, at the link address with the MMU on. `tree` is the PA of the device tree. */
_Noreturn void el2_main(uint64_t tree);

/* Unmaps what boot alone has used, its stack as well, and enters the host; on the stack that the CPU has from now on. */
_Noreturn void el2_leave_boot(uint64_t entry, uint64_t argument);

/* A CPU that the host switched on, at the link address with the MMU on. */
_Noreturn void el2_secondary_main(uint64_t cpu);

/* A data abort of the host in AArch64. `registers` points to x0 to x30 as they were. */
void el2_host_abort(uint64_t esr, uint64_t far, uint64_t hpfar, uint64_t *_Nonnull registers);

/* Any exception of the host. */
void el2_host_trap(uint64_t esr, uint64_t far, uint64_t hpfar, uint64_t *_Nonnull registers);

/* An exception of EL2 itself that nothing expected. */
_Noreturn void el2_fatal(uint64_t esr, uint64_t elr, uint64_t far);

/*
 * Runs with the MMU off where EL2 cannot: the reason is the exception level of the entry, 1 or 3, or 2 where
 * HCR_EL2.E2H cannot be cleared, or 0 where the image cannot be mapped.
 */
_Noreturn void el2_refuse(uint64_t tree, uint64_t reason);

/* What UEFI enters, at EL2 in its own translation, wherever it has loaded the file. */
uint64_t el2_efi_main(void *_Nullable handle, void *_Nonnull system);

/* The same on a larger stack, which is the image's, and from which the image can't be started. */
void el2_efi_prepare(void *_Nonnull start);

/* ---- Assembly, called by Swift -------------------------------------------------------------- */

/* Has el2_efi_prepare(start) run on the stack that ends at `top`. */
void el2_efi_call_on(uint64_t top, void *_Nonnull start);

/*
 * Starts the copy of the image that lies at `copy`, with a block of so many bytes. Returns 0 at EL1, with the copy at
 * EL2, or EL2_EFI_REFUSED at EL2, where nothing was changed.
 */
uint64_t el2_efi_take_off(uint64_t copy, uint64_t block, uint64_t size);

/* Goes back there with EL2_EFI_REFUSED. */
_Noreturn void el2_efi_return(void);

/* What UEFI's application notes of the firmware in the copy; all zero where something else has started the image. */
struct el2_efi {
    uint64_t block, size;
    /* Where this is; where the application goes on at EL1; where it does at EL2, with the MMU off; its stack. */
    uint64_t self, landing, back, sp;
    uint64_t ttbr0, tcr, mair, amair, sctlr, vbar, hcr, cptr, tpidr, cntvoff;
};
extern struct el2_efi el2_efi;
_Static_assert(offsetof(struct el2_efi, ttbr0) == EL2_EFI_REGISTERS && sizeof(struct el2_efi) == EL2_EFI_SIZE,
               "the assembly knows the places");
static inline struct el2_efi el2_efi_noted(void) { return el2_efi; }

/* Goes on in el2_leave_boot, on the CPU's own stack; the last thing that boot does on its own. */
_Noreturn void el2_leave_boot_stack(uint64_t entry, uint64_t argument);

/* Enters the host at EL1h, interrupts masked, x0 = argument, all other registers zero. */
_Noreturn void el2_enter_host(uint64_t entry, uint64_t argument);

/* Waits for ever. */
_Noreturn void el2_park(void);

/* What a CPU loads before it turns its MMU on; read with the MMU off, so cleaned to memory. */
struct el2_translation {
    uint64_t ttbr0, tcr, mair, sctlr;
};
extern struct el2_translation el2_translation;
static inline void el2_set_translation(uint64_t ttbr0, uint64_t tcr, uint64_t mair, uint64_t sctlr) {
    el2_translation = (struct el2_translation){ttbr0, tcr, mair, sctlr};
}

/* ---- Places, as link addresses -------------------------------------------------------------- */

#define EL2_PLACES(X)      \
    X(el2_image_start)     \
    X(el2_idmap)           \
    X(el2_boot_text)       \
    X(el2_text_end)        \
    X(el2_rodata_end)      \
    X(el2_state)           \
    X(el2_boot_stack)      \
    X(el2_canary)          \
    X(el2_pool)            \
    X(el2_itses)           \
    X(el2_redistributors)  \
    X(el2_statistics)      \
    X(el2_trace)           \
    X(el2_smmus)           \
    X(el2_virtual_smmus)   \
    X(el2_data_end)        \
    X(el2_image_end)       \
    X(el2_payload_start)   \
    X(el2_payload_end)     \
    X(el2_file_end)        \
    X(el2_secondary_entry)

/*
 * el2_NAME_here() is where NAME is now: a physical address while the MMU is off, the link address
 * once it is on. el2_NAME_link() is the link address, always.
 */
#define EL2_DECLARE_PLACE(name)                                                        \
    extern char name[];                                                                \
    static inline __attribute__((always_inline)) uint64_t name##_here(void) {          \
        uint64_t place;                                                                \
        __asm__("adrp %0, " #name "\n\tadd %0, %0, :lo12:" #name : "=r"(place));       \
        return place;                                                                  \
    }                                                                                  \
    static inline __attribute__((always_inline)) uint64_t name##_link(void) {          \
        uint64_t place;                                                                \
        __asm__("ldr %0, =" #name : "=r"(place));                                      \
        return place;                                                                  \
    }
EL2_PLACES(EL2_DECLARE_PLACE)

static const uint64_t el2_max_cpus = EL2_MAX_CPUS;
static const uint64_t el2_stack_size = EL2_STACK_SIZE;
static const uint64_t el2_stacks = EL2_STACKS;
static const uint64_t el2_boot_stack_place = EL2_BOOT_STACK;
static const uint64_t el2_boot_stack_size = EL2_BOOT_STACK_SIZE;
static const uint64_t el2_pool_pages = EL2_POOL_PAGES;
static const uint64_t el2_state_size = EL2_STATE_SIZE;
static const uint64_t el2_smmus_size = EL2_SMMUS_SIZE;
static const uint64_t el2_max_smmus = EL2_MAX_SMMUS;
static const uint64_t el2_virtual_smmu_size = EL2_VIRTUAL_SMMU_SIZE;
static const uint64_t el2_statistics_size = EL2_STATISTICS_SIZE;
static const uint64_t el2_trace_size = EL2_TRACE_SIZE;
static const uint64_t el2_max_itses = EL2_MAX_ITSES;
static const uint64_t el2_its_state_size = EL2_ITS_STATE_SIZE;
static const uint64_t el2_redistributors_size = EL2_REDISTRIBUTORS_SIZE;
static const uint64_t el2_canary_size = EL2_CANARY_SIZE;
#endif
