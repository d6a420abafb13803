// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import IOMMU
import Ownership
import SMMUDriver
import SimulatedHardware

// What devices reach held against what the host reaches.

extension SMMUWorld {
  /// Walks the host's table and the devices' over page numbers, and says where they first differ.
  ///
  /// Everything beyond what the SMMUs can address is left out.
  package func difference(_ pages: Range<UInt64>) -> String? {
    guard let table = ownership.observer.mirror.driver.table else { return "there is no table" }
    let memory = SMMUWorldMemory(memory: memory, seams: seams)
    var page = pages.lowerBound
    let limit = min(pages.upperBound, table.geometry.pageLimit)
    while page < limit {
      let frame = PageFrameNumber(page)
      let host = ownership.host.leaf(from: frame, in: memory)
      let device = table.leaf(from: frame, in: memory)
      var end = min(host.pages.last.rawValue + 1, device.end)
      let isDoorbell = options.hasDoorbell && SMMULayout.doorbell.contains(frame)
      if isDoorbell {
        if device.isReadable || !device.isWritable || device.output != frame.address {
          return "the doorbell, but \(device)"
        }
        end = page + 1
      } else {
        if options.hasDoorbell, SMMULayout.doorbell.first > frame {
          end = min(end, SMMULayout.doorbell.first.rawValue)
        }
        switch host.content {
        case .mapped(let isReadable, let isWritable):
          if device.output != frame.address || device.isReadable != isReadable
            || device.isWritable != isWritable
          {
            return "\(String(page, radix: 16)) is the host's, but \(device)"
          }
        case .claimed, .absent:
          if device.output != nil {
            return "\(String(page, radix: 16)) is not the host's, but \(device)"
          }
        }
      }
      page = end
    }
    return nil
  }

  /// Walks both tables from end to end.
  package func difference() -> String? { difference(0..<ownership.host.pageLimit) }

  /// Has a device behind each SMMU access the pages, and says where it does not come to what the table
  /// promises: by the TLB, or by a walk.
  package func wrongAccess(_ pages: Range<UInt64>, stream: UInt32 = 8) -> String? {
    for unit in units.indices {
      for page in pages {
        let isDoorbell =
          options.hasDoorbell && SMMULayout.doorbell.contains(PageFrameNumber(page))
        let reads = read(page, stream: stream, unit: unit) != nil
        let isExpected = isDoorbell ? false : hostReaches(page)
        if reads != isExpected {
          return
            "SMMU \(unit): \(String(page, radix: 16)) is \(isExpected ? "" : "not ")the host's, but "
            + "a device does \(reads ? "" : "not ")reach it"
        }
      }
    }
    return nil
  }

  /// Says which page that the host does not reach an SMMU still translates to, or has a write under way to.
  package func staleTranslation(_ pages: Range<UInt64>) -> String? {
    for unit in units.indices {
      for page in pages where !hostReaches(page) {
        if options.hasDoorbell, SMMULayout.doorbell.contains(PageFrameNumber(page)) { continue }
        if units[unit].isKept(page << 12) {
          return "SMMU \(unit) still translates to \(String(page, radix: 16))"
        }
      }
    }
    return nil
  }

  /// Says of which page EL2 has another count than there are holds, or is shared without one.
  package func wrongHold(_ pages: Range<UInt64>) -> String? {
    for page in pages {
      let record = ownership.pageRecord(of: PageFrameNumber(page))
      let count = holds.values.count { $0.contains(PageFrameNumber(page)) }
      if record.pins != count || (record.state == .sharedOwned) != (count > 0) {
        return "\(String(page, radix: 16)), which \(count) hold, is \(record)"
      }
    }
    return nil
  }

  /// Says what the driver did that the architecture forbids.
  package func softwareFault() -> String? {
    for unit in units.indices {
      if let fault = units[unit].faults.first { return "SMMU \(unit): \(fault)" }
    }
    return memory.tableLog?.faults.first?.description
  }

  /// Everything: both tables, what the SMMUs keep, and what the driver did.
  package func check() -> String? {
    if let fault = softwareFault() { return fault }
    if let difference = difference() { return difference }
    for area in [SMMULayout.mmio, SMMULayout.host, SMMULayout.canary] {
      if let stale = staleTranslation(area.frameNumbers) { return stale }
    }
    return nil
  }
}
