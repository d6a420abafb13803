// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * The calls of a host to Portcullis at EL2.
 *
 * SMC Calling Convention (Arm DEN 0028), 64-bit fast calls, HVC, vendor-specific hypervisor service.
 * x0 = PORTCULLIS_HYPERCALL, x1 = the request, x2 and x3 its arguments. x0 returns 0 or a negative
 * error; a hypervisor without these calls returns -1 (NOT_SUPPORTED).
 */
#ifndef PORTCULLIS_HYPERCALLS_H
#define PORTCULLIS_HYPERCALLS_H

#include <stdint.h>

#define PORTCULLIS_HYPERCALL 0xC6005043u

/* x1 = version of this interface, x2 and x3 = base and size of EL2's image, x4 = regions. */
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
 * With `portcullis.trace` among the boot arguments: x2 = 0 reads the first four words of the oldest
 * record of the trace into x1 to x4, x2 = 1 the last four, and takes it. x0 = 1 where none waits.
 */
#define PORTCULLIS_CALL_TRACE 0x300u

/*
 * x2 = number: x1 = the count with that number since boot, or how much there is now; INVALID where there
 * is none. Numbers below PORTCULLIS_STATISTIC_PAGE are of EL2 as a whole, PORTCULLIS_STATISTIC_PAGE * (1 + N)
 * and on of ITS N.
 */
#define PORTCULLIS_CALL_STATISTIC 0x301u
#define PORTCULLIS_STATISTIC_PAGE 512u

#define PORTCULLIS_STATISTIC_ITSES 0u             /* how many ITSes there are */
#define PORTCULLIS_STATISTIC_FREQUENCY 1u         /* counts of the clock in a second */
#define PORTCULLIS_STATISTIC_TRAPS 2u             /* aborts that the host's CPUs took to EL2 */
#define PORTCULLIS_STATISTIC_UNFINISHED 3u        /* those after which the host's store ran again */
#define PORTCULLIS_STATISTIC_CALLS 4u             /* HVC and SMC */
#define PORTCULLIS_STATISTIC_LONGEST 5u           /* counts of the clock in the longest trap */
#define PORTCULLIS_STATISTIC_LONGEST_SYNDROME 6u  /* its ESR_EL2 */
#define PORTCULLIS_STATISTIC_LONGEST_ADDRESS 7u   /* its intermediate physical address */
#define PORTCULLIS_STATISTIC_TICKS 8u             /* counts of the clock in all traps */
#define PORTCULLIS_STATISTIC_REFUSED 16u          /* + reason: accesses answered with an abort */
#define PORTCULLIS_STATISTIC_REDISTRIBUTORS 64u   /* how many Redistributors there are */
#define PORTCULLIS_STATISTIC_TABLES_ENABLED 65u   /* how often LPI tables came into use */
#define PORTCULLIS_STATISTIC_TABLES_RELEASED 66u  /* how often they were given back */
#define PORTCULLIS_STATISTIC_TABLES_HELD 67u      /* how many are held now */
#define PORTCULLIS_STATISTIC_TABLES_IGNORED 68u   /* accesses to Redistributors that did nothing */
#define PORTCULLIS_STATISTIC_TABLES_REFUSED 80u   /* + reason: LPI tables that were refused */
/* Gauges: how much is in use now. TABLES_HELD above is one, too. */
#define PORTCULLIS_STATISTIC_TABLE_PAGES 128u     /* pages of EL2's pool that are tables */
#define PORTCULLIS_STATISTIC_TABLE_PAGES_FREE 129u /* those that are free */
#define PORTCULLIS_STATISTIC_CLAIMED_PAGES 130u   /* pages taken from the host */
#define PORTCULLIS_STATISTIC_SHARED_PAGES 131u    /* pages that the host shares with EL2 */
#define PORTCULLIS_STATISTIC_PINS 132u            /* pins of pages; one that two hold counts twice */
#define PORTCULLIS_STATISTIC_LOG_BYTES 133u       /* bytes of the log that wait for the console */
#define PORTCULLIS_STATISTIC_LOG_LOST 134u        /* lines that the log had no room for, since boot */
/* The SMMUs that EL2 owns. The call that reads one of these has EL2 read, count and log what they have recorded. */
#define PORTCULLIS_STATISTIC_SMMUS 160u           /* how many there are */
#define PORTCULLIS_STATISTIC_DMA_EVENTS 161u      /* events: mostly devices that reached for what they may not */
#define PORTCULLIS_STATISTIC_DMA_OVERFLOWS 162u   /* how often events were lost: no room */
#define PORTCULLIS_STATISTIC_DMA_ABORTS 163u      /* how often events were lost: not written */
#define PORTCULLIS_STATISTIC_DMA_UNLOGGED 164u    /* events that are not in the log */
#define PORTCULLIS_STATISTIC_DMA_INVALIDATIONS 165u /* commands for what the host has lost */
#define PORTCULLIS_STATISTIC_DMA_SYNCS 166u       /* SYNCs behind them */
#define PORTCULLIS_STATISTIC_DMA_UNCONFIRMED 167u /* batches of commands that were not carried out */
#define PORTCULLIS_STATISTIC_DMA_REFUSALS 168u    /* pages that stayed the host's for that */
#define PORTCULLIS_STATISTIC_DMA_STREAM 169u      /* StreamID of the last event in the log */
#define PORTCULLIS_STATISTIC_DMA_ADDRESS 170u     /* its address */
#define PORTCULLIS_STATISTIC_DMA_EVENT 171u       /* its number */
#define PORTCULLIS_STATISTIC_DMA_FAULTS 192u      /* + number of an event, at most 37; 38: of no known type */
/* The SMMUs that the host sees, all together; the reasons are in the order in which the log knows them. */
#define PORTCULLIS_STATISTIC_VIRTUAL_SMMUS 256u   /* how many there are */
#define PORTCULLIS_STATISTIC_VIRTUAL_COMMANDS 257u /* commands that were carried out */
#define PORTCULLIS_STATISTIC_VIRTUAL_BATCHES 258u /* batches of invalidations, each with a SYNC */
#define PORTCULLIS_STATISTIC_VIRTUAL_ENTRIES 259u /* entries of the host's stream tables that were read */
#define PORTCULLIS_STATISTIC_VIRTUAL_EVENTS 260u  /* events written into the host's queues */
#define PORTCULLIS_STATISTIC_VIRTUAL_LOST 261u    /* events that the host has lost */
#define PORTCULLIS_STATISTIC_VIRTUAL_IGNORED 262u /* accesses to registers that did nothing */
#define PORTCULLIS_STATISTIC_VIRTUAL_BROKEN 263u  /* how many get nothing more: the hardware does not confirm */
#define PORTCULLIS_STATISTIC_VIRTUAL_REFUSED 272u /* + reason, at most 15 */

/* Of an ITS. The reasons are in the order in which the log knows them. */
#define PORTCULLIS_STATISTIC_LOADS 0u             /* + offset / 4, at most 80, which is all above 0x13f */
#define PORTCULLIS_STATISTIC_STORES 96u           /* + offset / 4, as loads */
#define PORTCULLIS_STATISTIC_ACCEPTED 192u        /* + number of a command, below 64 */
#define PORTCULLIS_STATISTIC_COMMANDS_REFUSED 256u /* + reason */
#define PORTCULLIS_STATISTIC_IGNORED 288u         /* accesses to registers that did nothing */
#define PORTCULLIS_STATISTIC_DOORBELLS 289u       /* writes of GITS_CWRITER */
#define PORTCULLIS_STATISTIC_PUBLICATIONS 290u    /* EL2's writes of the hardware's GITS_CWRITER */
/* Gauges of an ITS. */
#define PORTCULLIS_STATISTIC_PAGES 320u           /* pages of its memory at EL2 that are taken */
#define PORTCULLIS_STATISTIC_PAGES_FREE 321u      /* those that are free */
#define PORTCULLIS_STATISTIC_DEVICES 322u         /* devices that are mapped */
#define PORTCULLIS_STATISTIC_COLLECTIONS 323u     /* collections that are mapped */
#define PORTCULLIS_STATISTIC_RETIRING 324u        /* tables that wait until the hardware has let go of them */
#define PORTCULLIS_STATISTIC_UNFINISHED_DOORBELLS 325u /* stores of GITS_CWRITER that are to run again */
#define PORTCULLIS_STATISTIC_VPE_TABLES_HELD 326u /* pending tables of vPEs that are held */

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
