// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * TLB maintenance, broadcast to the Inner Shareable domain (Arm ARM DDI 0487, D8.17). None of these
 * waits: the caller ends a sequence with the barriers that it needs.
 */
#pragma once

#include <stdint.h>

#include "barriers.h"

/* Stage-2 entries of one 4 KiB frame of the current VMID; `argument` is IPA[51:12]. */
PC_INLINE void pc_tlbi_ipas2e1is(uint64_t argument) {
    __asm__ volatile("tlbi ipas2e1is, %0" ::"r"(argument) : "memory");
}

/* All stage-1 entries (and combined ones) of the current VMID. */
PC_INLINE void pc_tlbi_vmalle1is(void) { __asm__ volatile("tlbi vmalle1is" ::: "memory"); }

/* All entries, both stages, of the current VMID. */
PC_INLINE void pc_tlbi_vmalls12e1is(void) { __asm__ volatile("tlbi vmalls12e1is" ::: "memory"); }

/* EL2's own entry for one 4 KiB page; `argument` is VA[55:12]. */
PC_INLINE void pc_tlbi_vae2is(uint64_t argument) {
    __asm__ volatile("tlbi vae2is, %0" ::"r"(argument) : "memory");
}

/* All of EL2's own entries. */
PC_INLINE void pc_tlbi_alle2is(void) { __asm__ volatile("tlbi alle2is" ::: "memory"); }
