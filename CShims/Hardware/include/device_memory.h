// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * Device registers. Each accessor is one load or store with a plain base register: no pair, no
 * writeback, so that it has a valid syndrome (ISS.ISV) should EL2 itself be virtualised.
 *
 * The plain forms are for devices that EL2 drives itself (its console). The pc_try_ forms are for
 * accesses that are made on behalf of the host: an external abort there resumes with `aborted` set
 * instead of taking EL2 down (device_memory.S holds the instructions and their fix-ups).
 *
 * All forms are relaxed; who needs an order between memory and a device says so with a barrier.
 */
#pragma once

#include <stdint.h>

#include "barriers.h"

PC_INLINE uint32_t pc_readl(uint64_t address) {
    uint32_t value;
    __asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return value;
}

PC_INLINE void pc_writel(uint64_t address, uint32_t value) {
    __asm__ volatile("str %w0, [%1]" ::"r"(value), "r"(address) : "memory");
}

/* What a guarded load returned; two registers in the procedure call standard. */
typedef struct pc_guarded_value {
    uint64_t value;   /* zero-extended; 0 when aborted */
    uint64_t aborted; /* 1 when the device answered with an external abort */
} pc_guarded_value;

pc_guarded_value pc_try_readb(uint64_t address);
pc_guarded_value pc_try_readw(uint64_t address);
pc_guarded_value pc_try_readl(uint64_t address);
pc_guarded_value pc_try_readq(uint64_t address);

/* 0 when the store was accepted, 1 when it was answered with a synchronous external abort. */
uint64_t pc_try_writeb(uint64_t address, uint64_t value);
uint64_t pc_try_writew(uint64_t address, uint64_t value);
uint64_t pc_try_writel(uint64_t address, uint64_t value);
uint64_t pc_try_writeq(uint64_t address, uint64_t value);
