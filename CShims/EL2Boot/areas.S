// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#if defined(__aarch64__) && !defined(__linux__)

// Memory of fixed size that the image owns beside its variables.

#include "el2_sizes.h"

	// Where attack tests aim, aligned as the pages of an ITS's tables are.
	.section .canary, "aw", %nobits
	.balign	0x10000
	.global	el2_canary
el2_canary:
	.space	EL2_CANARY_SIZE

	// In front of all code that runs at boot alone, once the linker has an order for it; the checked image keeps
	// that, and has this behind it. Nothing comes here.
#ifdef EL2_CHECKED
	.section .text_end, "ax"
#else
	.section .text.el2_boot_text, "ax"
#endif
	.balign	4096
	.global	el2_boot_text
	.type	el2_boot_text, %function
el2_boot_text:
	brk	#0

	.section .state, "aw", %nobits
	.balign	4096
	.global	el2_state
el2_state:
	.space	EL2_STATE_SIZE

	.section .boot_stack, "aw", %nobits
	.balign	4096
	.global	el2_boot_stack
el2_boot_stack:
	.space	EL2_BOOT_STACK_SIZE
	.global	el2_boot_stack_top
el2_boot_stack_top:

	.section .itses, "aw", %nobits
	.balign	4096
	.global	el2_itses
el2_itses:
	.space	EL2_MAX_ITSES * EL2_ITS_STATE_SIZE

	.section .redistributors, "aw", %nobits
	.balign	4096
	.global	el2_redistributors
el2_redistributors:
	.space	EL2_REDISTRIBUTORS_SIZE

	.section .virtual_smmus, "aw", %nobits
	.balign	4096
	.global	el2_virtual_smmus
el2_virtual_smmus:
	.space	EL2_MAX_SMMUS * EL2_VIRTUAL_SMMU_SIZE

	.section .statistics, "aw", %nobits
	.balign	4096
	.global	el2_statistics
el2_statistics:
	.space	EL2_STATISTICS_SIZE

	.section .pool, "aw", %nobits
	.balign	4096
	.global	el2_pool
el2_pool:
	.space	EL2_POOL_PAGES * 4096

	.section .trace, "aw", %nobits
	.balign	4096
	.global	el2_trace
el2_trace:
	.space	EL2_TRACE_SIZE

	// Aligned as the largest table of an SMMU that is alone.
	.section .smmus, "aw", %nobits
	.balign	EL2_SMMUS_ALIGNMENT
	.global	el2_smmus
el2_smmus:
	.space	EL2_SMMUS_SIZE

#endif
