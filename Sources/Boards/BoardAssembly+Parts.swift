// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

package import Architecture

// Parts that a reader has found at a node. What is wrong with one is reported.
//
// Hardware that can be told to read and write memory is there whatever its status is: what is not used is kept apart.

extension BoardAssembly {
  /// Counts an ITS, readable or not.
  package mutating func countITS(isUsed: Bool) {
    itsCount += 1
    if isUsed { usedITSCount += 1 }
  }

  /// Adds an ITS that was counted.
  package mutating func addITS<Sink: DiagnosticSink & ~Copyable>(
    _ region: AddressRange, _ traits: ITSTraits, preITS: AddressRange?, isUsed: Bool,
    _ node: BoardNode, _ sink: inout Sink
  ) {
    let granule = board.granule
    guard region.base.isAligned(to: granule.bytes) else {
      return report(.error, node, registers, .misalignedBase(region.base, granule), &sink)
    }
    guard region.size % granule.bytes == 0 else {
      return report(.error, node, registers, .misalignedSize(region.size, granule), &sink)
    }
    guard region.size >= Board.controlFrameSize,
      let control = AddressRange(base: region.base, size: Board.controlFrameSize)
    else { return report(.error, node, registers, .tooSmall(region.size), &sink) }
    guard isUsed else { return addUnused(.its, control, node, &sink) }
    var translation: AddressRange?
    if region.size - Board.controlFrameSize >= Board.translationFrameSize,
      let base = region.base.advanced(by: Board.controlFrameSize)
    {
      translation = AddressRange(base: base, size: Board.translationFrameSize)
    } else {
      report(.warning, node, registers, .noTranslationFrame, &sink)
    }
    var all = board.gicTraits
    all.insert(traits)
    let its = ITSDescription(
      node: node, region: region, controlFrame: control, translationFrame: translation,
      traits: all, preITS: preITS)
    if !board.itses.append(its), excessITS == nil { excessITS = node }
  }

  /// Notes registers that nobody uses.
  private mutating func addUnused<Sink: DiagnosticSink & ~Copyable>(
    _ kind: UnusedRegisters.Kind, _ range: AddressRange, _ node: BoardNode, _ sink: inout Sink
  ) {
    if !board.unused.append(UnusedRegisters(kind: kind, node: node, range: range)) {
      let limit = Board.UnusedRanges.capacity
      reportOverflow(of: .unused, limit: limit, .error, node, nil, &sink)
    }
  }

  /// Adds the Distributor; the first one in use is it.
  package mutating func addDistributor(_ range: AddressRange, _ node: BoardNode) {
    guard board.distributor == nil else { return }
    board.distributor = range
    distributorNode = node
  }

  /// Adds a region of Redistributors; false where it cannot be.
  package mutating func addRedistributors<Sink: DiagnosticSink & ~Copyable>(
    _ range: AddressRange, stride: UInt64?, isUsed: Bool, _ node: BoardNode, _ sink: inout Sink
  ) -> Bool {
    guard hasSize(range, atMost: Board.redistributorRegionLimit, node, &sink) else { return false }
    let region = RedistributorRegion(node: node, range: range, stride: stride, isUsed: isUsed)
    if board.redistributors.append(region) { return true }
    let limit = Board.RedistributorRegions.capacity
    let property = registers == .reg ? PropertyName.redistributorRegions : nil
    reportOverflow(of: .redistributors, limit: limit, .error, node, property, &sink)
    return false
  }

  /// Whether registers are no larger than any of their kind, which is reported.
  private mutating func hasSize<Sink: DiagnosticSink & ~Copyable>(
    _ range: AddressRange, atMost limit: UInt64, _ node: BoardNode, _ sink: inout Sink
  ) -> Bool {
    if range.size <= limit { return true }
    report(.error, node, registers, .tooLarge(range.size, limit: limit), &sink)
    return false
  }

  /// Whether an IOMMU's registers have a size that they can have, which is reported.
  package mutating func hasIOMMUSize<Sink: DiagnosticSink & ~Copyable>(
    _ range: AddressRange, _ node: BoardNode, _ sink: inout Sink
  ) -> Bool {
    hasSize(range, atMost: Board.iommuLimit, node, &sink)
  }

  /// Adds an SMMUv3.
  package mutating func addIOMMU<Sink: DiagnosticSink & ~Copyable>(
    _ range: AddressRange, isCoherent: Bool, isUsed: Bool, _ node: BoardNode, _ sink: inout Sink
  ) {
    guard isUsed else { return addUnused(.smmuV3, range, node, &sink) }
    let iommu = IOMMUDescription(kind: .smmuV3, node: node, range: range, isCoherent: isCoherent)
    if !board.iommus.append(iommu) {
      let limit = Board.IOMMUs.capacity
      reportOverflow(of: .iommus, limit: limit, .error, node, nil, &sink)
    }
  }

  /// Adds registers of hardware that has command queues of its own for an SMMUv3.
  package mutating func addCompanion<Sink: DiagnosticSink & ~Copyable>(
    _ range: AddressRange, isUsed: Bool, _ node: BoardNode, _ sink: inout Sink
  ) {
    guard hasIOMMUSize(range, node, &sink) else { return }
    guard isUsed else { return addUnused(.companion, range, node, &sink) }
    if !board.companions.append(CompanionRegisters(node: node, range: range)) {
      let limit = Board.CompanionRanges.capacity
      reportOverflow(of: .companions, limit: limit, .error, node, nil, &sink)
    }
  }

  /// Adds registers of a performance monitor; false where they cannot be.
  package mutating func addMonitor<Sink: DiagnosticSink & ~Copyable>(
    _ range: AddressRange, _ node: BoardNode, _ sink: inout Sink
  ) -> Bool {
    guard hasSize(range, atMost: Board.monitorLimit, node, &sink) else { return false }
    if board.monitors.append(MonitorRegisters(node: node, range: range)) { return true }
    let limit = Board.Monitors.capacity
    reportOverflow(of: .monitors, limit: limit, .error, node, registers, &sink)
    return false
  }

  /// Adds memory; false where there is no room.
  package mutating func addMemory<Sink: DiagnosticSink & ~Copyable>(
    _ range: AddressRange, _ node: BoardNode, _ sink: inout Sink
  ) -> Bool {
    if board.memory.append(range) { return true }
    let limit = Board.MemoryRanges.capacity
    reportOverflow(of: .memory, limit: limit, .error, node, registers, &sink)
    return false
  }

  /// Adds memory that is not free; false where there is no room.
  package mutating func addReserved<Sink: DiagnosticSink & ~Copyable>(
    _ range: AddressRange, isUnmapped: Bool, _ node: BoardNode?, _ property: PropertyName,
    _ sink: inout Sink
  ) -> Bool {
    let reserved = ReservedMemory(node: node, range: range, isUnmapped: isUnmapped)
    if board.reserved.append(reserved) { return true }
    let limit = Board.ReservedRanges.capacity
    // Not left out: EL2 would take memory for its own there.
    reportOverflow(of: .reserved, limit: limit, .error, node ?? .root, property, &sink)
    return false
  }

  /// Adds a range that the host has for itself.
  package mutating func addWindow<Sink: DiagnosticSink & ~Copyable>(
    _ range: AddressRange, _ node: BoardNode, _ sink: inout Sink
  ) {
    if windows.append(Window(node: node, range: range)) { return }
    reportOverflow(of: .windows, limit: windows.count, .error, node, nil, &sink)
  }

  /// Adds a CPU by MPIDR_EL1's affinity fields.
  package mutating func addCPU(_ affinity: UInt64, _ node: BoardNode) {
    cpuCount += 1
    if !board.cpus.append(affinity), excessCPU == nil { excessCPU = node }
  }

  /// Adds a boot module, whose kind is not known yet where it has none.
  package mutating func addModule<Sink: DiagnosticSink & ~Copyable>(
    _ range: AddressRange, _ kind: BootModule.Kind?, bootArguments: BlobBytes?, _ node: BoardNode,
    _ sink: inout Sink
  ) {
    if kind == nil { untyped |= 1 << UInt64(board.modules.count) }
    let module = BootModule(
      kind: kind ?? .other, node: node, range: range, bootArguments: bootArguments)
    if !board.modules.append(module) {
      let limit = Board.BootModules.capacity
      reportOverflow(of: .modules, limit: limit, .warning, node, nil, &sink)
    }
  }
}

/// What is known of the CPUs, used or not, and of who starts them.
///
/// A CPU that PSCI does not start waits elsewhere, at EL2 for a word in the host's memory.
package struct Processors {
  /// How many there are.
  private(set) var count = 0
  /// The last one.
  private(set) var last = BoardNode.root
  /// The first that something other than PSCI starts.
  private(set) var otherwise: BoardNode?
  /// Whether one says nothing of it, as the one that boots may.
  private var hasSilent = false

  init() {}

  /// Who starts a CPU.
  package enum Starter { case psci, other, untold }

  /// Counts a CPU.
  package mutating func add(_ node: BoardNode, startedBy starter: Starter) {
    count += 1
    last = node
    switch starter {
    case .psci: return
    case .other: otherwise = otherwise ?? node
    case .untold:
      if hasSilent { otherwise = otherwise ?? node }
      hasSilent = true
    }
  }
}

extension BoardAssembly {
  /// Refuses a board on which a CPU may run the host's code at EL2.
  mutating func checkProcessors<Sink: DiagnosticSink & ~Copyable>(_ sink: inout Sink) {
    guard processors.count > 1 else { return }
    if let node = processors.otherwise { report(.error, node, starter, .notPSCI, &sink) }
    if board.psci == nil { report(.error, psciNode ?? processors.last, nil, .noPSCI, &sink) }
  }
}
