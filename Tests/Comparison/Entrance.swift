// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Observing
import SMMU
import Trace

/// An access of the host to a register of an ITS, of a Redistributor or of the SMMU that it sees.
package enum Entrance: Hashable, Sendable {
  /// A load.
  case load(offset: UInt64, AccessWidth)
  /// A store.
  case store(offset: UInt64, AccessWidth, UInt64)
}

/// What makes EL2 come to an ITS.
enum ITSEntrance {
  /// The host.
  case access(Entrance)
  /// The system is about to be suspended.
  case pause
  /// Firmware has started or woken a CPU.
  case wake
}

/// What the host was told at the end of a trap.
package enum Effect: Hashable, Sendable {
  /// The value of a load.
  case value(UInt64)
  /// The store is over.
  case done
  /// The store is repeated.
  case again
  /// An abort.
  case aborted
}

extension Entrance {
  /// An access as it is traced.
  package init(_ access: TracedAccess) {
    let width = AccessWidth(rawValue: access.width) ?? .double
    self =
      access.isWrite
      ? .store(offset: access.offset, width, access.value) : .load(offset: access.offset, width)
  }
}

extension Effect {
  /// What a traced access came to.
  package init(_ access: TracedAccess) {
    switch access.outcome {
    case .done: self = access.isWrite ? .done : .value(access.value)
    case .again: self = .again
    case .refused: self = .aborted
    }
  }
}

// In words, for where nothing can tell them by itself.

extension Observation: CustomStringConvertible {
  package var description: String { words(by: hex) }

  /// In words; `register` names what is at an offset.
  func words(by register: (UInt64) -> String) -> String {
    switch self {
    case .read(let offset, let value): "read \(register(offset)): \(value.map(hex) ?? "an abort")"
    case .wrote(let offset, let value, let isDone):
      "wrote \(hex(value)) to \(register(offset))\(isDone ? "" : ": an abort")"
    case .loaded(let address, let value):
      "loaded \(hex(address)): \(value.map(hex) ?? "an abort")"
    case .pinned(let pages, let isGranted): "pinned \(pages.name)\(isGranted ? "" : ": refused")"
    case .unpinned(let pages): "let go of \(pages.name)"
    }
  }
}

extension Entrance: CustomStringConvertible {
  package var description: String { words(by: hex) }

  /// In words; `register` names what is at an offset.
  func words(by register: (UInt64) -> String) -> String {
    switch self {
    case .load(let offset, let width): "load of \(width.bytes) bytes at \(register(offset))"
    case .store(let offset, let width, let value):
      "store of \(width.bytes) bytes \(hex(value)) at \(register(offset))"
    }
  }
}

extension ITSRegister {
  /// What is at an offset from the control frame, in words.
  static func words(_ offset: UInt64) -> String {
    if let name = name(at: offset) { return "\(name)" }
    return name(at: offset &- 4).map { "\($0) + 4" } ?? hex(offset)
  }
}

extension SMMURegister {
  /// What is at an offset from the first register, in words.
  static func words(_ offset: UInt64) -> String {
    if let register = SMMURegister(rawValue: offset) { return "\(register.name)" }
    return SMMURegister(rawValue: offset &- 4).map { "\($0.name) + 4" } ?? hex(offset)
  }
}

extension ITSEntrance: CustomStringConvertible {
  var description: String {
    switch self {
    case .access(let entrance): entrance.words(by: ITSRegister.words)
    case .pause: "a pause"
    case .wake: "a wake"
    }
  }
}

extension Effect: CustomStringConvertible {
  package var description: String {
    switch self {
    case .value(let value): hex(value)
    case .done: "done"
    case .again: "again"
    case .aborted: "aborted"
    }
  }
}

extension PageRange {
  var name: String { "\(count) pages at \(hex(first.address.rawValue))" }
}

func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
