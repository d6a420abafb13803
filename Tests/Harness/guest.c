// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// A second VM beside the host. All its memory was the host's, and is given to it by the order that portcullis.h states.
// It runs at EL1 when the host calls for it: guest_code, in entry.S, which tells whether anybody has written to its
// memory.

#include <string.h>

#include "harness.h"

// What the guest looks after, in its first page: its canary, what the host has given to it since, and an empty range.
#define RANGES ((volatile struct portcullis_pages *)(GUEST_BASE + 0x800))
#define GUEST_CODE GUEST_BASE
extern const char guest_code[], guest_code_end[];

static bool is_there;
bool guest_is_there(void) { return is_there; }

// Gives pages of the host to the guest; `*held` is the address that prevents it.
static int64_t give(const struct portcullis_pages *pages, uint64_t *held) {
    // The control does not ask.
    if (gate && portcullis_may_give_away(gate, pages, held)) return PORTCULLIS_HYPERCALL_DENIED;
    if (translation_move(pages, true)) return 0;
    if (gate) portcullis_took(gate, pages);
    return PORTCULLIS_HYPERCALL_INVALID;
}

// Before the host runs.
bool guest_begin(void) {
    const struct portcullis_pages pages = {GUEST_BASE, GUEST_BYTES};
    if (give(&pages, NULL)) return false;
    memset((void *)GUEST_BASE, 0, PAGE);
    memcpy((void *)GUEST_CODE, guest_code, (size_t)(guest_code_end - guest_code));
    RANGES[0] = (struct portcullis_pages){GUEST_CANARY, CANARY_BYTES};
    clean_memory(GUEST_BASE, PAGE);
    __asm__ volatile("ic ialluis; dsb ish; isb" ::: "memory");
    return is_there = true;
}

static struct lock guest_lock;

// The host gives some memory to the guest, or wants it back.
int64_t guest_move(uint64_t base, bool to_guest, uint64_t *held) {
    const struct portcullis_pages pages = {base, GIVEN_BYTES};
    int64_t status = PORTCULLIS_HYPERCALL_INVALID;
    lock(&guest_lock);
    if (to_guest && RANGES[1].bytes == 0) {
        status = give(&pages, held);
    } else if (!to_guest && RANGES[1].bytes && RANGES[1].base == base && translation_move(&pages, false)) {
        status = gate ? portcullis_took(gate, &pages) : 0;
    }
    if (status == 0) RANGES[1].base = base, RANGES[1].bytes = to_guest ? GIVEN_BYTES : 0;
    clean_memory(GUEST_BASE, PAGE);
    unlock(&guest_lock);
    return status;
}

// Continues this CPU in the guest, behind a trap of the host. The guest has no interrupts: what is pending waits for
// the host.
void guest_enter(struct portcullis_frame *frame) {
    struct cpu *cpu = this_cpu();
    cpu->host = *frame;
    cpu->host_sctlr = READ_SYSREG(sctlr_el1);
    cpu->is_in_guest = true;
    *frame = (struct portcullis_frame){.x = {(uint64_t)RANGES}, .elr = GUEST_CODE, .spsr = 0x3c5};
    WRITE_SYSREG(sctlr_el1, SCTLR_EL1_OFF);
    WRITE_SYSREG(hcr_el2, HCR_EL2_VALUE | 1);
    translation_load(true);
}

// Continues this CPU in the host, where its call ends with what the guest tells.
void guest_leave(struct portcullis_frame *frame, uint64_t esr) {
    struct cpu *cpu = this_cpu();
    if (esr >> 26 != 0x16) harness_panic();  // it has nothing to do but its HVC
    cpu->is_in_guest = false;
    cpu->host.x[0] = 0, cpu->host.x[1] = frame->x[1];
    *frame = cpu->host;
    WRITE_SYSREG(sctlr_el1, cpu->host_sctlr);
    WRITE_SYSREG(hcr_el2, HCR_EL2_VALUE);
    translation_load(false);
}
