// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * Accesses to devices that may be answered with an external abort.
 *
 * The kernel takes such an abort, where it happens in the kernel itself, for its own end: no exported
 * function and no table of fixups gets past it. So each access runs with interrupts masked and exception
 * vectors of our own, which note the abort and go on behind it, as a kernel at EL1 may always do.
 */
#include "hostile.h"

#include <linux/atomic.h>
#include <linux/io.h>
#include <linux/irqflags.h>

/*
 * Vectors of which one is expected: a synchronous exception of this exception level with SP_EL1. x16 and x17
 * are the access's to lose; x17 becomes 1. Anything else waits here for the end of the machine.
 */
asm(".pushsection .text\n"
    ".balign 2048\n"
    "hostile_vectors:\n"
    "  .rept 4\n"
    "  b .\n"
    "  .balign 128\n"
    "  .endr\n"
    "  mrs x16, elr_el1\n"
    "  add x16, x16, #4\n"
    "  msr elr_el1, x16\n"
    "  mov x17, #1\n"
    "  eret\n"
    "  .balign 128\n"
    "  .rept 11\n"
    "  b .\n"
    "  .balign 128\n"
    "  .endr\n"
    ".popsection\n");
extern const char hostile_vectors[];

static atomic64_t aborts;

u64 take_aborts(void) { return atomic64_xchg(&aborts, 0); }

/*
 * One instruction; true where it was carried out. %2 is the value, which a load changes, %3 the address, %5
 * another value.
 */
#define ACCESS(instruction, value, address, other)                                                    \
    ({                                                                                                \
        register u64 aborted asm("x17") = 0;                                                          \
        unsigned long flags;                                                                          \
        u64 vectors;                                                                                  \
                                                                                                      \
        local_irq_save(flags);                                                                        \
        asm volatile("mrs %1, vbar_el1\n"                                                             \
                     "msr vbar_el1, %4\n"                                                             \
                     "isb\n"                                                                          \
                     "dsb sy\n" instruction "\n"                                                      \
                     "dsb sy\n"                                                                       \
                     "isb\n"                                                                          \
                     "msr vbar_el1, %1\n"                                                             \
                     "isb\n"                                                                          \
                     : "+r"(aborted), "=&r"(vectors), "+r"(value)                                      \
                     : "r"(address), "r"(hostile_vectors), "r"(other)                                  \
                     : "x16", "memory");                                                              \
        local_irq_restore(flags);                                                                     \
        if (aborted)                                                                                  \
            atomic64_inc(&aborts);                                                                    \
        !aborted;                                                                                     \
    })

bool store64(void __iomem *address, u64 value) { return ACCESS("str %2, [%3]", value, address, 0ull); }

bool store32(void __iomem *address, u32 value) { return ACCESS("str %w2, [%3]", value, address, 0ull); }

bool store16(void __iomem *address, u16 value) { return ACCESS("strh %w2, [%3]", value, address, 0ull); }

bool store_pair(void __iomem *address, u64 first, u64 second) {
    return ACCESS("stp %2, %5, [%3]", first, address, second);
}

/* A load that is aborted reads as all ones. */
u64 load64(void __iomem *address) {
    u64 value = ~0ull;

    ACCESS("ldr %2, [%3]", value, address, 0ull);
    return value;
}

u32 load32(void __iomem *address) {
    u32 value = ~0u;

    ACCESS("ldr %w2, [%3]", value, address, 0ull);
    return value;
}
