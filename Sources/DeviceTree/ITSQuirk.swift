// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Boards

/// What is known of the GIC of a system-on-chip, its ITSes among it, that its tree may not say.
struct ITSQuirk {
  /// A string of the root's `compatible`.
  let compatible: StaticString
  let traits: ITSTraits

  /// The known ones.
  ///
  /// Rockchip's erratum 3568002: the GIC-600 of RK3566 and RK3568 reaches only the first 4 GiB, and
  /// its accesses do not snoop. Erratum 3588001: the one of RK3588 does not snoop. The GIC-600 of Renesas' R-Car S4,
  /// V4H and V4M and of Intel's Agilex 5 has 32 address bits.
  static var table: [8 of ITSQuirk] {
    var both = ITSTraits.addresses32Bit
    both.insert(.nonCoherent)
    return [
      ITSQuirk(compatible: "rockchip,rk3566", traits: both),
      ITSQuirk(compatible: "rockchip,rk3568", traits: both),
      ITSQuirk(compatible: "rockchip,rk3588", traits: .nonCoherent),
      ITSQuirk(compatible: "rockchip,rk3588s", traits: .nonCoherent),
      ITSQuirk(compatible: "renesas,r8a779f0", traits: .addresses32Bit),
      ITSQuirk(compatible: "renesas,r8a779g0", traits: .addresses32Bit),
      ITSQuirk(compatible: "renesas,r8a779h0", traits: .addresses32Bit),
      ITSQuirk(compatible: "intel,socfpga-agilex5", traits: .addresses32Bit),
    ]
  }

  /// The traits of the GIC on a machine that is compatible with `machine`.
  static func traits(of machine: BlobBytes?, in blob: DeviceTreeBlob) -> ITSTraits {
    let table = table
    var traits: ITSTraits = .none
    for index in table.indices where blob.list(machine, contains: table[index].compatible) {
      traits.insert(table[index].traits)
    }
    return traits
  }
}
