// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
internal import GIC

/// What an ITS says of itself, read by EL2 directly when it has claimed the frame.
public struct ITSIdentity: Hashable, Sendable {
  /// The control frame.
  public let base: PhysicalAddress
  /// Where EL2 sees the control frame.
  public let address: VirtualAddress
  /// GITS_TYPER, corrected where GITS_IIDR tells of hardware of which another value is true.
  public let typer: UInt64
  /// GITS_IIDR.
  public let iidr: UInt64
  /// GITS_PIDR2.
  public let pidr2: UInt64

  init(
    base: PhysicalAddress, address: VirtualAddress, typer: UInt64, iidr: UInt64, pidr2: UInt64
  ) {
    self.base = base
    self.address = address
    self.typer = typer
    self.iidr = iidr
    self.pidr2 = pidr2
  }

  /// The same ITS with what is offered to the host in GITS_TYPER.
  public func offering(typer: UInt64) -> ITSIdentity {
    ITSIdentity(base: base, address: address, typer: typer, iidr: iidr, pidr2: pidr2)
  }

  /// Reads the identity of the frame at `base`, which EL2 sees at `address`; nil where the frame answers
  /// with an external abort, and there is no ITS.
  package init?<Memory: DeviceMemory & ~Copyable>(
    _ base: PhysicalAddress, at address: VirtualAddress, through memory: borrowing Memory
  ) {
    func read(_ width: AccessWidth, _ offset: UInt64) -> UInt64? {
      memory.read(width, at: VirtualAddress(address.rawValue + offset))
    }
    // GITS_TYPER, GITS_IIDR and GITS_PIDR2 (GICv3 IHI 0069, 12.18).
    guard let typer = read(.double, 0x8), let iidr = read(.word, 0x4),
      let pidr2 = read(.word, 0xffe8)
    else { return nil }
    self.init(
      base: base, address: address, typer: GITSTyper(rawValue: typer, of: iidr).rawValue,
      iidr: iidr, pidr2: pidr2)
  }
}
