// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Observing
@testable import Specification

// What EL2 has read of the hardware is what the specification knows of it.
extension ITSTrap {
  /// Registers that EL2 reads and writes are the hardware's, up to one that `ends`.
  mutating func watchRegisters(
    until ends: (Observation) -> Bool = { _ in false }
  ) throws(Divergence) {
    var isRestarted = false
    while let next = rest.first {
      switch next {
      // Behind its own writes EL2 reads those, and not how it found the hardware.
      case .read where isRestarted: break
      case .read(let offset, let value): try watch(offset, value, believes: false)
      case .wrote(let offset, let value, _):
        guard isOwn(value, at: offset) else {
          throw Divergence(name("a register"), expected: "no such write", found: "\(next)")
        }
        isRestarted = offset != ITSRegister.control.offset
      default: return
      }
      rest.removeFirst()
      if ends(next) { return }
    }
  }

  /// Whether EL2 may write this beside commands: Enabled, and its own registers once more.
  private func isOwn(_ value: UInt64, at offset: UInt64) -> Bool {
    if case .access(.load) = entrance { return false }
    let table = (offset &- ITSRegister.tableBases.offset) / 8
    switch offset {
    case ITSRegister.control.offset: return true
    case ITSRegister.commandWrite.offset: return value == 0
    case ITSRegister.commandBase.offset: return value == state.identity.commandBase.rawValue
    default: return table < 8 && value == state.identity.tables[Int(table)].rawValue
    }
  }

  /// EL2 waits for Quiescent behind a store that has cleared Enabled.
  mutating func watchRest() throws(Divergence) {
    isQuiet = false
    while case .read(let offset, let value)? = rest.first {
      if offset == ITSRegister.control.offset, let value {
        isQuiet = GITSControl(rawValue: UInt32(truncatingIfNeeded: value)).isQuiescent
      } else if offset == ITSRegister.commandRead.offset {
        // Enabled is clear for the hardware only behind the step of the specification.
        try catchUp(value)
      } else if offset == ITSRegister.commandBase.offset {
        comparison.world[its].hardware.commandBase = GITSCommandBase(rawValue: value ?? 0)
      }
      rest.removeFirst()
    }
  }

  /// The hardware is as EL2 reads it.
  ///
  /// EL2 `believes` it where it takes commands; where it only looks whether the ITS rests, that is for the step to say.
  mutating func watch(
    _ offset: UInt64, _ value: UInt64?, believes: Bool
  ) throws(Divergence) {
    switch offset {
    case ITSRegister.control.offset:
      let control = GITSControl(rawValue: UInt32(truncatingIfNeeded: value ?? 0))
      // It has come to where it rests before it says so.
      if control.isQuiescent, state.phase != .atRest,
        case .read(ITSRegister.commandRead.offset, let place?)? = nextRead(),
        believes || !isDoubtful(place)
      {
        try catchUp(place)
      }
      comparison.world[its].hardware.isEnabled = control.isEnabled
      if control.isEnabled {
        saysQuiescent = control.isQuiescent
      } else {
        comparison.world[its].hardware.isQuiescent = control.isQuiescent
      }
      if believes { try observe() }
    case ITSRegister.commandRead.offset:
      if state.phase == .atRest {
        // It goes no further from there: what it says is compared, not believed.
        comparison.world[its].hardware.read =
          value.map { GITSQueuePointer(rawValue: $0).offset } ?? .max
        return
      }
      if !believes, isDoubtful(value) {
        comparison.world[its].hardware.read = 0
        return
      }
      try catchUp(value)
      if believes { try observe() }
    case ITSRegister.commandBase.offset:
      comparison.world[its].hardware.commandBase = GITSCommandBase(rawValue: value ?? 0)
      if believes { try observe() }
    case ITSRegister.tableBases.offset..<ITSRegister.tableBases.offset + 64:
      let number = Int(offset - ITSRegister.tableBases.offset) / 8
      // Where no table is, zero would be what EL2 left.
      comparison.world[its].hardware.tables[number] = GITSTableBase(rawValue: value ?? .max)
    default: break
    }
  }

  /// Whether a place may be what is left of a loss of power: zero of a disabled ITS whose queue was used.
  private func isDoubtful(_ place: UInt64?) -> Bool {
    let isUsed = state.commit.offset(of: state.commit.published) != 0
    let isZero = place.map { GITSQueuePointer(rawValue: $0).offset } == 0
    return state.phase == .disabled && isUsed && isZero
  }

  /// The next read of GITS_CREADR before EL2 writes anything.
  private func nextRead() -> Observation? {
    for observation in rest {
      switch observation {
      case .read(ITSRegister.commandRead.offset, _): return observation
      case .read: continue
      default: return nil
      }
    }
    return nil
  }

  mutating func observe() throws(Divergence) {
    try take(comparison.world.observing(its: its), "EL2 looks", found: .observed(nil))
  }

  /// The hardware has come to a place in its queue, or cannot be where it says.
  mutating func catchUp(_ value: UInt64?) throws(Divergence) {
    let pointer = GITSQueuePointer(rawValue: value ?? .max)
    if pointer.offset != comparison.services[its].place { hasProgress = true }
    comparison.services[its].place = pointer.offset
    if state.hardware.isStalled, !pointer.isStalled {
      comparison.world[its].hardware.isStalled = false
    }
    let size = state.commit.capacity * ITSCommand.size
    let start = state.commit.offset(of: state.commit.passed)
    let steps = (pointer.offset &+ size &- start) % size / ITSCommand.size
    let isPlausible = pointer.offset < size && steps <= state.commit.published - state.commit.passed
    // Hardware that is Quiescent and goes on is not EL2's fault: it believes a place that can be.
    let isQuiescent = state.hardware.isQuiescent
    comparison.world[its].hardware.isQuiescent = false
    defer { comparison.world[its].hardware.isQuiescent = isQuiescent }
    if isPlausible { comparison.world[its].hardware.read = start }
    while state.hardware.read != pointer.offset {
      guard isPlausible, let world = comparison.world.stepping(its: its, .passes).first else {
        comparison.world[its].hardware.read = value == nil ? .max : pointer.offset
        break
      }
      comparison.world = world
    }
    comparison.world[its].hardware.isStalled = value != nil && pointer.isStalled
  }
}
