/*
 * SPDX-FileCopyrightText: 2026 The Portcullis Authors
 * SPDX-License-Identifier: Apache-2.0
 *
 * The doorbell: two CPUs of the host ring it, the ITS fetches, completes, stalls, hangs and loses its power, and an
 * embedder gives pages away.
 *
 * What is verified:
 *   table_in_use       a translation table or a pending table is freed only when the hardware can't use it any more
 *   given_away_in_use  no page is given to another VM while EL2 or the hardware still uses it
 *   executed_once      the hardware carries out each command of the commit queue, once, in order
 *   taken_once         EL2 takes each command that the host has written, once
 *   read_once          a command is read from the host's memory once, also where it takes several traps
 *   slot_in_use        a slot is written only when the hardware has passed it
 *   completion_true    GITS_CREADR passes no command of the host that the hardware has not carried out
 *   store_ends         a store to GITS_CWRITER ends, also where the hardware hangs
 *   all_carried_out    the host sees GITS_CREADR come to GITS_CWRITER, where the hardware goes on or is told to by Retry
 *
 * Correspondence:
 *   | of the model | of the code, below Sources |
 *   |---|---|
 *   | cpu, end_trap | Hypervisor/Monitor+ITS.swift: readITS, writeITS, pauseITS, wakeITS |
 *   | lock, unlock | Architecture/SpinLock.swift: withLock |
 *   | ring, end_ring | ITS/MediatedITS+Registers.swift: ring, retry, mayRunAgain; ITS/DoorbellTokens.swift: find, add, remove |
 *   | read_pointer | ITS/MediatedITS+Registers.swift: read, readPointer; ITS/CommitQueue.swift: currentOrigin |
 *   | set_control, hardware_control | ITS/MediatedITS+Registers.swift: setControl, hardwareControl, waitUntilQuiescent; ITS/MediatedITS+Resume.swift: pause, wake, awaitRest |
 *   | set_command_base | ITS/MediatedITS+Registers.swift: setCommandBase, isUnlocked; ITS/MediatedITS+Drain.swift: forgetPending |
 *   | drain, end_drain, take | ITS/MediatedITS+Drain.swift: drain, take, holdsStaging; ITS/StagingQueue.swift: ask, read, advance |
 *   | has_room | ITS/MediatedITS+Drain.swift: hasRoom, room |
 *   | carry_out, unmap | ITS/MediatedITS+Commands.swift: carryOut, mapDevice, zero, unmap; ITS/MediatedITS+VirtualCommands.swift: mapVPE, unmap |
 *   | append, publish, observe | ITS/CommitQueue.swift: append, publish, observe; ITS/MediatedITS+Drain.swift: publish, publishPastZero, observe |
 *   | finish_batch, retire | ITS/MediatedITS+Drain.swift: finishBatch, retire; ITS/RetirementQueue.swift: append, seal, isDue, takeFirst |
 *   | rest, settle, reinstall | ITS/MediatedITS+Resume.swift: rest, settle, reinstall, isRunning, hasRegisters; ITS/CommitQueue.swift: restart, isUnused |
 *   | embedder | PortcullisC/EmbedderState+Pages.swift: giveAway, hold; PortcullisC/EmbedderPageAuthority.swift: share; ITS/MediatedITS+Held.swift: held |
 *   | its, power, watch | none: the hardware, and firmware that wakes it |
 *
 * What is left out, and why:
 *   - Other commands: each is one that is appended (INT), that retires something (UNMAP, RELEASE), or both (MAP).
 *   - Purges of replaced tables: they unmap as MAPD does. Handover: one trap beside which nothing runs.
 *   - More than one command a trap: with one, each trap ends in the worst place.
 *   - A token that is half a queue old: the queue is larger than what the host rings here.
 *   - A second store of a CPU whose first one is unfinished: a token is found by its value as by its CPU.
 *   - Firmware that sets Enabled itself, before EL2 wakes: nothing that EL2 does comes before it.
 *   - A GITS_CBASER of firmware: behind a loss it is EL2's or not valid, and then nothing is fetched.
 *   - VSYNC behind RELEASE: the SYNC alone must do, which waits for more.
 *
 * Runs:
 *   | run | kind | flags |
 *   |---|---|---|
 *   | queue | safety | CPUS STALLS=1 RINGS=3 |
 *   | pages | safety | CPUS HOSTILE EMBEDDER REBASE CONTROLS=2 STALLS=0 RINGS=3 |
 *   | queues | safety | REBASE CONTROLS=2 STALLS=1 RINGS=3 |
 *   | power | safety | POWER CONTROLS=2 STALLS=0 RINGS=3 |
 *   | store_ends | liveness | CPUS LIVENESS HANGS STALLS=0 RINGS=3 |
 *   | all_carried_out | liveness | CPUS LIVENESS STALLS=1 RINGS=2 |
 *
 * Reached:
 *   | state | run |
 *   |---|---|
 *   | TWO_UNFINISHED | queue |
 *   | RETIREMENT_WAITS | queue |
 *   | COMES_AROUND | queue |
 *   | STALLED_WHILE_UNFINISHED | queue |
 *   | GIVEN_AFTER_USE | pages |
 *   | REFUSED_WHILE_PINNED | pages |
 *   | RESUMED | power |
 *   | OFF_FOR_GOOD | power |
 *
 * Mutations:
 *   | flag | run | breaks | test of the code |
 *   |---|---|---|---|
 *   | SYNC_OMITTED | queue | table_in_use | "B-43 A table is free when the hardware has passed the unmapping and the SYNCs, not before" |
 *   | FREED_WHEN_PUBLISHED | queue | table_in_use | "B-43 A table is free when the hardware has passed the unmapping and the SYNCs, not before" |
 *   | LOCK_DROPPED | queue | taken_once | "one of them is in it at a time" |
 *   | TOKENS_OMITTED | queue | taken_once | "A store that stops for its budget runs again, and one that another CPU has overtaken does not turn the queue back" |
 *   | READ_TWICE | queue | read_once | "B-33 A command that changes after the doorbell is carried out as it was" |
 *   | ROOM_UNCHECKED | power | slot_in_use | "Hardware that is slow gets all commands, once, in order" |
 *   | COMPLETED_WHEN_TAKEN | queue | completion_true | "B-49 GITS_CWRITER reads as the host wrote it, GITS_CREADR as far as the hardware is" |
 *   | LOOKED_ONCE | pages | given_away_in_use | "memory that a trap is about to use is not given away" |
 *   | RUNNING_UNCHECKED | power | table_in_use | "B-88 Commands that were lost with the power leave the ITS off: nothing is freed, nothing runs" |
 *   | REST_BELIEVES_ZERO | power | executed_once | "F-09: A reset that looks like the end of the queue completes no command" |
 *   | REPLAY | power | executed_once | "F-09: Commands that were carried out are not carried out again" |
 *   | PAST_ZERO_OMITTED | power | executed_once | "An ITS that has come to rest anywhere in its queue goes on, with and without its power" |
 *   | FRUITLESS_WITHOUT_END | store_ends | store_ends | "Stuck hardware: the store retires, tables are never freed, and another queue changes nothing of it" |
 */

#ifdef POWER
#define C 5     /* slots of the commit queue: the host comes around with three commands */
#else
#define C 6
#endif
#ifdef HOSTILE
#define H 2     /* slots of the staging queue: whatever the store says is one command or none */
#else
#define H 8     /* half of it is more than the host rings: no token is too old */
#endif
#define ROOM 4  /* an unmapping, the command, a SYNC, a SYNC past the end */
#define FRUITLESS 2
#define NO 3

#ifndef RINGS
#define RINGS 3
#endif

#define NOTHING 0
mtype = { SYNC, MAP, UNMAP, INT, HOLD, RELEASE };
mtype = { RING, READ, CONTROL, BASE, PAUSE, SLEEP, WAKE };

/* The properties: bits that nobody sets, so that a failed assertion has the name of one. */
bit table_in_use, executed_once, taken_once, read_once, slot_in_use, given_away_in_use, completion_true;

/* The hardware. */
bit hw_enabled = 1, hw_quiescent, hw_stalled, hw_has_queue = 1;
byte creadr, cwriter;
mtype op[C];
byte arg[C];
byte hw_table = NO, memory_table = NO; /* the device's table: as the ITS has it, and as it has written it back */
bit hw_vpe;                            /* it uses the pending table, page 1 of the host */
bit flight[3];                         /* interrupts under way by a table; 2 is the pending table */
bit has_hung;
byte stalls, losses;

/* EL2: all of it guarded by the lock of the ITS. */
chan waiting = [3] of { byte };         /* who holds the lock, and behind it those who wait: it is fair */
byte written, published, completed, installed;
byte origin[C];
byte taken, asked, began;
bit is_enabled = 1, is_at_rest, is_paused, is_broken, is_hw_stalled;
bit is_pinned, is_stalled;
byte fruitless;
mtype pending = NOTHING;
byte unfinished = NO, zeroed;
byte device = NO;                      /* the ledger: its table */
bit vpe, is_held;                      /* the ledger: the vPE is mapped; its table is pinned */
bit is_free[2] = 1;                    /* the arena */
byte retired[3], behind[3], retirements, sealed;
byte token[2], token_offset[2];
bit is_away[2];                        /* what EmbedderPages knows */

/* The embedder: pages of the host that are somebody else's now. 0: the staging queue, 1: the pending table. */
bit is_given[2];

/* Ghosts: what has happened. */
byte done;                             /* commands that the hardware has carried out, as a count of the queue */
byte issued;                           /* commands that the host has written */
byte rings;
byte host_lock;
byte seen;                             /* how far the host knows its queue to be */
bit storing[2];
byte toggles;
bit was_read;                          /* the command that is next was read */

#define FREE (C - 1 - (written - completed))

inline append(what, table) {
  assert(op[written % C] == NOTHING || slot_in_use);
  op[written % C] = what;
  arg[written % C] = table;
  origin[written % C] = taken;
  written++
}

/* CommitQueue.publish, and the write of GITS_CWRITER. */
inline publish() {
  if
  :: written != published ->
#ifndef PAST_ZERO_OMITTED
     if
     :: written % C == 0 && FREE > 0 -> append(SYNC, NO)
     :: else
     fi;
#endif
     published = written;
     cwriter = published % C
  :: else
  fi
}

/* Looks how far the hardware is. */
inline observe() {
    if
    :: is_at_rest
    :: else ->
       is_hw_stalled = hw_stalled;
       step = (creadr + C - completed % C) % C;
       if
       :: step <= published - completed -> completed = completed + step
       :: else -> is_broken = 1
       fi;
       step = 0
    fi
}

inline hardware_control() {
  quiescent = hw_quiescent;
  if
  :: hw_enabled != is_enabled -> is_broken = 1
  :: else
  fi
}

/* MediatedITS.rest: where a disabled, Quiescent ITS rests. */
inline rest(believes_zero) {
  if
  :: !hw_has_queue -> is_broken = 1
  :: hw_has_queue ->
     if
     :: atomic { creadr != 0 || (believes_zero) -> skip };
        observe();
        is_at_rest = !is_broken
     :: atomic { creadr == 0 && !(believes_zero) -> skip }
     fi
  fi
}

inline settle() {
  if
  :: !is_enabled && !is_at_rest && !is_broken ->
#ifdef REST_BELIEVES_ZERO
     rest(true)
#else
     rest(published == installed)
#endif
  :: else
  fi
}

/* Sees to it that an ITS at rest has EL2's queue; `works` says whether it has. */
inline reinstall() {
  if
#ifdef REPLAY
  :: hw_has_queue -> works = 1
#else
  :: hw_has_queue && creadr == completed % C && cwriter == published % C -> works = 1
#endif
  :: else ->
     if
     :: published != completed -> works = 0
     :: else ->
        atomic {
          if
          :: !hw_enabled && hw_quiescent -> hw_has_queue = 1; creadr = 0; cwriter = 0; hw_stalled = 0
          :: else
          fi };
        works = hw_has_queue && creadr == 0 && cwriter == 0;
        if
        :: works ->
           atomic {
             assert(done == published || executed_once);
             written = ((written + C - 1) / C) * C;
             published = written; completed = written; installed = written; done = written;
             is_hw_stalled = 0 }
        :: else
        fi
     fi
  fi
}

#ifdef FREED_WHEN_PUBLISHED
#define IS_DUE (sealed > 0 && behind[0] <= published)
#else
#define IS_DUE (sealed > 0 && behind[0] <= completed)
#endif
#ifdef RUNNING_UNCHECKED
#define IS_RUNNING true
#else
#define IS_RUNNING (hw_enabled && hw_has_queue)
#endif

/* Frees what the hardware has let go of. */
inline retire() {
  if
  :: IS_DUE && !IS_RUNNING -> is_broken = 1
  :: IS_DUE && IS_RUNNING ->
     do
     :: IS_DUE ->
        if
        :: retired[0] == 2 -> is_held = 0; assert((!hw_vpe && !flight[2]) || table_in_use)
        :: else ->
           is_free[retired[0]] = 1;
           assert((hw_table != retired[0] && !flight[retired[0]]) || table_in_use)
        fi;
        retired[0] = retired[1]; behind[0] = behind[1];
        retired[1] = retired[2]; behind[1] = behind[2];
        retired[2] = 0; behind[2] = 0;
        sealed--; retirements--
     :: else -> break
     od
  :: else
  fi
}

inline unmap() {
  append(UNMAP, device);
  retired[retirements] = device; retirements++;
  device = NO
}

/* A rule and its effect; `outcome` is 1 for done, 0 for later. */
inline carry_out() {
  outcome = 1;
  if
  :: command == INT ->
     if
     :: device != NO -> append(INT, device)
     :: else
     fi
  :: command == UNMAP ->
     if
     :: device != NO -> unmap()
     :: else
     fi
  :: command == MAP ->
     if
     :: unfinished == NO && !is_free[0] && !is_free[1] -> outcome = (retirements == 0 -> 1 : 0)
     :: else ->
        if
        :: unfinished == NO && is_free[0] -> unfinished = 0; is_free[0] = 0
        :: unfinished == NO && !is_free[0] -> unfinished = 1; is_free[1] = 0
        :: else
        fi;
        zeroed++;
        if
        :: zeroed < 2 -> outcome = 0
        :: else ->
           zeroed = 0;
           if
           :: device != NO -> unmap()
           :: else
           fi;
           device = unfinished;
           append(MAP, device);
           unfinished = NO
        fi
     fi
#ifdef EMBEDDER
  :: command == HOLD ->
     if
     :: vpe || is_held || is_away[1]
     :: else -> vpe = 1; is_held = 1; append(HOLD, 2)
     fi
  :: command == RELEASE ->
     if
     :: vpe -> append(RELEASE, 2); retired[retirements] = 2; retirements++; vpe = 0
     :: else
     fi
#endif
  fi
}

/* Whether the commit queue has room; `works` says so. */
inline has_room() {
#ifdef ROOM_UNCHECKED
  works = 1
#else
  if
  :: FREE >= ROOM -> works = 1
  :: else -> publish(); observe(); works = (FREE >= ROOM && !is_broken)
  fi
#endif
}

/* One command a trap. */
inline take() {
  has_room();
  if
  :: !works -> more = 1
  :: else ->
     works = 0;
     if
     :: pending == NOTHING ->
        assert(!is_given[0] || given_away_in_use);
#ifndef HOSTILE
        assert(taken < issued || taken_once);
#endif
        assert(!was_read || read_once);
        was_read = 1;
        if
        :: command = INT
#ifdef EMBEDDER
        :: command = HOLD
        :: command = RELEASE
#else
        :: command = UNMAP
        :: command = MAP
#endif
        fi
     :: else -> command = pending
     fi;
     carry_out();
     if
     :: outcome ->
        pending = NOTHING; was_read = 0;
        taken++;
        more = (taken != asked)
     :: else ->
#ifndef READ_TWICE
        pending = command;
#endif
        more = 1
     fi;
     command = NOTHING; outcome = 0
  fi
}

/* MediatedITS.drain as far as the write of GITS_CWRITER; `looks` says that tables are retired. */
inline drain() {
  before = written + completed + taken + zeroed;
  if
  :: taken != asked && !is_stalled && !is_away[0] && !is_pinned ->
#ifdef EMBEDDER
     /* A page of the embedder: it may be given away while this looks. */
     pins = 1
#else
     is_pinned = 1; take()
#endif
  :: taken != asked && !is_stalled && is_pinned -> take()
  :: taken != asked && !is_stalled && !is_pinned && is_away[0] -> is_stalled = 1
  :: else
  fi
}

inline finish_batch() {
  if
  :: retirements != sealed ->
#ifndef SYNC_OMITTED
     append(SYNC, NO);
#endif
     do
     :: sealed < retirements -> behind[sealed] = written; sealed++
     :: else -> break
     od
  :: else
  fi;
  publish();
  looks = (retirements > 0)
}

/* What is left of MediatedITS.drain behind the hardware's progress. */
inline end_drain() {
  if
  :: is_broken -> more = 0
  :: else
  fi;
  if
  :: more -> fruitless = (before == written + completed + taken + zeroed -> (fruitless < FRUITLESS -> fruitless + 1 : fruitless) : 0)
  :: else
  fi;
  before = 0
}

#ifdef FRUITLESS_WITHOUT_END
#define MAY_RUN_AGAIN true
#define FRUITLESS_RUN fruitless = 0
#else
#define MAY_RUN_AGAIN (fruitless < FRUITLESS)
#define FRUITLESS_RUN fruitless++
#endif

inline lock() {
#ifdef LOCK_DROPPED
  skip
#else
  waiting!me
#endif
}

#ifdef LOCK_DROPPED
#define LOCKED true
#define ATOMIC
#else
#define LOCKED waiting?[eval(me)]
/* What lies between two accesses to the hardware, with the lock held. */
#define ATOMIC atomic
#endif

inline unlock() {
#ifdef LOCK_DROPPED
  skip
#else
  waiting?eval(me)
#endif
}

/* What the store says that is carried out: again with the value that it had, or anew. */
inline ring() {
#ifndef TOKENS_OMITTED
  if
  :: token[me] != 0 && token_offset[me] == value % H -> is_continued = 1
  :: else ->
#endif
     asked = taken + (value % H + H - taken % H) % H;
     fruitless = 0
#ifndef TOKENS_OMITTED
  fi
#endif
  ;
  if
  :: retries ->
     is_stalled = 0;
     if
     :: is_hw_stalled -> is_hw_stalled = 0; hw_stalled = 0
     :: else
     fi;
     retries = 0
  :: else
  fi
}

inline end_ring() {
    if
    :: more && MAY_RUN_AGAIN ->
       token[me] = asked + 1; token_offset[me] = value % H
    :: else ->
       if
       :: is_continued -> token[me] = 0; token_offset[me] = 0
       :: else
       fi;
       value = 0; storing[me] = 0
    fi;
    is_continued = 0; more = 0;
    if
    :: host_lock == me + 1 -> host_lock = 0
    :: else
    fi
}

/* A store to GITS_CTLR of what is `wanted`, and is not there; `drains` says whether the queue is gone on with. */
inline set_control() {
  ATOMIC {
    hardware_control();
    drains = 1;
    if
    :: wanted && is_broken -> drains = 0
    :: wanted && !is_broken && !quiescent ->
       drains = 0;
       if
       :: MAY_RUN_AGAIN -> FRUITLESS_RUN; more = 1
       :: else
       fi
    :: else
    fi };
  if
  :: ATOMIC { wanted && drains -> settle() };
     ATOMIC {
       if
       :: !is_at_rest -> is_broken = 1; drains = 0
       :: else ->
          reinstall();
          if
          :: works
          :: else -> is_broken = 1; drains = 0
          fi;
          works = 0
       fi }
  :: ATOMIC { !(wanted && drains) -> skip }
  fi;
  if
  :: ATOMIC { drains ->
       is_enabled = wanted; is_at_rest = 0; fruitless = 0;
       hw_enabled = wanted;
       if
       :: wanted -> hw_quiescent = 0
       :: else
       fi };
     if
     :: wanted
     :: else ->
        /* awaitRest: as often as the hardware takes, or too few times. */
        hardware_control();
        if
        :: is_broken
        :: !is_broken && !quiescent
        :: !is_broken && quiescent -> rest(true)
        fi
     fi
  :: ATOMIC { !drains -> skip }
  fi;
  quiescent = 0
}

/* setCommandBase: what the host gives up with its queue. */
inline set_command_base() {
  hardware_control();
  if
  :: !is_enabled && quiescent ->
       is_pinned = 0;
       pending = NOTHING; was_read = 0; zeroed = 0;
       if
       :: unfinished != NO -> is_free[unfinished] = 1; unfinished = NO
       :: else
       fi;
       began = written; taken = 0; asked = 0; is_stalled = 0;
       token[0] = 0; token_offset[0] = 0; token[1] = 0; token_offset[1] = 0;
       issued = 0; seen = 0
  :: else
  fi;
  quiescent = 0
}

/* readPointer, as the host has it. */
inline read_pointer() {
#ifdef COMPLETED_WHEN_TAKEN
    step = taken;
#else
    step = (completed == written -> taken : (completed < began -> 0 : origin[completed % C]));
#endif
    assert(losses > 0 || done == written || done < began || origin[done % C] >= step || completion_true);
    seen = step; step = 0;
    retries = (completed == written -> is_stalled : is_hw_stalled)
}

inline end_trap() {
  if
  :: drains -> end_drain()
  :: else
  fi;
  if
  :: kind == RING -> end_ring(); kind = NOTHING
  :: kind == READ -> observe(); read_pointer(); more = 0; kind = NOTHING
  :: kind == PAUSE -> is_paused = controls; more = 0; kind = SLEEP
  :: kind == CONTROL && more && MAY_RUN_AGAIN -> more = 0; lock_again = 1
  :: else -> more = 0; wanted = 0; kind = NOTHING
  fi;
  drains = 0; controls = 0; works = 0;
  unlock();
  if
  :: lock_again -> lock(); lock_again = 0
  :: else
  fi
}

/* A CPU of the host. A store that is to run again does so, and the driver's lock is free by then. */
proctype cpu(byte me) {
  byte value, step, before;
  mtype kind = NOTHING, command = NOTHING;
  bit more, works, outcome, quiescent, drains, controls, wanted, is_continued, retries, looks, pins, lock_again;
end:
  do
  :: atomic { kind == NOTHING && value == 0 && !host_lock && rings < RINGS && !retries ->
       rings++; host_lock = me + 1; storing[me] = 1;
#ifdef HOSTILE
       if
       :: value = H
       :: value = H + 1
       fi;
#else
       issued++; value = issued;
#endif
       kind = RING; lock() }
  :: atomic { kind == NOTHING && value != 0 -> kind = RING; lock() }
  :: atomic { kind == NOTHING && value == 0 && retries && !host_lock && issued > 0 ->
       host_lock = me + 1; storing[me] = 1; value = issued; kind = RING; lock() }
  :: atomic { kind == NOTHING && value == 0 && !retries && seen != issued -> kind = READ; lock() }
#ifdef CONTROLS
  :: atomic { kind == NOTHING && value == 0 && toggles < CONTROLS && me == 0 ->
       toggles++; wanted = !(is_enabled || is_paused); kind = CONTROL; lock() }
#endif
#ifdef REBASE
  :: atomic { kind == NOTHING && value == 0 && !is_enabled && me == 0 && (taken > 0 || is_pinned) -> kind = BASE; lock() }
#endif
#ifdef POWER
  :: atomic { kind == NOTHING && value == 0 && toggles < CONTROLS && me == 0 && is_enabled -> toggles++; kind = PAUSE; lock() }
  :: atomic { kind == SLEEP -> kind = WAKE; lock() }
#endif
  :: ATOMIC { kind != NOTHING && kind != SLEEP && LOCKED ->
       if
       :: kind == RING -> ring(); drains = 1
       :: kind == READ -> drains = (taken != asked)
#ifdef CONTROLS
       :: kind == CONTROL -> is_paused = 0; controls = 1
#endif
#ifdef REBASE
       :: kind == BASE -> set_command_base()
#endif
#ifdef POWER
       :: kind == PAUSE -> wanted = 0; controls = (is_enabled && !is_broken)
       :: kind == WAKE && is_paused -> is_paused = 0; wanted = 1; controls = 1
       :: kind == WAKE && !is_paused ->
          hardware_control();
          if
          :: is_enabled && !(hw_enabled && hw_has_queue) -> is_broken = 1
          :: else
          fi
#endif
       fi;
#ifdef CONTROLS
       };
     if
     :: ATOMIC { !controls -> skip }
     :: ATOMIC { controls && wanted == is_enabled -> drains = 1 }
     :: controls && wanted != is_enabled -> set_control()
     fi;
     ATOMIC {
#endif
       drains = (drains && is_enabled && !is_broken);
       if
       :: drains ->
          drain();
#ifdef EMBEDDER
          if
          :: !pins -> finish_batch()
          :: else
          fi
#else
          finish_batch()
#endif
       :: else
       fi };
#ifdef EMBEDDER
     if
     :: atomic { pins -> is_pinned = 1; pins = 0; take(); finish_batch() }
     :: atomic { !pins -> skip }
     fi;
#endif
     if
     :: ATOMIC { looks -> observe(); looks = 0 };
        ATOMIC { retire(); end_trap() }
     :: ATOMIC { !looks -> end_trap() }
     fi
  od
}

#define MAY_FETCH (hw_enabled && hw_has_queue && creadr != cwriter && !hw_stalled && !has_hung)

/* The ITS, the Redistributors behind it, and the device whose interrupts they handle. */
proctype its() {
end:
  do
  :: atomic { MAY_FETCH && (op[creadr] != SYNC || !(flight[0] || flight[1] || flight[2])) ->
       assert((op[creadr] != NOTHING && creadr == done % C && done < published) || executed_once);
       if
       :: op[creadr] == MAP ->
          hw_table = arg[creadr];
          assert(!is_free[hw_table] || table_in_use)
       :: op[creadr] == UNMAP -> hw_table = NO
       :: op[creadr] == HOLD -> hw_vpe = 1; assert(!is_given[1] || given_away_in_use)
       :: op[creadr] == RELEASE -> hw_vpe = 0
       :: else
       fi;
#ifdef POWER
       if
       :: memory_table = hw_table
       :: memory_table != hw_table -> skip
       fi;
#endif
       op[creadr] = NOTHING; arg[creadr] = 0; origin[creadr] = 0;
       done++;
       creadr = (creadr + 1) % C }
  :: atomic { MAY_FETCH && stalls < STALLS -> stalls++; hw_stalled = 1 }
  :: atomic { !hw_enabled && !hw_quiescent -> hw_quiescent = 1; memory_table = hw_table }
#ifdef HANGS
  :: atomic { MAY_FETCH -> has_hung = 1 }
#endif
#ifndef LIVENESS
  :: atomic { hw_table != NO && hw_enabled && hw_has_queue && !flight[hw_table] ->
       flight[hw_table] = 1;
       assert(!is_free[hw_table] || table_in_use) }
  :: atomic { flight[0] -> assert(!is_free[0] || table_in_use); flight[0] = 0 }
  :: atomic { flight[1] -> assert(!is_free[1] || table_in_use); flight[1] = 0 }
#endif
#ifdef EMBEDDER
  :: atomic { hw_vpe && !flight[2] -> flight[2] = 1 }
  :: atomic { flight[2] -> assert(!is_given[1] || given_away_in_use); flight[2] = 0 }
#endif
  od
}

#ifdef POWER
/* Power goes at any moment; firmware restores GITS_CBASER and GITS_CWRITER only where no CPU is at EL2. */
proctype power() {
  atomic {
    losses++;
    hw_enabled = 0; hw_quiescent = 1; hw_stalled = 0;
    creadr = 0;
    hw_table = memory_table;
    if
    :: hw_has_queue = 0; cwriter = 0
    :: empty(waiting) -> skip
    :: empty(waiting) -> cwriter = 0
    fi }
}
#endif

#ifdef EMBEDDER
#define HELD (page == 0 -> is_pinned : is_held)

/* Gives a page to another VM, unless it is held, and takes it back. */
proctype embedder(byte me) {
  byte page;
  bit finds;
end:
  do
  :: if
     :: page = 0
     :: page = 1
     fi;
     atomic { lock() };
     atomic { LOCKED -> finds = HELD; unlock() };
     if
     :: finds -> finds = 0
     :: else ->
        is_away[page] = 1;
#ifndef LOOKED_ONCE
        atomic { lock() };
        atomic { LOCKED -> finds = HELD; unlock() };
#endif
        if
        :: finds -> is_away[page] = 0; finds = 0
        :: else -> is_given[page] = 1; is_given[page] = 0; is_away[page] = 0
        fi
     fi;
     page = 0
  od
}
#endif

init {
  atomic {
    run cpu(0);
#ifdef CPUS
    run cpu(1);
#endif
    run its();
#ifdef POWER
    run power();
#endif
#ifdef EMBEDDER
    run embedder(2);
#endif
  }
}

#define TWO_UNFINISHED (token[0] != 0 && token[1] != 0)
#define RETIREMENT_WAITS (sealed > 1 && behind[0] > completed)
#define COMES_AROUND (written > C && done < C)
#define STALLED_WHILE_UNFINISHED (hw_stalled && token[0] != 0)
#define GIVEN_AFTER_USE (is_given[1] && done > 2)
#define REFUSED_WHILE_PINNED (is_away[0] && is_pinned)
#define RESUMED (losses > 0 && hw_enabled && hw_has_queue && done > installed)
#define OFF_FOR_GOOD (losses > 0 && is_broken && is_enabled && !hw_enabled)

#ifdef REACHED
bit state_reached;
active proctype watch() { end: atomic { (REACHED) -> assert(!(REACHED) || state_reached) } }
#endif

#ifdef LIVENESS
ltl store_ends { [] (storing[0] -> <> !storing[0]) }
ltl all_carried_out { [] <> (taken == issued && seen == issued) }
#endif
