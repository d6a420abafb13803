// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#include "redistributors.h"
#include "driver.h"

#include <string.h>

#define FRAME UINT64_C(0x80a0000)
#define FRAME_BYTES UINT64_C(0x20000)
#define SGI_FRAME UINT64_C(0x10000)

enum { GICR_CTLR = 0x0, GICR_TYPER = 0x8, GICR_PROPBASER = 0x70, GICR_PENDBASER = 0x78 };

// The tables of a host, and one in EL2's memory. 15: 16 bits of INTIDs.
#define CONFIGURATION (HOST_BASE + 0x60000)
#define PENDING (HOST_BASE + 0x70000)
#define ID_BITS 15

// A store of the host: where nobody has claimed the register it reaches the hardware.
static enum portcullis_trap host_store(uint64_t address, int log2_width, uint64_t value) {
    enum portcullis_trap outcome = store(address, log2_width, value);
    if (outcome == PORTCULLIS_TRAP_UNCLAIMED) gic_access(&machine.gic, address, 1, &value);
    return outcome;
}

// What a driver does with a Redistributor.
static void enable(uint64_t number, uint64_t configuration, uint64_t pending) {
    uint64_t frame = FRAME + number * FRAME_BYTES;
    host_store(frame + GICR_PROPBASER, 3, configuration | ID_BITS);
    host_store(frame + GICR_PENDBASER, 3, pending);
    host_store(frame + GICR_CTLR, 2, 1);
}

static void start_with(unsigned policy) {
    prepare("one-its.dtb");
    config.policy = policy;
    init(&gate);
}

static void test_claimed(void) {
    gate = start_claimed("one-its.dtb");
    check(machine.revoked == 16 + REDISTRIBUTOR_PAGES, "the host loses the RD frames");
    check(trap(gate, abort_syndrome(2, 0, 1), FRAME + SGI_FRAME) == PORTCULLIS_TRAP_UNCLAIMED,
          "the SGI frame stays with the host");
    check(portcullis_region_count(gate) == 1, "they are no regions of the embedder");
    check(get(FRAME + 3 * FRAME_BYTES + GICR_TYPER) == (UINT64_C(3) << 32 | 3 << 8 | 1),
          "GICR_TYPER is the hardware's");
}

static void test_honest(void) {
    struct redistributor *hardware = machine.gic.redistributor;
    gate = start_claimed("one-its.dtb");
    for (uint64_t number = 0; number < REDISTRIBUTOR_COUNT; number++)
        enable(number, CONFIGURATION, PENDING + number * 0x10000);
    int enabled = 0, outside = 0;
    for (int number = 0; number < REDISTRIBUTOR_COUNT; number++) {
        enabled += hardware[number].ctlr & 1;
        outside += hardware[number].outside;
    }
    check(enabled == REDISTRIBUTOR_COUNT && outside == 0, "a host has LPIs on every CPU");
    check(machine.shared > 0, "its tables are held");
    check(get(FRAME + GICR_PENDBASER) == PENDING, "it reads what it has written");
}

static void test_attacks(void) {
    struct redistributor *hardware = machine.gic.redistributor;
    const struct {
        const char *name;
        uint64_t configuration, pending;
    } attacks[] = {
        {"a configuration table in EL2's memory", POOL_BASE, PENDING},
        {"a pending table in EL2's memory", CONFIGURATION, POOL_BASE},
        {"a configuration table that reaches into EL2's memory", POOL_BASE - 0x1000, PENDING},
        {"tables in memory that the tree does not know", UINT64_C(0x700000000000), PENDING},
    };
    for (size_t index = 0; index < sizeof attacks / sizeof *attacks; index++) {
        gate = start_claimed("one-its.dtb");
        enable(1, attacks[index].configuration, attacks[index].pending);
        check(!(hardware[1].ctlr & 1) && hardware[1].outside == 0 && machine.shared == 0,
              "refused: %s", attacks[index].name);

        start_with(PORTCULLIS_POLICY_LEAVE_REDISTRIBUTORS);
        portcullis_claim(gate);
        enable(1, attacks[index].configuration, attacks[index].pending);
        check((hardware[1].ctlr & 1) && hardware[1].outside == 1,
              "unguarded, the same lands: %s", attacks[index].name);
    }
    gate = start_claimed("one-its.dtb");
    enable(2, CONFIGURATION, POOL_BASE);
    check(strstr(machine.line, "Redistributor 2: tables refused: ") == machine.line,
          "the log tells of refused tables");
}

// What firmware or a host has left on: the hardware may go on using the tables, enabled or not.
static struct redistributor live(uint64_t configuration, uint64_t pending) {
    return (struct redistributor){
        .ctlr = 1, .propbaser = configuration | ID_BITS, .pendbaser = pending};
}

static void test_found_live(void) {
    struct redistributor *hardware = machine.gic.redistributor;
    gate = start("one-its.dtb");
    hardware[0] = live(CONFIGURATION, PENDING);
    expect_status(portcullis_claim(gate), PORTCULLIS_OK, "claim LPIs that firmware has left on");
    check(!(hardware[0].ctlr & 1) && machine.shared > 0, "they are off, and their tables held");

    start_with(PORTCULLIS_POLICY_HANDOVER);
    hardware[0] = live(CONFIGURATION, PENDING);
    expect_status(portcullis_claim(gate), PORTCULLIS_OK, "claim LPIs of a host that is trusted");
    check((hardware[0].ctlr & 1) && hardware[0].pendbaser == PENDING && machine.shared > 0,
          "they stay on, and their tables are held");

    for (unsigned policy = 0; policy <= PORTCULLIS_POLICY_HANDOVER;
         policy += PORTCULLIS_POLICY_HANDOVER) {
        start_with(policy);
        hardware[0] = live(CONFIGURATION, PENDING);
        hardware[5] = live(CONFIGURATION, POOL_BASE);
        expect_status(portcullis_claim(gate), PORTCULLIS_ERROR_GIC,
                      policy ? "claim LPIs of a trusted host with tables in EL2's memory"
                             : "claim LPIs of firmware with tables in EL2's memory");
        check(is_untouched(), "the host keeps all of it, and no table is held: policy %u", policy);
        check(strcmp(machine.line, "Redistributors: LPIs can't be disabled, and their tables are "
                                   "not the host's") == 0,
              "the log tells why: policy %u", policy);
    }
}

static void test_left(void) {
    start_with(PORTCULLIS_POLICY_LEAVE_REDISTRIBUTORS);
    expect_status(portcullis_claim(gate), PORTCULLIS_OK, "claim and leave the Redistributors");
    check(machine.revoked == 16, "the host keeps the RD frames");
    check(trap(gate, abort_syndrome(2, 0, 1), FRAME) == PORTCULLIS_TRAP_UNCLAIMED,
          "an access to one is the embedder's");
    start_with(0);
    machine.gic.silent_redistributors = 1;
    expect_status(portcullis_claim(gate), PORTCULLIS_ERROR_GIC, "claim where one is silent");
    check(is_untouched(), "a silent one leaves everything as it was");
    check(strstr(machine.line, "Redistributors at 0x80a0000: ") == machine.line,
          "the log tells which");
    machine.gic.silent_redistributors = 0;
    machine.bad_address = 2;
    expect_status(portcullis_claim(gate), PORTCULLIS_ERROR_EL2_ADDRESS,
                  "claim where they are mapped to an address of no use");
    check(is_untouched(), "a useless address for them leaves everything as it was");
}

void test_redistributors(void) {
    test_claimed();
    test_honest();
    test_attacks();
    test_found_live();
    test_left();
}
