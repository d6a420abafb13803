// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture

/// Where everything is on the board.
///
///     0x0808_0000  an ITS: its control frame, and at 0x0809_0000 its doorbell
///     0x0900_0000  SMMU 0, and SMMU n at 0x0900_0000 + n * 0x2_0000
///     0x4000_0000  memory, 16 MiB; of it EL2's from 0x40c0_0000:
///     0x40c0_0000  tables of translations
///     0x40f0_0000  arenas of the SMMUs
///     0x40fe_0000  what is held
///     0x40ff_0000  the canary: EL2's own, which nothing has a reason to touch
///
/// The pages that may change their owner are the host's memory and 512 pages of MMIO around the ITS:
/// fewer than 4,096.
package enum SMMULayout {
  /// All memory.
  package static let ram = pages(0x40000, 0x1000)
  /// The host's memory.
  package static let host = pages(0x40000, 0xc00)
  /// What is EL2's from the start.
  package static let hypervisor = pages(0x40c00, 0x400)
  static let pool = pages(0x40c00, 0x300)
  static let arenas = pages(0x40f00, 0xe0)
  static let pins = pages(0x40fe0, 1)
  /// EL2's own memory that only an attack would touch.
  package static let canary = pages(0x40ff0, 0x10)
  /// The control frame of the ITS.
  package static let controlFrame = pages(0x8080, 0x10)
  /// GITS_TRANSLATER's page.
  package static let doorbell = pages(0x8090, 1)
  /// The block of MMIO around the ITS.
  package static let mmio = pages(0x8000, 0x200)

  /// The first page of the registers of an SMMU.
  package static func frame(_ unit: Int) -> UInt64 { 0x900_0000 + UInt64(unit) * 0x2_0000 }
}
