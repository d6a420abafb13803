// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#if defined(__aarch64__) && !defined(__linux__)

// From an application of UEFI into the copy of the image that stays, and back to the firmware.
//
//     the application, at EL2 in the firmware's translation
//        │ el2_efi_take_off: the firmware's registers are noted in the copy, the MMU goes off
//     el2_entry of the copy
//        │                                   │ el2_efi_return: nothing was changed
//     the host is entered: EL1            el2_efi_back: EL2 has the firmware's registers again
//        └───────────────┬───────────────────┘
//     el2_efi_landing: the application goes on
//
// All of it runs where the firmware has loaded the application, but for el2_entry.

#include "el2_sizes.h"

#ifdef EL2_CHECKED
// This image alone uses these registers.
	.arch_extension fp
#endif

#define FRAME		192
#define FRAME_DAIF	176
#define FRAME_X18	184

// el2_efi_take_off(copy, block, size) returns 0 at EL1, or EL2_EFI_REFUSED at EL2. What the application has on its
// stack and in its memory is as it was, but for the block.
	.section .text.el2_efi_take_off, "ax"
	.global	el2_efi_take_off
	.type	el2_efi_take_off, %function
el2_efi_take_off:
	sub	sp, sp, #FRAME
	stp	x29, x30, [sp, #0]
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
#ifdef EL2_CHECKED
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
#endif
	mrs	x9, daif
	str	x9, [sp, #FRAME_DAIF]
	str	x18, [sp, #FRAME_X18]
	msr	daifset, #0xf

	adrp	x9, el2_image_start
	add	x9, x9, :lo12:el2_image_start
	adrp	x10, el2_efi
	add	x10, x10, :lo12:el2_efi
	sub	x10, x10, x9
	add	x10, x10, x0
	stp	x1, x2, [x10, #EL2_EFI_BLOCK]
	adr	x11, el2_efi_landing
	stp	x10, x11, [x10, #EL2_EFI_SELF]
	adr	x11, el2_efi_back
	mov	x12, sp
	stp	x11, x12, [x10, #EL2_EFI_BACK]
	mrs	x11, ttbr0_el2
	mrs	x12, tcr_el2
	stp	x11, x12, [x10, #EL2_EFI_REGISTERS]
	mrs	x11, mair_el2
	mrs	x12, amair_el2
	stp	x11, x12, [x10, #EL2_EFI_REGISTERS + 16]
	mrs	x11, sctlr_el2
	mrs	x12, vbar_el2
	stp	x11, x12, [x10, #EL2_EFI_REGISTERS + 32]
	mrs	x11, hcr_el2
	mrs	x12, cptr_el2
	stp	x11, x12, [x10, #EL2_EFI_REGISTERS + 48]
	mrs	x11, tpidr_el2
	mrs	x12, cntvoff_el2
	stp	x11, x12, [x10, #EL2_EFI_REGISTERS + 64]

	// What runs and is read with the caches off has to be in memory: the copy, and this.
	adrp	x2, el2_file_end
	add	x2, x2, :lo12:el2_file_end
	sub	x2, x2, x9
	add	x2, x2, x0
	mov	x1, x0
	bl	clean
	adr	x1, el2_efi_take_off
	adr	x2, el2_efi_end
	bl	clean
	adrp	x11, el2_entry
	add	x11, x11, :lo12:el2_entry
	sub	x11, x11, x9
	add	x11, x11, x0
	mrs	x12, sctlr_el2
	mov	x13, #0x1005		// M, C, I
	bic	x12, x12, x13
	msr	sctlr_el2, x12
	isb
	ic	iallu
	dsb	nsh
	isb
	// Not zero, which would have it look for a tree.
	mov	x0, x10
	br	x11

// Cleans and invalidates from x1 to x2, to the point of coherency. Clobbers x1, x13 and x14.
clean:
	mrs	x13, ctr_el0
	ubfx	x13, x13, #16, #4
	mov	x14, #4
	lsl	x13, x14, x13
	sub	x14, x13, #1
	bic	x1, x1, x14
1:	dc	civac, x1
	add	x1, x1, x13
	cmp	x1, x2
	b.lo	1b
	dsb	sy
	ret

// The MMU is off; x0 = struct el2_efi.
el2_efi_back:
	ldp	x11, x12, [x0, #EL2_EFI_REGISTERS]
	msr	ttbr0_el2, x11
	msr	tcr_el2, x12
	ldp	x11, x12, [x0, #EL2_EFI_REGISTERS + 16]
	msr	mair_el2, x11
	msr	amair_el2, x12
	ldp	x10, x12, [x0, #EL2_EFI_REGISTERS + 32]
	msr	vbar_el2, x12
	ldp	x11, x12, [x0, #EL2_EFI_REGISTERS + 48]
	msr	hcr_el2, x11
	msr	cptr_el2, x12
	ldp	x11, x12, [x0, #EL2_EFI_REGISTERS + 64]
	msr	tpidr_el2, x11
	msr	cntvoff_el2, x12
	ldr	x11, [x0, #EL2_EFI_SP]
	mov	sp, x11
	isb
	tlbi	alle2
	ic	iallu
	dsb	nsh
	isb
	msr	sctlr_el2, x10
	isb
	mov	x0, #EL2_EFI_REFUSED

// At EL1 or at EL2, in the firmware's translation, on its stack; x0 = what el2_efi_take_off returns.
el2_efi_landing:
	ldp	x29, x30, [sp, #0]
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
#ifdef EL2_CHECKED
	ldp	d8, d9, [sp, #96]
	ldp	d10, d11, [sp, #112]
	ldp	d12, d13, [sp, #128]
	ldp	d14, d15, [sp, #144]
#endif
	ldr	x9, [sp, #FRAME_DAIF]
	ldr	x18, [sp, #FRAME_X18]
	add	sp, sp, #FRAME
	msr	daif, x9
	ret
el2_efi_end:

// el2_efi_call_on(top, services): goes on in el2_efi_prepare, on another stack.
	.section .text.el2_efi_call_on, "ax"
	.global	el2_efi_call_on
	.type	el2_efi_call_on, %function
el2_efi_call_on:
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	mov	sp, x0
	mov	x0, x1
	bl	el2_efi_prepare
	mov	sp, x29
	ldp	x29, x30, [sp], #16
	ret

	.section .data.el2_efi, "aw"
	.balign	64
	.global	el2_efi
el2_efi:
	.space	EL2_EFI_SIZE

#endif
