// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * The ITS behind the back of the kernel's driver.
 *
 * The driver fills its queue from the first slot on and keeps to itself how far it is. A queue that has not
 * wrapped is a record of all that the driver has ever asked for. So whatever an attack does to the ITS, it is
 * undone by giving the ITS its registers and the record once more: then it maps again what it mapped, and it
 * stands in the queue where the driver believes it to be.
 */
#include "hostile.h"

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/of.h>
#include <linux/vmalloc.h>

/* The frames of an ITS: its control registers, and the one with GITS_TRANSLATER. */
#define FRAME 0x10000
#define GITS_TRANSLATER 0x0040
#define QUIESCENT (1u << 31)
#define ENABLED 1u
#define ADDRESS 0x000ffffffffff000ull
#define COMMAND 32
#define WORDS (COMMAND / 8)
#define QUEUE_LIMIT 0x100000
/* How long the ITS may take for a batch, in milliseconds. */
#define PATIENCE 3000

void __iomem *its;
void __iomem *translater;
u64 its_frame;
u64 table_page, spare_page;

/* What the kernel has programmed, and the content of its queue. */
static u64 control, command_base, bases[8], pointer;
static u64 *queue, *record;
/* Where the next command goes, as an offset. */
static u64 next;
static u64 pending;

bool find_its(void) {
    its_frame = address_of_its();
    if (!its_frame)
        return false;
    its = ioremap(its_frame, 2 * FRAME);
    translater = its + FRAME + GITS_TRANSLATER;
    record = vmalloc(QUEUE_LIMIT);
    table_page = __get_free_page(GFP_KERNEL | __GFP_ZERO);
    spare_page = __get_free_page(GFP_KERNEL | __GFP_ZERO);
    return its && record && table_page && spare_page;
}

void forget_its(void) {
    if (its)
        iounmap(its);
    vfree(record);
    free_page(table_page);
    free_page(spare_page);
}

/* ---- Commands ---------------------------------------------------------------------------------- */

struct command event_command(u8 opcode, u32 device, u32 event) {
    return (struct command){{opcode | (u64)device << 32, event}};
}

struct command mapd(u32 device, u64 table, u64 bits) {
    return (struct command){{MAPD | (u64)device << 32, bits - 1, table | VALID}};
}

struct command unmapd(u32 device) { return (struct command){{MAPD | (u64)device << 32}}; }

struct command mapc(u16 collection, u64 target) {
    return (struct command){{MAPC, 0, collection | target | VALID}};
}

struct command mapti(u32 device, u32 event, u32 interrupt, u16 collection) {
    return (struct command){{MAPTI | (u64)device << 32, event | (u64)interrupt << 32, collection}};
}

struct command sync_command(void) { return (struct command){{SYNC, 0, target_of(0)}}; }

/* The target of the last MAPC of a collection that the kernel has sent; its collections are its CPUs. */
u64 target_of(unsigned int cpu) {
    u64 offset, target = 0;

    for (offset = 0; offset < pointer; offset += COMMAND) {
        const u64 *word = record + offset / 8;

        if ((word[0] & 0xff) == MAPC && (word[2] & 0xffff) == cpu && word[2] & VALID)
            target = word[2] & 0x000fffffffff0000ull;
    }
    return target;
}

/* ---- Queue ------------------------------------------------------------------------------------- */

u64 queue_place(void) { return next; }
u64 queue_size(void) { return ((command_base & 0xff) + 1) * 4096; }
u64 *queue_slot(u64 offset) { return queue + offset / 8; }

void put(struct command command) {
    memcpy(queue_slot(next), command.word, COMMAND);
    next = (next + COMMAND) & (queue_size() - 1);
    if (++pending == 512)
        ring();
}

bool ring(void) { return ring_within(PATIENCE); }

bool ring_within(u64 milliseconds) {
    u64 start = now();

    pending = 0;
    store64(its + GITS_CWRITER, next);
    while (within(start, milliseconds))
        if (load64(its + GITS_CREADR) == next)
            return true;
    return false;
}

/* ---- Registers --------------------------------------------------------------------------------- */

void disable_its(void) {
    u64 start = now();

    store32(its + GITS_CTLR, load32(its + GITS_CTLR) & ~ENABLED);
    while (!(load32(its + GITS_CTLR) & QUIESCENT) && within(start, PATIENCE))
        ;
}

void enable_its(void) { store32(its + GITS_CTLR, load32(its + GITS_CTLR) | ENABLED); }

void __iomem *table_base(enum table table) {
    int index;

    for (index = 0; index < 8; index++)
        if ((bases[index] >> 56 & 7) == table)
            return its + GITS_BASER(index);
    return NULL;
}

u64 flat_table(u64 address, u64 pages) {
    /* Pages of 64 KiB. */
    return VALID | COHERENT | address | 2 << 8 | (pages - 1);
}

u64 *kernel_table(enum table table, u64 *entries) {
    static const u64 page_sizes[] = {0x1000, 0x4000, 0x10000, 0x10000};
    int index;

    for (index = 0; index < 8; index++)
        if ((bases[index] >> 56 & 7) == table) {
            *entries = bases[index] >> 62 & 1 ? page_sizes[bases[index] >> 8 & 3] / 8 : 0;
            return phys_to_virt(bases[index] & 0x0000fffffffff000ull);
        }
    return NULL;
}

/* ---- Before and after an attack ---------------------------------------------------------------- */

bool remember_its(struct outcome *outcome) {
    int index;

    control = load32(its + GITS_CTLR) & ~QUIESCENT;
    command_base = load64(its + GITS_CBASER);
    for (index = 0; index < 8; index++)
        bases[index] = load64(its + GITS_BASER(index));
    pointer = load64(its + GITS_CWRITER);
    if (!(command_base & VALID) || queue_size() > QUEUE_LIMIT || !table_base(DEVICES) ||
        !table_base(COLLECTIONS)) {
        outcome->unmade = "the kernel has not programmed the ITS";
        return false;
    }
    queue = phys_to_virt(command_base & ADDRESS);
    memcpy(record, queue, queue_size());
    next = pointer;
    pending = 0;
    if (load64(its + GITS_CREADR) != pointer) {
        outcome->unmade = "commands of the kernel are under way";
        return false;
    }
    /* A command has a number that is not zero. */
    if (record[queue_size() / 8 - WORDS]) {
        outcome->unmade = "the kernel's queue has wrapped";
        return false;
    }
    memset((void *)table_page, 0, PAGE_SIZE);
    memset((void *)spare_page, 0, PAGE_SIZE);
    return true;
}

static bool concerns_device(const u64 *word) {
    switch (word[0] & 0xff) {
    case SYNC:
    case MAPC:
    case 0x0d: /* INVALL */
    case 0x0e: /* MOVALL */
        return false;
    default:
        return true;
    }
}

/* Whether the command at `offset` of the record says what still holds: no MAPD of its device follows. */
static bool holds(u64 offset) {
    const u64 *word = record + offset / 8;
    u64 later;

    if ((word[0] & 0xff) == INT)
        return false;
    if (!concerns_device(word))
        return true;
    for (later = offset + COMMAND; later < pointer; later += COMMAND) {
        const u64 *other = record + later / 8;

        if ((other[0] & 0xff) == MAPD && other[0] >> 32 == word[0] >> 32)
            return false;
    }
    return true;
}

static void begin_queue(void) {
    disable_its();
    store64(its + GITS_CBASER, command_base);
    store64(its + GITS_CWRITER, 0);
    next = 0;
    pending = 0;
}

/* Begins the kernel's queue anew and carries out what holds of the record; false where the ITS stops. */
static bool replay(void) {
    u64 offset;
    bool goes_on;

    begin_queue();
    store32(its + GITS_CTLR, control);
    for (offset = 0; offset < pointer; offset += COMMAND) {
        struct command command = sync_command();

        if (holds(offset))
            memcpy(command.word, record + offset / 8, COMMAND);
        put(command);
    }
    goes_on = ring();
    memcpy(queue, record, queue_size());
    return goes_on;
}

void return_queue(struct outcome *outcome) {
    if (!replay())
        outcome->unmade = "the ITS does not go on after it";
}

void restore_its(struct outcome *outcome) {
    int index;
    bool goes_on;

    disable_its();
    for (index = 0; index < 8; index++)
        if (load64(its + GITS_BASER(index)) != bases[index])
            store64(its + GITS_BASER(index), bases[index]);
    begin_queue();
    store32(its + GITS_CTLR, control);
    put(unmapd(DEVICE));
    put(unmapd(OTHER_DEVICE));
    put(unmapd(CPU_DEVICE));
    goes_on = ring();
    if (!replay() || !goes_on)
        outcome->unmade = "the ITS does not go on after it";
}

/* ---- Attacks ----------------------------------------------------------------------------------- */

struct work {
    struct outcome *outcome;
    void (*attack)(struct outcome *);
};

static void lead(void *argument) {
    struct work *work = argument;
    struct outcome before = {};

    check_canary(&before);
    take_aborts();
    if (!remember_its(work->outcome))
        return;
    summon_helper();
    work->attack(work->outcome);
    dismiss_helper();
    work->outcome->aborts += take_aborts();
    restore_its(work->outcome);
    check_canary(work->outcome);
}

void attack_its(struct outcome *outcome, void (*attack)(struct outcome *)) {
    race_its(outcome, attack, NULL);
}

void race_its(struct outcome *outcome, void (*attack)(struct outcome *), void (*help)(void *)) {
    struct work work = {outcome, attack};

    meet(lead, help, &work);
}
