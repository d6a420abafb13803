// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * The calls of a host to Portcullis at EL2.
 *
 * SMC Calling Convention (Arm DEN 0028), 64-bit fast calls, HVC or SMC, vendor-specific hypervisor service.
 * x0 = PORTCULLIS_HYPERCALL, x1 = the request, x2 and x3 its arguments. x0 returns 0, 1 where no record waits, or a
 * negative error; a hypervisor without these calls returns -1 (NOT_SUPPORTED).
 */
#ifndef PORTCULLIS_HYPERCALLS_H
#define PORTCULLIS_HYPERCALLS_H

#include <stdint.h>

#define PORTCULLIS_HYPERCALL 0xC6005043u

/* x1 = version of this interface, x2 and x3 = base and size of EL2's image, or 0, x4 = regions. */
#define PORTCULLIS_CALL_VERSION 0u
/*
 * x2 = index: x1 = GITS_TYPER as it reads once EL2 mediates, x2 = GITS_IIDR, x3 = GITS_PIDR2, x4 = control
 * frame; -1 beyond the last.
 */
#define PORTCULLIS_CALL_ITS 1u
/* x1 and x2 = base and size of the memory that EL2 has beside its image. */
#define PORTCULLIS_CALL_MEMORY 2u
/*
 * For tests. x1 and x2 = base and size of the canary, memory of EL2's that attacks aim at and nothing else
 * uses.
 */
#define PORTCULLIS_CALL_CANARY 0x100u
/*
 * For tests. x1 = how many 64-bit words of the canary were overwritten since the last such call, x2 =
 * address of the first; the canary is intact again afterwards.
 */
#define PORTCULLIS_CALL_CANARY_DAMAGE 0x101u
/* x2 = index, x3 = physical address of a struct portcullis_handover, aligned to 4096. */
#define PORTCULLIS_CALL_HAND_OVER 0x200u
/* Ends the host's trust. Does not return where a live ITS was not handed over. */
#define PORTCULLIS_CALL_FINALISE 0x201u
/*
 * Where a trace is kept: x2 = 0 reads the first four words of the oldest
 * record of the trace into x1 to x4, x2 = 1 the last four, and takes it. x0 = 1 where none waits.
 */
#define PORTCULLIS_CALL_TRACE 0x300u

/*
 * x2 = number: x1 = the figure with that number; INVALID where there is none. Numbers below
 * PORTCULLIS_STATISTIC_PAGE are of EL2 as a whole, and of enum portcullis_statistic. To those of enum
 * portcullis_its_statistic add PORTCULLIS_STATISTIC_PAGE * (1 + N) for ITS N, and to one with items the
 * number of the item, which stands below it. A call for a DMA_* figure has EL2 read, count and log what the
 * SMMUs have recorded.
 *
 * sum: since boot; max: the greatest since boot, or what belongs to it; gauge: now, or the last.
 */
#define PORTCULLIS_CALL_STATISTIC 0x301u
#define PORTCULLIS_STATISTIC_PAGE 512u

/* Statistics: written by `make statistics` from Sources/Hypervisor/Statistic.swift. */
enum portcullis_statistic {
    PORTCULLIS_STATISTIC_ITSES = 0, /* gauge: ITSes */
    PORTCULLIS_STATISTIC_FREQUENCY = 1, /* gauge: counts of the clock in a second */
    PORTCULLIS_STATISTIC_TRAPS = 2, /* sum: aborts that the host took to EL2 */
    PORTCULLIS_STATISTIC_UNFINISHED = 3, /* sum: aborts after which the store ran again */
    PORTCULLIS_STATISTIC_CALLS = 4, /* sum: HVC and SMC */
    PORTCULLIS_STATISTIC_LONGEST = 5, /* max: counts of the clock in the longest abort */
    PORTCULLIS_STATISTIC_LONGEST_SYNDROME = 6, /* max: ESR_EL2 of the longest abort */
    PORTCULLIS_STATISTIC_LONGEST_ADDRESS = 7, /* max: address of the longest abort */
    PORTCULLIS_STATISTIC_TICKS = 8, /* sum: counts of the clock in all aborts */
    PORTCULLIS_STATISTIC_REFUSED = 16, /* sum: accesses refused: + item */
    /* + 0: an access without syndrome */
    /* + 1: width not permitted */
    /* + 2: misaligned */
    /* + 3: not readable */
    /* + 4: not writable */
    /* + 5: an instruction fetch */
    /* + 6: a walk of the host's own tables */
    /* + 7: no device answers */
    /* + 8: the hardware aborts */
    /* + 9: the device refuses */
    /* + 10: not mapped */
    PORTCULLIS_STATISTIC_REDISTRIBUTORS = 64, /* gauge: Redistributors */
    PORTCULLIS_STATISTIC_TABLES_ENABLED = 65, /* sum: Redistributors, tables brought into use */
    PORTCULLIS_STATISTIC_TABLES_RELEASED = 66, /* sum: Redistributors, tables given back */
    PORTCULLIS_STATISTIC_TABLES_HELD = 67, /* gauge: Redistributors, tables held */
    PORTCULLIS_STATISTIC_TABLES_IGNORED = 68, /* sum: Redistributors, accesses without effect */
    PORTCULLIS_STATISTIC_TABLES_REFUSED = 80, /* sum: Redistributors, tables refused: + item */
    /* + 0: tables too large */
    /* + 1: tables in use are for another number of INTIDs */
    /* + 2: the configuration table is not the host's */
    /* + 3: the pending table is not the host's */
    /* + 4: the tables before are still held */
    /* + 5: the hardware does not take the registers */
    /* + 6: the tables are beyond the GIC's addresses */
    PORTCULLIS_STATISTIC_TABLE_PAGES = 128, /* gauge: table pages in use */
    PORTCULLIS_STATISTIC_TABLE_PAGES_FREE = 129, /* gauge: table pages free */
    PORTCULLIS_STATISTIC_CLAIMED_PAGES = 130, /* gauge: pages taken from the host */
    PORTCULLIS_STATISTIC_SHARED_PAGES = 131, /* gauge: pages shared with the host */
    PORTCULLIS_STATISTIC_PINS = 132, /* gauge: pins of pages; two on a page count twice */
    PORTCULLIS_STATISTIC_LOG_BYTES = 133, /* gauge: bytes of the log that wait for the console */
    PORTCULLIS_STATISTIC_LOG_LOST = 134, /* sum: lines that the log had no room for */
    PORTCULLIS_STATISTIC_SMMUS = 160, /* gauge: SMMUs that EL2 owns */
    PORTCULLIS_STATISTIC_DMA_EVENTS = 161, /* sum: events of SMMUs */
    PORTCULLIS_STATISTIC_DMA_OVERFLOWS = 162, /* sum: overflows of an SMMU's event queue */
    PORTCULLIS_STATISTIC_DMA_ABORTS = 163, /* sum: events that an SMMU could not write */
    PORTCULLIS_STATISTIC_DMA_UNLOGGED = 164, /* sum: events that are not in the log */
    PORTCULLIS_STATISTIC_DMA_INVALIDATIONS = 165, /* sum: invalidations of SMMUs */
    PORTCULLIS_STATISTIC_DMA_SYNCS = 166, /* sum: SYNCs of SMMUs */
    PORTCULLIS_STATISTIC_DMA_UNCONFIRMED = 167, /* sum: batches that an SMMU has not confirmed */
    PORTCULLIS_STATISTIC_DMA_REFUSALS = 168, /* sum: pages kept by the host: an SMMU did not confirm */
    PORTCULLIS_STATISTIC_DMA_STREAM = 169, /* gauge: StreamID of the last logged event */
    PORTCULLIS_STATISTIC_DMA_ADDRESS = 170, /* gauge: address of the last logged event */
    PORTCULLIS_STATISTIC_DMA_EVENT = 171, /* gauge: number of the last logged event */
    PORTCULLIS_STATISTIC_DMA_FAULTS = 192, /* sum: DMA faults: + item */
    /* + 1: F_UUT */
    /* + 2: C_BAD_STREAMID */
    /* + 3: F_STE_FETCH */
    /* + 4: C_BAD_STE */
    /* + 5: F_BAD_ATS_TREQ */
    /* + 6: F_STREAM_DISABLED */
    /* + 7: F_TRANSL_FORBIDDEN */
    /* + 8: C_BAD_SUBSTREAMID */
    /* + 9: F_CD_FETCH */
    /* + 10: C_BAD_CD */
    /* + 11: F_WALK_EABT */
    /* + 16: F_TRANSLATION */
    /* + 17: F_ADDR_SIZE */
    /* + 18: F_ACCESS */
    /* + 19: F_PERMISSION */
    /* + 32: F_TLB_CONFLICT */
    /* + 33: F_CFG_CONFLICT */
    /* + 36: E_PAGE_REQUEST */
    /* + 37: F_VMS_FETCH */
    PORTCULLIS_STATISTIC_DMA_FAULTS_UNKNOWN = 230, /* sum: DMA faults of no known type */
    PORTCULLIS_STATISTIC_VIRTUAL_SMMUS = 256, /* gauge: virtual SMMUs */
    PORTCULLIS_STATISTIC_VIRTUAL_COMMANDS = 257, /* sum: virtual SMMUs, commands carried out */
    PORTCULLIS_STATISTIC_VIRTUAL_BATCHES = 258, /* sum: virtual SMMUs, batches of invalidations */
    PORTCULLIS_STATISTIC_VIRTUAL_ENTRIES = 259, /* sum: virtual SMMUs, stream table entries read */
    PORTCULLIS_STATISTIC_VIRTUAL_EVENTS = 260, /* sum: virtual SMMUs, events for the host */
    PORTCULLIS_STATISTIC_VIRTUAL_LOST = 261, /* sum: virtual SMMUs, events that the host lost */
    PORTCULLIS_STATISTIC_VIRTUAL_IGNORED = 262, /* sum: virtual SMMUs, accesses without effect */
    PORTCULLIS_STATISTIC_VIRTUAL_BROKEN = 263, /* gauge: virtual SMMUs that hardware does not confirm */
    PORTCULLIS_STATISTIC_VIRTUAL_REFUSED = 272, /* sum: virtual SMMUs, refused: + item */
    /* + 0: reserved command */
    /* + 1: a command that is not offered */
    /* + 2: a Secure stream */
    /* + 4: reserved range */
    /* + 5: the command queue is not the host's memory */
    /* + 6: the stream table is not the host's memory */
    /* + 7: reserved Span */
    /* + 8: a stage 2 */
    /* + 11: reserved shape of contexts */
    /* + 12: contexts out of range */
    /* + 13: the stream may reach nothing */
    /* + 14: no memory left */
    /* + 15: the event queue is not the host's memory */
};
enum portcullis_its_statistic {
    PORTCULLIS_STATISTIC_LOADS = 0, /* sum: loads of + item */
    /* + 0: GITS_CTLR */
    /* + 1: GITS_IIDR */
    /* + 2: GITS_TYPER */
    /* + 4: GITS_MPAMIDR */
    /* + 5: GITS_PARTIDR */
    /* + 6: GITS_MPIDR */
    /* + 16: GITS_STATUSR */
    /* + 18: GITS_UMSIR */
    /* + 32: GITS_CBASER */
    /* + 34: GITS_CWRITER */
    /* + 36: GITS_CREADR */
    /* + 64: GITS_BASER0 */
    /* + 66: GITS_BASER1 */
    /* + 68: GITS_BASER2 */
    /* + 70: GITS_BASER3 */
    /* + 72: GITS_BASER4 */
    /* + 74: GITS_BASER5 */
    /* + 76: GITS_BASER6 */
    /* + 78: GITS_BASER7 */
    /* + 80: registers from 0x140 on */
    PORTCULLIS_STATISTIC_STORES = 96, /* sum: stores to + item */
    /* + 0: GITS_CTLR */
    /* + 1: GITS_IIDR */
    /* + 2: GITS_TYPER */
    /* + 4: GITS_MPAMIDR */
    /* + 5: GITS_PARTIDR */
    /* + 6: GITS_MPIDR */
    /* + 16: GITS_STATUSR */
    /* + 18: GITS_UMSIR */
    /* + 32: GITS_CBASER */
    /* + 34: GITS_CWRITER */
    /* + 36: GITS_CREADR */
    /* + 64: GITS_BASER0 */
    /* + 66: GITS_BASER1 */
    /* + 68: GITS_BASER2 */
    /* + 70: GITS_BASER3 */
    /* + 72: GITS_BASER4 */
    /* + 74: GITS_BASER5 */
    /* + 76: GITS_BASER6 */
    /* + 78: GITS_BASER7 */
    /* + 80: registers from 0x140 on */
    PORTCULLIS_STATISTIC_ACCEPTED = 192, /* sum: commands accepted: + item */
    /* + 1: MOVI */
    /* + 3: INT */
    /* + 4: CLEAR */
    /* + 5: SYNC */
    /* + 8: MAPD */
    /* + 9: MAPC */
    /* + 10: MAPTI */
    /* + 11: MAPI */
    /* + 12: INV */
    /* + 13: INVALL */
    /* + 14: MOVALL */
    /* + 15: DISCARD */
    /* + 33: VMOVI */
    /* + 34: VMOVP */
    /* + 35: VSGI */
    /* + 37: VSYNC */
    /* + 41: VMAPP */
    /* + 42: VMAPTI */
    /* + 43: VMAPI */
    /* + 45: VINVALL */
    /* + 46: INVDB */
    PORTCULLIS_STATISTIC_COMMANDS_REFUSED = 256, /* sum: commands refused: + item */
    /* + 0: reserved command */
    /* + 2: virtual interrupts are not offered */
    /* + 3: DeviceID out of range */
    /* + 4: device not mapped */
    /* + 5: EventID out of range */
    /* + 6: INTID out of range */
    /* + 7: collection out of range */
    /* + 8: collection not mapped */
    /* + 9: no such Redistributor */
    /* + 10: too many devices */
    /* + 11: vPEID out of range */
    /* + 12: vPE not mapped */
    /* + 13: not the host's memory */
    /* + 14: no memory left */
    /* + 15: no such device */
    PORTCULLIS_STATISTIC_IGNORED = 288, /* sum: accesses without effect */
    PORTCULLIS_STATISTIC_DOORBELLS = 289, /* sum: doorbells */
    PORTCULLIS_STATISTIC_PUBLICATIONS = 290, /* sum: writes of the hardware's GITS_CWRITER */
    PORTCULLIS_STATISTIC_PAGES = 320, /* gauge: pages in use */
    PORTCULLIS_STATISTIC_PAGES_FREE = 321, /* gauge: pages free */
    PORTCULLIS_STATISTIC_DEVICES = 322, /* gauge: devices mapped */
    PORTCULLIS_STATISTIC_COLLECTIONS = 323, /* gauge: collections mapped */
    PORTCULLIS_STATISTIC_RETIRING = 324, /* gauge: tables that wait for the hardware */
    PORTCULLIS_STATISTIC_UNFINISHED_DOORBELLS = 325, /* gauge: doorbells that are to run again */
    PORTCULLIS_STATISTIC_VPE_TABLES_HELD = 326, /* gauge: pending tables of vPEs held */
};
/* End of statistics. */

/* Errors of handing over and of finalising. */
#define PORTCULLIS_HYPERCALL_INVALID (-3)         /* no such ITS, half or count */
#define PORTCULLIS_HYPERCALL_DENIED (-4)          /* the host is not trusted, or this was done */
#define PORTCULLIS_HANDOVER_UNREADABLE (-16)      /* the descriptor is not the host's own memory, or what it names does not answer */
#define PORTCULLIS_HANDOVER_MALFORMED (-17)       /* version, reserved words, counts, frame, alignment */
#define PORTCULLIS_HANDOVER_SILENT (-18)          /* the ITS answers with aborts */
#define PORTCULLIS_HANDOVER_NOT_ENABLED (-19)     /* it need not be handed over */
#define PORTCULLIS_HANDOVER_BUSY (-20)            /* commands are under way */
#define PORTCULLIS_HANDOVER_MISMATCH (-21)        /* a register holds something else */
#define PORTCULLIS_HANDOVER_QUEUE_SIZE (-22)      /* no power of two, or too few for a SYNC to each CPU */
#define PORTCULLIS_HANDOVER_TABLE (-23)           /* two tables of devices, or none */
#define PORTCULLIS_HANDOVER_FIRST_LEVEL (-24)     /* an entry of a first level can't be */
#define PORTCULLIS_HANDOVER_DEVICE (-25)          /* a device can't be, or is named twice */
#define PORTCULLIS_HANDOVER_COLLECTION (-26)      /* a collection or its target can't be */
#define PORTCULLIS_HANDOVER_OWNERSHIP (-27)       /* a page is not the host's own memory */
#define PORTCULLIS_HANDOVER_OUT_OF_MEMORY (-28)   /* EL2's memory for this ITS is too small */
#define PORTCULLIS_HANDOVER_REDISTRIBUTORS (-29)  /* there are too many Redistributors */
#define PORTCULLIS_HANDOVER_OVERLAP (-30)         /* two devices have translation tables that overlap */

/* A device that is mapped. */
struct portcullis_handover_device {
    uint32_t device_id;
    uint32_t event_id_bits; /* 1 or more */
    uint64_t table;         /* physical address of its ITT, a multiple of 256 */
};

/*
 * What the host says of one live ITS; little-endian. Behind it lie `devices` times struct
 * portcullis_handover_device, then `collections` times a uint64_t: ICID in bits [15:0], RDbase as in
 * MAPC in bits [51:16]. At most 65,536 bytes in all.
 */
struct portcullis_handover {
    uint64_t version;          /* 1 */
    uint64_t control_frame;    /* physical address */
    uint64_t command_base;     /* GITS_CBASER as it reads */
    uint64_t staging_queue;    /* physical address, aligned to 4096, of the size of the queue in use */
    uint64_t devices;          /* how many */
    uint64_t collections;      /* how many */
    uint64_t zero[2];
    uint64_t table_bases[8];   /* GITS_BASER0 to 7 as they read */
    uint64_t staged_tables[8]; /* physical addresses the host is to read in GITS_BASER<n>, 0 for none */
};

#endif
