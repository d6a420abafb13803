// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#if defined(__aarch64__) && !defined(__linux__)

// Guarded device accesses. A synchronous external abort on the instruction at the access makes
// the EL2 vector continue at the fix-up below with the link register still that of the caller.
// Every access sits between pc_guarded_begin and pc_guarded_end; nothing else may.
//
// The abort is taken from EL2 to EL2 and overwrites ELR_EL2 and SPSR_EL2, which still hold where the
// host resumes: each accessor keeps both in registers, from which the fix-up restores them.

	.macro	GUARDED_READ name, instruction, register
	.global	\name
	.type	\name, %function
\name:
	mrs	x2, elr_el2
	mrs	x3, spsr_el2
	\instruction	\register, [x0]
	mov	x1, #0
	ret
	.size	\name, . - \name
	.endm

	.macro	GUARDED_WRITE name, instruction, register
	.global	\name
	.type	\name, %function
\name:
	mrs	x2, elr_el2
	mrs	x3, spsr_el2
	\instruction	\register, [x0]
	mov	x0, #0
	ret
	.size	\name, . - \name
	.endm

	.section .text.pc_guarded, "ax"
	.balign	16
	.global	pc_guarded_begin
pc_guarded_begin:
	GUARDED_READ	pc_try_readb, ldrb, w0
	GUARDED_READ	pc_try_readw, ldrh, w0
	GUARDED_READ	pc_try_readl, ldr, w0
	GUARDED_READ	pc_try_readq, ldr, x0
	.global	pc_guarded_writes
pc_guarded_writes:
	GUARDED_WRITE	pc_try_writeb, strb, w1
	GUARDED_WRITE	pc_try_writew, strh, w1
	GUARDED_WRITE	pc_try_writel, str, w1
	GUARDED_WRITE	pc_try_writeq, str, x1
	.global	pc_guarded_end
pc_guarded_end:

	// Where the vector resumes: a read answers {0, 1}, a write 1.
	.global	pc_guarded_read_fixup
pc_guarded_read_fixup:
	msr	elr_el2, x2
	msr	spsr_el2, x3
	mov	x0, #0
	mov	x1, #1
	ret
	.global	pc_guarded_write_fixup
pc_guarded_write_fixup:
	msr	elr_el2, x2
	msr	spsr_el2, x3
	mov	x0, #1
	ret

#endif
