// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// The exception vectors of the test host: every exception is recorded and resumes where the probe said.

#include "CEL1Boot.h"

#if defined(__aarch64__) && !defined(__linux__)

  .section .text.vectors, "ax"

  .macro VECTOR offset
  .org vectors + \offset
  mov x10, #\offset
  b record_exception
  .endm

  .balign 2048
  .global vectors
vectors:
  .irp offset, 0x000, 0x080, 0x100, 0x180, 0x200
  VECTOR \offset
  .endr
  .org vectors + 0x280
  b take_interrupt
  .irp offset, 0x300, 0x380
  VECTOR \offset
  .endr
  .irp offset, 0x400, 0x480, 0x500, 0x580, 0x600, 0x680, 0x700, 0x780
  VECTOR \offset
  .endr
  .org vectors + 0x800

// Uses x9 to x11, which no probe has as a register under test.
record_exception:
  mrs x9, tpidr_el1
  str x10, [x9, #(EL1_WORD_VECTOR * 8)]
  mrs x11, esr_el1
  str x11, [x9, #(EL1_WORD_ESR * 8)]
  mrs x11, far_el1
  str x11, [x9, #(EL1_WORD_FAR * 8)]
  mrs x11, elr_el1
  str x11, [x9, #(EL1_WORD_ELR * 8)]
  mrs x11, spsr_el1
  str x11, [x9, #(EL1_WORD_SPSR * 8)]
  ldr x11, [x9, #(EL1_WORD_COUNT * 8)]
  add x11, x11, #1
  str x11, [x9, #(EL1_WORD_COUNT * 8)]
  ldr x11, [x9, #(EL1_WORD_RESUME * 8)]
  cbz x11, unexpected
  // Spent, so that an exception on the way back can't loop.
  str xzr, [x9, #(EL1_WORD_RESUME * 8)]
  msr elr_el1, x11
  cmp x10, #0x400
  b.lo 0f
  // From EL0: the probe goes on at EL1h.
  mov x11, #0x3c5
  msr spsr_el1, x11
0:
  eret

unexpected:
  // The stack may be what went wrong.
  adrp x9, emergency_stack_end
  add x9, x9, :lo12:emergency_stack_end
  mov sp, x9
  mrs x0, mpidr_el1
  and x0, x0, #(EL1_CPU_LIMIT - 1)
  mov x29, #0
  bl el1_unexpected_exception
0:
  wfi
  b 0b

  .bss
  .balign 16
  .skip 0x2000
emergency_stack_end:

#endif
