// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture

extension BoardReader {
  /// The entry `index` of a node's `reg`, or a report of why there is none.
  private mutating func range<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, entry index: Int = 0, _ property: PropertyName = .reg,
    severity: Diagnostic.Severity, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) -> AddressRange? {
    guard let reg = context.properties[property] else {
      report(severity, context.node, property, .missing, &sink)
      return nil
    }
    do throws(ReadError) {
      return try path.range(of: reg, entry: index, depth: context.depth, in: blob)
    } catch {
      report(severity, error.node ?? context.node, error.property, error.reason, &sink)
      return nil
    }
  }

  mutating func readITS<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    itsCount += 1
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
    var translation: AddressRange?
    if region.size - Board.controlFrameSize >= Board.translationFrameSize,
      let base = region.base.advanced(by: Board.controlFrameSize)
    {
      translation = AddressRange(base: base, size: Board.translationFrameSize)
    } else {
      report(.warning, context.node, .reg, .noTranslationFrame, &sink)
    }
    var traits = machineTraits
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
    if board.distributor == nil { board.distributor = distributor }
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
      let region = RedistributorRegion(node: context.node, range: range, stride: stride)
      if !board.redistributors.append(region) {
        let limit = Board.RedistributorRegions.capacity
        return reportOverflow(
          of: .redistributors, limit: limit, .error, context.node, .redistributorRegions, &sink)
      }
    }
  }

  mutating func readIOMMU<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    guard let range = range(context, severity: .error, blob, &sink) else { return }
    let iommu = IOMMUDescription(
      kind: .smmuV3, node: context.node, range: range,
      isCoherent: context.properties[.dmaCoherent] != nil)
    if !board.iommus.append(iommu) {
      let limit = Board.IOMMUs.capacity
      reportOverflow(of: .iommus, limit: limit, .error, context.node, nil, &sink)
    }
  }

  /// One page of registers, or two.
  mutating func readMonitor<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    guard let reg = context.properties[.reg],
      let entry = path.levels[context.depth - 1].entrySize, reg.count > 0, reg.count % entry == 0
    else {
      board.hasAllMonitors = false
      let length = context.properties[.reg]?.count
      return report(
        .warning, context.node, .reg, length.map { .badLength($0) } ?? .missing, &sink)
    }
    for index in 0..<reg.count / entry {
      guard let range = range(context, entry: index, severity: .warning, blob, &sink),
        board.monitors.append(range)
      else {
        board.hasAllMonitors = false
        return
      }
    }
  }

  mutating func readMemory<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    guard let reg = context.properties[.reg] else {
      return report(.error, context.node, .reg, .missing, &sink)
    }
    let bus = path.levels[context.depth - 1]
    guard let entry = bus.entrySize, reg.count % entry == 0 else {
      return report(.error, context.node, .reg, .badLength(reg.count), &sink)
    }
    for index in 0..<reg.count / entry {
      // Trees leave sizes empty for the boot loader to fill in.
      let size = blob.number(
        reg, at: index * entry + 4 * Int(bus.addressCells), cells: Int(bus.sizeCells))
      if size == 0 { continue }
      guard let range = range(context, entry: index, severity: .error, blob, &sink) else {
        continue
      }
      if !board.memory.append(range) {
        let limit = Board.MemoryRanges.capacity
        return reportOverflow(of: .memory, limit: limit, .error, context.node, .reg, &sink)
      }
    }
  }

  mutating func readReserved<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    // Without `reg` it is memory that the host shall choose.
    guard let reg = context.properties[.reg] else { return }
    guard let entry = path.levels[context.depth - 1].entrySize, reg.count % entry == 0 else {
      return report(.warning, context.node, .reg, .badLength(reg.count), &sink)
    }
    for index in 0..<reg.count / entry {
      guard let range = range(context, entry: index, severity: .warning, blob, &sink) else {
        return
      }
      let reserved = ReservedMemory(
        node: context.node, range: range, isUnmapped: context.properties[.noMap] != nil)
      if !board.reserved.append(reserved) {
        let limit = Board.ReservedRanges.capacity
        return reportOverflow(of: .reserved, limit: limit, .warning, context.node, .reg, &sink)
      }
    }
  }

  mutating func readConsole<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    guard let range = range(context, severity: .warning, blob, &sink) else { return }
    let compatible = context.properties[.compatible]
    var kind = ConsoleDescription.Kind.other
    // What each has where the tree doesn't say.
    var (shift, bytes): (UInt32, UInt32) = (2, 4)
    if blob.list(compatible, contains: "arm,pl011")
      || blob.list(compatible, contains: "arm,sbsa-uart")
    {
      kind = .pl011
    } else if blob.list(compatible, contains: "ti,am654-uart")
      || blob.list(compatible, contains: "mediatek,mt6577-uart")
    {
      kind = .uart8250
    } else if Self.has8250Registers(compatible, blob) {
      (kind, shift, bytes) = (.uart8250, 0, 1)
    }
    // The registers of a PL011 have their places.
    if kind == .uart8250, let value = context.properties[.registerShift] {
      shift = blob.word(value) ?? .max
    }
    if let value = context.properties[.registerWidth] { bytes = blob.word(value) ?? 0 }
    var width = AccessWidth.word
    switch bytes {
    case 1: width = .byte
    case 2: width = .half
    case 4: break
    default:
      report(.warning, context.node, .registerWidth, .badValue, &sink)
      kind = .other
    }
    if shift > 8 {
      report(.warning, context.node, .registerShift, .badValue, &sink)
      (kind, shift) = (.other, 0)
    }
    // The last register that is looked at: UARTFR, or LSR.
    let end: UInt64 = (kind == .pl011 ? 7 : 6) << UInt64(shift)
    if !range.base.isAligned(to: width.bytes) || range.size < end { kind = .other }
    board.console = ConsoleDescription(
      kind: kind, node: context.node, range: range,
      registerShift: UInt8(truncatingIfNeeded: shift), registerWidth: width)
  }

  private static func has8250Registers(_ compatible: BlobBytes?, _ blob: DeviceTreeBlob) -> Bool {
    blob.list(compatible, contains: "ns16550a") || blob.list(compatible, contains: "ns16550")
      || blob.list(compatible, contains: "snps,dw-apb-uart")
      || blob.list(compatible, contains: "fsl,ns16550")
      || blob.list(compatible, contains: "nvidia,tegra20-uart")
      || blob.list(compatible, contains: "ns16450") || blob.list(compatible, contains: "ns8250")
      || blob.list(compatible, contains: "ns16750") || blob.list(compatible, contains: "ns16850")
  }

  mutating func readCPU<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    let cells = path.levels[context.depth - 1].addressCells
    guard let reg = context.properties[.reg] else {
      return report(.warning, context.node, .reg, .missing, &sink)
    }
    guard 1...2 ~= cells, reg.count == 4 * Int(cells),
      let affinity = blob.number(reg, at: 0, cells: Int(cells))
    else { return report(.warning, context.node, .reg, .badLength(reg.count), &sink) }
    // Aff3 is [39:32], Aff2 to Aff0 are [23:0] (Arm ARM DDI 0487, MPIDR_EL1).
    guard affinity & ~0xff_00ff_ffff == 0 else {
      return report(.warning, context.node, .reg, .badValue, &sink)
    }
    cpuCount += 1
    if !board.cpus.append(affinity), excessCPU == nil { excessCPU = context.node }
  }

  mutating func readPSCI<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    let compatible = context.properties[.compatible]
    var binding: PSCIDescription.Binding?
    if blob.list(compatible, contains: "arm,psci") { binding = .version0x1 }
    if blob.list(compatible, contains: "arm,psci-0.2") { binding = .version0x2 }
    if blob.list(compatible, contains: "arm,psci-1.0") { binding = .version1x0 }
    guard let binding, board.psci == nil else { return }
    guard let method = context.properties[.method] else {
      return report(.warning, context.node, .method, .missing, &sink)
    }
    let conduit: PSCIDescription.Conduit
    if blob.equal(blob.string(method), "smc") {
      conduit = .smc
    } else if blob.equal(blob.string(method), "hvc") {
      conduit = .hvc
    } else {
      return report(.warning, context.node, .method, .badValue, &sink)
    }
    board.psci = PSCIDescription(node: context.node, conduit: conduit, binding: binding)
  }

  mutating func readModule<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    guard let range = range(context, severity: .warning, blob, &sink) else { return }
    let compatible = context.properties[.compatible]
    var kind = BootModule.Kind.other
    if blob.list(compatible, contains: "multiboot,kernel") {
      kind = .kernel
    } else if blob.list(compatible, contains: "multiboot,ramdisk") {
      kind = .ramdisk
    } else if !blob.list(compatible, contains: "multiboot,device-tree") {
      untyped |= 1 << UInt64(board.modules.count)
    }
    let module = BootModule(
      kind: kind, node: context.node, range: range,
      bootArguments: context.properties[.bootargs])
    if !board.modules.append(module) {
      let limit = Board.BootModules.capacity
      reportOverflow(of: .modules, limit: limit, .warning, context.node, nil, &sink)
    }
  }
}
