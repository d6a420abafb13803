// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards

/// A row of the address map: a range, or several of one kind with nothing else between them.
struct MapRow {
  /// A part of a range, and whose it is.
  struct Part {
    /// What it is, and whose.
    var text: String
    /// The same where there is little room.
    var short = ""
    /// Whose it is.
    var tone: Tone
  }

  /// What is there.
  var kind: Report.Place.Kind
  /// How many ranges the row has.
  var count = 1
  /// What it would be if it were not disabled.
  var disabled: String?
  /// The paths of their nodes.
  var nodes: [String]
  /// The numbers of the ITSes.
  var numbers: [Int]
  /// The first address.
  var first: UInt64
  /// The last address.
  var last: UInt64
  /// How many bytes all of them have.
  var size: UInt64
  /// Whether it lies in the memory above it.
  var isInMemory: Bool
  /// Whether they are ITSes of which the frame of GITS_TRANSLATER is known.
  var hasDoorbell: Bool
  /// Whether an error is about one of them.
  var isRefused: Bool
  /// Whether EL2 drives the SMMUs.
  var ownsSMMUs: Bool

  /// Adds one more range of the same kind.
  mutating func append(_ other: MapRow) {
    count += other.count
    for node in other.nodes where nodes.last != node { nodes.append(node) }
    numbers += other.numbers
    last = max(last, other.last)
    (size, _) = size.addingReportingOverflow(other.size)
    isRefused = isRefused || other.isRefused
    hasDoorbell = hasDoorbell || other.hasDoorbell
  }

  /// What is there, in words.
  var title: String {
    switch kind {
    case .memory: count > 1 ? "\(count) ranges of memory" : "Memory"
    case .reserved: count > 1 ? "\(count) ranges of reserved memory" : "Reserved memory"
    case .unmapped:
      count > 1 ? "\(count) ranges of reserved memory, no-map" : "Reserved memory, no-map"
    case .distributor: "GIC Distributor"
    case .its: Self.its(numbers)
    case .preITS: count > 1 ? "\(count) pre-ITS windows" : "Pre-ITS window"
    case .redistributors: count > 1 ? "\(count) regions of Redistributors" : "Redistributors"
    case .smmu: count > 1 ? "\(count) SMMUv3s" : "SMMUv3"
    case .companion: count > 1 ? "\(count) ranges of CMDQV" : "CMDQV of an SMMUv3"
    case .monitor: count > 1 ? "\(count) ranges of SMMU monitors" : "SMMU monitor (PMCG)"
    case .unused: count > 1 ? "\(count) disabled devices" : "Disabled \(disabled ?? "device")"
    case .console: count > 1 ? "\(count) consoles" : "Console"
    }
  }

  /// The parts that a range has, in the order of addresses, and whose they are.
  var parts: [Part] {
    switch kind {
    case .memory: [Part(text: "the host's", tone: .kept)]
    case .reserved, .unmapped: [Part(text: "", tone: .reserved)]
    case .distributor: [Part(text: "the host's; EL2 reads it", tone: .kept)]
    case .its where !hasDoorbell: [Part(text: "EL2 only", tone: .taken)]
    case .its:
      [
        Part(text: "control: EL2 only", short: "control: EL2", tone: .taken),
        Part(text: "doorbell: host, devices", short: "doorbell", tone: .kept),
      ]
    case .preITS: [Part(text: "the host's, for devices", tone: .kept)]
    case .redistributors:
      [
        Part(text: "RD, VLPI: EL2 only", short: "RD: EL2", tone: .taken),
        Part(text: "SGI: the host's", short: "SGI: host", tone: .kept),
      ]
    case .smmu where !ownsSMMUs: [Part(text: "the host's: smmu=off", tone: .kept)]
    case .smmu, .monitor, .companion: [Part(text: "EL2 only", tone: .taken)]
    case .unused: [Part(text: "EL2 only", tone: .taken)]
    case .console: [Part(text: "the host's; EL2 logs to it", tone: .kept)]
    }
  }

  /// The addresses and sizes.
  var addresses: String {
    let range = first.hexadecimal + " to " + last.hexadecimal
    return range + (count > 1 ? ", in all " : ", ") + size.binarySize
  }

  /// All that the row is about, for who points at it.
  var whole: [String] {
    [title + ": " + addresses] + nodes + parts.map(\.text).filter { !$0.isEmpty }
  }

  /// Whether devices write there, confined or not.
  var isReached: Bool {
    switch kind {
    case .memory, .preITS: true
    case .its: hasDoorbell
    case .reserved, .unmapped, .distributor, .redistributors, .smmu, .companion, .monitor, .unused,
      .console:
      false
    }
  }

  private static func its(_ numbers: [Int]) -> String {
    guard let first = numbers.first, let last = numbers.last else { return "ITS" }
    if numbers.count == 1 { return "ITS \(first)" }
    let isRun = zip(numbers, numbers.dropFirst()).allSatisfy { $0 + 1 == $1 }
    return isRun ? "\(numbers.count) ITSes: \(first) to \(last)" : "\(numbers.count) ITSes"
  }
}

extension Report {
  /// The number of the ITS at `node`, as EL2's log has it.
  func number(ofITS node: String) -> Int? { regions.firstIndex { $0.node == node } }

  /// The address map, low addresses first; at most `runLimit` rows of one kind follow each other.
  ///
  /// Longer runs become one row.
  func mapRows(runLimit: Int) -> [MapRow] {
    let refused = Set(diagnostics.lazy.filter { $0.severity == .error }.compactMap(\.node))
    var rows: [MapRow] = []
    var memory: AddressRange?
    for place in places {
      var isInMemory = false
      if place.kind == .memory {
        memory = place.range
      } else {
        isInMemory = memory?.contains(place.range) ?? false
      }
      let nodes = [place.node].compactMap(\.self)
      let numbers = place.kind == .its ? nodes.compactMap { number(ofITS: $0) } : []
      rows.append(
        MapRow(
          kind: place.kind, disabled: place.disabled, nodes: nodes, numbers: numbers,
          first: place.range.base.rawValue, last: place.range.last.rawValue, size: place.range.size,
          isInMemory: isInMemory,
          hasDoorbell: numbers.contains { regions[$0].translater != nil },
          isRefused: nodes.contains { refused.contains($0) }, ownsSMMUs: ownsSMMUs))
    }
    var result: [MapRow] = []
    for run in rows.runs(where: { $0.kind == $1.kind && $0.isInMemory == $1.isInMemory }) {
      guard run.count > runLimit, var row = run.first else {
        result += run
        continue
      }
      for other in run.dropFirst() { row.append(other) }
      result.append(row)
    }
    return result
  }
}

extension Array {
  /// The elements in runs of which each is like the one before it.
  fileprivate func runs(where isLike: (Element, Element) -> Bool) -> [ArraySlice<Element>] {
    var result: [ArraySlice<Element>] = []
    var start = startIndex
    for index in indices.dropFirst() where !isLike(self[index - 1], self[index]) {
      result.append(self[start..<index])
      start = index
    }
    return isEmpty ? [] : result + [self[start...]]
  }
}
