// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// How much of its stack the boot CPU uses: what is below is painted, and what is painted no more was used. An embedder
// needs none of this; it holds portcullis.h to what it says.

#include "harness.h"

#define PAINT 0x7061696e74656421

static uint64_t painted;

// A leaf, which uses no stack below what it paints.
__attribute__((noinline)) void stack_paint(void) {
    __asm__("mov %0, sp" : "=r"(painted));
    for (volatile uint64_t *word = (uint64_t *)stacks; (uint64_t)word < painted; word++) *word = PAINT;
}

// The bytes used since, below `top` or, where that is 0, below the caller of stack_paint.
uint64_t stack_use(uint64_t top) {
    const volatile uint64_t *word = (uint64_t *)stacks;
    while ((uint64_t)word < painted && *word == PAINT) word++;
    return (top ? top : painted) - (uint64_t)word;
}
