/*
 * SPDX-FileCopyrightText: 2026 The Portcullis Authors
 * SPDX-License-Identifier: Apache-2.0
 *
 * EL2 replaces the entry of a stream, by whatever rule the host's entry comes to, while the device works: the SMMU
 * fetches the words of the entry in any order, at any moment, and keeps what it has fetched.
 *
 * What is verified:
 *   stage2_skipped  no transaction passes EL2's stage 2 by
 *   torn            a stage 1 is read with both words of one rule
 *   goes_by_rule    when a change is done, the device goes by the new rule and by no other
 *
 * Correspondence:
 *   | of the model | of the code, below Sources |
 *   |---|---|
 *   | el2, replace | SMMUDriver/SMMUUnit+Streams.swift: set, entry, replace |
 *   | publish | SMMUDriver/SMMUUnit+Streams.swift: publish, store |
 *   | forget | SMMUDriver/SMMUUnit+Streams.swift: forget; SMMUDriver/SMMUUnit+Commands.swift: carryOut, confirm |
 *   | smmu, commands, watch | none: the hardware, and the states that must be reached |
 *
 * What is left out, and why:
 *   - Contexts: they are the host's, behind EL2's stage 2.
 *   - The first level: a table is zero before a descriptor leads to it, so that all of it is not valid.
 *   - An SMMU that does not confirm: the virtual SMMU is broken then, and nothing follows.
 *   - Words 2 and 3 apart: both are zero or EL2's stage 2.
 *
 * Runs:
 *   | run | kind | flags |
 *   |---|---|---|
 *   | entry | safety | |
 *   | change_ends | liveness | LIVENESS |
 *
 * Reached:
 *   | state | run |
 *   |---|---|
 *   | HALF_FETCHED | entry |
 *   | KEPT_OLD | entry |
 *   | BETWEEN | entry |
 *   | OTHER_STAGE_1 | entry |
 *
 * Mutations:
 *   | flag | run | breaks | test of the code |
 *   |---|---|---|---|
 *   | STAGE2_LAST | entry | stage2_skipped | "An entry changes while its device works, and the hardware fetches at the worst moments" |
 *   | VALID_FIRST | entry | torn | "An entry changes while its device works, and the hardware fetches at the worst moments" |
 *   | HALF_KEPT | entry | torn | "An entry that is made valid first is kept half written, where hardware fetches at any time" |
 *   | BETWEEN_OMITTED | entry | torn | "An entry changes while its device works, and the hardware fetches at the worst moments" |
 *   | SECOND_WORD_KEPT | entry | torn | "An entry changes while its device works, and the hardware fetches at the worst moments" |
 *   | LAST_KEPT | entry | goes_by_rule | "An entry of the stream table may be forgotten no earlier than CMD_SYNC, too" |
 *   | SYNC_OMITTED | entry | goes_by_rule | "An entry of the stream table may be forgotten no earlier than CMD_SYNC, too" |
 *   | SMMU_HANGS | change_ends | change_ends | no test: the wait that ends is that of donations |
 */

mtype = { INVALID, ABORT, PASS, FIRST, SECOND };  /* Config, of the last two with the address of the contexts */
mtype = { STAGE2 };
#define NOTHING 0

/* The properties: bits that nobody sets, so that a failed assertion has the name of one. */
bit stage2_skipped, torn, goes_by_rule;

/* The entry in memory: Config, how contexts are read, stage 2. */
mtype word[3] = NOTHING;
/* What the SMMU has fetched, which words are there, and what it keeps. */
mtype fetched[3] = NOTHING;
bit is_fetched[3];
mtype kept[3] = NOTHING;
bit is_kept;
bit must_forget;

mtype rule = INVALID, new = INVALID;
bit is_working;

#define HAS_STAGE1(config) (config == FIRST || config == SECOND)
#define SECOND_WORD (HAS_STAGE1(new) -> new : NOTHING)

/* CMD_CFGI_STE, CMD_SYNC, and the wait for both. */
inline forget() {
  must_forget = 1;
#ifdef SYNC_OMITTED
  skip
#else
  !must_forget
#endif
}

inline publish(config) {
  word[0] = config;
#ifdef LAST_KEPT
  skip
#else
  forget()
#endif
}

inline replace() {
  if
  :: new != INVALID && (word[0] == INVALID || word[2] != STAGE2) ->
#ifdef VALID_FIRST
     word[0] = new;
#endif
     word[1] = SECOND_WORD;
#ifndef STAGE2_LAST
     word[2] = STAGE2;
#endif
#ifndef HALF_KEPT
     forget();
#endif
     publish(new)
#ifdef STAGE2_LAST
     ; word[2] = STAGE2
#endif
  :: new != INVALID && word[0] != INVALID && word[2] == STAGE2 && word[1] != SECOND_WORD ->
#ifndef BETWEEN_OMITTED
     if
     :: HAS_STAGE1(word[0]) && HAS_STAGE1(new) -> publish(ABORT)
     :: HAS_STAGE1(word[0]) && !HAS_STAGE1(new) -> publish(new)
     :: else
     fi;
#endif
     word[1] = SECOND_WORD;
#ifndef SECOND_WORD_KEPT
     forget();
#endif
     if
     :: word[0] == new
     :: else -> publish(new)
     fi
  :: else ->
     if
     :: word[0] == new
     :: else -> publish(new)
     fi
  fi
}

active proctype el2() {
  word[0] = INVALID;
end:
  do
  :: atomic {
       is_working = 1;
       if
       :: new = INVALID
       :: new = ABORT
       :: new = PASS
       :: new = FIRST
       :: new = SECOND
       fi };
     replace();
     atomic { rule = new; is_working = 0 }
  od
}

#define USES_STAGE2 (kept[0] == PASS || HAS_STAGE1(kept[0]))

active proctype smmu() {
end:
  do
  :: atomic { !is_kept && !is_fetched[0] && word[0] != NOTHING -> fetched[0] = word[0]; is_fetched[0] = 1 }
  :: atomic { !is_kept && !is_fetched[1] -> fetched[1] = word[1]; is_fetched[1] = 1 }
  :: atomic { !is_kept && !is_fetched[2] -> fetched[2] = word[2]; is_fetched[2] = 1 }
  :: atomic { is_fetched[0] && is_fetched[1] && is_fetched[2] ->
       kept[0] = fetched[0]; kept[1] = fetched[1]; kept[2] = fetched[2]; is_kept = 1;
       fetched[0] = NOTHING; fetched[1] = NOTHING; fetched[2] = NOTHING;
       is_fetched[0] = 0; is_fetched[1] = 0; is_fetched[2] = 0 }
  :: atomic { is_kept ->
       assert(!USES_STAGE2 || kept[2] == STAGE2 || stage2_skipped);
       assert(!HAS_STAGE1(kept[0]) || kept[1] == kept[0] || torn);
       assert(is_working || kept[0] == rule || goes_by_rule) }
  od
}

/* Its queue of commands. */
active proctype commands() {
end:
  do
#ifdef SMMU_HANGS
  :: atomic { must_forget && !must_forget -> skip }
#else
  :: atomic { must_forget ->
       must_forget = 0;
       is_kept = 0; kept[0] = NOTHING; kept[1] = NOTHING; kept[2] = NOTHING;
       fetched[0] = NOTHING; fetched[1] = NOTHING; fetched[2] = NOTHING;
       is_fetched[0] = 0; is_fetched[1] = 0; is_fetched[2] = 0 }
#endif
  od
}

#define HALF_FETCHED (fetched[2] == NOTHING && is_fetched[2] && word[2] == STAGE2)
#define KEPT_OLD (is_kept && kept[0] == PASS && word[0] == FIRST)
#define BETWEEN (kept[0] == ABORT && rule == FIRST && new == SECOND)
#define OTHER_STAGE_1 (!is_working && rule == SECOND && kept[0] == SECOND)

#ifdef REACHED
bit state_reached;
active proctype watch() { end: atomic { (REACHED) -> assert(!(REACHED) || state_reached) } }
#endif

#ifdef LIVENESS
ltl change_ends { [] <> !is_working }
#endif
