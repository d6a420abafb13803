// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * Words of memory that other observers (table walkers, other CPUs) read: each access is one
 * instruction that the compiler can neither split, merge nor repeat.
 */
#pragma once

#include <stdint.h>

#include "barriers.h"
#include "guarded.h"

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

/* Four words from an address that is a multiple of 16, each read once. */
typedef struct pc_words4 {
    uint64_t word0, word1, word2, word3;
} pc_words4;

PC_INLINE pc_words4 pc_load4(uint64_t address) {
    pc_words4 words;
    __asm__ volatile("ldp %0, %1, [%4]\n\tldp %2, %3, [%4, #16]"
                     : "=&r"(words.word0), "=&r"(words.word1), "=&r"(words.word2), "=r"(words.word3)
                     : "r"(address)
                     : "memory");
    return words;
}

/* The same from memory that the host has chosen; `aborted` where one of the words is not answered. */
typedef struct pc_guarded_words4 {
    uint64_t word0, word1, word2, word3, aborted;
} pc_guarded_words4;

PC_INLINE pc_guarded_words4 pc_try_load4(uint64_t address) {
    uint64_t word0, word1, word2, word3, elr, spsr;
    __asm__ volatile goto(
        PC_GUARDED2("ldp %[word0], %[word1], [%[address]]", "ldp %[word2], %[word3], [%[address], #16]")
        : [word0] "=&r"(word0), [word1] "=&r"(word1), [word2] "=&r"(word2), [word3] "=&r"(word3),
          [elr] "=&r"(elr), [spsr] "=&r"(spsr)
        : [address] "r"(address)
        : "memory"
        : aborted);
    return (pc_guarded_words4){word0, word1, word2, word3, 0};
aborted:
    return (pc_guarded_words4){0, 0, 0, 0, 1};
}

PC_INLINE void pc_store4(uint64_t address, uint64_t word0, uint64_t word1, uint64_t word2,
                         uint64_t word3) {
    __asm__ volatile("stp %0, %1, [%4]\n\tstp %2, %3, [%4, #16]" ::"r"(word0), "r"(word1),
                     "r"(word2), "r"(word3), "r"(address)
                     : "memory");
}

/* Zeroes 64 bytes from an address that is a multiple of 16. */
PC_INLINE void pc_zero64(uint64_t address) {
    __asm__ volatile(
        "stp xzr, xzr, [%0]\n\tstp xzr, xzr, [%0, #16]\n\t"
        "stp xzr, xzr, [%0, #32]\n\tstp xzr, xzr, [%0, #48]" ::"r"(address)
        : "memory");
}
