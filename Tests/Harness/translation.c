// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// Both translations, and the operations of portcullis.h that change them or ask about them.
//
// EL2 sees all memory, and the device registers that it uses, at their physical addresses. The host's stage 2 maps
// everything at its own address, in blocks of 1 GiB that are split where a page in them is taken from the host.

#include <string.h>

#include "harness.h"

#define VALID 1ull
#define TABLE 3ull  // a table, or a page at level 3
#define ADDRESS 0xfffffff000ull

// Stage 1 of EL2: access flag, AP[1] is RES1, inner shareable where Normal. Attributes as in MAIR_EL2_VALUE.
#define EL2_DEVICE (1ull << 54 | 1 << 10 | 1 << 6)
#define EL2_DATA (1ull << 54 | 1 << 10 | 3 << 8 | 1 << 6 | 1 << 2)
// GP: indirect branches must go to landing pads.
#define EL2_TEXT (1ull << 50 | 1 << 10 | 3 << 8 | 1 << 7 | 1 << 6 | 1 << 2)
#define EL2_RODATA (EL2_DATA | 1 << 7)
// Stage 2: readable, writable, executable, Normal Write-Back: the host's own stage 1 says what is Device.
#define HOST_ALL (1 << 10 | 3 << 8 | 3 << 6 | 0xf << 2)

#define ENTRIES 512
#define TABLES 96
static _Alignas(PAGE) uint64_t tables[TABLES][ENTRIES];
static unsigned tables_used;
_Alignas(PAGE) uint64_t el2_root[ENTRIES];
// Two tables side by side: 40 bits of addresses begin at level 1.
static _Alignas(2 * PAGE) uint64_t host_root[2 * ENTRIES], guest_root[2 * ENTRIES];
#define GUEST_VTTBR ((uint64_t)guest_root | 1ull << 48)  // VMID 1

struct space {
    uint64_t *root;
    uint64_t end;          // of what may be changed
    void (*forget)(void);  // invalidates all entries of the space in the TLBs of all CPUs
};

// The second round is for CPUs whose first can complete before a write that used the old entry (CVE-2025-10263).
static void forget_el2(void) {
    __asm__ volatile("dsb ishst; tlbi alle2is; dsb ish; tlbi alle2is; dsb ish; isb" ::: "memory");
}
static void forget_vms(void) {
    __asm__ volatile("dsb ishst; tlbi alle1is; dsb ish; tlbi alle1is; dsb ish; isb" ::: "memory");
}
// Of what EL2 maps, memory stays as it is; registers lie below it on this board.
static const struct space el2 = {el2_root, RAM_BASE, forget_el2}, host = {host_root, 1ull << 40, forget_vms},
                          guest = {guest_root, 1ull << 40, forget_vms};

// One lock for all tables and counts. Portcullis holds that of an ITS when it calls, so this one comes after it.
static struct lock tables_lock;

static inline void store_entry(uint64_t *entry, uint64_t value) {
    *(volatile uint64_t *)entry = value;
    __asm__ volatile("dsb ishst; isb" ::: "memory");
}

// Puts a table in the place of an entry of `level` that is none; what was mapped stays so.
static bool split(const struct space *space, uint64_t *entry, int level) {
    if (tables_used == TABLES) return false;
    uint64_t *table = tables[tables_used++], old = *entry;
    const uint64_t step = level == 1 ? 1 << 21 : PAGE;
    const uint64_t kind = level == 1 ? 0 : 2;  // a page has bit 1 set, a block has not
    for (uint64_t i = 0; i < ENTRIES; i++) table[i] = old & VALID ? (old | kind) + i * step : 0;
    // Break before make: no CPU may have the block and a page of it in its TLB.
    if (old & VALID) {
        store_entry(entry, 0);
        space->forget();
    }
    store_entry(entry, (uint64_t)table | TABLE);
    return true;
}

// The entry of level 3 for an address. Null where no table is left, or, if nothing may be split, where the address
// is in a block or in nothing; `*block` is the entry of that.
static uint64_t *page_entry(const struct space *space, uint64_t address, uint64_t *block) {
    uint64_t *table = space->root;
    for (int level = 1; level < 3; level++) {
        uint64_t *entry = &table[level == 1 ? address >> 30 : address >> 21 & (ENTRIES - 1)];
        if ((*entry & TABLE) != TABLE) {
            if (block) return *block = *entry, NULL;
            if (!split(space, entry, level)) return NULL;
        }
        table = (uint64_t *)(*entry & ADDRESS);
    }
    return &table[address >> 12 & (ENTRIES - 1)];
}

static bool split_to_pages(const struct space *space, const struct portcullis_pages *pages) {
    for (uint64_t at = 0; at < pages->bytes; at += PAGE)
        if (!page_entry(space, pages->base + at, NULL)) return false;
    return true;
}

// Maps pages that are split already, or nothing with attributes 0.
static void set_pages(const struct space *space, const struct portcullis_pages *pages, uint64_t attributes) {
    for (uint64_t at = 0; at < pages->bytes; at += PAGE) {
        uint64_t address = pages->base + at;
        *(volatile uint64_t *)page_entry(space, address, NULL) = attributes ? address | attributes | TABLE : 0;
    }
    // Also what has become valid is waited for; an entry that was not is in no TLB.
    __asm__ volatile("dsb ish; isb" ::: "memory");
    if (!attributes) space->forget();
}

static void protect(char *start, char *end, uint64_t attributes) {
    const struct portcullis_pages pages = {(uint64_t)start, (uint64_t)(end - start)};
    if (!split_to_pages(&el2, &pages)) harness_panic();
    set_pages(&el2, &pages, attributes);
}

// With the MMU off, on the boot CPU.
void translation_build(void) {
    const struct portcullis_pages console = {UART_BASE, PAGE};
    const struct portcullis_pages own = {HARNESS_BASE, (uint64_t)(harness_end - harness_start)};
    for (uint64_t i = 0; i < 2 * ENTRIES; i++) host_root[i] = i << 30 | HOST_ALL | VALID;
    el2_root[RAM_BASE >> 30] = RAM_BASE | EL2_DATA | VALID;
    protect(harness_start, harness_canary, EL2_TEXT);
    protect(harness_text, harness_text_end, EL2_TEXT);
    protect(harness_text_end, harness_rodata_end, EL2_RODATA);
    if (!split_to_pages(&el2, &console) || !split_to_pages(&host, &own)) harness_panic();
    set_pages(&el2, &console, EL2_DEVICE);
    set_pages(&host, &own, 0);
}

// The stage 2 of a VM, on the CPU that runs this.
void translation_load(bool is_guest) {
    WRITE_SYSREG(vtcr_el2, 0x80023558);  // 40 bits from level 1, Write-Back walks, 40-bit physical addresses
    WRITE_SYSREG(vttbr_el2, is_guest ? GUEST_VTTBR : (uint64_t)host_root);
    __asm__ volatile("isb" ::: "memory");
}

// MARK: Whose a page is

// Behind the memory there is nothing. A host that may call it its memory too has EL2 load from it.
#define SILENT_BYTES 0x200000
static uint64_t memory_bytes = RAM_BYTES;
void translation_add_silent_memory(void) {
    memory_bytes += SILENT_BYTES;
    el2_root[(RAM_BASE + (uint64_t)RAM_BYTES) >> 30] = (RAM_BASE + (uint64_t)RAM_BYTES) | EL2_DATA | VALID;
    __asm__ volatile("dsb ishst; isb" ::: "memory");
}

// How often each page of memory is shared with EL2.
static uint16_t shares[(RAM_BYTES + SILENT_BYTES) / PAGE];

static bool is_mapped(const struct space *space, uint64_t address) {
    uint64_t block = 0, *entry = page_entry(space, address, &block);
    return (entry ? *entry : block) & VALID;
}

// Whether all of it is memory of a VM. With the lock held.
static bool is_memory_of(const struct space *space, uint64_t base, uint64_t bytes) {
    if (base < RAM_BASE || bytes > memory_bytes || base - RAM_BASE > memory_bytes - bytes) return false;
    for (uint64_t at = 0; at < bytes; at += PAGE)
        if (!is_mapped(space, base + at)) return false;
    return true;
}
static bool is_host_memory(uint64_t base, uint64_t bytes) { return is_memory_of(&host, base, bytes); }

bool host_owns(uint64_t base, uint64_t bytes) {
    lock(&tables_lock);
    bool is_owned = is_host_memory(base, bytes);
    unlock(&tables_lock);
    return is_owned;
}

// Whether stage 2 maps an address now, though a CPU may have found it in the middle of a split.
bool host_reaches(uint64_t address) {
    lock(&tables_lock);
    bool is_there = address < host.end && is_mapped(&host, address);
    unlock(&tables_lock);
    return is_there;
}

// Moves pages from the host to the guest, or back: one has lost them everywhere before the other gets them. They are
// cleared, and in no cache. False, and nothing changed, where they are not the first one's or no table is left.
bool translation_move(const struct portcullis_pages *pages, bool to_guest) {
    const struct space *from = to_guest ? &host : &guest, *to = to_guest ? &guest : &host;
    lock(&tables_lock);
    bool may = is_memory_of(from, pages->base, pages->bytes) && split_to_pages(from, pages) && split_to_pages(to, pages);
    if (may) {
        set_pages(from, pages, 0);
        memset((void *)pages->base, 0, pages->bytes);
        clean_memory(pages->base, pages->bytes);
        set_pages(to, pages, HOST_ALL);
    }
    unlock(&tables_lock);
    return may;
}

// MARK: Operations

// A prepare splits: that is all that can fail. A commit changes entries of level 3, and an abort has nothing to do.
static int prepare(const struct space *space, const struct portcullis_pages *ranges, size_t count) {
    bool is_ready = true;
    lock(&tables_lock);
    for (size_t i = 0; i < count && is_ready; i++)
        is_ready = ranges[i].base + ranges[i].bytes <= space->end && split_to_pages(space, &ranges[i]);
    unlock(&tables_lock);
    return is_ready ? 0 : -1;
}
static void commit(const struct space *space, const struct portcullis_pages *pages, uint64_t attributes) {
    lock(&tables_lock);
    set_pages(space, pages, attributes);
    unlock(&tables_lock);
}

static int host_prepare(void *context, enum portcullis_change change, const struct portcullis_pages *ranges,
                        size_t count) {
    return prepare(&host, ranges, count);
}
static void host_commit(void *context, enum portcullis_change change, const struct portcullis_pages *pages) {
    commit(&host, pages, change == PORTCULLIS_GRANT ? HOST_ALL : 0);
}
static void host_abort(void *context, enum portcullis_change change, const struct portcullis_pages *ranges,
                       size_t count) {}
static int el2_prepare(void *context, const struct portcullis_pages *ranges, size_t count) {
    return prepare(&el2, ranges, count);
}
static uint64_t el2_commit(void *context, const struct portcullis_pages *pages) {
    commit(&el2, pages, EL2_DEVICE);
    return pages->base;
}
static void el2_abort(void *context, const struct portcullis_pages *ranges, size_t count) {}
static void el2_unmap(void *context, const struct portcullis_pages *pages, uint64_t address) {
    commit(&el2, pages, 0);
}

// What the host may do from an address on: the entry of stage 2 that says so, as far as it goes.
static uint32_t host_reach(void *context, uint64_t address, uint64_t *bytes) {
    if (address >= host.end) return *bytes = (1ull << 48) - address, 0;
    const uint64_t *table = host.root;
    uint64_t step = 1ull << 30, entry;
    lock(&tables_lock);
    for (int level = 1;; level++, step >>= 9) {
        entry = table[address / step & (level == 1 ? 2 * ENTRIES - 1 : ENTRIES - 1)];
        if (level == 3 || (entry & TABLE) != TABLE) break;
        table = (const uint64_t *)(entry & ADDRESS);
    }
    unlock(&tables_lock);
    *bytes = step - address % step;
    return entry & VALID ? PORTCULLIS_KIND_READ | PORTCULLIS_KIND_WRITE : 0;
}

static uint16_t *shares_of(uint64_t address) { return &shares[(address - RAM_BASE) / PAGE]; }

static int host_share(void *context, const struct portcullis_pages *pages) {
    lock(&tables_lock);
    bool may = is_host_memory(pages->base, pages->bytes);
    for (uint64_t at = 0; at < pages->bytes && may; at += PAGE) may = *shares_of(pages->base + at) < UINT16_MAX;
    for (uint64_t at = 0; at < pages->bytes && may; at += PAGE) ++*shares_of(pages->base + at);
    unlock(&tables_lock);
    return may ? 0 : -1;
}
static void host_unshare(void *context, const struct portcullis_pages *pages) {
    lock(&tables_lock);
    for (uint64_t at = 0; at < pages->bytes; at += PAGE) --*shares_of(pages->base + at);
    unlock(&tables_lock);
}
static int host_donate(void *context, const struct portcullis_pages *pages) {
    lock(&tables_lock);
    bool may = is_host_memory(pages->base, pages->bytes);
    for (uint64_t at = 0; at < pages->bytes && may; at += PAGE) may = *shares_of(pages->base + at) == 0;
    may = may && split_to_pages(&host, pages);
    if (may) set_pages(&host, pages, 0);
    unlock(&tables_lock);
    return may ? 0 : -1;
}
static void host_give_back(void *context, const struct portcullis_pages *pages) {
    commit(&host, pages, HOST_ALL);
}

void set_translation_operations(struct portcullis_ops *ops) {
    ops->host_prepare = host_prepare, ops->host_commit = host_commit, ops->host_abort = host_abort;
    ops->el2_prepare = el2_prepare, ops->el2_commit = el2_commit, ops->el2_abort = el2_abort;
    ops->el2_unmap = el2_unmap, ops->host_share = host_share, ops->host_unshare = host_unshare;
    ops->host_donate = host_donate, ops->host_give_back = host_give_back, ops->host_reach = host_reach;
}
