// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// The board, QEMU's `virt`, and the memory that the harness gives to the host and keeps for itself. C, assembly
// and the linker script read this file.
#ifndef BOARD_H
#define BOARD_H

// QEMU puts the device tree at the start of RAM when it starts an ELF.
#define RAM_BASE 0x40000000
#define RAM_BYTES 0x40000000
#define UART_BASE 0x09000000
#define ITS_BASE 0x08080000

// Where QEMU's loader puts the host, and where the harness puts the host's copy of the device tree.
#define HOST_BASE 0x40200000
#define HOST_TREE 0x48000000
#define HOST_TREE_BYTES 0x200000

// Where the harness is linked and runs: EL2 maps all memory at its physical address.
#define HARNESS_BASE 0x50000000
#define CANARY_BYTES 0x20000
#define POOL_BYTES 0x400000
// With portcullis.trace among the boot arguments.
#define TRACE_BYTES 0x200000
// As portcullis_smmu_memory_size says of one SMMU that the host sees.
#define SMMU_BYTES 0x660000

// What the host gives to a second VM, with harness.guest among the boot arguments.
#define GUEST_BASE 0x4a000000
#define GUEST_BYTES 0x40000
#define GUEST_CANARY 0x4a010000

// Calls of the host beside those of portcullis_hypercalls.h: it gives the 64 KiB from x2 on to the second VM, and has
// them back. x1 is the address of a page that prevents it.
#define CALL_GIVE 0x180
#define CALL_TAKE 0x181
#define GIVEN_BYTES 0x10000
// x1 is how deep the stack of the boot CPU has been since the host began, x2 how deep portcullis.h says at most.
#define CALL_STACK 0x182

#define MAX_CPUS 8
// PORTCULLIS_STACK_INIT, and what the operations below it need.
#define STACK_BYTES 0x60000

// EL2's stage 1: 39-bit addresses, 4 KiB pages, walks in Write-Back memory, 40-bit physical addresses.
#define TCR_EL2_VALUE 0x80823519
// Attribute 0 is Device-nGnRnE, attribute 1 Normal Write-Back.
#define MAIR_EL2_VALUE 0xff00
// EL1 with its MMU and caches off.
#define SCTLR_EL1_OFF 0x30d00800
// RES1 bits alone; then with M, C, SA, I and WXN too.
#define SCTLR_EL2_OFF 0x30c50830
#define SCTLR_EL2_ON 0x30cd183d

#endif
