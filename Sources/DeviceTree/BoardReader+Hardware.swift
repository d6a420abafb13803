// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture

// Hardware that can be told to read and write memory: the GIC with its ITSes, SMMUv3s and their monitors. It is read
// whatever its status is.

extension BoardReader {
  mutating func readHardware<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    guard let compatible = context.properties[.compatible] else { return }
    let isITS = blob.list(compatible, contains: "arm,gic-v3-its")
    let isGIC = blob.list(compatible, contains: "arm,gic-v3")
    if !isITS, !isGIC, blob.isUnknownController(compatible) {
      return report(.error, context.node, .compatible, .notSupported, &sink)
    }
    let isIOMMU = blob.list(compatible, contains: "arm,smmu-v3")
    let isMonitor = blob.list(compatible, contains: "arm,smmu-v3-pmcg")
    let isCompanion = blob.isCompanion(compatible)
    if !context.isEnabled, isITS || isGIC || isIOMMU || isMonitor || isCompanion {
      report(.note, context.node, nil, .disabled, &sink)
    }
    if isITS { readITS(context, blob, &sink) }
    if isGIC { readGIC(context, blob, &sink) }
    if isIOMMU { readIOMMU(context, blob, &sink) }
    if isMonitor { readMonitor(context, blob, &sink) }
    if isCompanion { readCompanion(context, blob, &sink) }
  }

  /// Notes registers that nobody uses.
  private mutating func addUnused<Sink: DiagnosticSink & ~Copyable>(
    _ kind: UnusedRegisters.Kind, _ range: AddressRange, _ node: DeviceTreeNode,
    _ sink: inout Sink
  ) {
    if !board.unused.append(UnusedRegisters(kind: kind, node: node, range: range)) {
      let limit = Board.UnusedRanges.capacity
      reportOverflow(of: .unused, limit: limit, .error, node, nil, &sink)
    }
  }

  mutating func readITS<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    itsCount += 1
    if context.isEnabled { usedITSCount += 1 }
    guard let region = range(context, severity: .error, blob, &sink) else { return }
    let granule = board.granule
    guard region.base.isAligned(to: granule.bytes) else {
      return report(.error, context.node, .reg, .misalignedBase(region.base, granule), &sink)
    }
    guard region.size % granule.bytes == 0 else {
      return report(.error, context.node, .reg, .misalignedSize(region.size, granule), &sink)
    }
    guard region.size >= Board.controlFrameSize,
      let control = AddressRange(base: region.base, size: Board.controlFrameSize)
    else { return report(.error, context.node, .reg, .tooSmall(region.size), &sink) }
    guard context.isEnabled else { return addUnused(.its, control, context.node, &sink) }
    var translation: AddressRange?
    if region.size - Board.controlFrameSize >= Board.translationFrameSize,
      let base = region.base.advanced(by: Board.controlFrameSize)
    {
      translation = AddressRange(base: base, size: Board.translationFrameSize)
    } else {
      report(.warning, context.node, .reg, .noTranslationFrame, &sink)
    }
    var traits = board.gicTraits
    if context.properties[.dmaNoncoherent] != nil { traits.insert(.nonCoherent) }
    let its = ITSDescription(
      node: context.node, region: region, controlFrame: control, translationFrame: translation,
      traits: traits, preITS: readPreITS(context, blob, &sink))
    if !board.itses.append(its), excessITS == nil { excessITS = context.node }
  }

  /// The window of the bridge: base and size, a cell each.
  private mutating func readPreITS<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) -> AddressRange? {
    guard let value = context.properties[.preITS] else { return nil }
    guard value.count == 8, let base = blob.word(value), let size = blob.word(value, at: 4) else {
      report(.error, context.node, .preITS, .badLength(value.count), &sink)
      return nil
    }
    let range = AddressRange(base: PhysicalAddress(UInt64(base)), size: UInt64(size))
    if range == nil { report(.error, context.node, .preITS, .noSize, &sink) }
    return range
  }

  mutating func readGIC<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    guard let distributor = range(context, severity: .error, blob, &sink) else { return }
    if board.distributor == nil, context.isEnabled {
      board.distributor = distributor
      distributorNode = context.node
    }
    var count: UInt32 = 1
    if let value = context.properties[.redistributorRegions] {
      guard value.count == 4, let word = blob.word(value), word > 0 else {
        return report(
          .error, context.node, .redistributorRegions,
          value.count == 4 ? .badValue : .badLength(value.count), &sink)
      }
      count = word
    }
    var stride: UInt64?
    if let value = context.properties[.redistributorStride] {
      guard value.count == 4 || value.count == 8,
        let bytes = blob.number(value, at: 0, cells: value.count / 4)
      else {
        return report(
          .error, context.node, .redistributorStride, .badLength(value.count), &sink)
      }
      guard bytes > 0, bytes % 0x10000 == 0 else {
        return report(.error, context.node, .redistributorStride, .badValue, &sink)
      }
      stride = bytes
    }
    for index in 0..<Int(count) {
      guard let range = range(context, entry: 1 + index, severity: .error, blob, &sink) else {
        return
      }
      guard range.size <= Board.redistributorRegionLimit else {
        return reportSize(of: range, Board.redistributorRegionLimit, context.node, &sink)
      }
      let region = RedistributorRegion(
        node: context.node, range: range, stride: stride, isUsed: context.isEnabled)
      if !board.redistributors.append(region) {
        let limit = Board.RedistributorRegions.capacity
        return reportOverflow(
          of: .redistributors, limit: limit, .error, context.node, .redistributorRegions, &sink)
      }
    }
  }

  /// Reports registers that are larger than any.
  private mutating func reportSize<Sink: DiagnosticSink & ~Copyable>(
    of range: AddressRange, _ limit: UInt64, _ node: DeviceTreeNode, _ sink: inout Sink
  ) {
    report(.error, node, .reg, .tooLarge(range.size, limit: limit), &sink)
  }

  mutating func readIOMMU<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    guard let range = range(context, severity: .error, blob, &sink) else { return }
    guard range.size <= Board.iommuLimit else {
      return reportSize(of: range, Board.iommuLimit, context.node, &sink)
    }
    // The binding has one entry; what others would be of can't be known.
    guard let entry = path.levels[context.depth - 1].entrySize,
      context.properties[.reg]?.count == entry
    else { return report(.error, context.node, .reg, .tooMany(1), &sink) }
    guard context.isEnabled else { return addUnused(.smmuV3, range, context.node, &sink) }
    let iommu = IOMMUDescription(
      kind: .smmuV3, node: context.node, range: range,
      isCoherent: context.properties[.dmaCoherent] != nil)
    if !board.iommus.append(iommu) {
      let limit = Board.IOMMUs.capacity
      reportOverflow(of: .iommus, limit: limit, .error, context.node, nil, &sink)
    }
  }

  mutating func readCompanion<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    guard let range = range(context, severity: .error, blob, &sink) else { return }
    guard range.size <= Board.iommuLimit else {
      return reportSize(of: range, Board.iommuLimit, context.node, &sink)
    }
    guard context.isEnabled else { return addUnused(.companion, range, context.node, &sink) }
    if !board.companions.append(CompanionRegisters(node: context.node, range: range)) {
      let limit = Board.CompanionRanges.capacity
      reportOverflow(of: .companions, limit: limit, .error, context.node, nil, &sink)
    }
  }

  /// One page of registers, or two.
  mutating func readMonitor<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    // Where entries can't be told apart, the first says why.
    let size = path.levels[context.depth - 1].entrySize ?? 0
    let count = max(size > 0 ? (context.properties[.reg]?.count ?? 0) / size : 0, 1)
    for index in 0..<count {
      guard let range = range(context, entry: index, severity: .error, blob, &sink) else { return }
      guard range.size <= Board.monitorLimit else {
        return reportSize(of: range, Board.monitorLimit, context.node, &sink)
      }
      guard board.monitors.append(MonitorRegisters(node: context.node, range: range)) else {
        let limit = Board.Monitors.capacity
        return reportOverflow(of: .monitors, limit: limit, .error, context.node, .reg, &sink)
      }
    }
  }
}

extension DeviceTreeBlob {
  /// Whether a list of `compatible` names hardware that has command queues of its own for an SMMUv3.
  func isCompanion(_ compatible: BlobBytes?) -> Bool {
    list(compatible, contains: "nvidia,tegra241-cmdqv")
      || list(compatible, contains: "nvidia,tegra264-cmdqv")
  }

  /// Whether a list of `compatible` names an ITS, or a GIC, other than those that are known.
  func isUnknownController(_ compatible: BlobBytes) -> Bool {
    if list(compatible, contains: "arm,gic-v2m-frame") { return false }
    return list(compatible, contains: { hasPrefix($0, "arm,gic-v") || hasSuffix($0, "-its") })
  }
}
