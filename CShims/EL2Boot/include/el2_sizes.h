// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/* Sizes that assembly and Swift agree on. */
#pragma once

/* Largest number of CPUs; each has a stack of EL2_STACK_SIZE below which as much is unmapped. */
#define EL2_MAX_CPUS 512
/* Where EL2 sees the stacks: CPU 0's slot first. Their memory is the board's, not the image's. */
#define EL2_STACKS 0x480000000000
#ifdef EL2_CHECKED
#define EL2_STACK_SHIFT 18
#else
#define EL2_STACK_SHIFT 15
#endif
#define EL2_STACK_SIZE (1 << EL2_STACK_SHIFT)
#define EL2_STACK_SLOT (2 * EL2_STACK_SIZE)
/* Table pages (4 KiB each) of the fixed pool. */
#define EL2_POOL_PAGES 1024
/* Bytes that the queues and stream tables of all SMMUs come from: 256 KiB each, where there are 16. */
#define EL2_SMMUS_SIZE 0x400000
/* The largest of those tables that one SMMU takes is aligned to its size. */
#define EL2_SMMUS_ALIGNMENT 0x100000
/* The most SMMUs that the host sees, and the bytes of state of each, the upper half of them its pins. */
#define EL2_MAX_SMMUS 16
#define EL2_VIRTUAL_SMMU_SIZE 0x1000
/* Bytes of records that a trace holds. */
#define EL2_TRACE_SIZE 0x100000
/* The most ITSes, and the bytes of state of each. */
#define EL2_MAX_ITSES 32
#define EL2_ITS_STATE_SIZE 0x1000
/* Bytes of the state of all Redistributors: a page, the pins, and what is kept of each. */
#define EL2_REDISTRIBUTORS_SIZE 0x28000
/* Bytes of the counts of all CPUs and ITSes. */
#define EL2_STATISTICS_SIZE 0x30000
/* Bytes for the state that lives as long as the image. */
#define EL2_STATE_SIZE 0x20000
/*
 * The boot CPU's stack until it enters the host: what a board says is large and lives there. EL2 sees it at
 * EL2_BOOT_STACK, below which as much is unmapped.
 */
#define EL2_BOOT_STACK_SHIFT 20
#define EL2_BOOT_STACK_SIZE (1 << EL2_BOOT_STACK_SHIFT)
#define EL2_BOOT_STACK 0x490000100000
/* Bytes that hold a pattern, for attack tests to aim at. */
#define EL2_CANARY_SIZE 0x20000

/* Places in struct el2_efi. */
#define EL2_EFI_BLOCK 0
#define EL2_EFI_SELF 16
#define EL2_EFI_LANDING 24
#define EL2_EFI_BACK 32
#define EL2_EFI_SP 40
#define EL2_EFI_REGISTERS 48
#define EL2_EFI_SIZE 128
/* What el2_efi_take_off returns at EL2. */
#define EL2_EFI_REFUSED 1
