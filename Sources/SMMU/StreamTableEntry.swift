// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// A Stream Table Entry: what an SMMU does with the transactions of one stream (IHI 0070, 5.2).
///
/// Eight little-endian doublewords, bit n of the specification's 512 in word n / 64. Which fields mean
/// something depends on `configuration`; the others read whatever their bits are.
public struct StreamTableEntry: Hashable, Sendable {
  /// The bytes of an entry.
  public static var size: UInt64 { 64 }

  /// Bits [63:0].
  public var word0: UInt64
  /// Bits [127:64].
  public var word1: UInt64
  /// Bits [191:128].
  public var word2: UInt64
  /// Bits [255:192].
  public var word3: UInt64
  /// Bits [319:256].
  public var word4: UInt64
  /// Bits [383:320].
  public var word5: UInt64
  /// Bits [447:384].
  public var word6: UInt64
  /// Bits [511:448].
  public var word7: UInt64

  /// Takes eight doublewords; those not given are zero.
  public init(
    _ word0: UInt64 = 0, _ word1: UInt64 = 0, _ word2: UInt64 = 0, _ word3: UInt64 = 0,
    _ word4: UInt64 = 0, _ word5: UInt64 = 0, _ word6: UInt64 = 0, _ word7: UInt64 = 0
  ) {
    self.word0 = word0
    self.word1 = word1
    self.word2 = word2
    self.word3 = word3
    self.word4 = word4
    self.word5 = word5
    self.word6 = word6
    self.word7 = word7
  }

  /// The doublewords, in order.
  public var words: InlineArray<8, UInt64> {
    [word0, word1, word2, word3, word4, word5, word6, word7]
  }

  /// What the stages do.
  public enum Configuration: UInt8, Hashable, Sendable {
    /// The device sees an abort, and no event is recorded.
    case abort = 0b000
    /// Addresses pass as they are.
    case bypass = 0b100
    /// Stage 1 alone.
    case stage1 = 0b101
    /// Stage 2 alone.
    case stage2 = 0b110
    /// Stage 1, and stage 2 behind it.
    case nested = 0b111

    /// Whether stage 2 translates.
    public var hasStage2: Bool { rawValue & 0b110 == 0b110 }
    /// Whether stage 1 translates.
    public var hasStage1: Bool { rawValue & 0b101 == 0b101 }
  }
}

// What holds for every configuration.
extension StreamTableEntry {
  /// V: all else is ignored where it is clear, DW0[0].
  public var isValid: Bool {
    get { word0.bit(0) }
    set { word0.set(0, newValue) }
  }
  /// Config, DW0[3:1]; nil for a reserved value, which aborts.
  public var configuration: Configuration? {
    Configuration(rawValue: UInt8(truncatingIfNeeded: word0.bits(3, 1)))
  }
  /// Replaces Config, DW0[3:1].
  public mutating func configure(_ configuration: Configuration) {
    word0.set(3, 1, UInt64(configuration.rawValue))
  }
  /// CONT: log2 of the neighbours that say the same, DW1[16:13].
  public var contiguous: UInt64 {
    get { word1.bits(16, 13) }
    set { word1.set(16, 13, newValue) }
  }
  /// MEV, DW1[19].
  public var mergesEvents: Bool {
    get { word1.bit(19) }
    set { word1.set(19, newValue) }
  }
  /// EATS, DW1[29:28]: what PCI's Address Translation Services may do.
  public var translationService: TranslationService? {
    TranslationService(rawValue: UInt8(truncatingIfNeeded: word1.bits(29, 28)))
  }
  /// Replaces EATS, DW1[29:28].
  public mutating func serve(_ service: TranslationService) {
    word1.set(29, 28, UInt64(service.rawValue))
  }

  /// What Address Translation Services a stream has; 3 needs a Device Permission Table.
  public enum TranslationService: UInt8, Hashable, Sendable {
    /// None: a request is refused, and a transaction that says it is translated aborts.
    case none = 0
    /// Full: a transaction that says it is translated passes both stages by.
    case full = 1
    /// Split: stage 2 still translates what stage 1 has.
    case split = 2
    /// Checked by the Device Permission Table.
    case checked = 3
  }

  /// STRW: the exception level whose stage 1 it is, 0 for EL1, DW1[31:30].
  public var regime: UInt64 {
    get { word1.bits(31, 30) }
    set { word1.set(31, 30, newValue) }
  }
  /// MemAttr, DW1[35:32].
  public var memoryType: UInt64 {
    get { word1.bits(35, 32) }
    set { word1.set(35, 32, newValue) }
  }
  /// MTCFG, DW1[36].
  public var replacesType: Bool {
    get { word1.bit(36) }
    set { word1.set(36, newValue) }
  }
  /// ALLOCCFG, DW1[40:37].
  public var allocation: UInt64 {
    get { word1.bits(40, 37) }
    set { word1.set(40, 37, newValue) }
  }
  /// SHCFG: 0 Non-shareable, 1 as it comes, 2 Outer, 3 Inner, DW1[45:44].
  public var shareability: UInt64 {
    get { word1.bits(45, 44) }
    set { word1.set(45, 44, newValue) }
  }
  /// NSCFG, DW1[47:46].
  public var security: UInt64 {
    get { word1.bits(47, 46) }
    set { word1.set(47, 46, newValue) }
  }
  /// PRIVCFG, DW1[49:48].
  public var privilege: UInt64 {
    get { word1.bits(49, 48) }
    set { word1.set(49, 48, newValue) }
  }
  /// INSTCFG, DW1[51:50].
  public var instruction: UInt64 {
    get { word1.bits(51, 50) }
    set { word1.set(51, 50, newValue) }
  }
}
