// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * Device registers. Each accessor is one load or store with a plain base register: no pair, no
 * writeback, so that it has a valid syndrome (ISS.ISV) should EL2 itself be virtualised.
 *
 * The plain forms are for devices that EL2 drives itself (its console). The pc_try_ forms are for
 * accesses that are made on behalf of the host: an external abort there resumes with `aborted` set
 * instead of taking EL2 down (own_synchronous in CShims/EL2Boot/vectors.S finds the way out).
 *
 * All forms are relaxed; who needs an order between memory and a device says so with a barrier.
 */
#pragma once

#include <stdint.h>

#include "barriers.h"

#define PC_READ(name, instruction)                                                          \
    PC_INLINE uint32_t pc_##name(uint64_t address) {                                        \
        uint32_t value;                                                                     \
        __asm__ volatile(instruction " %w0, [%1]" : "=r"(value) : "r"(address) : "memory"); \
        return value;                                                                       \
    }

#define PC_WRITE(name, instruction)                                                          \
    PC_INLINE void pc_##name(uint64_t address, uint32_t value) {                             \
        __asm__ volatile(instruction " %w0, [%1]" ::"r"(value), "r"(address) : "memory");    \
    }

PC_READ(readb, "ldrb")
PC_READ(readw, "ldrh")
PC_READ(readl, "ldr")
PC_WRITE(writeb, "strb")
PC_WRITE(writew, "strh")
PC_WRITE(writel, "str")

/* What a guarded load returned. */
typedef struct pc_guarded_value {
    uint64_t value;   /* zero-extended; 0 when aborted */
    uint64_t aborted; /* 1 when the device answered with an external abort */
} pc_guarded_value;

/*
 * One access and its way out. An external abort is taken from EL2 to EL2 and overwrites ELR_EL2 and
 * SPSR_EL2, which still hold where the host resumes; so both are kept in registers, and the way out
 * restores them. A table of distances tells the vector which way out belongs to which instruction.
 */
#define PC_GUARDED(access)                                            \
    "mrs %[elr], elr_el2\n\t"                                         \
    "mrs %[spsr], spsr_el2\n"                                         \
    "1:\t" access "\n\t"                                              \
    ".pushsection .text.pc_guarded_exits, \"ax\"\n"                   \
    "2:\tmsr elr_el2, %[elr]\n\t"                                    \
    "msr spsr_el2, %[spsr]\n\t"                                      \
    "b %l[aborted]\n\t"                                              \
    ".popsection\n\t"                                                \
    ".pushsection .pc_guarded, \"a\"\n\t"                            \
    ".balign 4\n\t"                                                  \
    ".word 1b - ., 2b - .\n\t"                                       \
    ".popsection"

#define PC_TRY_READ(name, access)                                                        \
    PC_INLINE pc_guarded_value pc_try_##name(uint64_t address) {                         \
        uint64_t value, elr, spsr;                                                       \
        __asm__ volatile goto(PC_GUARDED(access)                                         \
                              : [value] "=&r"(value), [elr] "=&r"(elr), [spsr] "=&r"(spsr) \
                              : [address] "r"(address)                                   \
                              : "memory"                                                 \
                              : aborted);                                                \
        return (pc_guarded_value){value, 0};                                             \
    aborted:                                                                             \
        return (pc_guarded_value){0, 1};                                                 \
    }

/* 0 when the store was accepted, 1 when it was answered with a synchronous external abort. */
#define PC_TRY_WRITE(name, access)                                        \
    PC_INLINE uint64_t pc_try_##name(uint64_t address, uint64_t value) {  \
        uint64_t elr, spsr;                                               \
        __asm__ volatile goto(PC_GUARDED(access)                          \
                              : [elr] "=&r"(elr), [spsr] "=&r"(spsr)      \
                              : [address] "r"(address), [value] "r"(value) \
                              : "memory"                                  \
                              : aborted);                                 \
        return 0;                                                         \
    aborted:                                                              \
        return 1;                                                         \
    }

PC_TRY_READ(readb, "ldrb %w[value], [%[address]]")
PC_TRY_READ(readw, "ldrh %w[value], [%[address]]")
PC_TRY_READ(readl, "ldr %w[value], [%[address]]")
PC_TRY_READ(readq, "ldr %[value], [%[address]]")
PC_TRY_WRITE(writeb, "strb %w[value], [%[address]]")
PC_TRY_WRITE(writew, "strh %w[value], [%[address]]")
PC_TRY_WRITE(writel, "str %w[value], [%[address]]")
PC_TRY_WRITE(writeq, "str %[value], [%[address]]")
