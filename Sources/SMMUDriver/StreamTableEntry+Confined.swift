// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Ownership
internal import SMMU

extension StreamTableEntry {
  /// A stream that reaches what `table` says, and nothing else.
  ///
  /// Walks read it as the CPUs write it: Write-Back and Inner Shareable.
  static func confined(
    by table: DMATable, _ vmid: VMID, outputSize: SMMUAddressSize
  ) -> StreamTableEntry {
    let geometry = table.geometry
    var entry = StreamTableEntry.stage2(table: table.root.rawValue, vmid: vmid, control: 0)
    entry.stage2InputSize = 64 - geometry.bits
    // With 4 KiB tables 2 is level 0, and 1 is level 1.
    entry.stage2StartLevel = geometry.startLevel == 0 ? 2 : 1
    entry.stage2Inner = 1
    entry.stage2Outer = 1
    entry.stage2Shareability = 3
    entry.stage2Control |= UInt64(min(outputSize, .bits48).rawValue) << 16
    return entry
  }
}
