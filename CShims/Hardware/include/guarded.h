// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * Accesses whose abort is an answer and not the end of EL2.
 *
 * Of loads and stores guarded are the synchronous aborts that come of what stands at the physical address:
 * external aborts, parity and ECC errors, granule protection faults, and addresses beyond the physical address
 * size. Translation and permission faults are defects of EL2's own tables and are not. An abort that is
 * reported later, as an SError, cannot be guarded: HCR_EL2.AMO and TGE are clear, so that EL2 never takes one.
 * It stays pending and is taken by the host, whose memory it is, or by firmware. Of an access to a system
 * register guarded is that it is undefined.
 */
#pragma once

#include <stdint.h>

/* What a guarded load returned. */
typedef struct pc_guarded_value {
    uint64_t value;   /* zero-extended; 0 when aborted */
    uint64_t aborted; /* 1 when it was answered with an abort */
} pc_guarded_value;

/*
 * One access or two, and their way out. An abort is taken from EL2 to EL2 and overwrites ELR_EL2 and SPSR_EL2,
 * which still hold where the host resumes; so both are kept in registers, and the way out restores them. A
 * table of distances tells the vector which way out belongs to which instruction (own_synchronous in
 * CShims/EL2Boot/vectors.S).
 */
#define PC_GUARDED_BEGIN          \
    "mrs %[elr], elr_el2\n\t"     \
    "mrs %[spsr], spsr_el2\n"
#define PC_GUARDED_END(entries)                      \
    ".pushsection .text.pc_guarded_exits, \"ax\"\n" \
    "2:\tmsr elr_el2, %[elr]\n\t"                   \
    "msr spsr_el2, %[spsr]\n\t"                     \
    "b %l[aborted]\n\t"                             \
    ".popsection\n\t"                               \
    ".pushsection .pc_guarded, \"a\"\n\t"           \
    ".balign 4\n\t" entries                         \
    ".popsection"
#define PC_GUARDED(access) \
    PC_GUARDED_BEGIN "1:\t" access "\n\t" PC_GUARDED_END(".word 1b - ., 2b - .\n\t")
#define PC_GUARDED2(first, second)                                  \
    PC_GUARDED_BEGIN "1:\t" first "\n3:\t" second "\n\t" PC_GUARDED_END( \
        ".word 1b - ., 2b - .\n\t.word 3b - ., 2b - .\n\t")
