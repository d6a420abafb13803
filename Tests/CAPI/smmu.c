// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#include "smmu.h"

#include <stdlib.h>
#include <string.h>

enum {
    IDR0 = 0x0, IDR1 = 0x4, IDR5 = 0x14, CR0 = 0x20, CR0ACK = 0x24, GBPA = 0x44, IRQ_CTRL = 0x50, IRQ_CTRLACK = 0x54,
    STRTAB_BASE = 0x80, STRTAB_BASE_CFG = 0x88, CMDQ_BASE = 0x90, CMDQ_PROD = 0x98, CMDQ_CONS = 0x9c, EVENTQ_BASE = 0xa0,
    EVENTQ_PROD = 0x100a8,
};
#define GBPA_ABORT 0x100000u
#define ADDRESS UINT64_C(0xfffffffff000)

struct smmu smmu;

static uint32_t *word(uint64_t offset) { return (uint32_t *)(void *)smmu.registers + offset / 4; }
static uint64_t double_word(uint64_t offset) { return smmu.registers[offset / 8]; }

#define MEMORY_LIMIT UINT64_C(0x800000)
static unsigned char published[MEMORY_LIMIT];

void smmu_publish(void) {
    if (smmu.memory_bytes > MEMORY_LIMIT) abort();
    if (smmu.memory_bytes) memcpy(published, memory_at(smmu.memory_base), smmu.memory_bytes);
}

static uint64_t load(uint64_t address) {
    uint64_t value;
    const uint64_t offset = address - smmu.memory_base;
    memcpy(&value, offset < smmu.memory_bytes ? published + offset : memory_at(address), 8);
    return value;
}

void smmu_reset(void) {
    memset(&smmu, 0, sizeof smmu);
    // Both stages, AArch64 tables, coherent, faults terminate, stream tables of two levels.
    *word(IDR0) = 1u << 27 | 1u << 26 | 1u << 24 | 2u << 21 | 1u << 4 | 2u << 2 | 3u;
    *word(IDR1) = 8u << 21 | 7u << 16 | 16u;
    *word(IDR5) = 1u << 4 | 5u;
}

void smmu_set_stream_bits(uint32_t bits) { *word(IDR1) = (*word(IDR1) & ~0x3fu) | bits; }

static void carry_out(void) {
    const uint64_t base = double_word(CMDQ_BASE), entries = UINT64_C(1) << (base & 0x1f);
    const uint64_t wrap = entries * 2 - 1;
    if (smmu.deaf || !(*word(CR0) & 8)) return;
    for (uint64_t at = *word(CMDQ_CONS) & wrap; at != (*word(CMDQ_PROD) & wrap); at = (at + 1) & wrap) {
        const uint64_t operation = load((base & ADDRESS) + (at & (entries - 1)) * 16) & 0xff;
        // CMD_TLBI_S12_VMALL, CMD_TLBI_S2_IPA, CMD_TLBI_NSNH_ALL; of an address it forgets all.
        if (operation == 0x28 || operation == 0x2a || operation == 0x30) smmu.kept_count = 0;
        smmu.commands++;
    }
    *word(CMDQ_CONS) = *word(CMDQ_PROD);
}

enum gic_access smmu_access(uint64_t address, int is_write, uint32_t width, uint64_t *value) {
    const uint64_t offset = address - SMMU_BASE;
    if (offset >= 0x20000) return GIC_NOT_HERE;
    if (smmu.silent || (smmu.fails_late && (*word(CR0) & 1) && offset < CR0 && !is_write)) return GIC_ABORTED;
    if (smmu.not_coherent) *word(IDR0) &= ~(1u << 4);
    if (!is_write) {
        *value = width == 8 ? double_word(offset) : *word(offset);
        return GIC_DONE;
    }
    if (width == 8) smmu.registers[offset / 8] = *value;
    else *word(offset) = (uint32_t)*value;
    if (offset == CR0) *word(CR0ACK) = *word(CR0);
    if (offset == IRQ_CTRL) *word(IRQ_CTRLACK) = *word(IRQ_CTRL);
    if (offset == GBPA) *word(GBPA) &= 0x7fffffff;
    if (offset == CMDQ_PROD || offset == CR0) carry_out();
    return GIC_DONE;
}

// The entry of a stream; 0 where there is none.
static uint64_t stream_entry(uint32_t stream) {
    const uint64_t base = double_word(STRTAB_BASE) & UINT64_C(0xfffffffffffc0);
    const uint32_t shape = *word(STRTAB_BASE_CFG), split = shape >> 6 & 0x1f;
    if (stream >> (shape & 0x3f)) return 0;
    if ((shape >> 16 & 3) == 0) return base + (uint64_t)stream * 64;
    const uint64_t descriptor = load(base + (uint64_t)(stream >> split) * 8), span = descriptor & 0x1f;
    const uint64_t number = stream & ((1u << split) - 1);
    if (span == 0 || number >> (span - 1)) return 0;
    return (descriptor & UINT64_C(0xfffffffffffc0)) + number * 64;
}

// The descriptor of stage 2 for an address; 0 where there is none.
static uint64_t walk(uint64_t entry, uint64_t address) {
    const uint64_t control = load(entry + 16), bits = 64 - (control >> 32 & 0x3f);
    int level = 2 - (int)(control >> 38 & 3);
    uint64_t table = load(entry + 24) & UINT64_C(0xffffffffffff0);
    if (address >> bits) return 0;
    // Tables of the first level stand side by side.
    uint64_t index = address >> (39 - 9 * level);
    for (;; level++, index = address >> (39 - 9 * level) & 511) {
        const uint64_t descriptor = load(table + index * 8);
        if (!(descriptor & 1)) return 0;
        if (level == 3 || !(descriptor & 2)) return descriptor;
        table = descriptor & ADDRESS;
    }
}

static int reaches(uint32_t stream, uint64_t address, uint64_t right) {
    const uint64_t key = (address & ~UINT64_C(0xfff)) | (uint64_t)stream << 48;
    if (!(*word(CR0) & 1)) return !(*word(GBPA) & GBPA_ABORT);
    for (int index = 0; index < smmu.kept_count; index++)
        if (smmu.kept[index] == (key | right)) return 1;
    const uint64_t entry = stream_entry(stream);
    // Valid, and stage 2 translates.
    if (entry == 0 || (load(entry) & 0xf) != 0xd || !(walk(entry, address) & right)) return 0;
    if (smmu.kept_count < 64) smmu.kept[smmu.kept_count++] = key | right;
    return 1;
}

// S2AP[0] and S2AP[1].
int dma_reads(uint32_t stream, uint64_t address) { return reaches(stream, address, 1 << 6); }
int dma_writes(uint32_t stream, uint64_t address) { return reaches(stream, address, 1 << 7); }

void smmu_record_fault(uint32_t stream, uint64_t address) {
    const uint64_t base = double_word(EVENTQ_BASE), entries = UINT64_C(1) << (base & 0x1f);
    uint64_t event[4] = {(uint64_t)stream << 32 | 0x10, 0, address, address & ADDRESS};
    memcpy(memory_at((base & ADDRESS) + (*word(EVENTQ_PROD) & (entries - 1)) * 32), event, sizeof event);
    *word(EVENTQ_PROD) = (*word(EVENTQ_PROD) + 1) & (uint32_t)(entries * 2 - 1);
}
