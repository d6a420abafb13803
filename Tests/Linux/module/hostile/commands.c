// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/* Attacks by commands in the kernel's own queue, behind those that the kernel has sent. */
#include "hostile.h"

#include <linux/io.h>

#define MANY 40u
#define FIRST_OF_MANY 0x100u

static u64 own_table(void) { return virt_to_phys((void *)table_page); }

static void map_event(u32 device, u64 table, u32 event, u64 bits) {
    put(mapd(device, table, bits));
    put(mapti(device, event, LPI, 0));
    ring();
}

/* The first event whose entry in `table` lies at the canary or behind it. */
static u32 event_reaching_canary(u64 table) {
    u64 size = (load64(its + GITS_TYPER) >> 4 & 0xf) + 1;

    return (canary - table + size - 1) / size;
}

static void table_there(struct outcome *outcome) { map_event(DEVICE, canary, 0, 4); }

static void last_entry(struct outcome *outcome) { map_event(DEVICE, canary + 0x1000, 15, 4); }

static void table_that_ends_there(struct outcome *outcome) {
    u64 table = hypervisor - 0x100;

    map_event(DEVICE, table, event_reaching_canary(table), 16);
}

static void mapped_again(struct outcome *outcome) {
    map_event(DEVICE, own_table(), 0, 4);
    map_event(DEVICE, canary, 0, 4);
}

static void unmapped_and_mapped(struct outcome *outcome) {
    map_event(DEVICE, own_table(), 0, 4);
    put(unmapd(DEVICE));
    map_event(DEVICE, canary, 0, 4);
}

static void reserved_bits(struct outcome *outcome) {
    struct command command = mapd(DEVICE, canary, 4);

    command.word[0] |= 0xffffff00;
    command.word[1] |= ~0x1full;
    command.word[2] |= 0x7ff00000000000ffull;
    command.word[3] = ~0ull;
    put(command);
    put(mapti(DEVICE, 0, LPI, 0));
    ring();
}

static void mapi(struct outcome *outcome) {
    struct command command = event_command(MAPI, DEVICE, LPI);

    put(mapd(DEVICE, canary, 14));
    put(command);
    ring();
}

static void discard(struct outcome *outcome) {
    map_event(DEVICE, canary, 0, 4);
    put(event_command(DISCARD, DEVICE, 0));
    ring();
}

static void movi(struct outcome *outcome) {
    struct command command = event_command(MOVI, DEVICE, 0);

    map_event(DEVICE, canary, 0, 4);
    command.word[2] = 1;
    put(command);
    ring();
}

static void at_the_wrap(struct outcome *outcome) {
    while (queue_place() != queue_size() - 32)
        put(sync_command());
    put(mapd(DEVICE, canary, 4));
    put(mapti(DEVICE, 0, LPI, 0));
    ring();
}

static void behind_refused(struct outcome *outcome) {
    put((struct command){{0xff}});
    put(mapd(~0u, own_table(), 4));
    map_event(DEVICE, canary, 0, 4);
}

static void no_memory_left(struct outcome *outcome) {
    u32 index;

    for (index = 0; index < MANY; index++)
        put(mapd(FIRST_OF_MANY + index, own_table(), 16));
    map_event(DEVICE, canary, 0, 4);
    for (index = 0; index < MANY; index++)
        put(unmapd(FIRST_OF_MANY + index));
    ring();
}

static void retry(struct outcome *outcome) {
    put(mapd(DEVICE, canary, 4));
    put(mapti(DEVICE, 0, LPI, 0));
    store64(its + GITS_CWRITER, queue_place() | 0xfffffffffff0001full);
    store32(its + GITS_CWRITER, queue_place() | 1);
}

static void target_that_is_not_there(struct outcome *outcome) {
    put(mapc(0, 0xffffull << 16));
    put(mapc(0, canary));
    put((struct command){{SYNC, 0, 0xffffull << 16}});
    ring();
}

static void reserved_commands(struct outcome *outcome) {
    u64 number;

    for (number = 0x40; number < 0x100; number++)
        put((struct command){{number | (u64)DEVICE << 32, 1ull << 32, canary | VALID, canary | 15}});
    ring();
}

static void event_beyond(struct outcome *outcome) {
    put(mapd(DEVICE, canary, 32));
    put(mapd(OTHER_DEVICE, own_table(), 4));
    put(mapti(OTHER_DEVICE, 0xffff, LPI, 0));
    ring();
}

static void interrupt_beyond(struct outcome *outcome) {
    put(mapd(DEVICE, own_table(), 4));
    put(mapti(DEVICE, 0, 0xffffff, 0));
    put(mapti(DEVICE, 0, 32, 0));
    ring();
}

static void device_beyond(struct outcome *outcome) {
    put(mapd(~0u, canary, 4));
    put(mapti(~0u, 0, LPI, 0));
    ring();
}

static void collection_beyond(struct outcome *outcome) {
    put(mapc(0xffff, target_of(0)));
    ring();
}

#define ON_ITS(name) \
    static void name##_attack(struct outcome *outcome) { attack_its(outcome, name); }
ON_ITS(table_there)
ON_ITS(last_entry)
ON_ITS(table_that_ends_there)
ON_ITS(mapped_again)
ON_ITS(unmapped_and_mapped)
ON_ITS(reserved_bits)
ON_ITS(mapi)
ON_ITS(discard)
ON_ITS(movi)
ON_ITS(at_the_wrap)
ON_ITS(behind_refused)
ON_ITS(no_memory_left)
ON_ITS(retry)
ON_ITS(target_that_is_not_there)
ON_ITS(reserved_commands)
ON_ITS(event_beyond)
ON_ITS(interrupt_beyond)
ON_ITS(device_beyond)
ON_ITS(collection_beyond)

const struct attack command_attacks[] = {
    {"translation-table", table_there_attack},
    {"translation-table-last-entry", last_entry_attack},
    {"translation-table-that-ends-there", table_that_ends_there_attack},
    {"mapped-device-mapped-again", mapped_again_attack},
    {"unmapped-and-mapped-in-one-batch", unmapped_and_mapped_attack},
    {"reserved-bits-beside-a-table", reserved_bits_attack},
    {"mapi", mapi_attack},
    {"discard", discard_attack},
    {"movi", movi_attack},
    {"at-the-wrap-of-the-queue", at_the_wrap_attack},
    {"behind-commands-that-are-refused", behind_refused_attack},
    {"when-no-memory-is-left", no_memory_left_attack},
    {"doorbell-with-retry", retry_attack},
    {"target-that-is-not-there", target_that_is_not_there_attack},
    {"reserved-commands", reserved_commands_attack},
    {"event-out-of-range", event_beyond_attack},
    {"interrupt-out-of-range", interrupt_beyond_attack},
    {"device-out-of-range", device_beyond_attack},
    {"collection-out-of-range", collection_beyond_attack},
    {},
};
