// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// One entry of a command queue: two little-endian doublewords (IHI 0070, chapter 4).
///
/// Which fields mean something depends on the command; a field of another command reads whatever its
/// bits are.
public struct SMMUCommand: Hashable, Sendable {
  /// The bytes of a command.
  public static var size: UInt64 { 16 }

  /// Bits [63:0].
  public var word0: UInt64
  /// Bits [127:64].
  public var word1: UInt64

  /// Takes two doublewords.
  public init(_ word0: UInt64, _ word1: UInt64 = 0) {
    self.word0 = word0
    self.word1 = word1
  }

  /// The number of the command, DW0[7:0].
  public var number: UInt8 { UInt8(truncatingIfNeeded: word0) }
  /// The command; nil for a number that the architecture reserves.
  public var opcode: SMMUOpcode? { SMMUOpcode(rawValue: number) }
}

// The fields, by where they are and not by command: many commands share one.
extension SMMUCommand {
  /// SSec: the stream is a Secure one, DW0[10].
  public var isSecure: Bool { word0.bit(10) }
  /// SSV: the SubstreamID counts, DW0[11].
  public var hasSubstream: Bool { word0.bit(11) }
  /// SubstreamID, DW0[31:12].
  public var substream: SubstreamID { SubstreamID(UInt32(truncatingIfNeeded: word0.bits(31, 12))) }
  /// StreamID, DW0[63:32].
  public var stream: StreamID { StreamID(UInt32(truncatingIfNeeded: word0 >> 32)) }
  /// Leaf: of CFGI_STE and CFGI_CD the entry alone and not what points to it; of TLBI the last level alone, DW1[0].
  public var isLeaf: Bool { word1.bit(0) }
  /// Range of CFGI_STE_RANGE: log2 of the streams, less one, DW1[4:0].
  public var streamRange: UInt64 { word1.bits(4, 0) }
  /// Whether CFGI_STE_RANGE is CMD_CFGI_ALL: Range is 31.
  public var isWholeRange: Bool { streamRange == 31 }
  /// VMID, DW0[47:32] of TLBI.
  public var vmid: VMID { VMID(UInt16(truncatingIfNeeded: word0 >> 32)) }
  /// ASID, DW0[63:48] of TLBI.
  public var asid: ASID { ASID(UInt16(truncatingIfNeeded: word0 >> 48)) }
  /// NUM of TLBI: with IDR3.RIL, granules less one, DW0[16:12].
  public var rangeCount: UInt64 { word0.bits(16, 12) }
  /// SCALE of TLBI: with IDR3.RIL, log2 of what NUM counts, DW0[24:20].
  public var rangeScale: UInt64 { word0.bits(24, 20) }
  /// TTL of TLBI: the level of the last entry, 0 if unknown, DW1[9:8].
  public var levelHint: UInt64 { word1.bits(9, 8) }
  /// TG of TLBI: 0 is no range, 1 is 4 KiB, 2 is 16 KiB, 3 is 64 KiB, DW1[11:10].
  public var granule: UInt64 { word1.bits(11, 10) }
  /// Address of TLBI, PREFETCH_ADDR, ATC_INV and PRI_RESP, DW1[63:12], as an address.
  public var address: UInt64 { word1.masked(63, 12) }
  /// Size of ATC_INV: log2 of the pages, DW1[5:0].
  public var invalidationSize: UInt64 { word1.bits(5, 0) }
  /// G of ATC_INV: all substreams, DW0[9].
  public var isGlobal: Bool { word0.bit(9) }
  /// PRGIndex of PRI_RESP, DW1[8:0].
  public var requestGroup: UInt64 { word1.bits(8, 0) }
  /// Resp, DW1[13:12] of PRI_RESP; nil for a reserved value.
  public var pageResponse: PageResponse? {
    PageResponse(rawValue: UInt8(truncatingIfNeeded: word1.bits(13, 12)))
  }
  /// Ac of RESUME: the transaction is tried again, DW0[12].
  public var retries: Bool { word0.bit(12) }
  /// Ab of RESUME: the device sees an abort, instead of zeroes, DW0[13].
  public var aborts: Bool { word0.bit(13) }
  /// STAG of RESUME, DW1[15:0].
  public var stallTag: UInt64 { word1.bits(15, 0) }
  /// CS, DW0[13:12] of SYNC; nil for a reserved value.
  public var completion: Completion? {
    Completion(rawValue: UInt8(truncatingIfNeeded: word0.bits(13, 12)))
  }
  /// MSH, DW0[23:22] of SYNC; nil for a reserved value.
  public var messageShareability: SMMUShareability? {
    SMMUShareability(rawValue: UInt8(truncatingIfNeeded: word0.bits(23, 22)))
  }
  /// MSIAttr of SYNC, DW0[27:24].
  public var messageType: UInt64 { word0.bits(27, 24) }
  /// MSIData, DW0[63:32] of SYNC.
  public var messageData: UInt32 { UInt32(truncatingIfNeeded: word0 >> 32) }
  /// MSIAddress of SYNC; 0 asks for no write, DW1[51:2], as an address.
  public var messageAddress: UInt64 { word1.masked(51, 2) }

  /// How the completion of a SYNC is signalled.
  public enum Completion: UInt8, Hashable, Sendable {
    /// SIG_NONE: CMDQ_CONS alone tells.
    case none = 0
    /// SIG_IRQ: by a write of MSIData to MSIAddress, or by the wired interrupt where that is 0.
    case interrupt = 1
    /// SIG_SEV: by an event for WFE.
    case event = 2
  }

  /// The answer to a page request.
  public enum PageResponse: UInt8, Hashable, Sendable {
    /// ResponseFailure.
    case failure = 0
    /// InvalidRequest.
    case invalid = 1
    /// Success.
    case success = 2
  }
}
