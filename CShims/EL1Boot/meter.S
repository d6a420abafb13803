// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#if defined(__aarch64__) && !defined(__linux__)

// Instructions retired by one access, by the performance monitors (event 0x08, INST_RETIRED): counter
// 0 counts at EL1 and EL2, counter 1 at EL1 alone. They count only where the clock counts
// instructions.

  .section .text.el1_meter, "ax"

  .global el1_meter_start
el1_meter_start:
  mov x0, #0x08
  msr pmevtyper1_el0, x0
  orr x0, x0, #(1 << 27)       // NSH: count at EL2 as well
  msr pmevtyper0_el0, x0
  mov x0, #3
  msr pmcntenset_el0, x0
  mrs x0, pmcr_el0
  orr x0, x0, #1               // E
  msr pmcr_el0, x0
  isb
  ret

// {both levels, EL1 alone} of what stands between the readings, in x0 and x1; x0 = base.
  .macro METER name, instruction:vararg
  .global \name
  .balign 64
\name:
  mov x2, x0
  mov x3, #0
  isb
  mrs x9, pmevcntr0_el0
  mrs x10, pmevcntr1_el0
  \instruction
  mrs x11, pmevcntr0_el0
  mrs x12, pmevcntr1_el0
  sub w0, w11, w9
  sub w1, w12, w10
  ret
  .endm

  METER el1_meter_nothing
  METER el1_meter_read32, ldr w3, [x2]
  METER el1_meter_read64, ldr x3, [x2]
  METER el1_meter_write32, str w3, [x2]
  METER el1_meter_write64, str x3, [x2]

#endif
