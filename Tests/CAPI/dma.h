// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#ifndef DMA_H
#define DMA_H

#include "machine.h"

// The SMMU of a board with one, and the memory that it gets; a new machine, and a host of which host_reach tells.
extern struct portcullis_smmus smmus;
extern struct portcullis_pages smmu_memory;
void prepare_smmu(uint32_t policy);
// A gate on that machine to which the SMMU was added.
void start_smmu(uint32_t policy);

void test_dma(void);

#endif
