// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * Words of memory that other observers (table walkers, other CPUs) read: each access is one
 * instruction that the compiler can neither split, merge nor repeat.
 */
#pragma once

#include <stdint.h>

#include "barriers.h"

PC_INLINE uint64_t pc_load64(uint64_t address) {
    uint64_t value;
    __asm__ volatile("ldr %0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return value;
}

PC_INLINE void pc_store64(uint64_t address, uint64_t value) {
    __asm__ volatile("str %0, [%1]" ::"r"(value), "r"(address) : "memory");
}

PC_INLINE uint8_t pc_load8(uint64_t address) {
    uint32_t value;
    __asm__ volatile("ldrb %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return (uint8_t)value;
}

PC_INLINE void pc_store8(uint64_t address, uint8_t value) {
    __asm__ volatile("strb %w0, [%1]" ::"r"((uint32_t)value), "r"(address) : "memory");
}
