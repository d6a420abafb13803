// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * System registers by name: pc_read_NAME() and pc_write_NAME(value), one MRS or MSR each
 * (Arm ARM DDI 0487, D23). Who needs the effect at once follows a write with pc_isb().
 */
#pragma once

#include <stdint.h>

#include "barriers.h"
#include "guarded.h"

#define PC_READABLE(name)                                     \
    PC_INLINE uint64_t pc_read_##name(void) {                 \
        uint64_t value;                                       \
        __asm__ volatile("mrs %0, " #name : "=r"(value));     \
        return value;                                         \
    }
#define PC_WRITABLE(name)                                     \
    PC_INLINE void pc_write_##name(uint64_t value) {          \
        __asm__ volatile("msr " #name ", %0" ::"r"(value) : "memory"); \
    }
#define PC_REGISTER(name) PC_READABLE(name) PC_WRITABLE(name)

PC_READABLE(currentel)
PC_READABLE(spsel)
PC_READABLE(midr_el1)
PC_READABLE(mpidr_el1)
PC_READABLE(id_aa64mmfr0_el1)
PC_READABLE(id_aa64mmfr1_el1)
PC_READABLE(id_aa64mmfr2_el1)
PC_READABLE(id_aa64pfr0_el1)
PC_READABLE(id_aa64pfr1_el1)
PC_READABLE(id_aa64isar1_el1)
PC_READABLE(id_aa64dfr0_el1)
PC_READABLE(cntpct_el0)
PC_READABLE(cntfrq_el0)

PC_REGISTER(hcr_el2)
PC_REGISTER(sctlr_el2)
PC_REGISTER(tcr_el2)
PC_REGISTER(mair_el2)
PC_REGISTER(ttbr0_el2)
PC_REGISTER(vbar_el2)
PC_REGISTER(tpidr_el2)
PC_REGISTER(esr_el2)
PC_REGISTER(far_el2)
PC_REGISTER(hpfar_el2)
PC_REGISTER(elr_el2)
PC_REGISTER(spsr_el2)
PC_REGISTER(vtcr_el2)
PC_REGISTER(vttbr_el2)
PC_REGISTER(cptr_el2)
PC_REGISTER(hstr_el2)
PC_REGISTER(mdcr_el2)
PC_REGISTER(cnthctl_el2)
PC_REGISTER(cntvoff_el2)
PC_REGISTER(vpidr_el2)
PC_REGISTER(vmpidr_el2)
PC_REGISTER(pmcr_el0)

PC_REGISTER(esr_el1)
PC_REGISTER(far_el1)
PC_REGISTER(elr_el1)
PC_REGISTER(spsr_el1)
PC_REGISTER(vbar_el1)
PC_REGISTER(sctlr_el1)
PC_REGISTER(cpacr_el1)
PC_REGISTER(tcr_el1)
PC_REGISTER(ttbr0_el1)
PC_REGISTER(ttbr1_el1)
PC_WRITABLE(mair_el1)
PC_WRITABLE(amair_el1)
PC_WRITABLE(tpidr_el1)
PC_WRITABLE(sp_el1)
PC_REGISTER(cntv_cval_el0)

/*
 * By encoding, because an assembler knows the names of those registers alone that the extensions have
 * which it was told of. An ID register that a CPU does not have reads as zero.
 */
#define PC_ENCODED_READABLE(name, encoding)                   \
    PC_INLINE uint64_t pc_read_##name(void) {                 \
        uint64_t value;                                       \
        __asm__ volatile("mrs %0, " #encoding : "=r"(value)); \
        return value;                                         \
    }
#define PC_ENCODED_WRITABLE(name, encoding)                                \
    PC_INLINE void pc_write_##name(uint64_t value) {                       \
        __asm__ volatile("msr " #encoding ", %0" ::"r"(value) : "memory"); \
    }

PC_ENCODED_READABLE(id_aa64pfr2_el1, s3_0_c0_c4_2)
PC_ENCODED_READABLE(id_aa64smfr0_el1, s3_0_c0_c4_5)
PC_ENCODED_READABLE(id_aa64isar2_el1, s3_0_c0_c6_2)
PC_ENCODED_READABLE(id_aa64mmfr3_el1, s3_0_c0_c7_3)
PC_ENCODED_READABLE(mpamidr_el1, s3_0_c10_c4_4)
PC_ENCODED_READABLE(sctlr2_el1, s3_0_c1_c0_3)
PC_ENCODED_READABLE(tcr2_el2, s3_4_c2_c0_3)
PC_ENCODED_READABLE(sctlr2_el2, s3_4_c1_c0_3)
PC_ENCODED_READABLE(gcscr_el2, s3_4_c2_c5_0)

PC_ENCODED_READABLE(icc_sre_el2, s3_4_c12_c9_5)
PC_ENCODED_WRITABLE(icc_sre_el2, s3_4_c12_c9_5)
PC_ENCODED_WRITABLE(icc_sre_el1, s3_0_c12_c12_5)
PC_ENCODED_WRITABLE(ich_hcr_el2, s3_4_c12_c11_0)
PC_ENCODED_WRITABLE(hcrx_el2, s3_4_c1_c2_2)
PC_ENCODED_WRITABLE(zcr_el2, s3_4_c1_c2_0)
PC_ENCODED_WRITABLE(smcr_el2, s3_4_c1_c2_6)
PC_ENCODED_WRITABLE(hfgrtr_el2, s3_4_c1_c1_4)
PC_ENCODED_WRITABLE(hfgwtr_el2, s3_4_c1_c1_5)
PC_ENCODED_WRITABLE(hfgitr_el2, s3_4_c1_c1_6)
PC_ENCODED_WRITABLE(hdfgrtr_el2, s3_4_c3_c1_4)
PC_ENCODED_WRITABLE(hdfgwtr_el2, s3_4_c3_c1_5)
PC_ENCODED_WRITABLE(hafgrtr_el2, s3_4_c3_c1_6)
PC_ENCODED_WRITABLE(hfgrtr2_el2, s3_4_c3_c1_2)
PC_ENCODED_WRITABLE(hfgwtr2_el2, s3_4_c3_c1_3)
PC_ENCODED_WRITABLE(hfgitr2_el2, s3_4_c3_c1_7)
PC_ENCODED_WRITABLE(hdfgrtr2_el2, s3_4_c3_c1_0)
PC_ENCODED_WRITABLE(hdfgwtr2_el2, s3_4_c3_c1_1)
PC_ENCODED_WRITABLE(mpam2_el2, s3_4_c10_c5_0)
PC_ENCODED_WRITABLE(mpamhcr_el2, s3_4_c10_c4_0)

PC_ENCODED_READABLE(pmbidr_el1, s3_0_c9_c10_7)
PC_ENCODED_WRITABLE(tcr2_el1, s3_0_c2_c0_3)
PC_ENCODED_WRITABLE(sctlr2_el1, s3_0_c1_c0_3)
PC_ENCODED_WRITABLE(gcscr_el1, s3_0_c2_c5_0)
PC_ENCODED_WRITABLE(gcscre0_el1, s3_0_c2_c5_2)
PC_ENCODED_READABLE(cnthp_ctl_el2, s3_4_c14_c2_1)
PC_ENCODED_WRITABLE(cnthp_ctl_el2, s3_4_c14_c2_1)
PC_ENCODED_WRITABLE(cnthv_ctl_el2, s3_4_c14_c3_1)
PC_ENCODED_WRITABLE(hacr_el2, s3_4_c1_c1_7)

/*
 * Registers that EL3 may keep for itself although the CPU has them (MDCR_EL3.TTRF, SBRBE, NSPB), and whose write
 * is then undefined: such a write is without effect (guarded.h).
 */
#define PC_ENCODED_TRY_WRITABLE(name, encoding)                                              \
    PC_INLINE void pc_try_write_##name(uint64_t value) {                                     \
        uint64_t elr, spsr;                                                                  \
        __asm__ volatile goto(PC_GUARDED("msr " #encoding ", %[value]")                      \
                              : [elr] "=&r"(elr), [spsr] "=&r"(spsr)                         \
                              : [value] "r"(value)                                           \
                              : "memory"                                                     \
                              : aborted);                                                    \
    aborted:;                                                                                \
    }

PC_ENCODED_TRY_WRITABLE(trfcr_el2, s3_4_c1_c2_1)
PC_ENCODED_TRY_WRITABLE(brbcr_el2, s2_4_c9_c0_0)
PC_ENCODED_TRY_WRITABLE(pmscr_el2, s3_4_c9_c9_0)

/* AT S12E1R and S12E1W on behalf of the host's current context; the answer is PAR_EL1. */
PC_REGISTER(par_el1)
PC_INLINE void pc_at_s1e1r(uint64_t va) {
    __asm__ volatile("at s1e1r, %0\n\tisb" ::"r"(va) : "memory");
}
