// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// The single instructions that the tests execute on purpose.

#include "CEL1Boot.h"

#if defined(__aarch64__) && !defined(__linux__)

  .arch armv8.1-a
  .text

#define PROBE_SHIFT 6

// uint64_t el1_probe(uint64_t instruction, uint64_t address, uint64_t value)
  .global el1_probe
el1_probe:
  mrs x9, tpidr_el1
  str xzr, [x9, #(EL1_WORD_COUNT * 8)]
  and x10, x0, #0xff
  cmp x10, #EL1_PROBES
  b.hs 0f
  mov x0, x2
  adrp x11, probes
  add x11, x11, :lo12:probes
  add x11, x11, x10, lsl #PROBE_SHIFT
  br x11
0:
  brk #0

// Every probe says where an exception resumes, executes the one instruction, and falls in here.
probe_done:
  mrs x9, tpidr_el1
  str xzr, [x9, #(EL1_WORD_RESUME * 8)]
  str x1, [x9, #(EL1_WORD_BASE * 8)]
  ret

  .macro EXPECT_EXCEPTION
  adr x10, 1f
  str x10, [x9, #(EL1_WORD_RESUME * 8)]
  str x10, [x9, #(EL1_WORD_NEXT * 8)]
  .endm

  .macro PROBE number, instruction:vararg
  .org probes + (\number << PROBE_SHIFT)
  EXPECT_EXCEPTION
  \instruction
1:
  b probe_done
  .endm

  .balign 64
probes:
  PROBE EL1_LDR_X, ldr x0, [x1]
  PROBE EL1_LDR_W, ldr w0, [x1]
  PROBE EL1_LDRH, ldrh w0, [x1]
  PROBE EL1_LDRB, ldrb w0, [x1]
  PROBE EL1_LDRSW, ldrsw x0, [x1]
  PROBE EL1_LDRSH_X, ldrsh x0, [x1]
  PROBE EL1_LDRSB_X, ldrsb x0, [x1]
  PROBE EL1_LDRSH_W, ldrsh w0, [x1]
  PROBE EL1_LDRSB_W, ldrsb w0, [x1]
  PROBE EL1_LDR_XZR, ldr xzr, [x1]
  PROBE EL1_LDR_WZR, ldr wzr, [x1]
  PROBE EL1_LDAR_W, ldar w0, [x1]
  PROBE EL1_LDAR_X, ldar x0, [x1]
  PROBE EL1_STR_X, str x0, [x1]
  PROBE EL1_STR_W, str w0, [x1]
  PROBE EL1_STRH, strh w0, [x1]
  PROBE EL1_STRB, strb w0, [x1]
  PROBE EL1_STR_XZR, str xzr, [x1]
  PROBE EL1_STR_WZR, str wzr, [x1]
  PROBE EL1_STLR_W, stlr w0, [x1]
  PROBE EL1_STLR_X, stlr x0, [x1]
  PROBE EL1_LDP_X, ldp x0, x2, [x1]
  PROBE EL1_LDP_W, ldp w0, w2, [x1]
  PROBE EL1_STP_X, stp x0, x0, [x1]
  PROBE EL1_STP_W, stp w0, w0, [x1]
  PROBE EL1_LDR_W_POST, ldr w0, [x1], #4
  PROBE EL1_STR_W_POST, str w0, [x1], #4
  PROBE EL1_LDR_W_PRE, ldr w0, [x1, #0]!
  PROBE EL1_STR_W_PRE, str w0, [x1, #0]!
  PROBE EL1_LDR_Q, ldr q0, [x1]
  PROBE EL1_STR_Q, str q0, [x1]
  PROBE EL1_LDR_D, ldr d0, [x1]
  PROBE EL1_STR_D, str d0, [x1]
  PROBE EL1_LDXR_W, ldxr w0, [x1]

  // The exclusive pair: where the load faults, the store has no monitor and must not happen either.
  .org probes + (EL1_LDXR_STXR_X << PROBE_SHIFT)
  adr x10, 1f
  str x10, [x9, #(EL1_WORD_RESUME * 8)]
  adr x11, 2f
  str x11, [x9, #(EL1_WORD_NEXT * 8)]
  mov x3, x0
  ldxr x0, [x1]
2:
  stxr w2, x3, [x1]
1:
  clrex
  b probe_done

  PROBE EL1_LDADD_X, ldadd x0, x0, [x1]
  PROBE EL1_DC_CIVAC, dc civac, x1
  PROBE EL1_DC_IVAC, dc ivac, x1
  PROBE EL1_IC_IVAU, ic ivau, x1
  PROBE EL1_DC_ZVA, dc zva, x1

  .org probes + (EL1_AT_S1E1R << PROBE_SHIFT)
  EXPECT_EXCEPTION
  at s1e1r, x1
1:
  isb
  mrs x0, par_el1
  b probe_done

  .org probes + (EL1_FETCH << PROBE_SHIFT)
  EXPECT_EXCEPTION
  str x30, [x9, #(EL1_WORD_LINK * 8)]
  blr x1
1:
  mrs x9, tpidr_el1
  ldr x30, [x9, #(EL1_WORD_LINK * 8)]
  b probe_done

  .org probes + (EL1_LDRB_SP0 << PROBE_SHIFT)
  EXPECT_EXCEPTION
  msr spsel, #0
  ldrb w0, [x1]
1:
  msr spsel, #1
  b probe_done

  .macro PROBE_AT_EL0 number, code
  .org probes + (\number << PROBE_SHIFT)
  EXPECT_EXCEPTION
  adr x10, \code
  msr elr_el1, x10
  mov x10, #0x3c0
  msr spsr_el1, x10
  eret
1:
  b probe_done
  .endm

  PROBE_AT_EL0 EL1_LDR_W_EL0, el0_load_word
  PROBE_AT_EL0 EL1_LDRB_EL0, el0_load_byte
  .org probes + (EL1_LDR_W_X30 << PROBE_SHIFT)
  EXPECT_EXCEPTION
  str x30, [x9, #(EL1_WORD_LINK * 8)]
  mov x30, x0
  ldr w30, [x1]
1:
  mov x0, x30
  mrs x9, tpidr_el1
  ldr x30, [x9, #(EL1_WORD_LINK * 8)]
  b probe_done
  .org probes + (EL1_PROBES << PROBE_SHIFT)

el0_load_word:
  ldr w0, [x1]
  svc #0
el0_load_byte:
  ldrb w0, [x1]
  svc #0

// uint64_t el1_registers_changed_by_load(uint64_t address)
  .global el1_registers_changed_by_load
el1_registers_changed_by_load:
  stp x19, x20, [sp, #-96]!
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  sub sp, sp, #272
  mov x1, x0
  str x1, [sp, #264]
  mrs x9, tpidr_el1
  str xzr, [x9, #(EL1_WORD_COUNT * 8)]
  adr x10, 2f
  str x10, [x9, #(EL1_WORD_RESUME * 8)]
  mov x9, #0x90000000      // N and V
  msr nzcv, x9
  .irp n, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
  mov x\n, #\n
  movk x\n, #0xa5a5, lsl #16
  movk x\n, #0x5a5a, lsl #48
  .endr
  ldr w0, [x1]
  .irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
  str x\n, [sp, #(\n * 8)]
  .endr
  mrs x2, nzcv
  mov x0, #0
  mov x3, #0x90000000
  cmp x2, x3
  cset x4, ne
  orr x0, x0, x4, lsl #31
  ldr x2, [sp, #264]
  ldr x3, [sp, #8]
  cmp x2, x3
  cset x4, ne
  orr x0, x0, x4, lsl #1
  mov x5, #2
1:
  movk x5, #0xa5a5, lsl #16
  movk x5, #0x5a5a, lsl #48
  and x6, x5, #0xff
  ldr x7, [sp, x6, lsl #3]
  cmp x7, x5
  cset x4, ne
  lsl x4, x4, x6
  orr x0, x0, x4
  add x5, x6, #1
  cmp x5, #31
  b.lo 1b
  b 3f
2:
  mov x0, #-1
3:
  mrs x9, tpidr_el1
  str xzr, [x9, #(EL1_WORD_RESUME * 8)]
  add sp, sp, #272
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp x19, x20, [sp], #96
  ret

// Calls of the SMC Calling Convention. A result of an undefined instruction is what x0 held.
  .macro CALL function, instruction
  .global \function
\function:
  mrs x9, tpidr_el1
  str xzr, [x9, #(EL1_WORD_COUNT * 8)]
  adr x10, 1f
  str x10, [x9, #(EL1_WORD_RESUME * 8)]
  str x10, [x9, #(EL1_WORD_NEXT * 8)]
  mov x4, #0
  \instruction #0
1:
  mrs x9, tpidr_el1
  str xzr, [x9, #(EL1_WORD_RESUME * 8)]
  stp x0, x1, [x9, #(EL1_WORD_RESULT * 8)]
  stp x2, x3, [x9, #(EL1_WORD_RESULT * 8 + 16)]
  str x4, [x9, #(EL1_WORD_RESULT * 8 + 32)]
  ret
  .endm

  CALL el1_hvc, hvc
  CALL el1_smc, smc

#endif
