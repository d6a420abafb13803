// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards

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
      return assembly.report(.error, context.node, .compatible, .notSupported, &sink)
    }
    let isIOMMU = blob.list(compatible, contains: "arm,smmu-v3")
    let isMonitor = blob.list(compatible, contains: "arm,smmu-v3-pmcg")
    let isCompanion = blob.isCompanion(compatible)
    if !context.isEnabled, isITS || isGIC || isIOMMU || isMonitor || isCompanion {
      assembly.report(.note, context.node, nil, .disabled, &sink)
    }
    if isITS { readITS(context, blob, &sink) }
    if isGIC { readGIC(context, blob, &sink) }
    if isIOMMU { readIOMMU(context, blob, &sink) }
    if isMonitor { readMonitor(context, blob, &sink) }
    if isCompanion { readCompanion(context, blob, &sink) }
  }

  mutating func readITS<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    assembly.countITS(isUsed: context.isEnabled)
    guard let region = range(context, severity: .error, blob, &sink) else { return }
    let isNonCoherent = context.properties[.dmaNoncoherent] != nil
    assembly.addITS(
      region, isNonCoherent ? .nonCoherent : .none,
      preITS: context.isEnabled ? readPreITS(context, blob, &sink) : nil,
      isUsed: context.isEnabled, context.node, &sink)
  }

  /// The window of the bridge: base and size, a cell each.
  private mutating func readPreITS<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) -> AddressRange? {
    guard let value = context.properties[.preITS] else { return nil }
    guard value.count == 8, let base = blob.word(value), let size = blob.word(value, at: 4) else {
      assembly.report(.error, context.node, .preITS, .badLength(value.count), &sink)
      return nil
    }
    let range = AddressRange(base: PhysicalAddress(UInt64(base)), size: UInt64(size))
    if range == nil { assembly.report(.error, context.node, .preITS, .noSize, &sink) }
    return range
  }

  mutating func readGIC<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    guard let distributor = range(context, severity: .error, blob, &sink) else { return }
    if context.isEnabled { assembly.addDistributor(distributor, context.node) }
    var count: UInt32 = 1
    if let value = context.properties[.redistributorRegions] {
      guard value.count == 4, let word = blob.word(value), word > 0 else {
        return assembly.report(
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
        return assembly.report(
          .error, context.node, .redistributorStride, .badLength(value.count), &sink)
      }
      guard bytes > 0, bytes % 0x10000 == 0 else {
        return assembly.report(.error, context.node, .redistributorStride, .badValue, &sink)
      }
      stride = bytes
    }
    for index in 0..<Int(count) {
      guard let range = range(context, entry: 1 + index, severity: .error, blob, &sink) else {
        return
      }
      guard
        assembly.addRedistributors(
          range, stride: stride, isUsed: context.isEnabled, context.node, &sink)
      else { return }
    }
  }

  mutating func readIOMMU<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    guard let range = range(context, severity: .error, blob, &sink) else { return }
    guard assembly.hasIOMMUSize(range, context.node, &sink) else { return }
    // The binding has one entry; what others would be of can't be known.
    guard let entry = path.levels[context.depth - 1].entrySize,
      context.properties[.reg]?.count == entry
    else { return assembly.report(.error, context.node, .reg, .tooMany(1), &sink) }
    assembly.addIOMMU(
      range, isCoherent: context.properties[.dmaCoherent] != nil, isUsed: context.isEnabled,
      context.node, &sink)
  }

  mutating func readCompanion<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    guard let range = range(context, severity: .error, blob, &sink) else { return }
    assembly.addCompanion(range, isUsed: context.isEnabled, context.node, &sink)
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
      guard assembly.addMonitor(range, context.node, &sink) else { return }
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
