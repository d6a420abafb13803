// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// One CPU: what it is set to before it runs the host, how it starts and stops, and how an abort is given to the host.

#include "harness.h"

struct cpu cpus[MAX_CPUS];

// MARK: Before the host

void cpu_begin(struct cpu *cpu) {
    WRITE_SYSREG(tpidr_el2, cpu);
    WRITE_SYSREG(vpidr_el2, READ_SYSREG(midr_el1));
    WRITE_SYSREG(vmpidr_el2, READ_SYSREG(mpidr_el1));
    WRITE_SYSREG(cptr_el2, 0x33ff);                         // floating point does not trap; RES1 otherwise
    WRITE_SYSREG(hstr_el2, 0);
    WRITE_SYSREG(mdcr_el2, READ_SYSREG(pmcr_el0) >> 11 & 0x1f);  // HPMN: all counters are the host's
    WRITE_SYSREG(cnthctl_el2, 3);                           // and the physical timer and counter
    WRITE_SYSREG(cntvoff_el2, 0);
    WRITE_SYSREG(s3_4_c12_c9_5, 0xf);                       // ICC_SRE_EL2: EL1 may use system registers
    __asm__ volatile("isb");
    WRITE_SYSREG(s3_4_c12_c11_0, 0);                        // ICH_HCR_EL2: no virtual interrupts
    WRITE_SYSREG(sctlr_el1, SCTLR_EL1_OFF);
    translation_load(false);
    __asm__ volatile("tlbi vmalls12e1; dsb nsh");
    WRITE_SYSREG(hcr_el2, HCR_EL2_VALUE);
    __asm__ volatile("isb");
}

void secondary_main(struct cpu *cpu) {
    cpu_begin(cpu);
    enter_host(cpu->entry, cpu->context, cpu);
}

// MARK: PSCI (Arm DEN 0022)

#define PSCI_CPU_ON 0xc4000003
#define PSCI_AFFINITY_INFO 0xc4000004
#define PSCI_SYSTEM_OFF 0x84000008
#define PSCI_NOT_SUPPORTED (-1ll)
#define PSCI_INVALID_PARAMETERS (-2ll)
#define PSCI_ALREADY_ON (-4ll)
#define PSCI_INVALID_ADDRESS (-9ll)

static int64_t call_firmware(uint64_t function, uint64_t x1, uint64_t x2, uint64_t x3) {
    struct smc_result result;
    smc(function, (uint64_t[]){x1, x2, x3}, &result);
    return (int64_t)result.x0;
}

void power_off(void) {
    for (;;) call_firmware(PSCI_SYSTEM_OFF, 0, 0, 0);
}

// Two CPUs may want to start the same one: what it is to do is written only while it is off.
static struct lock start_lock;

// Firmware starts a CPU at EL2, in secondary_entry; what the host has asked for waits in its struct cpu.
static int64_t cpu_on(uint64_t affinity, uint64_t entry, uint64_t context) {
    if (affinity >= MAX_CPUS) return PSCI_INVALID_PARAMETERS;
    if (entry % 4 != 0 || !host_owns(entry & ~(uint64_t)(PAGE - 1), PAGE)) return PSCI_INVALID_ADDRESS;
    struct cpu *cpu = &cpus[affinity];
    lock(&start_lock);
    int64_t status = call_firmware(PSCI_AFFINITY_INFO, affinity, 0, 0);
    if (status == 0 || status == 2) status = PSCI_ALREADY_ON;
    if (status == 1) {
        *cpu = (struct cpu){
            .stack_top = (uint64_t)stacks + (affinity + 1) * STACK_BYTES, .index = affinity, .entry = entry, .context = context,
        };
        __asm__ volatile("dsb ish" ::: "memory");  // the CPU reads it once its MMU is on
        status = call_firmware(PSCI_CPU_ON, affinity, (uint64_t)secondary_entry, (uint64_t)cpu);
    }
    unlock(&start_lock);
    return status;
}

static bool is_offered(uint64_t function) {
    switch ((uint32_t)function) {
    case 0x84000000:                                      // PSCI_VERSION
    case 0x84000002:                                      // CPU_OFF
    case 0x84000003: case 0xc4000003:                     // CPU_ON
    case 0x84000004: case 0xc4000004:                     // AFFINITY_INFO
    case 0x84000006:                                      // MIGRATE_INFO_TYPE
    case 0x84000008: case 0x84000009: case 0x8400000a:    // SYSTEM_OFF, SYSTEM_RESET, PSCI_FEATURES
    case 0x80000000:                                      // SMCCC_VERSION
        return true;
    default:  // a CPU that is suspended may wake at an address of the host's, but in EL2
        return false;
    }
}

// Serves an SMC or HVC that is for firmware; false where it is not.
bool relay_psci(struct portcullis_frame *frame) {
    uint64_t function = frame->x[0], mask = function >> 30 & 1 ? UINT64_MAX : UINT32_MAX;
    if (!is_offered(function)) return false;
    const uint64_t arguments[] = {frame->x[1] & mask, frame->x[2] & mask, frame->x[3] & mask};
    if (function == 0x84000003 || function == 0xc4000003) {
        frame->x[0] = (uint64_t)cpu_on(arguments[0], arguments[1], arguments[2]);
        return true;
    }
    if (function == 0x8400000a && !is_offered(arguments[0])) {
        frame->x[0] = (uint64_t)PSCI_NOT_SUPPORTED;
        return true;
    }
    if (function == PSCI_SYSTEM_OFF) write_trace();
    struct smc_result result;
    smc(function, arguments, &result);
    frame->x[0] = result.x0, frame->x[1] = result.x1, frame->x[2] = result.x2, frame->x[3] = result.x3;
    return true;
}

// MARK: An abort for the host

// Continues the host at its vector with a synchronous external abort (Arm ARM DDI 0487, AArch64.TakeException): what
// a load from an address gives behind which there is nothing. portcullis_inject_abort does it with the library; this is
// for the harness without it.
void inject_external_abort(struct portcullis_frame *frame, uint64_t esr, uint64_t far) {
    const uint64_t mode = frame->spsr & 0x1f, sctlr = READ_SYSREG(sctlr_el1);
    const bool is_aarch32 = mode & 0x10, is_el0 = is_aarch32 || (mode & 0xf) == 0;
    const bool is_fetch = esr >> 26 == 0x20;
    uint64_t syndrome = (is_fetch ? 0x20ull : 0x24ull) + !is_el0;
    syndrome = syndrome << 26 | 1 << 25;
    if (!is_fetch) syndrome |= esr & (1 << 8 | 1 << 6);  // CM, WnR
    // S1PTW: the host's own tables are where it may not read. The level of the walk is not told; it is taken as 3.
    syndrome |= esr & 1 << 7 ? 0x17 : 0x10;
    WRITE_SYSREG(esr_el1, syndrome);
    WRITE_SYSREG(far_el1, far);
    WRITE_SYSREG(elr_el1, frame->elr);
    WRITE_SYSREG(spsr_el1, frame->spsr);
    const uint64_t vector = is_aarch32 ? 0x600 : is_el0 ? 0x400 : mode == 4 ? 0 : 0x200;
    frame->elr = READ_SYSREG(vbar_el1) + vector;
    // EL1h, DAIF masked. The flags, DIT and PAN stay; PAN is set where SCTLR_EL1.SPAN is clear.
    frame->spsr = (frame->spsr & (0xfull << 28 | 1 << 24 | 1 << 22)) | 0x3c5 | (sctlr & 1 << 23 ? 0 : 1 << 22);
}
