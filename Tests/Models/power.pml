/*
 * SPDX-FileCopyrightText: 2026 The Portcullis Authors
 * SPDX-License-Identifier: Apache-2.0
 *
 * CPUs of the host start, stop and suspend each other and themselves by PSCI, through the relay, without end.
 *
 * What is verified:
 *   entry_checked   a CPU enters EL1 only at an entry point that was checked when a call named it
 *   entered_at_el2  firmware is given EL2's entry point and no other
 *   own_entry       a CPU enters EL1 at the entry point of the call that firmware has accepted
 *   started_once    a CPU that firmware starts finds its order, once for each success
 *   on_is_on        a CPU that runs the host, and is in no call, is on for the table
 *   answer_true     ON_PENDING and ALREADY_ON without asking firmware are what firmware would say now or soon
 *   some_cpu_on     where the machine must keep its power, its last CPU is not switched off
 *   start_ends      no CPU stays on its way: it gets to EL1, or may be started again
 *
 * Correspondence:
 *   | of the model | of the code, below Sources |
 *   |---|---|
 *   | cpu | Hypervisor/Monitor+Calls.swift: relay, startCPU; Hypervisor/PSCIRelay.swift: serve, begin |
 *   | turn_on, finish_start | Hypervisor/PSCIRelay.swift: begin, finishStart, serve; Hypervisor/CPUTable.swift: index |
 *   | turn_off | Hypervisor/PSCIRelay.swift: begin, finishStop; Hypervisor/CPUTable.swift: hasOther |
 *   | suspend | Hypervisor/PSCIRelay.swift: begin, finishSuspend, call |
 *   | take_order | Hypervisor/PSCIRelay.swift: takeOrder; Hypervisor/Monitor+Calls.swift: startCPU |
 *   | may_start | Hypervisor/BoardRelay.swift: isHostMemory |
 *   | call_on, watch | none: firmware, as DEN 0022 has it, and the states that must be reached |
 *
 * What is left out, and why:
 *   - Calls that leave the table alone: they are passed on, or refused.
 *   - SYSTEM_SUSPEND and CPU_DEFAULT_SUSPEND: for the table they are a CPU_SUSPEND that takes power.
 *   - An entry point that leaves the host's memory behind its check: stage 2 has no page there when the CPU fetches.
 *   - A word of the table that one CPU writes and another reads: the lock orders it.
 *
 * Runs:
 *   | run | kind | flags |
 *   |---|---|---|
 *   | relay | safety | |
 *   | keeps_power | safety | KEEPS_POWER |
 *   | start_ends | liveness | LIVENESS |
 *
 * Reached:
 *   | state | run |
 *   |---|---|
 *   | OVERTAKES_OFF | relay |
 *   | OVERTAKES_REFUSED_OFF | relay |
 *   | TWO_STARTERS | relay |
 *   | FAILED_START | relay |
 *   | ALL_OFF | relay |
 *   | ALONE | keeps_power |
 *
 * Mutations:
 *   | flag | run | breaks | test of the code |
 *   |---|---|---|---|
 *   | ENTRY_UNCHECKED | relay | entry_checked | "CPU_ON with wrong arguments never reaches firmware" |
 *   | WAKE_UNCHECKED | relay | entry_checked | "A standby state needs no entry point, a power-down state one in the host's memory" |
 *   | HOST_ENTRY | relay | entered_at_el2 | "CPU_ON has firmware start the CPU at EL2's entry with its number" |
 *   | LOCK_DROPPED | relay | on_is_on | no test: the relay's tests are one thread |
 *   | RECORDED_LATE | relay | started_once | "CPU_ON depends on the target's state" |
 *   | FAILURE_IGNORED | relay | answer_true | "Firmware that refuses CPU_ON leaves the CPU off" |
 *   | FAILURE_OF_ANY | relay | on_is_on | "CPU_ON that overtakes a refused CPU_OFF leaves the CPU on" |
 *   | OFF_UNRECORDED | relay | answer_true | "CPU_OFF takes the calling CPU off before firmware is asked" |
 *   | REFUSAL_IGNORED | relay | on_is_on | "Firmware that refuses CPU_OFF finds the CPU on again" |
 *   | ORDER_KEPT | relay | on_is_on | "A started CPU takes its order once" |
 *   | LAST_UNGUARDED | keeps_power | some_cpu_on | "F-10: Where the machine must keep its power, its last CPU stays on" |
 *   | OFF_WHILE_STARTED | relay | started_once | "A CPU that is being started is not switched off" |
 *   | FAILURE_IGNORED | start_ends | start_ends | "Firmware that refuses CPU_ON leaves the CPU off" |
 */

#define CPUS 3
#define NONE 0
#define BAD 9            /* an entry point that is not the host's memory; others are 1 + the number of the caller */

mtype = { OFF, STARTING, ON, SUSPENDED };           /* the table */
mtype = { IS_OFF, IS_PENDING, IS_ON, IS_ASLEEP };   /* firmware */
mtype = { SUCCESS, ALREADY_ON, ON_PENDING, FAILED };

/* The properties: bits that nobody sets, so that a failed assertion has the name of one. */
bit entry_checked, entered_at_el2, own_entry, started_once, on_is_on, answer_true, some_cpu_on;

mtype state[CPUS] = OFF;
byte entry[CPUS];
bit is_being_started[CPUS];

mtype firmware[CPUS] = IS_OFF;
bit is_host_entry[CPUS];  /* firmware was given the host's address */

/* Ghosts: what was accepted and is owed, and who asks. */
byte accepted[CPUS];
byte asking[CPUS];
bit is_in_call[CPUS];

#define IS_ALONE(me) (state[(me + 1) % CPUS] == OFF && state[(me + 2) % CPUS] == OFF)

inline may_start(where) {
  works = ((where) != BAD)
}

/* Firmware's CPU_ON. */
inline call_on(target) {
  if
  :: firmware[target] == IS_OFF ->
     firmware[target] = IS_PENDING; answer = SUCCESS;
     accepted[target] = where;
#ifdef HOST_ENTRY
     is_host_entry[target] = 1
#endif
  :: firmware[target] == IS_OFF -> answer = FAILED
  :: firmware[target] == IS_PENDING -> answer = ON_PENDING
  :: firmware[target] == IS_ON || firmware[target] == IS_ASLEEP -> answer = ALREADY_ON
  fi
}

inline finish_start(target) {
#ifndef FAILURE_IGNORED
  if
#ifdef FAILURE_OF_ANY
  :: answer != SUCCESS -> state[target] = OFF; entry[target] = NONE; is_being_started[target] = 0
#else
  :: answer != SUCCESS && state[target] == STARTING ->
     state[target] = OFF; entry[target] = NONE; is_being_started[target] = 0
  :: answer != SUCCESS && state[target] != STARTING -> is_being_started[target] = 0
#endif
  :: else
  fi;
#endif
  answer = 0; asking[target]--
}

inline turn_on(target) {
  atomic {
    is_in_call[me] = 1;
    if
    :: where = 1 + me
    :: where = BAD
    fi;
    may_start(where);
#ifdef ENTRY_UNCHECKED
    works = 1;
#endif
    if
    :: !works -> goto back
    :: works && (state[target] == ON || state[target] == SUSPENDED) ->
       assert(firmware[target] != IS_OFF || answer_true);
       works = 0;
       goto back
    :: works && state[target] == STARTING ->
       assert(asking[target] > 0 || firmware[target] == IS_PENDING || firmware[target] == IS_ON || answer_true);
       works = 0;
       goto back
    :: works && state[target] == OFF ->
       works = 0;
       is_being_started[target] = 1;
       asking[target]++
    fi;
#ifdef LOCK_DROPPED
    };
  atomic {
#endif
#ifdef RECORDED_LATE
    skip
#else
    state[target] = STARTING; entry[target] = where
#endif
  };
  atomic { call_on(target) };
#ifdef RECORDED_LATE
  atomic {
    if
    :: answer == SUCCESS -> state[target] = STARTING; entry[target] = where
    :: else
    fi };
#endif
  atomic { finish_start(target) }
}

inline turn_off() {
  atomic {
    is_in_call[me] = 1;
#if defined(KEEPS_POWER) && !defined(LAST_UNGUARDED)
    if
    :: IS_ALONE(me) -> goto back
    :: else
    fi;
#endif
#ifndef OFF_WHILE_STARTED
    if
    :: is_being_started[me] -> goto back
    :: else
    fi;
#endif
#ifndef OFF_UNRECORDED
    state[me] = OFF
#else
    skip
#endif
  };
  if
  /* What has a trusted OS that can't move, for now. */
  :: skip;
#ifndef REFUSAL_IGNORED
     atomic { state[me] = ON; entry[me] = NONE }
#endif
  :: atomic {
       firmware[me] = IS_OFF;
#ifdef KEEPS_POWER
       assert(firmware[0] != IS_OFF || firmware[1] != IS_OFF || firmware[2] != IS_OFF || some_cpu_on);
#endif
       goto off }
  fi
}

/* CPU_SUSPEND to a state that takes power. */
inline suspend() {
  atomic {
    is_in_call[me] = 1;
    if
    :: where = 1 + me
    :: where = BAD
    fi;
    may_start(where);
#ifdef WAKE_UNCHECKED
    works = 1;
#endif
    if
    :: !works -> goto back
    :: works -> works = 0
    fi;
    state[me] = SUSPENDED; entry[me] = where };
  if
  :: atomic { state[me] = ON; entry[me] = NONE }
  :: atomic { firmware[me] = IS_ASLEEP; accepted[me] = where; goto off }
  fi
}

/* A CPU that firmware has started, or that has woken, at EL2's entry. */
inline take_order() {
  assert(!is_host_entry[me] || entered_at_el2);
  assert(state[me] == STARTING || state[me] == SUSPENDED || started_once);
  assert(entry[me] == accepted[me] || own_entry);
  assert(entry[me] != BAD || entry_checked);
  if
  :: state[me] == STARTING -> is_being_started[me] = 0
  :: else
  fi;
#ifndef ORDER_KEPT
  state[me] = ON;
#endif
  entry[me] = NONE; accepted[me] = NONE
}

proctype cpu(byte me) {
  byte where;
  bit works;
  mtype answer = 0;
  if
  :: firmware[me] == IS_ON
  :: firmware[me] != IS_ON -> goto off
  fi;
back:
  atomic {
    where = NONE; works = 0; is_in_call[me] = 0;
    assert(state[me] == ON || on_is_on) };
end:
  if
  :: turn_on((me + 1) % CPUS)
  :: turn_on((me + 2) % CPUS)
  :: turn_off()
  :: suspend()
  fi;
  goto back;
off:
end_off:
  if
  :: atomic { firmware[me] == IS_PENDING || firmware[me] == IS_ASLEEP -> firmware[me] = IS_ON; where = NONE }
  fi;
  atomic { take_order() };
  goto back
}

init {
  atomic {
    state[0] = ON;
    firmware[0] = IS_ON;
    run cpu(0); run cpu(1); run cpu(2) }
}

#define OVERTAKES_OFF (state[1] == STARTING && firmware[1] == IS_OFF && asking[1] > 0)
#define OVERTAKES_REFUSED_OFF (state[0] == STARTING && firmware[0] == IS_ON)
#define TWO_STARTERS (asking[1] > 0 && asking[2] > 0)
#define FAILED_START (asking[1] > 0 && state[1] != STARTING && firmware[1] == IS_OFF)
#define ALL_OFF (_nr_pr > 3 && firmware[0] == IS_OFF && firmware[1] == IS_OFF && firmware[2] == IS_OFF)
#define ALONE (firmware[0] == IS_OFF && firmware[1] == IS_OFF && firmware[2] == IS_ON && is_in_call[2])

#ifdef REACHED
bit state_reached;
active proctype watch() { end: atomic { (REACHED) -> assert(!(REACHED) || state_reached) } }
#endif

#ifdef LIVENESS
ltl start_ends { [] (state[1] == STARTING -> <> (state[1] != STARTING)) }
#endif
