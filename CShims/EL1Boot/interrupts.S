// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// Interrupts of the test host, and the memory that it shares with the ITS.

#include "CEL1Boot.h"

#if defined(__aarch64__) && !defined(__linux__)

// The CPU interface's registers by encoding (IHI 0069, 12.2): assemblers without the GIC extension do
// not know their names.
#define ICC_PMR_EL1 S3_0_C4_C6_0
#define ICC_IAR1_EL1 S3_0_C12_C12_0
#define ICC_EOIR1_EL1 S3_0_C12_C12_1
#define ICC_SRE_EL1 S3_0_C12_C12_5
#define ICC_IGRPEN1_EL1 S3_0_C12_C12_7

  .text

  .global el1_enable_cpu_interface
el1_enable_cpu_interface:
  mov x0, #7
  msr ICC_SRE_EL1, x0
  isb
  mov x0, #0xff
  msr ICC_PMR_EL1, x0
  mov x0, #1
  msr ICC_IGRPEN1_EL1, x0
  isb
  ret

// One IRQ. It comes only where a function below has unmasked it, so that x9 to x13 are free.
  .global take_interrupt
take_interrupt:
  mrs x9, pmevcntr0_el0
  mrs x10, pmevcntr1_el0
  mrs x11, tpidr_el1
  stp x9, x10, [x11, #(EL1_WORD_METER * 8)]
  mrs x9, ICC_IAR1_EL1
  dsb sy
  sub x10, x9, #EL1_LPI_FIRST
  cmp x10, #EL1_LPI_COUNT
  b.hs 0f
  mrs x12, mpidr_el1
  and x12, x12, #(EL1_CPU_LIMIT - 1)
  mov x13, #EL1_LPI_COUNT
  madd x10, x12, x13, x10
  adrp x12, el1_interrupts
  add x12, x12, :lo12:el1_interrupts
  ldr w13, [x12, x10, lsl #2]
  add w13, w13, #1
  str w13, [x12, x10, lsl #2]
  b 1f
0:
  cmp x9, #EL1_TIMER_INTID
  b.eq 2f
  cmp x9, #1020            // 1020 to 1023: there was nothing
  b.lo 3f
  cmp x9, #1023
  b.ls 4f
3:
  ldr x10, [x11, #(EL1_WORD_UNEXPECTED * 8)]
  add x10, x10, #1
  str x10, [x11, #(EL1_WORD_UNEXPECTED * 8)]
1:
  ldr x10, [x11, #(EL1_WORD_INTERRUPTS * 8)]
  add x10, x10, #1
  add x12, x11, #(EL1_WORD_INTERRUPTS * 8)
  stlr x10, [x12]
  msr ICC_EOIR1_EL1, x9
  isb
  eret
2:
  msr cntv_ctl_el0, xzr
  isb
  msr ICC_EOIR1_EL1, x9
  isb
4:
  eret

  .global el1_take_interrupts
el1_take_interrupts:
  mrs x1, tpidr_el1
  ldr x2, [x1, #(EL1_WORD_INTERRUPTS * 8)]
  msr cntv_tval_el0, x0
  mov x3, #1               // ENABLE
  msr cntv_ctl_el0, x3
  isb
  wfi                      // a masked interrupt ends it as well
  msr daifclr, #2
  isb
  msr daifset, #2
  msr cntv_ctl_el0, xzr
  isb
  ldr x3, [x1, #(EL1_WORD_INTERRUPTS * 8)]
  sub x0, x3, x2
  ret

// A CPU that takes one interrupt, past all caches, and goes: see el1_visitor_entry_address.
  .global visitor_entry
visitor_entry:
  mov x19, x0
  bl el1_enable_cpu_interface
0:
  mrs x9, ICC_IAR1_EL1
  sub x10, x9, #1020       // 1020 to 1023: there is nothing yet
  cmp x10, #3
  b.ls 0b
  msr ICC_EOIR1_EL1, x9
  mrs x10, mpidr_el1
  stp x9, x10, [x19]
  dsb sy
  mov x0, #0x0002
  movk x0, #0x8400, lsl #16  // CPU_OFF
  smc #0
1:
  wfi
  b 1b

  .global el1_zero
el1_zero:
  cbz x1, 1f
0:
  stp xzr, xzr, [x0], #16
  subs x1, x1, #16
  b.hi 0b
1:
  ret

  .global el1_barrier
el1_barrier:
  dsb sy
  ret

  .global el1_clean
el1_clean:
  add x1, x0, x1
  mrs x2, ctr_el0
  ubfx x2, x2, #16, #4     // DminLine, in words
  mov x3, #4
  lsl x2, x3, x2
  sub x3, x2, #1
  bic x0, x0, x3
0:
  dc cvac, x0
  add x0, x0, x2
  cmp x0, x1
  b.lo 0b
  dsb sy
  ret

  .global el1_arena
el1_arena:
  adrp x0, arena
  add x0, x0, :lo12:arena
  mov x1, #0xffff
  add x0, x0, x1
  bic x0, x0, x1
  ret

  .bss
  .balign 64
  .global el1_interrupts
el1_interrupts:
  .skip EL1_CPU_LIMIT * EL1_LPI_COUNT * 4

  // The image may be loaded at any multiple of 4 KiB: 64 KiB more, to align within.
  .section .arena, "aw", %nobits
  .balign 4096
arena:
  .skip EL1_ARENA_SIZE + 0x10000

#endif
