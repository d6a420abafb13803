// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards

extension Picture {
  private static let mapX = 760
  private static let mapWidth = width - margin - 760
  /// What is between the heading and the lower edge of the map.
  private static let mapOffset = 46
  private static let imageHeight = 42
  /// A map that is higher has its rows closer together.
  private static let comfort = 800

  /// How close the rows are.
  private struct Density {
    /// The height of a row.
    var row: Int
    /// That of the parts of a range, below the rest of it; 0: they stand beside its name.
    var parts: Int
    /// That of a gap between addresses; one below 20 is not told of in words.
    var gap: Int

    static let wide = Density(row: 42, parts: 24, gap: 20)
    static let close = Density(row: 38, parts: 0, gap: 9)

    /// The height of a row, with what is above it.
    func height(of row: MapRow) -> Int { self.row + (row.parts.count > 1 ? parts : 0) }
  }

  /// Draws the address map below `top`, at most `limit` high; returns the lower edge.
  mutating func drawMap(from top: Int, limit: Int) -> Int {
    drawing.text(
      report.verdict == .refused ? "Address map, if EL2 started" : "Address map", x: Self.mapX,
      y: top + 16, Self.heading, limit: Self.mapWidth)
    drawing.text(
      "low addresses first, not to scale", x: Self.mapX, y: top + 34, Self.small,
      limit: Self.mapWidth, ink: Tone.plain.ink)
    let (rows, density) = fittingRows()
    var y = top + Self.mapOffset
    // What is not drawn is counted, for which there must be room, and for EL2's image.
    let end = top + limit - 2 * (Self.imageHeight + 5) - 34
    var last: UInt64?
    for (index, row) in rows.enumerated() {
      if row.isInMemory {
        y += 4
      } else {
        if let last, row.first > last, row.first - last > 1 {
          drawGap(of: row.first - last - 1, y: y, height: density.gap)
          y += density.gap
        } else if index > 0 {
          y += 5
        }
        last = max(row.last, last ?? 0)
      }
      if y + density.height(of: row) > end {
        drawing.text(
          "and \(rows.count - index) more", x: Self.mapX + 12, y: y + 16, Self.normal,
          limit: Self.mapWidth, title: rows[index...].flatMap(\.whole))
        y += 24
        break
      }
      draw(row, y: y, density)
      y += density.height(of: row)
    }
    return report.verdict == .refused ? y : drawImage(from: y + 10)
  }

  /// The rows: the more there are, the closer they are, and the shorter are runs of one kind.
  private func fittingRows() -> ([MapRow], Density) {
    for (density, runLimit) in [(.wide, 6), (.wide, 3), (.close, 3), (.close, 2)]
      as [(Density, Int)]
    {
      let rows = report.mapRows(runLimit: runLimit)
      let height = rows.reduce(0) { $0 + density.height(of: $1) + density.gap }
      if height <= Self.comfort { return (rows, density) }
    }
    return (report.mapRows(runLimit: 1), .close)
  }

  private mutating func drawGap(of size: UInt64, y: Int, height: Int) {
    for x in [Self.mapX + 14, Self.mapX + 20] {
      drawing.line([(x - 2, y + height - 2), (x + 2, y + 2)], .plain)
    }
    guard height >= 20 else { return }
    drawing.text(
      "gap of " + size.roundedSize, x: Self.mapX + 34, y: y + 14, Self.small,
      limit: Self.mapWidth - 40, ink: Tone.plain.ink)
  }

  private mutating func draw(_ row: MapRow, y: Int, _ density: Density) {
    let inset = row.isInMemory ? 16 : 0
    let box = Box(
      x: Self.mapX + inset, y: y, width: Self.mapWidth - inset, height: density.height(of: row))
    let parts = row.parts
    let tone = row.isRefused ? Tone.refused : parts.count > 1 ? .taken : parts[0].tone
    drawing.rectangle(box, tone, corners: 2)
    drawing.area(
      [(box.x, y), (box.x + 6, y), (box.x + 6, box.bottom), (box.x, box.bottom)], tone)
    if row.isReached && !report.dma.isEmpty {
      drawing.arrow(from: Self.edge + 2, to: box.x - 1, y: box.middle, .plain)
    }
    let left = box.x + 14
    let right = box.right - 8
    var end = right
    if row.isRefused {
      drawing.text(
        "refused", x: right, y: y + 16, Self.small, limit: 100, anchor: .end, ink: tone.ink)
      end -= Self.small.width(of: "refused") + 14
      drawing.cross(x: end, y: y + 12, reach: 5, ink: tone.ink)
      end -= 12
    } else if parts.count == 1 {
      let note = parts[0].text
      drawing.text(note, x: right, y: y + 16, Self.small, limit: 190, anchor: .end, ink: tone.ink)
      end -= Self.small.width(of: note) + 10
    } else if density.parts == 0 {
      end = draw(parts, short: true, in: Box(x: right - 208, y: y + 3, width: 212, height: 16)) - 8
    }
    drawing.text(
      row.title, x: left, y: y + 16, Self.strong, limit: end - left, title: row.whole)
    let behind = left + Self.strong.width(of: row.title) + 6
    if row.nodes.count == 1, end - behind > 90 {
      drawing.text(
        Self.leaf(row.nodes[0]), x: behind, y: y + 16, Self.small, limit: end - behind,
        title: row.whole)
    }
    drawing.text(
      row.addresses, x: left, y: y + 32, Self.small, limit: right - left, ink: Tone.plain.ink)
    if parts.count > 1, density.parts > 0 {
      let chips = Box(
        x: box.x + 12, y: y + density.row - 3, width: box.width - 16, height: density.parts - 2)
      _ = draw(parts, short: false, in: chips)
    }
  }

  /// Draws the parts of a range side by side; returns the left edge.
  private mutating func draw(_ parts: [MapRow.Part], short: Bool, in box: Box) -> Int {
    let width = box.width / parts.count
    for (number, part) in parts.enumerated() {
      let chip = Box(x: box.x + width * number, y: box.y, width: width - 4, height: box.height)
      drawing.rectangle(chip, part.tone, corners: 2)
      drawing.text(
        short ? part.short : part.text, x: chip.x + 6, y: chip.y + box.height / 2 + 4, Self.small,
        limit: chip.width - 10, ink: part.tone.ink)
    }
    return box.x
  }

  /// Draws that EL2 is in memory too, of which no tree tells where; returns the lower edge.
  private mutating func drawImage(from top: Int) -> Int {
    var y = top
    if !report.hasMemory {
      drawNote(
        "Memory",
        report.source == .acpi
          ? "ACPI tables do not tell where it is"
          : "the boot loader writes into the tree where it is", .kept, y: y,
        isReached: report.dma.isEmpty ? nil : .plain)
      y += Self.imageHeight + 5
    }
    drawNote(
      "EL2's image, stacks and tables", "in memory, where the boot loader puts the image", .taken,
      y: y, isReached: report.reachesEL2 ? .open : nil)
    return y + Self.imageHeight
  }

  /// Draws something that has no address in the tree, and an arrow to it where DMA reaches it.
  private mutating func drawNote(
    _ title: String, _ text: String, _ tone: Tone, y: Int, isReached: Tone?
  ) {
    let box = Box(x: Self.mapX, y: y, width: Self.mapWidth, height: Self.imageHeight)
    drawing.rectangle(box, tone, corners: 2)
    if let isReached {
      drawing.arrow(from: Self.edge + 2, to: box.x - 1, y: box.middle, isReached)
    }
    drawing.text(
      title, x: box.x + 14, y: y + 17, Self.strong, limit: box.width - 24, ink: tone.ink)
    drawing.text(text, x: box.x + 14, y: y + 34, Self.small, limit: box.width - 24, ink: tone.ink)
  }
}

extension Report {
  /// Whether a master may reach EL2's memory, as nothing that EL2 drives is before it.
  fileprivate var reachesEL2: Bool {
    dma.contains { $0.evidence != .debug && !($0.isConfined && ownsSMMUs) }
  }

  /// Whether the tree tells of any memory.
  fileprivate var hasMemory: Bool { places.contains { $0.kind == .memory } }
}

extension UInt64 {
  /// The size in the largest binary unit of which there is one at least: gaps are not to scale anyhow.
  fileprivate var roundedSize: String {
    for (unit, shift) in [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)] as [(String, UInt64)]
    where self >> shift > 0 {
      return (self & (1 << shift - 1) == 0 ? "" : "over ") + "\(self >> shift) \(unit)"
    }
    return "\(self) B"
  }
}
