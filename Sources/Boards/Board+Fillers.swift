// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

package import Architecture

// What unused slots of a board's lists hold; never seen from outside.

extension AddressRange {
  package static var filler: AddressRange {
    guard let filler = AddressRange(base: PhysicalAddress(0), size: 1) else {
      preconditionFailure("a constant")
    }
    return filler
  }
}

extension ITSDescription {
  static var filler: ITSDescription {
    ITSDescription(
      node: .root, region: .filler, controlFrame: .filler, translationFrame: nil, traits: .none,
      preITS: nil)
  }
}

extension RedistributorRegion {
  static var filler: RedistributorRegion {
    RedistributorRegion(node: .root, range: .filler, stride: nil)
  }
}

extension IOMMUDescription {
  static var filler: IOMMUDescription {
    IOMMUDescription(kind: .smmuV3, node: .root, range: .filler, isCoherent: false)
  }
}

extension MonitorRegisters {
  static var filler: MonitorRegisters { MonitorRegisters(node: .root, range: .filler) }
}

extension CompanionRegisters {
  static var filler: CompanionRegisters { CompanionRegisters(node: .root, range: .filler) }
}

extension UnusedRegisters {
  static var filler: UnusedRegisters {
    UnusedRegisters(kind: .its, node: .root, range: .filler)
  }
}

extension ReservedMemory {
  static var filler: ReservedMemory { ReservedMemory(node: nil, range: .filler, isUnmapped: false) }
}

extension BootModule {
  static var filler: BootModule {
    BootModule(kind: .other, node: .root, range: .filler, bootArguments: nil)
  }
}
