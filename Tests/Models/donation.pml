/*
 * SPDX-FileCopyrightText: 2026 The Portcullis Authors
 * SPDX-License-Identifier: Apache-2.0
 *
 * A page changes its owner, over and over, while a CPU of the host and devices behind SMMUs access it: their walks,
 * refills and invalidations happen at any moment that the architecture allows.
 *
 * What is verified:
 *   host_reaches    no access of the host's CPUs to a page that is EL2's
 *   device_reaches  no access of a device to it, by what an SMMU has cached, combined or under way
 *   el2_reaches     no access of EL2, not even a speculative one, to a page that is the host's again
 *   leaks           what EL2 has written to a page is gone before the host or a device has it
 *   two_sizes       no TLB holds a block and a page of it at once
 *   undone          a donation that is refused leaves both tables as they were
 *   donation_ends   a donation ends, also where an SMMU never answers
 *
 * Correspondence:
 *   | of the model | of the code, below Sources |
 *   |---|---|
 *   | el2 | Ownership/Ownership.swift: donate, giveBack; Ownership/Ownership+Change.swift: plan, commit, record |
 *   | host_loses, tlbi | Ownership/Stage2Table.swift: paint, split, breakEntry, commit |
 *   | take_from_devices, refuse | IOMMU/DMAMirror+Following.swift: revoke; Ownership/DMATable.swift: unmap, split, restore |
 *   | sync, submit, confirm, forget_combined | SMMUDriver/SMMUGroup+Driver.swift: sync, unmap, restore; SMMUDriver/SMMUUnit+Commands.swift: submit, confirm, forgetCombined, finish; SMMUDriver/PendingInvalidation.swift: commands |
 *   | give_back | Ownership/Ownership.swift: giveBack; Ownership/Ownership+Change.swift: scrub, commit; Ownership/EL2Stage1Table.swift: unmap; IOMMU/DMAMirror+Following.swift: commit |
 *   | host_cpu, el2_cpu, smmu, watch | none: the hardware, and the states that must be reached |
 *
 * What is left out, and why:
 *   - Who else changes owners: the ownership lock lets one at a time.
 *   - More levels and ranges: the page and its neighbour stand for the last level, their block for all above.
 *   - Stream table entries and contexts: a donation changes none, and each entry has EL2's stage 2.
 *   - Commands in error, and a full queue: for a donation they are an SMMU that does not confirm.
 *   - Caches and the order of stores: what is published is visible. MMIO: it is taken as memory is.
 *
 * Runs:
 *   | run | kind | flags |
 *   |---|---|---|
 *   | cpus | safety | CPU |
 *   | whole | safety | CPU SMMUS=1 |
 *   | smmus | safety | SMMUS=2 |
 *   | nested | safety | SMMUS=1 NESTED |
 *   | broken | safety | SMMUS=1 NESTED BROKEN |
 *   | donation_ends | liveness | SMMUS=1 NESTED BROKEN LIVENESS |
 *
 * Reached:
 *   | state | run |
 *   |---|---|
 *   | DONATED_AND_BACK | whole |
 *   | RETRIED_BY_CPU | cpus |
 *   | STALE_IN_TLB | cpus |
 *   | STALE_IN_SMMU | smmus |
 *   | STALE_COMBINED | nested |
 *   | REFUSED | smmus |
 *   | DONATED_LATER | broken |
 *
 * Mutations:
 *   | flag | run | breaks | test of the code |
 *   |---|---|---|---|
 *   | TLBI_OMITTED | cpus | host_reaches | "A donated page leaves the host's devices, the host and its TLBs before EL2 has it" |
 *   | TLBI_NOT_AWAITED | cpus | host_reaches | no test: the tests' CPUs forget at once; the DSB is in MetalTranslationCache |
 *   | TLBI_BEFORE_STORE | cpus | host_reaches | "The machine of these tests notices a rule that is broken" |
 *   | BREAK_OMITTED | cpus | two_sizes | "A split breaks before it makes, and keeps every neighbour's translation" |
 *   | OWNER_FIRST | cpus | host_reaches | "A donated page leaves the host's devices, the host and its TLBs before EL2 has it" |
 *   | SCRUB_OMITTED | cpus | leaks | "Memory is zeroed before the host has it back" |
 *   | EL2_TLBI_OMITTED | cpus | el2_reaches | "A returned page leaves EL2 and its TLBs before the host has it" |
 *   | DEVICES_FORGOTTEN | whole | device_reaches | "A donation takes the pages from devices, everywhere, before stage 2 or EL2 changes" |
 *   | COMMAND_OMITTED | smmus | device_reaches | "Without the invalidations they do: what is kept is what a device goes by" |
 *   | SYNC_OMITTED | smmus | device_reaches | "What an SMMU has kept, or under way, of a page does not outlive its donation" |
 *   | ONE_SMMU | smmus | device_reaches | "What the host loses every SMMU has forgotten, with one SYNC; what it gains takes none" |
 *   | FAILURE_IGNORED | smmus | device_reaches | "Where an SMMU does not confirm, the page stays the host's, until it does" |
 *   | RESTORE_OMITTED | smmus | undone | "Where an SMMU does not confirm, the page stays the host's, until it does" |
 *   | COMBINED_FORGOTTEN | nested | device_reaches | "F-06: nothing that is combined is filled again from a stage 2 that is not gone yet" |
 *   | COMBINED_AT_ONCE | nested | device_reaches | "F-06: nothing that is combined is filled again from a stage 2 that is not gone yet" |
 *   | SPLIT_UNCONFIRMED | broken | two_sizes | "A block that can't be split at once is confirmed in between, and only then" |
 *   | WAITS_FOR_EVER | donation_ends | donation_ends | "An SMMU that does not answer in time has not confirmed, and is asked again" |
 */

mtype = { BLOCK, CHANGING, TABLE, PAGE, TAKEN };
mtype = { HOST, EL2 };
mtype = { TLBI, COMBINED, SYNC };

#define NOTHING 0
#define UNITS 2
#ifndef SMMUS
#define SMMUS 0
#endif

/* The properties: bits that nobody sets, so that a failed assertion has the name of one. */
bit host_reaches, device_reaches, el2_reaches, leaks, two_sizes, undone;

/* The page, and what leads to it: the host's stage 2, the devices' table, EL2's stage 1. */
mtype owner = HOST;
bit is_secret;
mtype host_block = BLOCK, host_page = NOTHING;
mtype device_block = BLOCK, device_page = NOTHING;
bit el2_page;

/* What CPUs have cached, and are to forget. */
bit host_has_block, host_has_page, el2_has_page;
mtype host_walk = NOTHING;
bit host_must_forget, el2_must_forget;

/* The SMMUs: of stage 2, combined with stage 1, under way. */
bit has_block[UNITS], has_page[UNITS], has_combined[UNITS];
mtype walk[UNITS] = NOTHING;
bit is_under_way[UNITS];
bit must_forget[UNITS], must_forget_combined[UNITS];
chan queue[UNITS] = [4] of { mtype };

/* EL2. */
bit fails, is_working;
bit was_donated, was_refused;

/* Has CPUs forget the host's translations, and waits until they have (DSB). */
inline tlbi() {
#ifdef CPU
  host_must_forget = 1;
#ifdef TLBI_NOT_AWAITED
  skip
#else
  !host_must_forget
#endif
#else
  skip
#endif
}

inline host_loses() {
  if
  :: host_block == BLOCK ->
#ifndef BREAK_OMITTED
     host_block = CHANGING;
     tlbi();
#endif
     atomic { host_page = PAGE; host_block = TABLE }
  :: else
  fi;
#ifdef TLBI_BEFORE_STORE
  tlbi();
  host_page = TAKEN
#else
  host_page = TAKEN;
#ifndef TLBI_OMITTED
  tlbi()
#endif
#endif
}

/* The commands for all that was taken, and a SYNC. A queue that has no room is one that does not answer. */
inline submit(unit) {
  atomic {
    if
    :: len(queue[unit]) > 1 -> fails = 1
    :: else ->
#ifndef COMMAND_OMITTED
       queue[unit]!TLBI;
#endif
#ifdef COMBINED_AT_ONCE
       queue[unit]!COMBINED;
#endif
       queue[unit]!SYNC
    fi }
}

/* Waits until an SMMU has carried out everything, but not for ever. */
inline confirm(unit) {
#ifndef SYNC_OMITTED
  if
  :: empty(queue[unit])
#ifndef WAITS_FOR_EVER
  :: nempty(queue[unit]) -> fails = 1
#endif
  fi
#else
  skip
#endif
}

inline forget_combined(unit) {
#if defined(NESTED) && !defined(COMBINED_FORGOTTEN) && !defined(COMBINED_AT_ONCE)
  if
  :: fails
  :: else ->
     atomic { queue[unit]!COMBINED; queue[unit]!SYNC };
     confirm(unit)
  fi
#else
  skip
#endif
}

inline sync() {
#if SMMUS > 0
  submit(0);
#if SMMUS > 1 && !defined(ONE_SMMU)
  submit(1);
#endif
  confirm(0);
  forget_combined(0);
#if SMMUS > 1 && !defined(ONE_SMMU)
  confirm(1);
  forget_combined(1);
#endif
#endif
#ifdef FAILURE_IGNORED
  fails = 0
#else
  skip
#endif
}

inline take_from_devices() {
  if
  :: device_block == BLOCK ->
#ifdef BROKEN
     device_block = TAKEN;
#ifndef SPLIT_UNCONFIRMED
     sync();
#endif
     if
     :: fails
     :: else -> atomic { device_page = PAGE; device_block = TABLE }
     fi
#else
     atomic { device_page = PAGE; device_block = TABLE }
#endif
  :: else
  fi;
  if
  :: fails
  :: else ->
     device_page = TAKEN;
     sync()
  fi
}

inline refuse() {
  atomic {
#ifndef RESTORE_OMITTED
    if
    :: device_block == TAKEN -> device_block = BLOCK
    :: device_block == TABLE -> device_page = PAGE
    fi;
#endif
    assert(device_block == BLOCK || (device_block == TABLE && device_page == PAGE) || undone);
    assert(owner == HOST && host_block != CHANGING && host_page != TAKEN || undone);
    fails = 0; was_refused = 1 }
}

inline give_back() {
#ifndef SCRUB_OMITTED
  is_secret = 0;
#endif
  el2_page = 0;
#if defined(CPU) && !defined(EL2_TLBI_OMITTED)
  el2_must_forget = 1;
  !el2_must_forget;
#endif
  owner = HOST;
  host_page = PAGE;
  device_page = PAGE
}

proctype el2() {
end:
  do
  :: is_working = 1;
#if SMMUS > 0 && !defined(DEVICES_FORGOTTEN)
     take_from_devices();
#endif
     if
     :: fails -> refuse()
     :: else ->
#ifdef OWNER_FIRST
        owner = EL2;
        host_loses();
#else
        host_loses();
        owner = EL2;
#endif
        atomic { el2_page = 1; is_secret = 1; was_donated = 1 };
        give_back()
     fi;
     is_working = 0
  od
}

/* A CPU that runs the host: it walks ahead of what it needs, keeps what it finds, and accesses by what it keeps. */
proctype host_cpu() {
end:
  do
  :: atomic { host_walk == NOTHING && host_block == BLOCK -> host_walk = BLOCK }
  :: atomic { host_walk == NOTHING && host_block == TABLE && host_page == PAGE -> host_walk = PAGE }
  :: atomic { host_walk == BLOCK -> host_has_block = 1; host_walk = NOTHING;
       assert(!host_has_page || two_sizes) }
  :: atomic { host_walk == PAGE -> host_has_page = 1; host_walk = NOTHING;
       assert(!host_has_block || two_sizes) }
  :: atomic { host_has_block || host_has_page ->
       assert(owner == HOST || host_reaches);
       assert(!is_secret || owner == EL2 || leaks) }
  :: atomic { host_must_forget ->
       host_walk = NOTHING; host_has_block = 0; host_has_page = 0; host_must_forget = 0 }
  od
}

/* A CPU at EL2. */
proctype el2_cpu() {
end:
  do
  :: atomic { el2_page && !el2_has_page -> el2_has_page = 1 }
  :: atomic { el2_has_page -> assert(owner == EL2 || el2_page || el2_reaches) }
  :: atomic { el2_must_forget -> el2_has_page = 0; el2_must_forget = 0 }
  od
}

/* An SMMU with a device behind it. Commands take effect in any order up to a SYNC (IHI 0070, 4.7.3). */
proctype smmu(byte me) {
end:
  do
  :: atomic { walk[me] == NOTHING && device_block == BLOCK && !has_block[me] -> walk[me] = BLOCK }
  :: atomic { walk[me] == NOTHING && device_block == TABLE && device_page == PAGE && !has_page[me] -> walk[me] = PAGE }
  :: atomic { walk[me] == BLOCK -> has_block[me] = 1; walk[me] = NOTHING }
  :: atomic { walk[me] == PAGE -> has_page[me] = 1; walk[me] = NOTHING;
#ifdef BROKEN
       assert(!has_block[me] || two_sizes)
#endif
     }
#ifdef NESTED
  :: atomic { (has_block[me] || has_page[me]) && !has_combined[me] -> has_combined[me] = 1 }
  :: atomic { has_combined[me] && !is_under_way[me] -> is_under_way[me] = 1 }
#else
  :: atomic { (has_block[me] || has_page[me]) && !is_under_way[me] -> is_under_way[me] = 1 }
#endif
  :: atomic { is_under_way[me] ->
       assert(owner == HOST || device_reaches);
       assert(!is_secret || owner == EL2 || leaks);
       is_under_way[me] = 0 }
#ifndef LIVENESS
  :: atomic { queue[me]?[TLBI] -> queue[me]?TLBI; must_forget[me] = 1 }
  :: atomic { queue[me]?[COMBINED] -> queue[me]?COMBINED; must_forget_combined[me] = 1 }
  :: atomic { must_forget[me] -> has_block[me] = 0; has_page[me] = 0; walk[me] = NOTHING; must_forget[me] = 0 }
  :: atomic { must_forget_combined[me] -> has_combined[me] = 0; must_forget_combined[me] = 0 }
  :: atomic { queue[me]?[SYNC] && !must_forget[me] && !must_forget_combined[me] && !is_under_way[me] -> queue[me]?SYNC }
#endif
  od
}

init {
  atomic {
    run el2();
#ifdef CPU
    run host_cpu();
    run el2_cpu();
#endif
#if SMMUS > 0
    run smmu(0);
#endif
#if SMMUS > 1
    run smmu(1);
#endif
  }
}

#define DONATED_AND_BACK (was_donated && !is_working && owner == HOST && is_under_way[0])
#define RETRIED_BY_CPU (host_block == CHANGING && !host_has_block && !host_must_forget)
#define STALE_IN_TLB (host_page == TAKEN && host_has_page)
#define STALE_IN_SMMU (device_page == TAKEN && has_page[0] && has_block[1])
#define STALE_COMBINED (device_page == TAKEN && has_combined[0] && !has_page[0] && !has_block[0])
#define REFUSED (was_refused && !is_working && device_page == PAGE)
#define DONATED_LATER (was_refused && owner == EL2)

#ifdef REACHED
bit state_reached;
active proctype watch() { end: atomic { (REACHED) -> assert(!(REACHED) || state_reached) } }
#endif

#ifdef LIVENESS
ltl donation_ends { [] <> !is_working }
#endif
