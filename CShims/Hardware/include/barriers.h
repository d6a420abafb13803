// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/* Barriers (Arm ARM DDI 0487, C6.2). */
#pragma once

#define PC_INLINE static inline __attribute__((always_inline))

PC_INLINE void pc_isb(void) { __asm__ volatile("isb" ::: "memory"); }
PC_INLINE void pc_dsb_sy(void) { __asm__ volatile("dsb sy" ::: "memory"); }
PC_INLINE void pc_dmb_sy(void) { __asm__ volatile("dmb sy" ::: "memory"); }
PC_INLINE void pc_wfi(void) { __asm__ volatile("wfi" ::: "memory"); }
PC_INLINE void pc_dsb_ish(void) { __asm__ volatile("dsb ish" ::: "memory"); }
PC_INLINE void pc_dsb_ishst(void) { __asm__ volatile("dsb ishst" ::: "memory"); }
