// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import SMMU
internal import SMMUDriver

/// What an entry of the host's stream table comes to, decided on EL2's copy of it.
///
/// What belongs to a feature that is not offered counts for nothing, as the architecture has it, unless it
/// would widen what a device reaches: that is refused, so that it is seen.
enum EntryRule: Hashable {
  /// The stream goes by this.
  case rule(StreamRule)
  /// The stream is invalid, and a refusal is counted.
  case refused(SMMURefusalReason)

  /// The rule of an entry, deny by default.
  init(_ entry: StreamTableEntry, _ offered: OfferedIdentification) {
    guard entry.isValid else {
      self = .rule(.invalid)
      return
    }
    switch entry.configuration {
    // A reserved value aborts (IHI 0070, 5.2).
    case .abort, nil: self = .rule(.abort)
    case .bypass: self = .rule(.pass)
    case .stage2, .nested: self = .refused(.stage2)
    case .stage1:
      let entry = Self.effective(entry, offered)
      if let reason = Self.refusal(entry, offered) {
        self = .refused(reason)
      } else {
        self = .rule(.stage1(StreamRule.Stage1(entry)))
      }
    }
  }

  /// The entry as an SMMU with these ID registers takes it (IHI 0070, 5.2).
  ///
  /// Some fields are ignored, and reserved values behave as others. EATS is ignored without IDR0.ATS, and STRW
  /// without IDR0.HYP.
  private static func effective(
    _ entry: StreamTableEntry, _ offered: OfferedIdentification
  ) -> StreamTableEntry {
    var entry = entry
    if offered.substreamLog2 == 0 { entry.contextLog2 = 0 }
    guard entry.contextLog2 > 0 else {
      // What is ignored must not make a change, by which the stream would abort in between.
      entry.contextFormat = 0
      entry.defaultSubstream = 0
      return entry
    }
    if entry.contextFormat == 3, offered.hasTwoLevelContexts { entry.contextFormat = 0 }
    if entry.defaultSubstream == 3 { entry.defaultSubstream = 0 }
    return entry
  }

  private static func refusal(
    _ entry: StreamTableEntry, _ offered: OfferedIdentification
  ) -> SMMURefusalReason? {
    let log2 = entry.contextLog2
    guard log2 <= offered.substreamLog2 else { return .contextTable }
    var size: UInt64 = 64 << log2
    if log2 > 0 {
      switch entry.contextFormat {
      case 0: break
      // Descriptors of 8 bytes, for 64 or for 1,024 contexts each.
      case 1 where offered.hasTwoLevelContexts: size = max(size >> 9, 64)
      case 2 where offered.hasTwoLevelContexts: size = max(size >> 13, 64)
      default: return .contextTable
      }
    }
    let limit: UInt64 = 1 << offered.addressBits
    guard entry.contextTable < limit, size <= limit - entry.contextTable else {
      return .contextAddress
    }
    return nil
  }
}
