// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/* The calls to Portcullis and to PSCI behind it. */
#include "hostile.h"

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

bool find_canary(void) {
    struct result version = call(PORTCULLIS_HYPERCALL, PORTCULLIS_CALL_VERSION, 0, 0);
    struct result where = call(PORTCULLIS_HYPERCALL, PORTCULLIS_CALL_CANARY, 0, 0);

    hypervisor = version.x[2];
    canary = where.x[1];
    return !version.x[0] && !where.x[0];
}

void check_canary(struct outcome *outcome) {
    struct result damage = call(PORTCULLIS_HYPERCALL, PORTCULLIS_CALL_CANARY_DAMAGE, 0, 0);

    if (damage.x[1] && !outcome->overwritten)
        outcome->first = damage.x[2];
    outcome->overwritten += damage.x[1];
}

long psci_cpu_on(u64 cpu, u64 entry, u64 context) {
    return (int)call(PSCI_CPU_ON, cpu, entry, context).x[0];
}

long psci_affinity_info(u64 cpu) { return (int)call(PSCI_AFFINITY_INFO, cpu, 0, 0).x[0]; }
