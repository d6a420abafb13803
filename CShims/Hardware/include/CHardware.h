// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * The machine as single instructions. Everything takes and returns integers, so that the Swift side
 * needs no unsafe code to use it. On a host that is not AArch64 bare metal the header is empty.
 */
#pragma once

#if defined(__aarch64__) && !defined(__linux__)
#include "barriers.h"
#include "cache.h"
#include "device_memory.h"
#include "memory.h"
#include "smccc.h"
#include "system_registers.h"
#include "tlb.h"
#endif
