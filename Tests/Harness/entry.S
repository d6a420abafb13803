// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// Entry, vectors, the way into the host, and the accesses that may abort.

#include "board.h"

#define FRAME 272  // struct frame, a multiple of 16

	.section .head, "ax"
	.quad	0			// no descriptor, should the host's tables lie here in the control
	.global harness_entry
harness_entry:
	msr	daifset, #0xf
	bl	prepare_cpu
	// The loader may have left our memory in a cache. Until the MMU is on, EL2 reads and writes past the caches.
	mrs	x2, ctr_el0
	ubfx	x2, x2, #16, #4
	mov	x3, #4
	lsl	x2, x3, x2
	ldr	x0, =harness_start
	ldr	x1, =harness_end
1:	dc	civac, x0
	add	x0, x0, x2
	cmp	x0, x1
	b.lo	1b
	dsb	sy
	ldr	x0, =harness_bss
	ldr	x1, =harness_image_end
1:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	1b
	ldr	x0, =stacks + STACK_BYTES
	mov	sp, x0
	bl	translation_build
	bl	turn_mmu_on
	bl	harness_main

// A CPU that firmware has started: x0 is its struct cpu.
	.global secondary_entry
secondary_entry:
	msr	daifset, #0xf
	mov	x19, x0
	bl	prepare_cpu
	bl	turn_mmu_on
	ldr	x1, [x19]
	mov	sp, x1
	mov	x0, x19
	bl	secondary_main

// Clobbers x9.
prepare_cpu:
	mov	x9, #(1 << 31)		// RW: EL1 is AArch64
	msr	hcr_el2, x9
	ldr	x9, =SCTLR_EL2_OFF
	msr	sctlr_el2, x9
	ldr	x9, =vectors
	msr	vbar_el2, x9
	isb
	ret

// Needs no memory but the tables, for the caches are off until the end. Clobbers x9.
	.global turn_mmu_on
turn_mmu_on:
	ldr	x9, =el2_root
	msr	ttbr0_el2, x9
	ldr	x9, =TCR_EL2_VALUE
	msr	tcr_el2, x9
	ldr	x9, =MAIR_EL2_VALUE
	msr	mair_el2, x9
	isb
	tlbi	alle2
	ic	iallu
	dsb	nsh
	isb
	ldr	x9, =SCTLR_EL2_ON
	msr	sctlr_el2, x9
	isb
	ret

	.text

	.macro VECTOR label
	.balign	0x80
	b	\label
	.endm

	.altmacro
	.macro PAIR instruction, n, next
	\instruction x\n, x\next, [sp, #(8 * \n)]
	.endm
	.macro EACH_REGISTER pair, single
	.irp	n, 0,2,4,6,8,10,12,14,16,18,20,22,24,26,28
	PAIR	\pair, \n, %(\n + 1)
	.endr
	\single x30, [sp, #240]
	.endm

	.balign	0x800
vectors:
	.rept	4
	VECTOR	unexpected		// EL2 with SP_EL0
	.endr
	VECTOR	own_synchronous
	.rept	3
	VECTOR	unexpected
	.endr
	VECTOR	from_host		// AArch64
	.rept	3
	VECTOR	unexpected		// HCR_EL2.{IMO,FMO,AMO} are clear: interrupts go to the host
	.endr
	VECTOR	from_host		// AArch32 at EL0
	.rept	3
	VECTOR	unexpected
	.endr

from_host:
	sub	sp, sp, #FRAME
	EACH_REGISTER stp, str
	// ELR_EL2 and SPSR_EL2 are kept in the frame: a guarded access that aborts overwrites the registers.
	mrs	x0, elr_el2
	mrs	x1, spsr_el2
	stp	x0, x1, [sp, #248]
	mov	x29, xzr
	mov	x0, sp
	bl	host_exception
	ldp	x0, x1, [sp, #248]
	msr	elr_el2, x0
	msr	spsr_el2, x1
	EACH_REGISTER ldp, ldr
	add	sp, sp, #FRAME
	eret
	dsb	nsh
	isb

// An abort of EL2 itself: a guarded access of the library's header continues behind it, anything else is the end.
own_synchronous:
	sub	sp, sp, #FRAME
	EACH_REGISTER stp, str
	mrs	x0, esr_el2
	mrs	x1, elr_el2
	bl	own_exception
	msr	elr_el2, x0
	EACH_REGISTER ldp, ldr
	add	sp, sp, #FRAME
	eret
	dsb	nsh
	isb

unexpected:
	bl	harness_panic

// void smc(uint64_t function, const uint64_t arguments[3], struct smc_result *result)
	.global smc
smc:
	stp	x2, x30, [sp, #-16]!
	mov	x9, x1
	ldp	x1, x2, [x9]
	ldr	x3, [x9, #16]
	smc	#0
	ldp	x9, x30, [sp], #16
	stp	x0, x1, [x9]
	stp	x2, x3, [x9, #16]
	ret

// void enter_host(uint64_t entry, uint64_t context, struct cpu *cpu)
	.global enter_host
enter_host:
	msr	elr_el2, x0
	mov	x0, #0x3c5		// EL1h, interrupts masked
	msr	spsr_el2, x0
	ldr	x2, [x2]
	mov	sp, x2
	mov	x0, x1
	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	mov	x\n, xzr
	.endr
	eret
	dsb	nsh
	isb

// The second VM, wherever its code is copied to: x0 is a list of ranges, of a base and a size each, and an empty one at
// the end. Restores the pattern of main.c in them. x1 is how many words were different.
	.section .rodata
	.global guest_code, guest_code_end
guest_code:
	mov	x1, #0
	movz	x6, #0x4341, lsl #48
	movk	x6, #0x4e41, lsl #32
	movk	x6, #0x5259, lsl #16
1:	ldp	x3, x4, [x0], #16
	mov	x5, #0
	cbz	x4, 3f
2:	ubfiz	x7, x5, #1, #15
	orr	x7, x6, x7
	ldr	x8, [x3, x5, lsl #3]
	str	x7, [x3, x5, lsl #3]
	cmp	x8, x7
	cinc	x1, x1, ne
	add	x5, x5, #1
	cmp	x5, x4, lsr #3
	b.lo	2b
	b	1b
3:	dsb	sy
	hvc	#0
guest_code_end:

	.bss
	.balign	4096
	.global stacks
stacks:
	.space	MAX_CPUS * STACK_BYTES
