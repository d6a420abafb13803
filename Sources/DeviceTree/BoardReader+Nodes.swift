// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards

extension BoardReader {
  /// The entry `index` of a node's `reg`, or a report of why there is none.
  mutating func range<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, entry index: Int = 0, _ property: PropertyName = .reg,
    severity: Diagnostic.Severity, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) -> AddressRange? {
    guard let reg = context.properties[property] else {
      assembly.report(severity, context.node, property, .missing, &sink)
      return nil
    }
    do throws(ReadError) {
      return try path.range(of: reg, entry: index, depth: context.depth, in: blob)
    } catch {
      assembly.report(severity, error.node ?? context.node, error.property, error.reason, &sink)
      return nil
    }
  }

  mutating func readMemory<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    guard let reg = context.properties[.reg] else {
      return assembly.report(.error, context.node, .reg, .missing, &sink)
    }
    let bus = path.levels[context.depth - 1]
    guard let entry = bus.entrySize, reg.count % entry == 0 else {
      return assembly.report(.error, context.node, .reg, .badLength(reg.count), &sink)
    }
    for index in 0..<reg.count / entry {
      // Trees leave sizes empty for the boot loader to fill in.
      let size = blob.number(
        reg, at: index * entry + 4 * Int(bus.addressCells), cells: Int(bus.sizeCells))
      if size == 0 { continue }
      guard let range = range(context, entry: index, severity: .error, blob, &sink) else {
        continue
      }
      guard assembly.addMemory(range, context.node, &sink) else { return }
    }
  }

  mutating func readReserved<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    // Without `reg` it is memory that the host shall choose.
    guard let reg = context.properties[.reg] else { return }
    guard let entry = path.levels[context.depth - 1].entrySize, reg.count % entry == 0 else {
      return assembly.report(.warning, context.node, .reg, .badLength(reg.count), &sink)
    }
    for index in 0..<reg.count / entry {
      guard let range = range(context, entry: index, severity: .warning, blob, &sink) else {
        return
      }
      guard
        assembly.addReserved(
          range, isUnmapped: context.properties[.noMap] != nil, context.node, .reg, &sink)
      else { return }
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
      assembly.report(.warning, context.node, .registerWidth, .badValue, &sink)
      kind = .other
    }
    if shift > 8 {
      assembly.report(.warning, context.node, .registerShift, .badValue, &sink)
      (kind, shift) = (.other, 0)
    }
    // The last register that is looked at: UARTFR, or LSR.
    let end: UInt64 = (kind == .pl011 ? 7 : 6) << UInt64(shift)
    if !range.base.isAligned(to: width.bytes) || range.size < end { kind = .other }
    assembly.board.console = ConsoleDescription(
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

  mutating func readModule<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    guard let range = range(context, severity: .warning, blob, &sink) else { return }
    let compatible = context.properties[.compatible]
    var kind: BootModule.Kind?
    if blob.list(compatible, contains: "multiboot,kernel") {
      kind = .kernel
    } else if blob.list(compatible, contains: "multiboot,ramdisk") {
      kind = .ramdisk
    } else if blob.list(compatible, contains: "multiboot,device-tree") {
      kind = .other
    }
    assembly.addModule(
      range, kind, bootArguments: context.properties[.bootargs], context.node, &sink)
  }
}
