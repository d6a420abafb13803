// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/* Attacks by the registers of the ITS, and by what lies in the tables that they name. */
#include "hostile.h"

#include <linux/io.h>

/* Maps the device with a table of the host's own: its entry is written into the table of devices. */
static void map_honestly(u32 device) {
    put(mapd(device, virt_to_phys((void *)table_page), 4));
    put(mapti(device, 0, LPI, 0));
    ring();
}

static void devices64(struct outcome *outcome) {
    disable_its();
    store64(table_base(DEVICES), flat_table(canary, 1));
    enable_its();
    map_honestly(DEVICE);
}

static void devices32(struct outcome *outcome) {
    void __iomem *base = table_base(DEVICES);

    disable_its();
    store32(base, (u32)flat_table(canary, 1));
    store32(base + 4, flat_table(canary, 1) >> 32);
    enable_its();
    map_honestly(DEVICE);
}

/* An address that shares no bit with the one before: together they are the canary's. */
static void devices_joined(struct outcome *outcome) {
    void __iomem *base = table_base(DEVICES);
    u64 lowest = canary & -canary;

    disable_its();
    store64(base, flat_table(canary & ~lowest, 1));
    enable_its();
    disable_its();
    store64(base, load64(base) | lowest);
    enable_its();
    map_honestly(DEVICE);
}

static void devices_span(struct outcome *outcome) {
    u64 base = hypervisor - 0x10000;

    disable_its();
    store64(table_base(DEVICES), flat_table(base, 256));
    enable_its();
    map_honestly((canary - base) / 8);
    put(unmapd((canary - base) / 8));
    ring();
}

static void devices_pair(struct outcome *outcome) {
    disable_its();
    store_pair(table_base(DEVICES), flat_table(canary, 1), load64(table_base(DEVICES) + 8));
    enable_its();
    map_honestly(DEVICE);
}

static void devices16(struct outcome *outcome) {
    void __iomem *base = table_base(DEVICES);
    int half;

    disable_its();
    for (half = 0; half < 4; half++)
        store16(base + 2 * half, flat_table(canary, 1) >> (16 * half));
    enable_its();
    map_honestly(DEVICE);
}

static void devices_enabled(struct outcome *outcome) {
    store64(table_base(DEVICES), flat_table(canary, 1));
    map_honestly(DEVICE);
}

static void collections64(struct outcome *outcome) {
    disable_its();
    store64(table_base(COLLECTIONS), flat_table(canary, 1));
    enable_its();
    put(mapc(0, target_of(0)));
    ring();
}

static void collections32(struct outcome *outcome) {
    void __iomem *base = table_base(COLLECTIONS);

    disable_its();
    store32(base + 4, flat_table(canary, 1) >> 32);
    store32(base, (u32)flat_table(canary, 1));
    enable_its();
    put(mapc(0, target_of(0)));
    ring();
}

static void queue_at(struct outcome *outcome, u64 base, u64 pages, u64 offset) {
    disable_its();
    store64(its + GITS_CBASER, VALID | COHERENT | base | (pages - 1));
    store64(its + GITS_CWRITER, 0);
    enable_its();
    store32(its + GITS_CWRITER, offset);
    /* What it has read it has taken for commands. */
    if (load64(its + GITS_CREADR) >> 5 << 5 == offset)
        outcome->taken += 1;
}

static void queue64(struct outcome *outcome) { queue_at(outcome, canary, 16, 0x200); }

static void queue_span(struct outcome *outcome) { queue_at(outcome, hypervisor - 0x1000, 256, 0x1200); }

static void queue32(struct outcome *outcome) {
    u64 value = VALID | COHERENT | canary | 15;

    disable_its();
    store32(its + GITS_CBASER + 4, value >> 32);
    store32(its + GITS_CBASER, (u32)value);
    store64(its + GITS_CWRITER, 0);
    enable_its();
    store32(its + GITS_CWRITER, 0x200);
    if (load64(its + GITS_CREADR) == 0x200)
        outcome->taken += 1;
}

static void queue_enabled(struct outcome *outcome) {
    u64 place = queue_place();

    store64(its + GITS_CBASER, VALID | COHERENT | canary | 15);
    put(sync_command());
    if (!ring() || queue_place() != place + 32)
        outcome->wrong += 1;
}

/* Places that the queue has not, and then one that it has. */
static void pointer_beyond(struct outcome *outcome) {
    store32(its + GITS_CWRITER, queue_size());
    store32(its + GITS_CWRITER, 0xfffe0);
    store64(its + GITS_CWRITER, ~0ull);
    if (load64(its + GITS_CREADR) != queue_place())
        outcome->taken += 1;
}

/* An entry of the kernel's own first level, for devices that it has not: EL2's memory is the second level. */
static void first_level(struct outcome *outcome) {
    u64 entries;
    u64 *table = kernel_table(DEVICES, &entries);
    u32 device = entries;

    if (!entries || table[1] & VALID) {
        outcome->unmade = "the kernel's table of devices has one level, or its second entry is in use";
        return;
    }
    table[1] = canary | VALID;
    map_honestly(device);
    put(unmapd(device));
    ring();
    table[1] = 0;
}

/* An entry of a device, as the ITS has it on this board, written into the kernel's own table. */
static void device_entry(struct outcome *outcome) {
    u64 entries;
    u64 *table = kernel_table(DEVICES, &entries);

    if (entries)
        table = phys_to_virt(table[0] & 0x0000fffffffff000ull);
    table[DEVICE] = 1 | 3 << 1 | canary >> 8 << 6;
    put(mapti(DEVICE, 0, LPI, 0));
    ring();
    table[DEVICE] = 0;
}

#define ON_ITS(name) \
    static void name##_attack(struct outcome *outcome) { attack_its(outcome, name); }
ON_ITS(devices64)
ON_ITS(devices32)
ON_ITS(devices_joined)
ON_ITS(devices_span)
ON_ITS(devices_pair)
ON_ITS(devices16)
ON_ITS(devices_enabled)
ON_ITS(collections64)
ON_ITS(collections32)
ON_ITS(queue64)
ON_ITS(queue32)
ON_ITS(queue_span)
ON_ITS(queue_enabled)
ON_ITS(pointer_beyond)
ON_ITS(first_level)
ON_ITS(device_entry)

const struct attack register_attacks[] = {
    {"device-table-64-bit", devices64_attack},
    {"device-table-32-bit", devices32_attack},
    {"device-table-bits-joined", devices_joined_attack},
    {"device-table-that-ends-there", devices_span_attack},
    {"device-table-by-a-pair", devices_pair_attack},
    {"device-table-16-bit", devices16_attack},
    {"device-table-while-enabled", devices_enabled_attack},
    {"collection-table-64-bit", collections64_attack},
    {"collection-table-32-bit", collections32_attack},
    {"queue-64-bit", queue64_attack},
    {"queue-32-bit", queue32_attack},
    {"queue-that-ends-there", queue_span_attack},
    {"queue-while-enabled", queue_enabled_attack},
    {"write-pointer-beyond-the-queue", pointer_beyond_attack},
    {"second-level-of-the-device-table", first_level_attack},
    {"entry-in-the-device-table", device_entry_attack},
    {},
};
