// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import DeviceTree
internal import Hypervisor
internal import Ownership

/// What a benchmark wants to know and only the image can tell (`portcullis.bench`).
enum Figures {
  /// Logs how many table pages the host's stage 2 takes on boards of several sizes: RAM from 1 GiB on,
  /// this image in it, an ITS below it, and neither of the two mapped.
  static func logTablePages(_ log: inout Log) {
    let size = el2_image_end_here() - el2_image_start_here()
    guard
      let image = AddressRange(base: PhysicalAddress(1 << 30 + 1 << 21), size: size),
      let control = AddressRange(base: PhysicalAddress(0x808_0000), size: 0x1_0000),
      let imagePages = PageRange(covering: image), let controlPages = PageRange(covering: control)
    else { return }
    var unmapped = FixedList<2, PageRange>(filler: imagePages)
    _ = unmapped.append(imagePages)
    _ = unmapped.append(controlPages)
    logTablePages("bench: table-pages-1g ", memory: 1 << 30, bits: 40, unmapped.span, &log)
    logTablePages("bench: table-pages-64g ", memory: 64 << 30, bits: 40, unmapped.span, &log)
    logTablePages("bench: table-pages-1t ", memory: 1 << 40, bits: 42, unmapped.span, &log)
  }

  private static func logTablePages(
    _ name: StaticString, memory: UInt64, bits: UInt64, _ unmapped: Span<PageRange>,
    _ log: inout Log
  ) {
    var map = MemoryMap()
    do throws(OwnershipError) {
      guard let geometry = TranslationGeometry(bits: bits),
        let range = AddressRange(base: PhysicalAddress(1 << 30), size: memory),
        let pages = PageRange(covering: range)
      else { return }
      try map.add(pages)
      let plan = try Stage2Plan(geometry, memoryMap: map, excluded: unmapped)
      var line = LogLine(name)
      line.append(decimal: plan.tables)
      log.write(.error, line)
    } catch {
      log.write(.error, LogLine("bench: no plan"))
    }
  }
}
