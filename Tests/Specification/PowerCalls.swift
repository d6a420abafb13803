// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture

// `HostCalls.md`: PSCI as EL2 relays it. What firmware answers, and when, is an input.

/// The CPUs, by the affinity that PSCI has for them.
struct Power: Equatable, Sendable {
  //           CPU_ON                 EL2, then the host at its entry     CPU_SUSPEND
  //    off ──────────▶ starting(entry) ──────────────────────────▶ on ◀────────────▶ asleep(entry)
  //     ▲─────────────────────────── CPU_OFF ───────────────────────┘

  /// What a CPU does; where it has an entry, the host is entered there once.
  enum State: Equatable, Sendable { case off, on, starting(UInt64), asleep(UInt64) }

  /// The CPUs of the tree.
  var cpus: [UInt64: State] = [:]
  /// Those that firmware was asked to start, and has neither started nor refused.
  var asked: Set<UInt64> = []
  /// Whether firmware reports power states in the extended format.
  var hasExtendedStates = false
}

/// A call of the host, as far as there is a rule for it.
enum PowerCall: Equatable, Sendable {
  /// One that changes nothing, and whether the tables have a row for what it is about.
  case query(isListed: Bool)
  case on(UInt64, entry: UInt64), off
  /// CPU_SUSPEND, and CPU_DEFAULT_SUSPEND or SYSTEM_SUSPEND.
  case suspend(state: UInt32, entry: UInt64), sleep(entry: UInt64)
  /// SYSTEM_OFF, SYSTEM_RESET, and SYSTEM_RESET2 with its type.
  case reset(type: UInt32)
}

extension World {
  /// A call of a CPU: EL2 answers it, or relays it.
  ///
  /// -1 is NOT_SUPPORTED, -2 INVALID_PARAMETERS, -3 DENIED, -4 ALREADY_ON, -5 ON_PENDING, -9 INVALID_ADDRESS.
  func calling(_ cpu: UInt64, _ call: PowerCall) -> [Outcome] {
    let keepsPower = !dma.smmus.isEmpty, isExtended = power.hasExtendedStates
    func answers(_ value: Int64, _ rule: Rule) -> [Outcome] {
      ending(.call, .value(UInt64(bitPattern: value)), rule)
    }
    func relays(_ rule: Rule, _ change: (inout Power) -> Void = { _ in }) -> [Outcome] {
      ending(.call, .done, rule) { change(&$0.power) }
    }
    func isEntry(_ entry: UInt64) -> Bool {
      entry & 3 == 0 && pages.owner(of: PageFrameNumber(containing: PhysicalAddress(entry))) == .host
    }
    guard power.cpus[cpu] == .on else { return [] }
    switch call {
    case .query(let isListed):
      return isListed ? relays(.queriesAreRelayed) : answers(-1, .otherCallsAreNotSupported)
    case .on(let target, _) where power.cpus[target] == nil: return answers(-2, .entryIsChecked)
    case .sleep where keepsPower: return answers(-1, .noSuspendWithSMMUs)
    case .suspend(let state, _) where state >> (isExtended ? 30 : 16) & 1 == 0:
      return relays(.standbyContinues)
    case .on(_, let entry) where !isEntry(entry), .suspend(_, let entry) where !isEntry(entry),
      .sleep(let entry) where !isEntry(entry):
      return answers(-9, .entryIsChecked)
    case .on(let target, let entry):
      if case .starting = power.cpus[target] { return answers(-5, .firstEntryStays) }
      guard power.cpus[target] == .off else { return answers(-4, .firstEntryStays) }
      return relays(.relayedWithEL2sEntry) {
        $0.cpus[target] = .starting(entry)
        $0.asked.insert(target)
      }
    case .off:
      let isLast = power.cpus.allSatisfy { $0.key == cpu || $0.value == .off }
      let mustStay = keepsPower && isLast || power.asked.contains(cpu)
      return mustStay ? answers(-3, .lastCPUStays) : relays(.lastCPUStays) { $0.cpus[cpu] = .off }
    case .suspend(let state, _) where keepsPower && (isExtended || state >> 25 & 1 != 0):
      return answers(0, .deepStateWaitsAtEL2)
    case .suspend(_, let entry), .sleep(let entry):
      return relays(.relayedWithEL2sEntry) { $0.cpus[cpu] = .asleep(entry) }
    case .reset(let type): return type == 0 ? relays(.logBeforeOff) : answers(-2, .resetOfType0)
    }
  }

  /// Firmware returns from a call that was relayed.
  func answering(_ cpu: UInt64, _ call: PowerCall, _ answer: Int64) -> [Outcome] {
    ending(.call, .value(UInt64(bitPattern: answer)), .returnForgetsTheEntry, .returnedOffGoesOn) {
      guard case .on(let target, _) = call else { return $0.power.cpus[cpu] = .on }
      guard answer != 0 else { return }
      $0.power.asked.remove(target)
      if case .starting = power.cpus[target] { $0.power.cpus[target] = .off }
    }
  }

  /// Firmware starts or wakes a CPU: EL2 is entered first, then the host at its entry, which is returned.
  ///
  /// No outcome is permitted for a CPU that nobody has asked for: the host does not run there.
  func entering(_ cpu: UInt64) -> [Outcome] {
    switch power.cpus[cpu] {
    case .starting(let entry), .asleep(let entry):
      ending(.call, .value(entry), .entersEL2First) {
        // One that wakes may still be started by the call of another, which firmware has yet to refuse.
        if case .starting = power.cpus[cpu] { $0.power.asked.remove(cpu) }
        $0.power.cpus[cpu] = .on
      }
    case .off, .on, nil: []
    }
  }
}
