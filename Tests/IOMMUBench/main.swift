// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// What the devices' table takes, and what SMMUs are asked for when pages are donated: counted, not timed.

import Architecture
import Glibc
import Ownership
import SMMU
import SMMUDriver
import Simulation
import SimulatedHardware

var problems: [String] = []

func tell(_ name: String, _ value: some CustomStringConvertible) {
  let padded = name + String(repeating: " ", count: max(1, 48 - name.count))
  print(padded + value.description)
}

for gibibytes in [1, 64, 1024] as [UInt64] {
  let blocks = try TableMeasurement(gibibytes: gibibytes, splitting: .atOnce).pages(
    mapsMemory: true)
  // A terabyte page by page is 2 GiB of tables: they are counted, and not written.
  let leaves = try TableMeasurement(gibibytes: gibibytes, splitting: .broken)
    .pages(mapsMemory: gibibytes <= 64)
  let name = gibibytes == 1024 ? "1t" : "\(gibibytes)g"
  tell("dma-table-pages-\(name)-blocks", blocks)
  tell("dma-table-pages-\(name)-leaves", leaves)
  // The aim: with blocks less than a hundredth.
  if gibibytes > 1, blocks * 100 >= leaves {
    problems.append("tables of \(name): \(blocks) blocks")
  }
}

/// What one SMMU is asked for when pages are donated.
func donation(
  _ count: UInt64, _ kind: PageKind, _ level: SMMUIDR3.BreakBeforeMake, hasRanges: Bool
) throws -> (invalidations: UInt64, syncs: UInt64) {
  var options = SMMUWorldOptions()
  options.units[0].breakBeforeMake = level
  options.units[0].hasRangeInvalidation = hasRanges
  let world = try SMMUWorld(options)
  try world.start()
  let before = world.usage
  let page: UInt64 = kind == .memory ? 0x40400 : 0x10_0000
  _ = try world.donate([pages(page, count)], kind)
  let after = world.usage
  return (after.invalidations - before.invalidations, after.syncs - before.syncs)
}

for (level, blocks) in [(SMMUIDR3.BreakBeforeMake.level2, "bbml2"), (.required, "bbml0")] {
  for (hasRanges, ranges) in [(true, "ranges"), (false, "single")] {
    for count in [1, 512] as [UInt64] {
      for (kind, name) in [(PageKind.memory, "memory"), (.mmio, "mmio")] {
        let asked = try donation(count, kind, level, hasRanges: hasRanges)
        let figure = "dma-donate-\(count)-\(name)-\(blocks)-\(ranges)"
        tell(figure + "-invalidations", asked.invalidations)
        tell(figure + "-syncs", asked.syncs)
        // The aim: one SYNC, but where a block has to be broken in between.
        if asked.syncs != 1, kind == .memory || level == .level2 {
          problems.append("\(figure): \(asked.syncs) SYNCs")
        }
      }
    }
  }
}

for problem in problems { print("bench: \(problem)") }
exit(problems.isEmpty ? 0 : 1)
