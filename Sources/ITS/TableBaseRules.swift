// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

package import GIC

/// What a GITS_BASER<n> makes of what software writes to it, found by trying while it was not Valid.
///
/// A host that probes sizes, indirection and attributes reads back what the hardware would say.
package struct TableBaseRules: Sendable {
  /// Type and Entry_Size.
  var fixed: UInt64 { initial & GITSTableBase.fixed }
  /// What the register held before it was tried, without Valid and Indirect: what it names is not in use.
  package let initial: UInt64
  /// Whether Indirect can be set.
  private let indirect: UInt64
  /// What each Page_Size becomes, two bits each.
  private var pageSizes: UInt64 = 0
  /// What each Shareability becomes, two bits each.
  private var shareabilities: UInt64 = 0
  /// What each InnerCache becomes, three bits each.
  private var innerCaches: UInt64 = 0
  /// What each OuterCache becomes, three bits each.
  private var outerCaches: UInt64 = 0

  /// Tries the register out, which held `initial`; `access` writes a value and returns what is read back, nil where the
  /// hardware aborts.
  init?(initial: UInt64, access: (UInt64) -> UInt64?) {
    guard let all = access(GITSTableBase.indirect) else { return nil }
    self.initial = initial & ~(GITSTableBase.valid | GITSTableBase.indirect)
    indirect = all & GITSTableBase.indirect
    for value in 0..<8 as Range<UInt64> {
      guard let inner = access(value << 59), let outer = access(value << 53) else { return nil }
      innerCaches |= (inner >> 59 & 0b111) << (3 * value)
      outerCaches |= (outer >> 53 & 0b111) << (3 * value)
    }
    for value in 0..<4 as Range<UInt64> {
      guard let size = access(value << 8), let share = access(value << 10) else { return nil }
      pageSizes |= (size >> 8 & 0b11) << (2 * value)
      shareabilities |= (share >> 10 & 0b11) << (2 * value)
    }
    guard access(0) != nil else { return nil }
  }

  /// The rules of a register that is in use and can't be tried out: every field keeps what it has.
  init(keeping value: UInt64) {
    initial = value & ~(GITSTableBase.valid | GITSTableBase.indirect)
    indirect = value & GITSTableBase.indirect
    for index in 0..<8 as Range<UInt64> {
      innerCaches |= (value >> 59 & 0b111) << (3 * index)
      outerCaches |= (value >> 53 & 0b111) << (3 * index)
    }
    for index in 0..<4 as Range<UInt64> {
      pageSizes |= (value >> 8 & 0b11) << (2 * index)
      shareabilities |= (value >> 10 & 0b11) << (2 * index)
    }
  }

  /// The rules in two words, for a trace: what the register held at first, with Indirect where it can be
  /// set, and what each value of the fields becomes that software may change.
  package var words: (fixed: UInt64, fields: UInt64) {
    (initial | indirect, pageSizes | shareabilities << 8 | innerCaches << 16 | outerCaches << 40)
  }

  /// Takes the rules from their two words.
  package init(words: (fixed: UInt64, fields: UInt64)) {
    initial = words.fixed & ~(GITSTableBase.valid | GITSTableBase.indirect)
    indirect = words.fixed & GITSTableBase.indirect
    pageSizes = words.fields & 0xff
    shareabilities = words.fields >> 8 & 0xff
    innerCaches = words.fields >> 16 & 0xff_ffff
    outerCaches = words.fields >> 40 & 0xff_ffff
  }

  /// Whether the host is offered the register.
  ///
  /// It is if it is for devices, for collections or, if `offersVPEs`, for vPEs. Others read as zero, as if they were
  /// not implemented.
  func isOffered(vpes offersVPEs: Bool) -> Bool {
    switch GITSTableBase(rawValue: fixed).kind {
    case .devices, .collections: true
    case .vpes: offersVPEs
    case .none: false
    }
  }

  /// What the host reads after it has written `value`, and before that where it is nil.
  func readBackByHost(_ value: UInt64?, offersVPEs: Bool) -> GITSTableBase {
    guard isOffered(vpes: offersVPEs) else { return GITSTableBase(rawValue: 0) }
    guard let value else { return GITSTableBase(rawValue: initial) }
    return readBack(value)
  }

  /// What is read after `value` has been written.
  package func readBack(_ value: UInt64) -> GITSTableBase {
    var result = fixed | value & (GITSTableBase.valid | indirect | 0xffff_ffff_f000 | 0xff)
    result |= (innerCaches >> (3 * (value >> 59 & 0b111)) & 0b111) << 59
    result |= (outerCaches >> (3 * (value >> 53 & 0b111)) & 0b111) << 53
    result |= (shareabilities >> (2 * (value >> 10 & 0b11)) & 0b11) << 10
    result |= (pageSizes >> (2 * (value >> 8 & 0b11)) & 0b11) << 8
    return GITSTableBase(rawValue: result)
  }
}
