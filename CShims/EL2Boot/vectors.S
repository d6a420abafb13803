// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#if defined(__aarch64__) && !defined(__linux__)

// EL2's exception vectors and the way back into the host.
//
// Every exception of the host runs on the CPU's own EL2 stack, from its very top, with x0 to x30
// below it; interrupts go straight to the host and never come here.

#include "el2_sizes.h"

#define FRAME		256		// x0 to x30 and one spare slot

	.macro	SAVE_REGISTERS
	sub	sp, sp, #FRAME
	stp	x0, x1, [sp, #0]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	str	x30, [sp, #240]
	.endm

	.macro	RESTORE_REGISTERS
	ldp	x0, x1, [sp, #0]
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x19, [sp, #144]
	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	ldp	x28, x29, [sp, #224]
	ldr	x30, [sp, #240]
	add	sp, sp, #FRAME
	.endm

	.macro	VECTOR label
	.balign	0x80
	b	\label
	.endm

	.section .text.el2_vectors, "ax"
	.balign	0x800
	.global	el2_vectors
el2_vectors:
	VECTOR	unexpected		// EL2t: never used
	VECTOR	unexpected
	VECTOR	unexpected
	VECTOR	unexpected
	VECTOR	own_synchronous		// EL2h
	VECTOR	unexpected
	VECTOR	unexpected
	VECTOR	unexpected
	.balign	0x80			// AArch64 host, synchronous: the way that must be short
	SAVE_REGISTERS
	mrs	x0, esr_el2
	mrs	x1, far_el2
	mrs	x2, hpfar_el2
	mov	x3, sp
	ubfx	x4, x0, #26, #6
	cmp	x4, #0x24		// data abort from a lower level
	b.ne	1f
	bl	el2_host_abort
	b	resume_host
1:	bl	el2_host_trap
	b	resume_host
	VECTOR	unexpected
	VECTOR	unexpected
	VECTOR	unexpected
	VECTOR	aarch32_synchronous	// AArch32 code at EL0 of the host
	VECTOR	unexpected
	VECTOR	unexpected
	VECTOR	unexpected

// Until it leaves boot the boot CPU runs on a stack of its own.
	.balign	0x800
	.global	el2_boot_vectors
el2_boot_vectors:
	VECTOR	unexpected
	VECTOR	unexpected
	VECTOR	unexpected
	VECTOR	unexpected
	VECTOR	boot_synchronous
	VECTOR	unexpected
	VECTOR	unexpected
	VECTOR	unexpected
	.rept	8
	VECTOR	unexpected
	.endr

resume_host:
	RESTORE_REGISTERS
	eret
	dsb	nsh			// no speculation past the return
	isb

aarch32_synchronous:
	SAVE_REGISTERS
	mrs	x0, esr_el2
	mrs	x1, far_el2
	mrs	x2, hpfar_el2
	mov	x3, sp
	bl	el2_host_trap
	b	resume_host

// EL2's own synchronous exceptions: an abort of a guarded access that comes of what stands at its physical
// address resumes at its way out (guarded.h), everything else is the end. Bit EL2_STACK_SHIFT of SP tells a
// stack from the guard below it; x0 and SP are swapped arithmetically, since there is no register to spare and
// no stack to trust yet.
own_synchronous:
	add	sp, sp, x0
	sub	x0, sp, x0
	tbz	x0, #EL2_STACK_SHIFT, stack_overflow
	sub	x0, sp, x0
	sub	sp, sp, x0
synchronous:
	stp	x0, x1, [sp, #-32]!
	stp	x2, x3, [sp, #16]
	mrs	x0, esr_el2
	ubfx	x1, x0, #26, #6
	cbz	x1, 2f			// an undefined instruction: a register that EL3 keeps for itself
	cmp	x1, #0x25		// data abort from EL2
	b.ne	unexpected
	// DFSC: 0b0000LL address size, 0x10 external abort, 0x18 parity or ECC, 0x28 granule protection; none of
	// them on a table walk. The shift takes the low 6 bits.
	mov	x1, #0x000f
	movk	x1, #0x0101, lsl #16
	movk	x1, #0x0100, lsl #32
	lsr	x1, x1, x0
	tbz	x1, #0, unexpected
2:	mrs	x0, elr_el2
	adrp	x1, pc_guarded_begin
	add	x1, x1, :lo12:pc_guarded_begin
	adrp	x2, pc_guarded_end
	add	x2, x2, :lo12:pc_guarded_end
1:	cmp	x1, x2			// {distance to an access, distance to its way out}
	b.hs	unexpected
	ldrsw	x3, [x1]
	add	x3, x3, x1
	cmp	x3, x0
	add	x1, x1, #8
	b.ne	1b
	sub	x1, x1, #4
	ldrsw	x3, [x1]
	add	x3, x3, x1
	msr	elr_el2, x3
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp], #32
	eret
	dsb	nsh
	isb

// The same on the boot CPU's stack, which is larger.
boot_synchronous:
	add	sp, sp, x0
	sub	x0, sp, x0
	tbz	x0, #EL2_BOOT_STACK_SHIFT, unexpected
	sub	x0, sp, x0
	sub	sp, sp, x0
	b	synchronous

stack_overflow:
unexpected:
	mrs	x12, vbar_el2
	// Whatever goes wrong from here on ends it all without another word.
	adrp	x9, last_vectors
	add	x9, x9, :lo12:last_vectors
	msr	vbar_el2, x9
	isb
	// The stack of this CPU is spent or its content no longer matters: start at its top.
	bl	own_stack
	ldr	x9, =el2_boot_vectors
	cmp	x12, x9
	b.ne	1f
	ldr	x9, =EL2_BOOT_STACK + EL2_BOOT_STACK_SIZE
	mov	sp, x9
1:	mrs	x0, esr_el2
	mrs	x1, elr_el2
	mrs	x2, far_el2
	bl	el2_fatal
	b	el2_park

// PSCI's SYSTEM_OFF, without stack or memory. Where the SMC itself is what the exception was about, there is
// nobody who could do it.
switch_off:
	mrs	x9, elr_el2
	adr	x10, 1f
	cmp	x9, x10
	b.eq	el2_park
	mov	x0, #0x0008
	movk	x0, #0x8400, lsl #16
1:	smc	#0
	b	el2_park

	.balign	0x800
last_vectors:
	.rept	16
	VECTOR	switch_off
	.endr

// SP = the top of this CPU's stack. Clobbers x9 to x11.
own_stack:
	mrs	x9, tpidr_el2
	ldr	x10, =EL2_STACKS
	add	x9, x9, #1
	mov	x11, #EL2_STACK_SLOT
	madd	x9, x9, x11, x10
	mov	sp, x9
	ret

// el2_leave_boot_stack(entry, argument): no code can unmap the stack that it runs on, and an exception from here on is
// told on the stack that stays.
	.section .text.el2_leave_boot_stack, "ax"
	.global	el2_leave_boot_stack
	.type	el2_leave_boot_stack, %function
el2_leave_boot_stack:
	ldr	x9, =el2_vectors
	msr	vbar_el2, x9
	isb
	bl	own_stack
	mov	x29, xzr
	b	el2_leave_boot

// el2_enter_host(entry, argument)
	.section .text.el2_enter_host, "ax"
	.global	el2_enter_host
el2_enter_host:
	msr	elr_el2, x0
	mov	x0, #0x3c5		// EL1h, D, A, I and F masked
	msr	spsr_el2, x0
	mov	x0, x1
	ldr	x1, =el2_vectors
	msr	vbar_el2, x1
	bl	own_stack
	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	mov	x\n, xzr
	.endr
	eret
	dsb	nsh
	isb

#endif
