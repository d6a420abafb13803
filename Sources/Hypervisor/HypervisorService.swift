// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// The calls that Portcullis itself answers, in the range of vendor-specific hypervisor services
/// (Arm DEN 0028, section 6.3), 64-bit fast calls.
public enum HypervisorService {
  /// The one function identifier; x1 selects what is asked.
  public static let function: UInt32 = 0xc600_5043
  /// The version of this interface.
  public static let version: UInt64 = 1

  /// x1 of the call that tells what answers: x0 = 0, x1 = ``version``, x2 and x3 = base and size of the image where
  /// they are known, x4 = regions.
  public static let about: UInt64 = 0
  /// x1 of the call that tells of memory which EL2 has beside its image: x0 = 0, x1 and x2 = base and size.
  public static let furtherMemory: UInt64 = 2
  /// x1 of the call that tells of an ITS: x2 = its index.
  ///
  /// x0 = 0, x1 = GITS_TYPER as it reads once EL2 mediates, x2 = GITS_IIDR, x3 = GITS_PIDR2, x4 = base of the control
  /// frame, or NOT_SUPPORTED beyond the last.
  public static let its: UInt64 = 1
  /// x1 of the call that hands a live ITS over: x2 = its index, x3 = the descriptor's address.
  ///
  /// x0 = 0, or why not: `invalidParameter`, `denied`, or the code of a `HandoverError`.
  public static let handOver: UInt64 = 0x200
  /// x1 of the call that ends the host's trust: x0 = 0 or `denied`.
  ///
  /// Does not return where a live ITS was not handed over.
  public static let finalise: UInt64 = 0x201
  /// x1 of the call that reads the trace: x2 = 0 for the first four words of the oldest record, x2 = 1
  /// for the last four, with which it is taken.
  ///
  /// x0 = 0 and the words in x1 to x4, or x0 = 1 where no record waits, `invalidParameter`, or
  /// NOT_SUPPORTED where nothing is recorded.
  public static let trace: UInt64 = 0x300

  /// x1 of the call that reads a count: x2 = the number of it.
  ///
  /// x0 = 0 and the count in x1, or `invalidParameter` for a number of nothing; ``Statistic`` has the
  /// numbers.
  public static let statistic: UInt64 = 0x301

  /// There is no such ITS, no such half, or no such count.
  public static let invalidParameter: Int64 = -3
  /// The host is not trusted, or has handed this ITS over already.
  public static let denied: Int64 = -4

  /// What there is to tell of the machine; all of it the host could find out by itself.
  public struct Facts {
    /// Where the image lies; nil where that is not known.
    public var image: AddressRange?
    /// How many regions are protected.
    public var regions: Int
    /// What EL2 has of the board's memory beside its image; nil for nothing.
    public var memory: AddressRange?

    /// Collects the facts.
    public init(image: AddressRange?, regions: Int, memory: AddressRange?) {
      self.image = image
      self.regions = regions
      self.memory = memory
    }
  }

  /// Answers ``about``.
  static func answerAbout(_ facts: Facts) -> SMCCC.Result {
    var result = SMCCC.Result(0)
    result.x1 = version
    result.x2 = facts.image?.base.rawValue ?? 0
    result.x3 = facts.image?.size ?? 0
    result.x4 = UInt64(facts.regions)
    return result
  }

  /// Answers ``furtherMemory``.
  static func answerMemory(_ facts: Facts) -> SMCCC.Result {
    var result = SMCCC.Result(0)
    result.x1 = facts.memory?.base.rawValue ?? 0
    result.x2 = facts.memory?.size ?? 0
    return result
  }

  /// Answers a call that is for tests.
  ///
  /// - x1 = 0x100: x0 = 0, x1 and x2 = base and size of the canary, memory of the hypervisor for tests
  ///   to aim at.
  /// - x1 = 0x101: x0 = 0, x1 = how many 64-bit words of the canary were overwritten since the last
  ///   such call, x2 = address of the first of them; it is intact again after the call.
  /// - Anything else: x0 = NOT_SUPPORTED.
  static func answerForTests(
    _ call: SMCCC.Call, canary: Canary, memory: borrowing some TableMemory
  ) -> SMCCC.Result {
    var result = SMCCC.Result(0)
    switch call.argument1 {
    case 0x100:
      result.x1 = canary.range.base.rawValue
      result.x2 = canary.range.size
    case 0x101:
      let damage = canary.restore(memory)
      result.x1 = damage.words
      result.x2 = damage.first
    default: return SMCCC.Result(SMCCC.notSupported)
    }
    return result
  }

  /// Answers the call that tells of an ITS.
  static func answer(_ identity: ITSIdentity?) -> SMCCC.Result {
    guard let identity else { return SMCCC.Result(SMCCC.notSupported) }
    var result = SMCCC.Result(0)
    result.x1 = identity.typer
    result.x2 = identity.iidr
    result.x3 = identity.pidr2
    result.x4 = identity.base.rawValue
    return result
  }

  /// Answers the call that reads the trace: `half` of the words of the oldest record, nil for none.
  public static func answerTrace(_ half: UInt64, _ record: InlineArray<8, UInt64>?) -> SMCCC.Result
  {
    guard half < 2 else { return SMCCC.Result(UInt64(bitPattern: invalidParameter)) }
    guard let record else { return SMCCC.Result(1) }
    let first = half == 0 ? 0 : 4
    var result = SMCCC.Result(0)
    result.x1 = record[first]
    result.x2 = record[first + 1]
    result.x3 = record[first + 2]
    result.x4 = record[first + 3]
    return result
  }
}
