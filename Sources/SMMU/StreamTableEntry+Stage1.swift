// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// Stage 1: where the context descriptors are (IHI 0070, 5.2). What they say is not here: they are read
// through stage 2 where there is one.
extension StreamTableEntry {
  /// S1Fmt: 0 one table, 1 and 2 two levels of 4 or 64 KiB, DW0[5:4].
  public var contextFormat: UInt64 {
    get { word0.bits(5, 4) }
    set { word0.set(5, 4, newValue) }
  }
  /// S1ContextPtr, DW0[51:6], as an address.
  public var contextTable: UInt64 {
    get { word0.masked(51, 6) }
    set { word0.setMasked(51, 6, newValue) }
  }
  /// S1CDMax: log2 of the context descriptors, DW0[63:59].
  public var contextLog2: UInt64 {
    get { word0.bits(63, 59) }
    set { word0.set(63, 59, newValue) }
  }
  /// S1DSS: what becomes of transactions without a SubstreamID, DW1[1:0].
  public var defaultSubstream: UInt64 {
    get { word1.bits(1, 0) }
    set { word1.set(1, 0, newValue) }
  }
  /// S1CIR, DW1[3:2].
  public var contextInner: UInt64 {
    get { word1.bits(3, 2) }
    set { word1.set(3, 2, newValue) }
  }
  /// S1COR, DW1[5:4].
  public var contextOuter: UInt64 {
    get { word1.bits(5, 4) }
    set { word1.set(5, 4, newValue) }
  }
  /// S1CSH, DW1[7:6].
  public var contextShareability: UInt64 {
    get { word1.bits(7, 6) }
    set { word1.set(7, 6, newValue) }
  }
  /// DRE, DW1[12].
  public var hasDestructiveReads: Bool {
    get { word1.bit(12) }
    set { word1.set(12, newValue) }
  }
  /// DCP, DW1[17].
  public var prefetchesDirectly: Bool {
    get { word1.bit(17) }
    set { word1.set(17, newValue) }
  }
  /// PPAR: what answers a page request that found no room says the SubstreamID, DW1[18].
  public var answersWithSubstream: Bool {
    get { word1.bit(18) }
    set { word1.set(18, newValue) }
  }
  /// S1MPAM, DW1[26].
  public var partitionsStage1: Bool {
    get { word1.bit(26) }
    set { word1.set(26, newValue) }
  }
  /// S1STALLD, DW1[27].
  public var forbidsStalls: Bool {
    get { word1.bit(27) }
    set { word1.set(27, newValue) }
  }
}
