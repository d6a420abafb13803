// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Boards

extension Picture {
  /// The boxes of masters.
  private static let cards = (x: margin, width: 376)
  /// The boxes of what stands before them.
  private static let gates = (x: margin + 376 + 44, width: 228)
  /// The line behind which memory begins.
  static let edge = margin + 376 + 44 + 228 + 40
  private static let cardHeight = 88
  private static let step = 100
  /// The most groups that are drawn.
  private static let groupLimit = 7

  /// Draws who does DMA and what stands before memory, below `top`; returns the lower edge.
  mutating func drawMasters(from top: Int) -> Int {
    drawing.text(
      "DMA masters", x: Self.cards.x, y: top + 16, Self.heading, limit: Self.cards.width)
    drawing.text(
      "Before memory", x: Self.gates.x, y: top + 16, Self.heading, limit: Self.gates.width)
    drawing.text(
      report.dmaSummary, x: Self.cards.x, y: top + 34, Self.small,
      limit: Self.edge - Self.cards.x, ink: Tone.plain.ink)
    let groups = report.dmaGroups(limit: Self.groupLimit)
    var y = top + 46
    guard !groups.isEmpty else {
      drawing.text(
        "The " + report.source.text + " of none.", x: Self.cards.x, y: y + 16, Self.normal,
        limit: Self.cards.width, ink: Tone.plain.ink)
      return y + 30
    }
    // There never are more than the limit, so that nothing is left out.
    for group in groups {
      let gate = Gate(before: group, of: report)
      let card = Box(x: Self.cards.x, y: y, width: Self.cards.width, height: Self.cardHeight)
      draw(group, in: card)
      draw(
        gate, of: group,
        in: Box(x: Self.gates.x, y: y, width: Self.gates.width, height: card.height))
      drawing.arrow(from: card.right, to: Self.gates.x, y: card.middle, .plain)
      // Who can halt a CPU has no need to reach memory.
      if !group.key.isDebug {
        drawing.arrow(
          from: Self.gates.x + Self.gates.width, to: Self.edge, y: card.middle, gate.tone)
      }
      y += Self.step
    }
    return y - Self.step + Self.cardHeight
  }

  /// Draws the line that divides what does DMA from what it is done to.
  mutating func drawBus(from top: Int, to bottom: Int) {
    drawing.line([(Self.edge + 2, top + 46), (Self.edge + 2, bottom)], .plain)
  }

  private mutating func draw(_ group: DMAGroup, in card: Box) {
    drawing.rectangle(card, .plain)
    let left = card.x + 12
    let limit = card.width - 24
    let count = group.nodes.count
    let noun =
      group.key.isDebug
      ? (count > 1 ? "debug components" : "debug component") : (count > 1 ? "masters" : "master")
    drawing.text("\(count) \(noun)", x: left, y: card.y + 20, Self.strong, limit: limit)
    for (number, line) in names(of: group, limit: limit).enumerated() {
      drawing.text(
        line, x: left, y: card.y + 38 + 16 * number, Self.small, limit: limit, title: group.nodes)
    }
    guard !group.key.isDebug else { return }
    drawing.text(
      interrupts(of: group), x: left, y: card.y + 77, Self.small, limit: limit,
      ink: group.msi.isEmpty ? Tone.plain.ink : Tone.taken.ink,
      title: group.msi)
  }

  private mutating func draw(_ gate: Gate, of group: DMAGroup, in box: Box) {
    drawing.rectangle(box, gate.tone)
    var left = box.x + 14
    if gate.tone == .taken {
      // The bars of a gate.
      for bar in 0..<3 {
        let x = box.x + 14 + 7 * bar
        drawing.line([(x, box.y + 9), (x, box.y + 25)], .taken)
      }
      drawing.line([(box.x + 11, box.y + 17), (box.x + 31, box.y + 17)], .taken)
      left = box.x + 40
    }
    let limit = box.right - 10 - left
    drawing.text(gate.title, x: left, y: box.y + 22, Self.strong, limit: limit, ink: gate.tone.ink)
    drawing.text(
      gate.detail, x: box.x + 14, y: box.y + 46, Self.small, limit: box.width - 24,
      title: group.iommus)
    drawing.text(
      gate.reach, x: box.x + 14, y: box.y + 70, Self.small, limit: box.width - 24,
      ink: gate.tone.ink)
  }

  /// The names of the first masters in two lines, and how many more there are.
  private func names(of group: DMAGroup, limit: Int) -> [String] {
    let names = group.nodes.map { Self.leaf($0).printable }
    var lines: [String] = [""]
    for (index, name) in names.enumerated() {
      let isLast = index == names.count - 1
      let rest = isLast ? "" : " and \(names.count - index - 1) more"
      let before = lines[lines.count - 1]
      let longer = before.isEmpty ? name : before + " " + name
      let end = isLast ? "" : ","
      if lines.count == 1 {
        if before.isEmpty || Self.small.width(of: longer + end) <= limit {
          // A first name fills the line at most.
          let room = limit - Self.small.width(of: end)
          lines[0] = Self.small.elided(longer, to: room) + end
          continue
        }
        lines.append("")
      }
      let next = lines[1].isEmpty ? name : lines[1] + " " + name
      if Self.small.width(of: next + end + rest) <= limit {
        lines[1] = next + end
        continue
      }
      let left = names.count - index
      if lines[1].isEmpty {
        lines[1] =
          isLast
          ? Self.small.elided(name, to: limit)
          : Self.small.elided(name, to: limit - Self.small.width(of: rest)) + rest
      } else {
        lines[1] = String(lines[1].dropLast()) + " and \(left) more"
      }
      break
    }
    return lines
  }

  /// Where the interrupts of a group go.
  private func interrupts(of group: DMAGroup) -> String {
    if group.msi.isEmpty { return "no MSIs to an ITS" }
    let names = group.msi.map { path in
      report.number(ofITS: path).map { "ITS \($0)" } ?? Self.leaf(path)
    }
    return "MSIs to " + names.joined(separator: ", ")
  }
}
