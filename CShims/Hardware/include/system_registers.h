// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * System registers by name: pc_read_NAME() and pc_write_NAME(value), one MRS or MSR each
 * (Arm ARM DDI 0487, D23). Who needs the effect at once follows a write with pc_isb().
 */
#pragma once

#include <stdint.h>

#include "barriers.h"

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

/* ICC_SRE_EL2, by encoding because assemblers without the GIC extension do not know its name. */
PC_INLINE uint64_t pc_read_icc_sre_el2(void) {
    uint64_t value;
    __asm__ volatile("mrs %0, s3_4_c12_c9_5" : "=r"(value));
    return value;
}
PC_INLINE void pc_write_icc_sre_el2(uint64_t value) {
    __asm__ volatile("msr s3_4_c12_c9_5, %0" ::"r"(value) : "memory");
}

/* AT S12E1R and S12E1W on behalf of the host's current context; the answer is PAR_EL1. */
PC_REGISTER(par_el1)
PC_INLINE void pc_at_s1e1r(uint64_t va) {
    __asm__ volatile("at s1e1r, %0\n\tisb" ::"r"(va) : "memory");
}
