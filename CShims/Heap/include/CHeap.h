// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * What Swift asks of its environment where it may allocate. No image that is shipped has it: the checked image
 * alone does, for the specification in it.
 */
#pragma once

#include <stddef.h>

/* The bytes of the heap that are in use, and were at most. */
size_t pc_heap_used(void);
size_t pc_heap_most(void);
