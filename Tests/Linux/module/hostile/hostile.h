/* SPDX-FileCopyrightText: 2026 The Portcullis Authors */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A hostile kernel: what its attacks are made of.
 *
 * It uses only what the kernel exports to everybody, knows nothing of the kernel's own driver but the
 * registers and the queue that the driver has programmed, and puts them back after each attack, so that the
 * driver goes on.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <linux/types.h>

/* ---- What an attack comes to ------------------------------------------------------------------- */

struct outcome {
    u64 overwritten;  /* words of EL2's canary that something has written */
    u64 first;        /* the address of the first of them */
    u64 taken;        /* how often hardware took commands or configuration from EL2's memory */
    u64 started;      /* how often a CPU was started at an address that is not the host's */
    u64 wrong;        /* answers that may not be */
    u64 aborts;       /* accesses that were answered with an abort */
    u64 rounds;       /* of a race */
    const char *unmade; /* what the attack has missed, so that it was none */
};

struct attack {
    const char *name;
    void (*run)(struct outcome *outcome);
};

/* Each ends with an attack without a name. */
extern const struct attack register_attacks[], command_attacks[], redistributor_attacks[], race_attacks[],
    hotplug_attacks[];

/* ---- EL2 (el2.c) ------------------------------------------------------------------------------- */

/* The canary, a multiple of 64 KiB of EL2's memory, and where EL2's memory begins. */
extern u64 canary, hypervisor;

/* Without Portcullis both are the module's own memory; false where there is none. */
bool find_canary(void);
void forget_canary(void);
/* Adds what was overwritten since the last such call. */
void check_canary(struct outcome *outcome);
/* A call of PSCI; the status. */
long psci_cpu_on(u64 cpu, u64 entry, u64 context);
long psci_affinity_info(u64 cpu);
#define PSCI_OFF 1

/* ---- The board (board.c) ----------------------------------------------------------------------- */

/* Physical addresses; 0 where there is none. */
u64 address_of_its(void);
u64 address_of_redistributors(void);

/* ---- Accesses that may abort (access.c) -------------------------------------------------------- */

bool store64(void __iomem *address, u64 value);
bool store32(void __iomem *address, u32 value);
bool store16(void __iomem *address, u16 value);
/* Two doublewords with one instruction, for which an abort has no syndrome. */
bool store_pair(void __iomem *address, u64 first, u64 second);
u64 load64(void __iomem *address);
u32 load32(void __iomem *address);
/* The aborts since the last such call. */
u64 take_aborts(void);

/* ---- Time and CPUs (meeting.c) ----------------------------------------------------------------- */

/* How many times slower this machine is than the one that times and rounds are written for. */
extern unsigned int pace;
/* True until `milliseconds`, times the pace, have passed since `start`. */
u64 now(void);
bool within(u64 start, u64 milliseconds);

/*
 * Has all CPUs meet with interrupts masked: the first leads, the second helps until the first is done, all
 * others wait. The kernel stands still meanwhile.
 */
void meet(void (*lead)(void *), void (*help)(void *), void *argument);
/* What all CPUs do at the same place of `lead` and for each other CPU. */
void meet_all(void (*before)(void), void (*lead)(void *), void (*after)(void), void *argument);
/* Whether the helping CPU is to go on. */
bool is_needed(void);
/* Has it begin, which it doesn't by itself. */
void summon_helper(void);
/* Has it leave, and waits until it has. */
void dismiss_helper(void);
/* The helping CPU. */
#define HELPER 1

/* ---- The ITS (its.c) --------------------------------------------------------------------------- */

#define GITS_CTLR 0x0000
#define GITS_TYPER 0x0008
#define GITS_CBASER 0x0080
#define GITS_CWRITER 0x0088
#define GITS_CREADR 0x0090
#define GITS_BASER(n) (0x0100 + 8 * (n))
#define VALID (1ull << 63)
/* Inner shareable, write-back, as GITS_BASER<n> and GITS_CBASER have it. */
#define COHERENT (7ull << 59 | 1ull << 10)

enum table { DEVICES = 1, COLLECTIONS = 4 };

struct command {
    u64 word[4];
};

/* Devices that the machine has not, and the one whose events a CPU can write itself. */
#define DEVICE 0xf8u
#define OTHER_DEVICE 0xf9u
#define CPU_DEVICE 0u
/* LPIs that nobody uses: the bit of the first in a pending table at the canary is clear. */
#define LPI (8192u + 896)
/* The byte of this one in a configuration table at the canary says that it is enabled. */
#define ENABLED_LPI (8192u + 802)

extern void __iomem *its;
extern void __iomem *translater;
extern u64 its_frame;
/* Two pages of the host's own, empty when an attack begins: a translation table, and anything. */
extern u64 table_page, spare_page;

bool find_its(void);
void forget_its(void);

/* Notes what the kernel has programmed; false, and the attack can't be made, where it can't be put back. */
bool remember_its(struct outcome *outcome);
/* Puts it back, and has the ITS carry out again what the kernel has ever asked it for. */
void restore_its(struct outcome *outcome);
/* Puts back the queue alone: what the attack has mapped stays mapped while the kernel goes on. */
void return_queue(struct outcome *outcome);

void disable_its(void);
void enable_its(void);
/* GITS_BASER<n> of a table, as an address; what it is to hold for one of `pages` times 64 KiB. */
void __iomem *table_base(enum table table);
u64 flat_table(u64 address, u64 pages);
/* The kernel's own table, and the entries of a second level, 0 where it has one level. */
u64 *kernel_table(enum table table, u64 *entries);
/* Where the target of a collection is in commands. */
u64 target_of(unsigned int cpu);

/* The place for the next command in the kernel's queue, as an offset and as memory. */
u64 queue_place(void);
u64 queue_size(void);
u64 *queue_slot(u64 offset);
void put(struct command command);
/* Rings the doorbell for all that was put; false where the ITS doesn't take it. */
bool ring(void);
bool ring_within(u64 milliseconds);

struct command mapd(u32 device, u64 table, u64 bits);
struct command unmapd(u32 device);
struct command mapc(u16 collection, u64 target);
struct command mapti(u32 device, u32 event, u32 interrupt, u16 collection);
struct command event_command(u8 opcode, u32 device, u32 event);
struct command sync_command(void);

#define MOVI 0x01
#define INT 0x03
#define CLEAR 0x04
#define SYNC 0x05
#define MAPD 0x08
#define MAPC 0x09
#define MAPTI 0x0a
#define MAPI 0x0b
#define INV 0x0c
#define DISCARD 0x0f

/*
 * An attack on the ITS from one CPU while the others stand still: remembers, attacks, restores, and looks at
 * the canary.
 */
void attack_its(struct outcome *outcome, void (*attack)(struct outcome *));
/* The same while another CPU helps. */
void race_its(struct outcome *outcome, void (*attack)(struct outcome *), void (*help)(void *));

/* ---- The Redistributors (redistributors.c) ----------------------------------------------------- */

bool find_redistributors(void);
void forget_redistributors(void);
/* Has hardware write into the pending table of a CPU, which is the canary if EL2 lets it. */
void aim_pending_table(struct outcome *outcome, unsigned int cpu);
/* The same again and again, by an event that the CPU itself raises, while the kernel does what it likes. */
void keep_aiming(struct outcome *outcome, unsigned int cpu, u64 milliseconds);

/* ---- CPUs that are off (hotplug.c) ------------------------------------------------------------- */

/* The CPU that goes off and comes back. */
#define VICTIM 2u
bool make_stub(void);
void forget_stub(void);

#endif
