// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// An SMMUv3 as far as Portcullis drives one: its registers, a command queue that is carried out at once, and walks of
// stage 2 whose results it keeps until it is told to forget them.

#ifndef SMMU_H
#define SMMU_H

#include "gic.h"

#define SMMU_BASE UINT64_C(0x9050000)

struct smmu {
    uint64_t registers[0x20000 / 8];
    // What it does wrong: answer with aborts, never take a command, not look into caches, answer with aborts once it
    // translates.
    int silent, deaf, not_coherent, fails_late;
    // Its memory: what it reads there is what was published last.
    uint64_t memory_base, memory_bytes;
    // Pages that a device has reached since it was last told to forget.
    uint64_t kept[64];
    int kept_count;
    // How many commands it has carried out.
    int commands;
};

extern struct smmu smmu;

void smmu_reset(void);
// How many bits its StreamIDs have; 16 at first.
void smmu_set_stream_bits(uint32_t bits);
// What has been stored to its memory so far it may read from here on.
void smmu_publish(void);
// One access to the register at a physical address.
enum gic_access smmu_access(uint64_t address, int is_write, uint32_t width, uint64_t *value);
// Whether a device with this stream reaches an address, to read or to write it.
int dma_reads(uint32_t stream, uint64_t address);
int dma_writes(uint32_t stream, uint64_t address);
// Records a translation fault of a device.
void smmu_record_fault(uint32_t stream, uint64_t address);

#endif
