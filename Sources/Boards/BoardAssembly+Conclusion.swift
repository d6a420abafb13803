// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture

// After all parts: what can only be said of a board as a whole.

extension BoardAssembly {
  package mutating func conclude<Sink: DiagnosticSink & ~Copyable>(_ sink: inout Sink) {
    dropRepeated()
    checkOverlaps(&sink)
    checkProcessors(&sink)
    checkRoom(&sink)
    checkReach(&sink)
    if let excessITS {
      report(
        .error, excessITS, nil, .exceeds(count: usedITSCount, limit: Board.ITSes.capacity), &sink)
    }
    if let excessCPU {
      report(.error, excessCPU, nil, .exceeds(count: cpuCount, limit: Board.CPUs.capacity), &sink)
    }
    nameModules()
    if !board.checkModules(Board.ModuleSurroundings(), reporting: &sink) { isRefused = true }
    if !hasGICv3 { report(.error, .root, nil, .noGICv3, &sink) }
    board.verdict = isRefused ? .refused : itsCount == 0 ? .nothingToProtect : .protectable
  }

  /// Modules without a kind: the first is the kernel, the next the RAM disk.
  private mutating func nameModules() {
    for index in board.modules.indices where untyped >> UInt64(index) & 1 == 1 {
      if board.kernel == nil {
        board.modules[index].kind = .kernel
      } else if board.ramdisk == nil {
        board.modules[index].kind = .ramdisk
      }
    }
  }

  /// Says where frames of Redistributors can't end with their regions, as far as the description tells.
  private mutating func checkRoom<Sink: DiagnosticSink & ~Copyable>(_ sink: inout Sink) {
    var room: UInt64 = 0
    var node: BoardNode?
    for index in board.redistributors.indices where board.redistributors[index].isUsed {
      let region = board.redistributors[index]
      room += region.range.size / max(region.stride ?? 0, Board.leastRedistributorSize)
      node = node ?? region.node
    }
    guard let node, room < UInt64(board.cpus.count) else { return }
    report(.warning, node, registers, .roomForFewer(room, cpus: board.cpus.count), &sink)
  }

  /// Says which memory the GIC does not reach.
  private mutating func checkReach<Sink: DiagnosticSink & ~Copyable>(_ sink: inout Sink) {
    guard board.gicTraits.contains(.addresses32Bit) else { return }
    for index in board.memory.indices
    where board.memory[index].last.rawValue > UInt64(UInt32.max) {
      return report(.warning, .root, nil, .outOfReach(board.memory[index]), &sink)
    }
  }

  // MARK: Overlaps

  /// Leaves out what is not used by one node and used by another, or not used by two.
  private mutating func dropRepeated() {
    var unused = Board.UnusedRanges(filler: .filler)
    for index in board.unused.indices {
      let new = board.unused[index]
      var isKnown = false
      for other in unused.indices where unused[other].range == new.range { isKnown = true }
      for other in board.itses.indices where board.itses[other].controlFrame == new.range {
        isKnown = true
      }
      for other in board.iommus.indices where board.iommus[other].range == new.range {
        isKnown = true
      }
      if !isKnown { _ = unused.append(new) }
    }
    board.unused = unused
    var regions = Board.noRedistributors
    for index in board.redistributors.indices {
      let new = board.redistributors[index]
      var isKnown = false
      for other in board.redistributors.indices
      where other != index && board.redistributors[other].range == new.range {
        isKnown = isKnown || board.redistributors[other].isUsed || other < index
      }
      if new.isUsed || !isKnown { _ = regions.append(new) }
    }
    board.redistributors = regions
  }

  /// A range that EL2 uses, takes from the host, or leaves to devices.
  private struct Occupant {
    enum Kind {
      case its, preITS, distributor, redistributors, iommu, monitor, companion, console, window
    }
    let kind: Kind
    let node: BoardNode
    let range: AddressRange

    init(_ kind: Kind, _ node: BoardNode, _ range: AddressRange) {
      self.kind = kind
      self.node = node
      self.range = range
    }

    /// Whether the two may overlap: monitors share pages, and lie among the registers of an SMMU.
    func mayOverlap(_ other: Occupant) -> Bool {
      kind == .monitor && (other.kind == .monitor || other.kind == .iommu)
        || kind == .iommu && other.kind == .monitor
    }
  }

  /// How many numbers of occupants there are.
  private var occupantCount: Int {
    2 * board.itses.count + board.unused.count + board.redistributors.count + board.iommus.count
      + board.monitors.count + board.companions.count + windows.count + 2
  }

  /// The occupant with this number; nil where the board has none there.
  private func occupant(_ number: Int) -> Occupant? {
    var index = number
    func isPlace(in count: Int) -> Bool {
      if index < count { return true }
      index -= count
      return false
    }
    if isPlace(in: board.itses.count) {
      return Occupant(.its, board.itses[index].node, board.itses[index].region)
    }
    if isPlace(in: board.itses.count) {
      let its = board.itses[index]
      return its.preITS.map { Occupant(.preITS, its.node, $0) }
    }
    if isPlace(in: board.unused.count) {
      let unused = board.unused[index]
      return Occupant(unused.kind == .its ? .its : .iommu, unused.node, unused.range)
    }
    if isPlace(in: board.redistributors.count) {
      let region = board.redistributors[index]
      return Occupant(.redistributors, region.node, region.range)
    }
    if isPlace(in: board.iommus.count) {
      return Occupant(.iommu, board.iommus[index].node, board.iommus[index].range)
    }
    if isPlace(in: board.monitors.count) {
      return Occupant(.monitor, board.monitors[index].node, board.monitors[index].range)
    }
    if isPlace(in: board.companions.count) {
      return Occupant(.companion, board.companions[index].node, board.companions[index].range)
    }
    if isPlace(in: windows.count) {
      return Occupant(.window, windows[index].node, windows[index].range)
    }
    if isPlace(in: 1) {
      // Trees give the Distributor a megabyte, with ITSes in it; its registers are one frame.
      guard let all = board.distributor,
        let frame = AddressRange(base: all.base, size: min(all.size, Board.controlFrameSize))
      else { return nil }
      return Occupant(.distributor, distributorNode, frame)
    }
    return board.console.map { Occupant(.console, $0.node, $0.range) }
  }

  /// Checks every range that EL2 uses, takes or leaves to devices against all others, and against memory.
  mutating func checkOverlaps<Sink: DiagnosticSink & ~Copyable>(_ sink: inout Sink) {
    for number in 0..<occupantCount {
      guard let occupant = occupant(number) else { continue }
      let property: PropertyName = occupant.kind == .preITS ? .preITS : registers
      var isAlone = true
      // Once each: a hostile description could have all of them in one place.
      for other in 0..<number {
        guard let other = self.occupant(other), !occupant.mayOverlap(other),
          occupant.range.overlaps(other.range)
        else { continue }
        isAlone = false
        report(
          .error, occupant.node, property, .overlapsRegion(other.range, other: other.node), &sink)
        break
      }
      for index in board.memory.indices where board.memory[index].overlaps(occupant.range) {
        isAlone = false
        report(.error, occupant.node, property, .overlapsMemory(board.memory[index]), &sink)
        break
      }
      // Nothing is written there.
      if occupant.kind == .console, !isAlone { board.console = nil }
    }
  }
}
