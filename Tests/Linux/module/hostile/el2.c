// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/* The calls to Portcullis and to PSCI behind it. */
#include "hostile.h"

#include <linux/gfp.h>

/* As in portcullis_hypercalls.h, which is written for hosts that have the C library's headers. */
#define PORTCULLIS_HYPERCALL 0xC6005043u
#define PORTCULLIS_CALL_VERSION 0u
#define PORTCULLIS_CALL_CANARY 0x100u
#define PORTCULLIS_CALL_CANARY_DAMAGE 0x101u
/* Arm DEN 0022. */
#define PSCI_CPU_ON 0xC4000003u
#define PSCI_AFFINITY_INFO 0xC4000004u

u64 canary, hypervisor;

struct result {
    u64 x[4];
};

static struct result call(u64 function, u64 first, u64 second, u64 third) {
    register u64 x0 asm("x0") = function;
    register u64 x1 asm("x1") = first;
    register u64 x2 asm("x2") = second;
    register u64 x3 asm("x3") = third;

    asm volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "x4", "memory");
    return (struct result){{x0, x1, x2, x3}};
}

/*
 * Where there is no Portcullis, memory of the module's own takes the place of EL2's: what reaches it reaches any
 * memory. It is laid out, and the canary filled, as by Portcullis.
 */
static u8 *own;
#define OWN_ORDER get_order(0x200000)
#define OWN_HYPERVISOR 0x100000
#define OWN_CANARY 0x120000
#define OWN_CANARY_WORDS (0x20000 / 8)

static u64 *own_word(u64 number) { return (u64 *)(own + OWN_CANARY) + number; }
static u64 pattern(u64 number) { return 0x43414e4152590000 | (number << 1 & 0xfffe); }

static struct result own_damage(void) {
    struct result damage = {};
    u64 number;

    for (number = 0; number < OWN_CANARY_WORDS; number++) {
        if (READ_ONCE(*own_word(number)) == pattern(number))
            continue;
        if (!damage.x[1]++)
            damage.x[2] = virt_to_phys(own_word(number));
        WRITE_ONCE(*own_word(number), pattern(number));
    }
    return damage;
}

bool find_canary(void) {
    struct result version = call(PORTCULLIS_HYPERCALL, PORTCULLIS_CALL_VERSION, 0, 0);
    struct result where = call(PORTCULLIS_HYPERCALL, PORTCULLIS_CALL_CANARY, 0, 0);

    hypervisor = version.x[2];
    canary = where.x[1];
    if (!version.x[0] && !where.x[0])
        return true;
    own = (u8 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, OWN_ORDER);
    if (!own)
        return false;
    hypervisor = virt_to_phys(own) + OWN_HYPERVISOR;
    canary = virt_to_phys(own) + OWN_CANARY;
    own_damage();
    pr_info("hostile: there is no Portcullis; attacks aim at the module's own memory\n");
    return true;
}

void forget_canary(void) {
    if (own)
        free_pages((unsigned long)own, OWN_ORDER);
    own = NULL;
}

void check_canary(struct outcome *outcome) {
    struct result damage =
        own ? own_damage() : call(PORTCULLIS_HYPERCALL, PORTCULLIS_CALL_CANARY_DAMAGE, 0, 0);

    if (damage.x[1] && !outcome->overwritten)
        outcome->first = damage.x[2];
    outcome->overwritten += damage.x[1];
}

long psci_cpu_on(u64 cpu, u64 entry, u64 context) {
    return (int)call(PSCI_CPU_ON, cpu, entry, context).x[0];
}

long psci_affinity_info(u64 cpu) { return (int)call(PSCI_AFFINITY_INFO, cpu, 0, 0).x[0]; }
