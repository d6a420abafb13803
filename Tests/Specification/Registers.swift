// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC

// How an access of the host finds its register: the same for an ITS and for a Redistributor.

/// One access, as far as its address and its width decide.
struct Access {
  /// The offset at which the register begins.
  var register: UInt64
  /// How far the bits of the access are from those of the register.
  var shift: UInt64
  /// Its width.
  var width: AccessWidth

  /// What a load gets of the register's value.
  func part(of whole: UInt64) -> UInt64 { whole >> shift & width.mask }
  /// The register's value after a store.
  func joining(_ value: UInt64, to old: UInt64) -> UInt64 {
    old & ~(width.mask << shift) | (value & width.mask) << shift
  }
}

extension Frame {
  /// The widths that the architecture permits at an offset.
  func widths(at offset: UInt64) -> AccessWidths {
    if case .its = self { return ITSRegister.widths(at: offset) }
    return RedistributorRegister.widths(at: offset)
  }

  /// The rule for what is no register.
  var otherRegisters: Rule { if case .its = self { .otherRegisters } else { .otherRedistributorRegisters } }
}

extension World {
  /// `Commands.md`, Registers: an access that the architecture forbids aborts; one of no register is ignored.
  func decoding(
    _ frame: Frame, _ offset: UInt64, _ width: AccessWidth, isLoad: Bool,
    _ body: (Access) -> [Outcome]
  ) -> [Outcome] {
    let widths = frame.widths(at: offset)
    // The upper half of a 64-bit register is 4 bytes behind it.
    let register = frame.widths(at: offset & ~7).permits(.double) ? offset & ~7 : offset
    let permitted = widths == .none ? .word.union(.double) : widths
    guard offset % width.bytes == 0, permitted.permits(width) else {
      return ending(frame, .aborted, .forbiddenAborts)
    }
    guard widths != .none else {
      return isLoad ? readingNothing(frame) : ending(frame, .ignored, frame.otherRegisters)
    }
    let outcomes = body(Access(register: register, shift: (offset - register) * 8, width: width))
    return register != offset ? outcomes.adding(.halves) : outcomes
  }
}
