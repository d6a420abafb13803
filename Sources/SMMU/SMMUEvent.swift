// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// One record of an event queue: four little-endian doublewords (IHI 0070, 7.3).
public struct SMMUEvent: Hashable, Sendable {
  /// The bytes of a record.
  public static var size: UInt64 { 32 }

  /// Bits [63:0].
  public var word0: UInt64
  /// Bits [127:64].
  public var word1: UInt64
  /// Bits [191:128].
  public var word2: UInt64
  /// Bits [255:192].
  public var word3: UInt64

  /// Takes four doublewords.
  public init(_ word0: UInt64, _ word1: UInt64 = 0, _ word2: UInt64 = 0, _ word3: UInt64 = 0) {
    self.word0 = word0
    self.word1 = word1
    self.word2 = word2
    self.word3 = word3
  }

  /// What the SMMU was reading for the device when a fault of a translation came.
  public enum AccessClass: UInt8, Hashable, Sendable {
    /// A context descriptor.
    case context = 0
    /// A translation table of stage 1.
    case table = 1
    /// The device's own access.
    case input = 2
  }

  /// The number of the event, DW0[7:0].
  public var number: UInt8 { UInt8(truncatingIfNeeded: word0) }
  /// The event; nil for a number that the architecture reserves or leaves to the implementation.
  public var type: SMMUEventType? { SMMUEventType(rawValue: number) }
  /// SubstreamID, DW0[31:12]; nil where SSV, DW0[11], is clear.
  public var substream: SubstreamID? {
    word0.bit(11) ? SubstreamID(UInt32(truncatingIfNeeded: word0.bits(31, 12))) : nil
  }
  /// StreamID, DW0[63:32].
  public var stream: StreamID { StreamID(UInt32(truncatingIfNeeded: word0 >> 32)) }
  /// Reason of a fetch or a walk that was aborted: what the implementation says, DW1[15:0].
  public var reason: UInt64 { word1.bits(15, 0) }
  /// STAG of a fault of a translation that stalls, DW1[15:0].
  public var stallTag: UInt64 { word1.bits(15, 0) }
  /// Stall, DW1[31].
  public var isStalled: Bool { word1.bit(31) }
  /// PnU, DW1[33].
  public var isPrivileged: Bool { word1.bit(33) }
  /// InD, DW1[34].
  public var isInstruction: Bool { word1.bit(34) }
  /// RnW: whether the access was a read, DW1[35].
  public var isRead: Bool { word1.bit(35) }
  /// S2: the fault is one of stage 2, DW1[39].
  public var isStage2: Bool { word1.bit(39) }
  /// CLASS, DW1[41:40]; nil for a reserved value.
  public var accessClass: AccessClass? {
    AccessClass(rawValue: UInt8(truncatingIfNeeded: word1.bits(41, 40)))
  }
  /// InputAddr, DW2: the address that the device used; nil where the type has none.
  public var inputAddress: UInt64? { type?.hasInputAddress == true ? word2 : nil }
  /// FetchAddr, DW3[51:3]: what could not be read; nil where the type has none.
  public var fetchAddress: UInt64? { type?.hasFetchAddress == true ? word3.masked(51, 3) : nil }
  /// IPA, DW3[51:12]: the address that stage 2 refused; nil where the event is not a fault of stage 2.
  public var intermediateAddress: UInt64? {
    guard let type, type.hasAccess, type != .walkAbort, isStage2 else { return nil }
    return word3.masked(51, 12)
  }
}
