// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#include "gic.h"

#include <string.h>

static _Alignas(0x10000) unsigned char bytes[HOST_BYTES + POOL_BYTES];

unsigned char *memory_at(uint64_t address) { return bytes + (address - HOST_BASE); }
uint64_t memory_distance(void) { return (uint64_t)(uintptr_t)bytes - HOST_BASE; }

static int lies_in(uint64_t base, uint64_t size, uint64_t outer, uint64_t outer_size) {
    return base >= outer && size <= outer_size && base - outer <= outer_size - size;
}

int is_pool(uint64_t base, uint64_t size) { return lies_in(base, size, POOL_BASE, POOL_BYTES); }
int is_host(uint64_t base, uint64_t size) { return lies_in(base, size, HOST_BASE, HOST_BYTES); }

void gic_reset(struct gic *gic, const char *name) {
    int has_eight = strcmp(name, "eight-its.dtb") == 0;
    memset(gic, 0, sizeof *gic);
    // What is in the pool does not matter.
    memset(bytes, 0x5a, HOST_BYTES);
    gic->redistributors = has_eight ? 0x9000000 : 0x80a0000;
    for (int index = 0; index < ITS_COUNT; index++)
        gic->its_base[index] = has_eight    ? 0x8100000 + (uint64_t)index * 0x20000
                               : index == 0 ? 0x8080000
                               : index == 1 ? UINT64_C(0x1008080000)
                                            : UINT64_MAX;
    for (int index = 0; index < ITS_COUNT; index++)
        // Physical LPIs, table entries of 8 bytes, 16 bits of EventID and of DeviceID.
        gic->its[index].typer = 1 | 7 << 4 | 15 << 8 | 15 << 13;
}

// MARK: An ITS

static void fetch(struct its *its) {
    uint64_t base = its->cbaser & UINT64_C(0xffffffffff000);
    uint64_t size = ((its->cbaser & 0xff) + 1) << 12;
    if (!(its->ctlr & 1) || !(is_pool(base, size) || is_host(base, size))) return;
    while (its->creadr != its->cwriter && its->fetched_count < COMMAND_LIMIT) {
        memcpy(&its->fetched[its->fetched_count++], memory_at(base + its->creadr),
               sizeof(struct command));
        its->creadr = (its->creadr + sizeof(struct command)) % size;
    }
}

static void set_queue(struct its *its, uint64_t value) {
    if (its->refuses_queue) value &= ~(UINT64_C(1) << 63);
    its->cbaser = value;
    its->creadr = 0;
    uint64_t size = ((value & 0xff) + 1) << 12;
    if (value >> 63 && !is_pool(value & UINT64_C(0xffffffffff000), size)) its->outside++;
}

// Type and entry size: devices of 8 bytes, collections of 8, and with GICv4 vPEs of 16.
static uint64_t table_kind(const struct its *its, uint64_t index) {
    if (index == 0) return UINT64_C(1) << 56 | UINT64_C(7) << 48;
    if (index == 1) return UINT64_C(4) << 56 | UINT64_C(7) << 48;
    if (index == 2 && its->typer & 2) return UINT64_C(2) << 56 | UINT64_C(15) << 48;
    return 0;
}

static void set_table(struct its *its, uint64_t index, uint64_t value) {
    uint64_t kind = table_kind(its, index);
    uint64_t size = ((value & 0xff) + 1) << (12 + 2 * (value >> 8 & 3));
    if (kind == 0) return;
    value &= ~(UINT64_C(7) << 56 | UINT64_C(0x1f) << 48);
    if (index != 0 || its->is_flat) value &= ~(UINT64_C(1) << 62);
    if (its->refuses_tables) value &= ~(UINT64_C(1) << 63);
    its->baser[index] = value | kind;
    if (value >> 63 && !is_pool(value & UINT64_C(0xfffffffff000), size)) its->outside++;
}

static enum gic_access access_its(struct its *its, uint64_t offset, int is_write,
                                  uint64_t *value) {
    if (its->silent) return GIC_ABORTED;
    if (!is_write) *value = 0;
    if (offset == 0x0) {
        if (is_write) {
            its->ctlr = *value & 1;
            fetch(its);
        } else {
            *value = its->ctlr | (its->ctlr & 1 || its->restless ? 0 : UINT64_C(1) << 31);
        }
    } else if (offset == 0x8 && !is_write) {
        *value = its->typer;
    } else if (offset == 0x80) {
        if (is_write) set_queue(its, *value);
        else *value = its->cbaser;
    } else if (offset == 0x88) {
        if (is_write) {
            its->cwriter = *value & 0xfffe0;
            fetch(its);
        } else {
            *value = its->cwriter;
        }
    } else if (offset == 0x90 && !is_write) {
        *value = its->creadr;
    } else if (offset >= 0x100 && offset < 0x140) {
        if (is_write) set_table(its, (offset - 0x100) / 8, *value);
        else *value = its->baser[(offset - 0x100) / 8] | table_kind(its, (offset - 0x100) / 8);
    }
    return GIC_DONE;
}

// MARK: A Redistributor

static void access_redistributor(struct redistributor *r, uint64_t number, uint64_t offset,
                                 int is_write, uint64_t *value) {
    const uint64_t address = UINT64_C(0xffffffffff000);
    if (offset == 0x0 && is_write) {
        int enables = (*value & 1) && !(r->ctlr & 1);
        r->ctlr = *value & 1;
        // 16 bits of INTIDs: 56 KiB of configuration and 8 KiB of pending state.
        if (enables && !(is_host(r->propbaser & address, 0xe000) &&
                         is_host(r->pendbaser & address, 0x2000)))
            r->outside++;
    } else if (offset == 0x70 && is_write) {
        r->propbaser = *value;
    } else if (offset == 0x78 && is_write) {
        r->pendbaser = *value;
    } else if (!is_write) {
        *value = offset == 0x0    ? r->ctlr
                 // Physical LPIs; Last.
                 : offset == 0x8  ? number << 32 | number << 8 | (number == REDISTRIBUTOR_COUNT - 1) << 4 | 1
                 : offset == 0x70 ? r->propbaser
                 : offset == 0x78 ? r->pendbaser
                                  : 0;
    }
}

// MARK: All of them

enum gic_access gic_access(struct gic *gic, uint64_t address, int is_write, uint64_t *value) {
    for (int index = 0; index < ITS_COUNT; index++)
        if (address - gic->its_base[index] < 0x10000)
            return access_its(&gic->its[index], address - gic->its_base[index], is_write, value);
    if (address - 0x8000000 < 0x10000) {
        // GICD_TYPER.IDbits: 16 bits.
        if (!is_write) *value = address == 0x8000004 ? 15 << 19 : 0;
        return gic->silent_distributor ? GIC_ABORTED : GIC_DONE;
    }
    if (address - gic->redistributors < REDISTRIBUTOR_COUNT * UINT64_C(0x20000)) {
        uint64_t distance = address - gic->redistributors, number = distance / 0x20000;
        access_redistributor(&gic->redistributor[number], number, distance % 0x20000, is_write, value);
        return gic->silent_redistributors ? GIC_ABORTED : GIC_DONE;
    }
    return GIC_NOT_HERE;
}
