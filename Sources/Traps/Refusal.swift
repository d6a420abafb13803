// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Why an access of the host was answered with an abort.
///
/// The raw values are indices for counters and are dense from zero.
public enum Refusal: UInt8, Hashable, Sendable {
  /// The syndrome doesn't describe the access: a pair, write-back, SIMD, atomic or 64-byte access.
  case noSyndrome
  /// The region or the register doesn't permit the width.
  case width
  /// The address isn't a multiple of the width.
  case misaligned
  /// The region or the register can't be read.
  case notReadable
  /// The region or the register can't be written.
  case notWritable
  /// The host fetched an instruction from a claimed page.
  case instructionFetch
  /// The host's stage-1 tables lie in a claimed page.
  case tableWalk
  /// The page is claimed, and no device answers for it.
  case noHandler
  /// Hardware answered EL2's own access with an external abort.
  case externalAbort
  /// The device refuses what is asked of it.
  case device
  /// No region holds the address and nothing else maps it.
  case unmapped

  /// The reason in words, for a log.
  public var text: StaticString {
    switch self {
    case .noSyndrome: "an access without syndrome"
    case .width: "width not permitted"
    case .misaligned: "misaligned"
    case .notReadable: "not readable"
    case .notWritable: "not writable"
    case .instructionFetch: "an instruction fetch"
    case .tableWalk: "a walk of the host's own tables"
    case .noHandler: "no device answers"
    case .externalAbort: "the hardware aborts"
    case .device: "the device refuses"
    case .unmapped: "not mapped"
    }
  }

  /// How many reasons there are; ``unmapped`` is the last.
  public static var count: Int { Int(Refusal.unmapped.rawValue) + 1 }
}
