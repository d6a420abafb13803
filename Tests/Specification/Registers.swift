// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import SMMU

// How an access of the host finds its register: the same for each frame.

/// One access, as far as its address and its width decide.
struct Access {
  /// The offset at which the register begins.
  var register: UInt64
  /// How far the bits of the access are from those of the register.
  var shift: UInt64
  /// How many bits it has.
  var width: AccessWidth

  /// What a load gets of the register's value.
  func part(of whole: UInt64) -> UInt64 { whole >> shift & width.mask }
  /// The register's value after a store.
  func joining(_ value: UInt64, to old: UInt64) -> UInt64 {
    old & ~(width.mask << shift) | (value & width.mask) << shift
  }
}

extension Frame {
  /// The widths that are permitted at an offset, and the rules for what is no register, for a width that
  /// aborts, and for half of a register.
  var row: (widths: (UInt64) -> AccessWidths, others: Rule, aborts: Rule, halves: Rule) {
    switch self {
    case .its: (ITSRegister.widths, .otherRegisters, .forbiddenAborts, .halves)
    case .smmu: (SMMURegister.widths, .otherSMMURegisters, .otherWidthsAbort, .registersAreWords)
    default: (RedistributorRegister.widths, .otherRedistributorRegisters, .forbiddenAborts, .halves)
    }
  }
}

extension SMMURegister {
  /// A word, and where there are 64 bits a doubleword, too.
  static func widths(at offset: UInt64) -> AccessWidths {
    if let register = SMMURegister(rawValue: offset) {
      return register.size == 8 ? .word.union(.double) : .word
    }
    return SMMURegister(rawValue: offset &- 4)?.size == 8 ? .word : .none
  }
}

extension World {
  /// `Commands.md`, Registers: an access that the architecture forbids aborts; one of no register is ignored.
  func decoding(
    _ frame: Frame, _ offset: UInt64, _ width: AccessWidth, isLoad: Bool,
    _ body: (Access) -> [Outcome]
  ) -> [Outcome] {
    let row = frame.row, widths = row.widths(offset)
    // The upper half of a 64-bit register is 4 bytes behind it.
    let register = row.widths(offset & ~7).permits(.double) ? offset & ~7 : offset
    let permitted = widths == .none ? .word.union(.double) : widths
    guard offset % width.bytes == 0, permitted.permits(width) else {
      return ending(frame, .aborted, row.aborts)
    }
    guard widths != .none else {
      return isLoad ? readingNothing(frame) : ending(frame, .ignored, row.others)
    }
    let outcomes = body(Access(register: register, shift: (offset - register) * 8, width: width))
    return register != offset ? outcomes.adding(row.halves) : outcomes
  }
}
