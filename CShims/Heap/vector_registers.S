// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#if defined(__aarch64__) && !defined(__linux__)

// The specification is compiled so that it may use the FP and SIMD registers, which are the host's: the two entrances
// of the host's exceptions keep them. The linker puts these in place of the functions that they are named for
// (--wrap).

	.macro	KEEP_VECTOR_REGISTERS name
	.section .text.__wrap_\name, "ax"
	.global	__wrap_\name
	.type	__wrap_\name, %function
__wrap_\name:
	sub	sp, sp, #544
	stp	x29, x30, [sp]
	mov	x29, sp
	stp	q0, q1, [sp, #32]
	stp	q2, q3, [sp, #64]
	stp	q4, q5, [sp, #96]
	stp	q6, q7, [sp, #128]
	stp	q8, q9, [sp, #160]
	stp	q10, q11, [sp, #192]
	stp	q12, q13, [sp, #224]
	stp	q14, q15, [sp, #256]
	stp	q16, q17, [sp, #288]
	stp	q18, q19, [sp, #320]
	stp	q20, q21, [sp, #352]
	stp	q22, q23, [sp, #384]
	stp	q24, q25, [sp, #416]
	stp	q26, q27, [sp, #448]
	stp	q28, q29, [sp, #480]
	stp	q30, q31, [sp, #512]
	mrs	x9, fpsr
	mrs	x10, fpcr
	stp	x9, x10, [sp, #16]
	bl	__real_\name
	ldp	x9, x10, [sp, #16]
	msr	fpsr, x9
	msr	fpcr, x10
	ldp	q0, q1, [sp, #32]
	ldp	q2, q3, [sp, #64]
	ldp	q4, q5, [sp, #96]
	ldp	q6, q7, [sp, #128]
	ldp	q8, q9, [sp, #160]
	ldp	q10, q11, [sp, #192]
	ldp	q12, q13, [sp, #224]
	ldp	q14, q15, [sp, #256]
	ldp	q16, q17, [sp, #288]
	ldp	q18, q19, [sp, #320]
	ldp	q20, q21, [sp, #352]
	ldp	q22, q23, [sp, #384]
	ldp	q24, q25, [sp, #416]
	ldp	q26, q27, [sp, #448]
	ldp	q28, q29, [sp, #480]
	ldp	q30, q31, [sp, #512]
	ldp	x29, x30, [sp]
	add	sp, sp, #544
	ret
	.endm

	KEEP_VECTOR_REGISTERS el2_host_abort
	KEEP_VECTOR_REGISTERS el2_host_trap

#endif
