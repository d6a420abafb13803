// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * Device registers. Each accessor is one load or store with a plain base register: no pair, no
 * writeback, so that it has a valid syndrome (ISS.ISV) should EL2 itself be virtualised.
 *
 * Each of the pc_try_ forms is guarded (guarded.h): an abort resumes with `aborted` set instead of taking EL2
 * down. That holds for accesses on behalf of the host, and for the console, which is the host's once the host
 * runs. The plain forms are for a CPU that is not at EL2: the guarded ones keep ELR_EL2.
 *
 * All forms are relaxed; who needs an order between memory and a device says so with a barrier.
 */
#pragma once

#include <stdint.h>

#include "barriers.h"
#include "guarded.h"

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

#define PC_READ(name, access)                                                                   \
    PC_INLINE uint64_t pc_##name(uint64_t address) {                                            \
        uint64_t value;                                                                         \
        __asm__ volatile(access : [value] "=r"(value) : [address] "r"(address) : "memory");     \
        return value;                                                                           \
    }

#define PC_WRITE(name, access)                                                                  \
    PC_INLINE void pc_##name(uint64_t address, uint64_t value) {                                \
        __asm__ volatile(access ::[address] "r"(address), [value] "r"(value) : "memory");       \
    }

PC_READ(readb, "ldrb %w[value], [%[address]]")
PC_READ(readw, "ldrh %w[value], [%[address]]")
PC_READ(readl, "ldr %w[value], [%[address]]")
PC_WRITE(writeb, "strb %w[value], [%[address]]")
PC_WRITE(writew, "strh %w[value], [%[address]]")
PC_WRITE(writel, "str %w[value], [%[address]]")
PC_TRY_READ(readb, "ldrb %w[value], [%[address]]")
PC_TRY_READ(readw, "ldrh %w[value], [%[address]]")
PC_TRY_READ(readl, "ldr %w[value], [%[address]]")
PC_TRY_READ(readq, "ldr %[value], [%[address]]")
PC_TRY_WRITE(writeb, "strb %w[value], [%[address]]")
PC_TRY_WRITE(writew, "strh %w[value], [%[address]]")
PC_TRY_WRITE(writel, "str %w[value], [%[address]]")
PC_TRY_WRITE(writeq, "str %[value], [%[address]]")
