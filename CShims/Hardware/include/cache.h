// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/* Cache maintenance by address (Arm ARM DDI 0487, D7.5). */
#pragma once

#include <stdint.h>

#include "barriers.h"

/* The smallest data cache line in bytes (CTR_EL0.DminLine counts words). */
PC_INLINE uint64_t pc_data_cache_line(void) {
    uint64_t ctr;
    __asm__("mrs %0, ctr_el0" : "=r"(ctr));
    return 4ull << (ctr >> 16 & 0xf);
}

/* Cleans one line to the point of coherency. */
PC_INLINE void pc_clean_line(uint64_t va) { __asm__ volatile("dc cvac, %0" ::"r"(va) : "memory"); }

/* Cleans and invalidates one line to the point of coherency. */
PC_INLINE void pc_clean_invalidate_line(uint64_t va) {
    __asm__ volatile("dc civac, %0" ::"r"(va) : "memory");
}

/* Forgets all instructions fetched in the Inner Shareable domain. */
PC_INLINE void pc_invalidate_instructions(void) {
    __asm__ volatile("ic ialluis\n\tdsb ish\n\tisb" ::: "memory");
}
