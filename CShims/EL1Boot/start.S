// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// The image's header and its entry at EL1h, on the boot CPU and on the others.
//
// Nothing here or in the image holds an absolute address (testhost.ld refuses a GOT, and the image is
// checked for absolute relocations), so that it runs wherever it was loaded, at a multiple of 4 KiB.

#include "CEL1Boot.h"

#if defined(__aarch64__) && !defined(__linux__)

#define BOOT_STACK 0x10000
#define SECONDARY_STACK 0x4000

// The header of Linux' arm64 boot protocol (Documentation/arch/arm64/booting.rst).
  .section .head, "ax"
  .global el1_image_head
el1_image_head:
  b boot_entry
  .word 0
  .quad 0                  // text_offset
  .quad image_size         // from the linker script: includes the memory that isn't in the file
  .quad 0xa                // little endian, 4 KiB pages, anywhere in memory
  .quad 0, 0, 0
  .ascii "ARM\x64"
  .word 0

  .text
boot_entry:
  msr daifset, #0xf
  // SCTLR_EL1: RES1 bits, MMU and caches off, SP alignment checks off.
  ldr x9, =0x30d00800
  msr sctlr_el1, x9
  isb
  // With the MMU off memory is written past the cache: a line that a boot loader left there would hide
  // what was written once the MMU is on.
  adrp x9, el1_image_head
  adrp x10, image_end_page
  mrs x11, ctr_el0
  ubfx x11, x11, #16, #4   // DminLine, in words
  mov x12, #4
  lsl x11, x12, x11
0:
  dc civac, x9
  add x9, x9, x11
  cmp x9, x10
  b.lo 0b
  dsb sy
  adrp x9, __bss_start
  add x9, x9, :lo12:__bss_start
  adrp x10, __bss_end
  add x10, x10, :lo12:__bss_end
0:
  cmp x9, x10
  b.hs 1f
  stp xzr, xzr, [x9], #16
  b 0b
1:
  adrp x9, device_tree
  str x0, [x9, :lo12:device_tree]
  adrp x9, boot_stack_end
  add x9, x9, :lo12:boot_stack_end
  mov sp, x9
  bl initialise_cpu
  mov x0, #0
  mov x1, #0
  mov x29, #0
  bl main
  mov x0, #3               // main doesn't return
  b el1_exit

// A secondary CPU: MMU off, x0 is the context of CPU_ON. Memory isn't touched before the MMU is on, for
// the boot CPU writes it through its cache.
  .global el1_secondary_entry
el1_secondary_entry:
  mrs x19, sctlr_el1
  mrs x20, daif
  mrs x21, currentel
  mov x22, x0
  msr daifset, #0xf
  bl initialise_cpu
  bl el1_enable_mmu
  mrs x9, tpidr_el1
  str x22, [x9, #(EL1_WORD_CONTEXT * 8)]
  str x21, [x9, #(EL1_WORD_CURRENT_EL * 8)]
  str x19, [x9, #(EL1_WORD_SCTLR * 8)]
  str x20, [x9, #(EL1_WORD_DAIF * 8)]
  ldr x10, [x9, #(EL1_WORD_ENTRIES * 8)]
  add x10, x10, #1
  add x11, x9, #(EL1_WORD_ENTRIES * 8)
  stlr x10, [x11]
  mrs x0, mpidr_el1
  and x0, x0, #(EL1_CPU_LIMIT - 1)
  adrp x9, secondary_stacks
  add x9, x9, :lo12:secondary_stacks
  mov x10, #SECONDARY_STACK
  madd x10, x10, x0, x10
  add sp, x9, x10
  mov x29, #0
  bl el1_secondary_main
0:
  wfi
  b 0b

// Vectors, the CPU's record, SIMD registers. Uses no stack.
initialise_cpu:
  adrp x9, vectors
  add x9, x9, :lo12:vectors
  msr vbar_el1, x9
  mrs x9, mpidr_el1
  and x9, x9, #(EL1_CPU_LIMIT - 1)
  adrp x10, el1_records
  add x10, x10, :lo12:el1_records
  add x10, x10, x9, lsl #8
  msr tpidr_el1, x10
  mov x9, #(3 << 20)       // CPACR_EL1.FPEN: the SIMD probes execute
  msr cpacr_el1, x9
  isb
  ret
  .if EL1_WORDS * 8 != 256
  .error "the record's size is in the shift above"
  .endif

// void el1_enable_mmu(void). Uses no stack, x11 only.
  .global el1_enable_mmu
el1_enable_mmu:
  ldr x11, =0x4404ff00     // MAIR: 0 nGnRnE, 1 write-back, 2 nGnRE, 3 Normal non-cacheable
  msr mair_el1, x11
  // 39-bit VA, 4 KiB granule, inner shareable write-back walks, TTBR1 off, 48-bit PA.
  ldr x11, =0x580993519
  msr tcr_el1, x11
  adrp x11, root_table
  add x11, x11, :lo12:root_table
  msr ttbr0_el1, x11
  dsb sy
  isb
  tlbi vmalle1
  ic iallu
  dsb sy
  isb
  ldr x11, =0x30d01805     // M, C, I
  msr sctlr_el1, x11
  isb
  ret

  .global el1_set_root_entry
el1_set_root_entry:
  adrp x9, root_table
  add x9, x9, :lo12:root_table
  and x0, x0, #(EL1_TABLE_ENTRIES - 1)
  // Break before make.
  str xzr, [x9, x0, lsl #3]
  dsb ishst
  tlbi vmalle1is
  dsb ish
  isb
  str x1, [x9, x0, lsl #3]
  dsb ishst
  isb
  ret

  .macro ADDRESS_OF function, symbol
  .global \function
\function:
  adrp x0, \symbol
  add x0, x0, :lo12:\symbol
  ret
  .endm

  ADDRESS_OF el1_root_table, root_table
  ADDRESS_OF el1_image_start, el1_image_head
  ADDRESS_OF el1_image_end, image_end_page
  ADDRESS_OF el1_secondary_entry_address, el1_secondary_entry
  ADDRESS_OF el1_visitor_entry_address, visitor_entry
  ADDRESS_OF el1_scratch_page, scratch_page

  .global el1_device_tree
el1_device_tree:
  adrp x0, device_tree
  ldr x0, [x0, :lo12:device_tree]
  ret

  .macro SYSTEM_REGISTER function, register
  .global \function
\function:
  isb
  mrs x0, \register
  ret
  .endm

  SYSTEM_REGISTER el1_read_current_el, currentel
  SYSTEM_REGISTER el1_read_mpidr, mpidr_el1
  SYSTEM_REGISTER el1_read_isar0, id_aa64isar0_el1
  SYSTEM_REGISTER el1_read_counter, cntvct_el0
  SYSTEM_REGISTER el1_read_counter_frequency, cntfrq_el0

// void el1_exit(uint64_t status)
  .global el1_exit
el1_exit:
  sub sp, sp, #16
  mov x9, #0x26
  movk x9, #0x2, lsl #16   // ADP_Stopped_ApplicationExit
  stp x9, x0, [sp]
  mrs x9, tpidr_el1
  adr x10, 0f              // without semihosting the HLT is undefined and comes back here
  str x10, [x9, #(EL1_WORD_RESUME * 8)]
  mov x0, #0x18            // SYS_EXIT
  mov x1, sp
  hlt #0xf000
0:
  mrs x9, tpidr_el1
  adr x10, 1f
  str x10, [x9, #(EL1_WORD_RESUME * 8)]
  mov x0, #0x8
  movk x0, #0x8400, lsl #16  // SYSTEM_OFF
  smc #0
1:
  wfi
  b 1b

  .bss
  .balign 4096
root_table:
  .skip EL1_TABLE_ENTRIES * 8
scratch_page:
  .skip 4096
boot_stack:
  .skip BOOT_STACK
boot_stack_end:
secondary_stacks:
  .skip SECONDARY_STACK * EL1_CPU_LIMIT
  .balign 256
  .global el1_records
el1_records:
  .skip EL1_CPU_LIMIT * EL1_WORDS * 8
device_tree:
  .skip 8
  .balign 16

#endif
