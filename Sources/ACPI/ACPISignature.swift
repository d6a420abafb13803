// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Boards

/// The signatures of tables, of which each is at most once.
public enum ACPISignature: UInt8, Sendable {
  // First those that are read, which is how a signature is looked up.

  /// Multiple APIC Description Table (ACPI 6.5, 5.2.12): the GIC and the CPUs.
  case madt
  /// Fixed ACPI Description Table (5.2.9): whether there is PSCI.
  case fadt
  /// Serial Port Console Redirection Table: the console.
  case spcr
  /// PCI Express memory mapped configuration space table (PCI Firmware Specification 3.3, 4.1.2).
  case mcfg
  /// I/O Remapping Table (Arm DEN 0049): SMMUs, masters, and the ITSes of these.
  case iort
  /// Root System Description Pointer (5.2.5.3).
  case rsdp
  /// Root System Description Table (5.2.7), with addresses of 32 bits.
  case rsdt
  /// Extended System Description Table (5.2.8).
  case xsdt
  /// A table that is not read.
  case other

  /// How many are read.
  static var readCount: Int { Int(iort.rawValue) + 1 }

  /// The signature as it is spelled.
  public var text: StaticString {
    switch self {
    case .madt: "APIC"
    case .fadt: "FACP"
    case .spcr: "SPCR"
    case .mcfg: "MCFG"
    case .iort: "IORT"
    case .rsdp: "RSD PTR "
    case .rsdt: "RSDT"
    case .xsdt: "XSDT"
    case .other: "a table"
    }
  }

  /// Whether a table with this signature is read.
  public var isRead: Bool { rawValue <= Self.iort.rawValue }

  /// The signature of a table from its first word, as a little-endian CPU loads it.
  public init(head: UInt32) {
    for number in Self.madt.rawValue...Self.xsdt.rawValue {
      guard let known = Self(rawValue: number), known != .rsdp, known.word == head else { continue }
      self = known
      return
    }
    self = .other
  }

  private var word: UInt32 {
    var word: UInt32 = 0
    for index in 0..<4 as Range<Int> { word |= UInt32(text.byte(at: index)) << UInt32(8 * index) }
    return word
  }
}
