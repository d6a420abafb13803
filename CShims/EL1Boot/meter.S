// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#include "CEL1Boot.h"

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

  .global el1_meter_now
el1_meter_now:
  isb
  mrs x0, pmevcntr0_el0
  mrs x1, pmevcntr1_el0
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

  METER el1_meter_hvc, hvc #0
  METER el1_meter_store32, str w1, [x2]

// The handler reads the counters first of all. It uses x9 to x13.
  .global el1_meter_interrupt
  .balign 64
el1_meter_interrupt:
  mrs x5, tpidr_el1
  ldr x6, [x5, #(EL1_WORD_INTERRUPTS * 8)]
  msr daifclr, #2
  isb
  mrs x3, pmevcntr0_el0
  mrs x4, pmevcntr1_el0
  str w1, [x0]
0:
  ldr x7, [x5, #(EL1_WORD_INTERRUPTS * 8)]
  cmp x7, x6
  b.ne 1f
  subs x2, x2, #1
  b.ne 0b
1:
  msr daifset, #2
  cmp x7, x6
  b.eq 2f
  ldp x0, x1, [x5, #(EL1_WORD_METER * 8)]
  sub w0, w0, w3
  sub w1, w1, w4
  ret
2:
  mov x0, #-1
  mov x1, #-1
  ret

#endif
