// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The physical addresses of QEMU's `virt` board that the tests use.
enum Board {
  static let distributor: UInt64 = 0x0800_0000
  /// An address that nothing answers, on the page just below the ITS.
  static let hole: UInt64 = 0x0807_f000
  static let itsControl: UInt64 = 0x0808_0000
  static let itsTranslation: UInt64 = 0x0809_0000
  static let redistributors: UInt64 = 0x080a_0000
  static let console: UInt64 = 0x0900_0000
  /// A device between masters that no SMMU confines: its page is nobody else's.
  static let clock: UInt64 = 0x0901_0000
  static let firmwareConfiguration: UInt64 = 0x0902_0000
  /// Of virtio, 512 bytes each.
  static let virtioTransports: UInt64 = 0x0a00_0000
  /// An SMMU, where there is one: two pages of 64 KiB.
  static let smmu: UInt64 = 0x0905_0000
  static let smmuSize: UInt64 = 0x2_0000
  /// Where devices on PCI may be given addresses, and their configuration.
  static let deviceWindow: UInt64 = 0x1000_0000
  static let configurationSpace: UInt64 = 0x40_1000_0000
  static let memory: UInt64 = 0x4000_0000

  /// The pages of an ITS control frame.
  static let itsControlSize: UInt64 = 0x1_0000
}

/// Offsets of the registers that the tests read and write (IHI 0069, 12.18 and 12.9 to 12.11).
enum Register {
  static let gitsCTLR: UInt64 = 0x0000
  static let gitsIIDR: UInt64 = 0x0004
  static let gitsTYPER: UInt64 = 0x0008
  static let gitsCBASER: UInt64 = 0x0080
  static let gitsCWRITER: UInt64 = 0x0088
  static let gitsCREADR: UInt64 = 0x0090
  static let gitsBASER0: UInt64 = 0x0100
  static let gitsBASER7: UInt64 = 0x0138
  static let gitsPIDR2: UInt64 = 0xffe8
  /// In the translation frame.
  static let gitsTRANSLATER: UInt64 = 0x0040
  static let gicrPIDR2: UInt64 = 0xffe8
  static let gicdPIDR2: UInt64 = 0xffe8
}
