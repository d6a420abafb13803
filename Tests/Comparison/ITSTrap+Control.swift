// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Observing
@testable import Specification

// The host sets Enabled or clears it, or EL2 does so for it when the system is suspended and wakes.
extension ITSTrap {
  /// The host sets Enabled or clears it, or EL2 does so for it.
  mutating func control(
    enables: Bool, _ outcomes: (Specification.World, RegisterChoice) -> [Outcome]
  ) throws(Divergence) {
    let changes = enables != state.host.isEnabled
    var choice = RegisterChoice()
    if rest.contains(where: { $0.isFailedStore(to: ITSRegister.control.offset) }) {
      try watchRegisters()
      try observe()
      guard case .access = entrance else { return }
      comparison.world[its].isPaused = false
      if effect != .aborted {
        throw Divergence(name("the store"), expected: "an abort", found: "\(effect)")
      }
      return
    }
    if changes {
      // The hardware is as EL2 has read it when it writes, and behind that where it waits for Quiescent.
      let cannotWrite = rest.contains { if case .wrote(_, _, false) = $0 { true } else { false } }
      try watchRegisters(until: { $0.isStore(to: ITSRegister.control.offset) })
      choice.takesRegisters = !cannotWrite
      choice.evidence = evidence()
      if !enables { try watchRest() }
    }
    let effect = effect
    // Hardware that was Quiescent, for it had lost its power, stays so.
    let isQuiet = isQuiet || state.hardware.isQuiescent
    let its = its
    let answer = try take(
      outcomes(comparison.world, choice), "the store",
      found: .hardware(isQuiet ? "Quiescent" : "not Quiescent")
    ) {
      enables || !changes || $0.world[its].hardware.isQuiescent == isQuiet
    }
    guard answer == .done, state.host.isEnabled, state.phase == .enabled else {
      try watchRegisters()
      if !answer.matches(effect) {
        throw Divergence(name("the store"), expected: answer.name, found: "\(effect)")
      }
      return
    }
    try runCommands()
    // What is left then the host's next store goes on with.
    let isWaking = if case .wake = entrance { true } else { false }
    try take(
      comparison.world.endingTrap(its: its, .store, madeProgress: hasProgress, spent: spent),
      "the trap ends",
      found: .effect(effect)
    ) { isWaking || $0.answer.matches(effect) }
  }

  /// A CPU is about to run the host: an ITS that was paused is enabled, and each is looked at.
  mutating func wake() throws(Divergence) {
    // Last of all one that is off is disabled, if firmware has enabled it.
    var end: Bool?
    if case .wrote(ITSRegister.control.offset, let value, let isDone)? = rest.last, value & 1 == 0 {
      end = isDone
      rest.removeLast()
    }
    if state.isPaused { try resume() }
    try watchRegisters()
    let its = its
    let isOn = end == nil && state.hardware.isEnabled
    try take(comparison.world.waking(its: its), "a look at the registers", found: .observed(nil)) {
      end == false || $0.world[its].hardware.isEnabled == isOn
    }
  }

  /// EL2 enables an ITS that it has paused.
  private mutating func resume() throws(Divergence) {
    // Between the first look and the last, which is behind it.
    let its = its
    let looks = UInt64(max(rest.count { $0.isLoad(of: ITSRegister.control.offset) }, 2)) - 2
    guard rest.contains(where: { $0.isFailedStore(to: ITSRegister.control.offset) }) else {
      return try control(enables: true) { (world, choice) in
        world.resuming(its: its, looks: looks, choice)
      }
    }
    try watchRegisters()
    var choice = RegisterChoice()
    choice.takesRegisters = false
    try take(
      comparison.world.resuming(its: its, looks: looks, choice), "a store that aborts",
      found: .observed(nil)
    ) { $0.answer == .aborted }
  }

  /// What EL2 has found in the host's tables.
  private mutating func evidence() -> [Int: UInt64] {
    var evidence: [Int: UInt64] = [:]
    var looks: [(address: UInt64, word: UInt64)] = []
    while case .pinned(let page, let isGranted)? = rest.first {
      guard isGranted else {
        // The staging queue comes last, and is not let go of.
        guard
          rest.dropFirst().contains(where: { if case .pinned = $0 { true } else { false } })
            || page.count == 1 && isTable(page)
        else { break }
        rest.removeFirst()
        continue
      }
      guard let end = rest.firstIndex(of: .unpinned(page)) else { break }
      for case .loaded(let address, let word?) in rest[rest.startIndex..<end] {
        looks.append((address, word))
      }
      rest = rest[(end + 1)...]
    }
    for (number, table) in state.host.tables.enumerated() where table.isValid {
      guard
        !table.isIndirect
          || state.written.contains(number) && !state.mappings(of: table.kind).isEmpty,
        let look = looks.first,
        look.address &- table.base < (table.isIndirect ? table.size : 8)
      else { continue }
      evidence[number] = look.word
      looks.removeFirst()
    }
    return evidence
  }

  private func isTable(_ page: PageRange) -> Bool {
    state.host.tables.contains { table in
      table.isValid && page.first.address.rawValue &- (table.base & ~0xfff) < table.size
    }
  }
}

extension Observation {
  /// Whether it is a store to a register that has aborted.
  fileprivate func isFailedStore(to register: UInt64) -> Bool {
    if case .wrote(register, _, false) = self { true } else { false }
  }
}
