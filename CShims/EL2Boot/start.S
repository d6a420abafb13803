// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#if defined(__aarch64__) && !defined(__linux__)

// Entry of the EL2 image (Linux boot protocol for arm64: MMU off, x0 = physical address of the
// device tree). Everything up to the MMU is position independent; from then on the image runs at its
// link addresses wherever it was loaded. What UEFI enters is in efi.S, and comes here from there.

#include "el2_sizes.h"

#define HCR_RW		(1 << 31)
#define HCR_E2H_BIT	34
#define SCTLR_EL2_OFF	0x30c50830	// RES1 bits; MMU and caches off

	.section .head.text, "ax"
	.global	el2_image_start
el2_image_start:
	.ascii	"MZ"			// of PE/COFF, and with the next two bytes an instruction
	.hword	0xfa40			// ccmp x18, #0, #0xd, pl: has no effect here
	b	el2_entry
	.quad	0			// text_offset: none, any 4 KiB aligned place will do
	.quad	el2_image_size
	.quad	0xa			// little-endian, 4 KiB pages, anywhere in memory
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.word	pe_header - el2_image_start

// The same file as an application of UEFI: PE32+ with two sections, none of which has to be relocated (Microsoft
// PE Format). The first page is the headers' alone: of what is behind them there a loader need not load anything.
pe_header:
	.ascii	"PE\0\0"
	.hword	0xaa64			// Machine: Arm 64-bit
	.hword	2			// NumberOfSections
	.word	0, 0, 0
	.hword	pe_sections - pe_optional
	.hword	0x206			// executable, without line numbers and symbols
pe_optional:
	.hword	0x20b			// PE32+
	.byte	1, 0
	.word	el2_pe_text_size, el2_pe_data_size, 0
	.word	el2_efi_main - el2_image_start
	.word	el2_pe_text		// BaseOfCode
	.quad	0			// ImageBase
	.word	4096, 512		// SectionAlignment, FileAlignment
	.hword	0, 0, 1, 0, 0, 0
	.word	0
	.word	el2_pe_size, el2_pe_text	// SizeOfImage, SizeOfHeaders
	.word	0
	.hword	10, 0			// Subsystem: an application
	.quad	0, 0, 0, 0
	.word	0, 6			// NumberOfRvaAndSizes
	.quad	0, 0, 0, 0, 0, 0
pe_sections:
	.ascii	".text\0\0\0"
	.word	el2_pe_text_size, el2_pe_text, el2_pe_text_size, el2_pe_text
	.word	0, 0, 0
	.word	0x60000020		// code, readable, executable
	.ascii	".data\0\0\0"
	.word	el2_pe_data_size, el2_pe_data, el2_pe_data_size, el2_pe_data
	.word	0, 0, 0
	.word	0xc0000040		// data, readable, writable

	.section .idmap.text, "ax"
	.global	el2_entry
el2_entry:
	// The stack is SP_EL2's from here on, whichever a loader has used: an exception of the host finds no other.
	msr	spsel, #1
	msr	daifset, #0xf
	mov	x19, x0
	// Why the image can't be started, as el2_refuse takes it, or 0.
	mrs	x20, CurrentEL
	lsr	x20, x20, #2
	cmp	x20, #2
	b.ne	1f
	bl	clear_e2h
	cmp	x0, #0
	csel	x20, xzr, x20, eq
1:
#ifdef EL2_CHECKED
	// What says why at EL1 may use the FP and SIMD registers.
	cmp	x20, #1
	b.ne	1f
	mov	x0, #(3 << 20)	// CPACR_EL1.FPEN
	msr	cpacr_el1, x0
	isb
1:
#endif
	// Whatever the loader's caches hold of our memory is written back and forgotten, for until
	// the MMU is on every access goes past them.
	bl	forget_cached_image

	// Both are at the start of a page. These are most of what EL2 executes before the host, so
	// 128 bytes are cleared at a time; DC ZVA needs the MMU.
	adrp	x0, el2_bss_start
	adrp	x1, el2_image_end
1:	stp	xzr, xzr, [x0]
	stp	xzr, xzr, [x0, #16]
	stp	xzr, xzr, [x0, #32]
	stp	xzr, xzr, [x0, #48]
	stp	xzr, xzr, [x0, #64]
	stp	xzr, xzr, [x0, #80]
	stp	xzr, xzr, [x0, #96]
	stp	xzr, xzr, [x0, #112]
	add	x0, x0, #128
	cmp	x0, x1
	b.lo	1b

	adrp	x0, el2_boot_stack_top
	add	x0, x0, :lo12:el2_boot_stack_top
	mov	sp, x0
	mov	x29, xzr
	// A loader of the ELF form leaves x0 zero and the tree at the start of RAM, which is taken to
	// be the gigabyte that holds the image.
	cbnz	x19, 2f
	adrp	x19, el2_image_start
	and	x19, x19, #~((1 << 30) - 1)
2:
	cbnz	x20, 3f
	mov	x0, x19
	bl	el2_build_translation
	cbnz	x0, 3f
	bl	forget_cached_image
	ldr	x1, =el2_boot_linked
	b	turn_mmu_on
3:
	adrp	x2, el2_efi
	add	x2, x2, :lo12:el2_efi
	ldr	x3, [x2, #EL2_EFI_BACK]
	cbnz	x3, 4f
	mov	x0, x19
	mov	x1, x20
	b	el2_refuse
	// To the firmware that has started it.
4:	mov	x0, x2
	br	x3

el2_boot_linked:
	ldr	x0, =EL2_BOOT_STACK + EL2_BOOT_STACK_SIZE
	mov	sp, x0
	ldr	x0, =el2_boot_vectors
	msr	vbar_el2, x0
	msr	tpidr_el2, xzr
	isb
	mov	x0, x19
	bl	el2_main
	b	el2_park

// A CPU that firmware starts for the host; x0 = its number, below EL2_MAX_CPUS.
	.global	el2_secondary_entry
el2_secondary_entry:
	msr	spsel, #1
	msr	daifset, #0xf
	mov	x19, x0
	mrs	x0, CurrentEL
	cmp	x0, #(2 << 2)
	b.ne	el2_park
	bl	clear_e2h
	cbnz	x0, el2_park
	ldr	x1, =el2_secondary_linked
	b	turn_mmu_on

el2_secondary_linked:
	ldr	x0, =EL2_STACKS
	add	x1, x19, #1
	mov	x2, #EL2_STACK_SLOT
	madd	x0, x1, x2, x0
	mov	sp, x0
	mov	x29, xzr
	ldr	x0, =el2_vectors
	msr	vbar_el2, x0
	msr	tpidr_el2, x19
	isb
	mov	x0, x19
	bl	el2_secondary_main
	b	el2_park

// x0 = 0 when HCR_EL2.E2H is clear from here on, non-zero on a core where it is fixed.
clear_e2h:
	mov	x0, #HCR_RW
	msr	hcr_el2, x0
	mov	x0, #(SCTLR_EL2_OFF & 0xffff)
	movk	x0, #(SCTLR_EL2_OFF >> 16), lsl #16
	msr	sctlr_el2, x0
	isb
	mrs	x0, hcr_el2
	and	x0, x0, #(1 << HCR_E2H_BIT)
	ret

// Cleans and invalidates the image's memory to the point of coherency. Clobbers x0 to x3.
forget_cached_image:
	mrs	x2, ctr_el0
	ubfx	x2, x2, #16, #4
	mov	x3, #4
	lsl	x2, x3, x2
	adrp	x0, el2_image_start
	adrp	x1, el2_image_end
	dsb	sy
1:	dc	civac, x0
	add	x0, x0, x2
	cmp	x0, x1
	b.lo	1b
	dsb	sy
	ret

// Turns the MMU on with el2_translation and continues at the link address in x1. The page where this lies is
// mapped at its physical address too, so that the next instruction is there either way.
turn_mmu_on:
	adrp	x0, el2_translation
	add	x0, x0, :lo12:el2_translation
	ldp	x2, x3, [x0]
	ldp	x4, x5, [x0, #16]
	msr	ttbr0_el2, x2
	msr	tcr_el2, x3
	msr	mair_el2, x4
	// A reset leaves these UNKNOWN, and they change what EL2's translation and its calls mean: TCR2_EL2,
	// SCTLR2_EL2 and GCSCR_EL2, where there are.
	msr	amair_el2, xzr
	mrs	x6, s3_0_c0_c7_3	// ID_AA64MMFR3_EL1
	tst	x6, #0xf		// TCRX
	b.eq	1f
	msr	s3_4_c2_c0_3, xzr
1:	tst	x6, #0xf0		// SCTLRX
	b.eq	2f
	msr	s3_4_c1_c0_3, xzr
2:	mrs	x6, id_aa64pfr1_el1
	ubfx	x6, x6, #44, #4		// GCS
	cbz	x6, 3f
	msr	s3_4_c2_c5_0, xzr
3:	isb
	tlbi	alle2
	ic	iallu
	dsb	nsh
	isb
	msr	sctlr_el2, x5
	isb
	br	x1

// el2_efi_return(): back to the firmware that has started the image, at EL2, as if nothing had been. The MMU goes off
// in the page that is at its physical address.
	.global	el2_efi_return
el2_efi_return:
	adrp	x1, el2_efi
	add	x1, x1, :lo12:el2_efi
	ldr	x0, [x1, #EL2_EFI_SELF]
	ldr	x3, [x1, #EL2_EFI_BACK]
	adr	x2, 1f
	sub	x2, x2, x1
	add	x2, x2, x0
	br	x2
1:	mrs	x2, sctlr_el2
	mov	x1, #(1 << 0 | 1 << 2)	// M, C
	bic	x2, x2, x1
	msr	sctlr_el2, x2
	isb
	br	x3

	.section .text.el2_park, "ax"
	.global	el2_park
el2_park:
	wfi
	b	el2_park

	.section .data.el2_translation, "aw"
	.balign	64
	.global	el2_translation
el2_translation:
	.quad	0, 0, 0, 0
	.balign	64

#endif
