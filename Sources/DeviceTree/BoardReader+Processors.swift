// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards

extension Processors {
  /// Looks at a child of `/cpus`.
  mutating func see(_ context: NodeContext, in blob: DeviceTreeBlob) {
    let method = context.properties[.enableMethod]
    let isCPU =
      context.properties[.deviceType].map { blob.equal(blob.string($0), "cpu") } ?? false
    guard isCPU || method != nil || blob.hasPrefix(blob.name(of: context.node), "cpu@") else {
      return
    }
    let isPSCI = method.map { blob.equal(blob.string($0), "psci") }
    add(context.node, startedBy: isPSCI.map { $0 ? .psci : .other } ?? .untold)
  }
}

extension BoardReader {
  mutating func readCPU<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    let cells = path.levels[context.depth - 1].addressCells
    guard let reg = context.properties[.reg] else {
      return assembly.report(.warning, context.node, .reg, .missing, &sink)
    }
    guard 1...2 ~= cells, reg.count == 4 * Int(cells),
      let affinity = blob.number(reg, at: 0, cells: Int(cells))
    else { return assembly.report(.warning, context.node, .reg, .badLength(reg.count), &sink) }
    // Aff3 is [39:32], Aff2 to Aff0 are [23:0] (Arm ARM DDI 0487, MPIDR_EL1).
    guard affinity & ~0xff_00ff_ffff == 0 else {
      return assembly.report(.warning, context.node, .reg, .badValue, &sink)
    }
    assembly.addCPU(affinity, context.node)
  }

  mutating func readPSCI<Sink: DiagnosticSink & ~Copyable>(
    _ context: NodeContext, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    let compatible = context.properties[.compatible]
    var binding: PSCIDescription.Binding?
    if blob.list(compatible, contains: "arm,psci") { binding = .version0x1 }
    if blob.list(compatible, contains: "arm,psci-0.2") { binding = .version0x2 }
    if blob.list(compatible, contains: "arm,psci-1.0") { binding = .version1x0 }
    guard let binding, assembly.board.psci == nil else { return }
    guard let method = context.properties[.method] else {
      return assembly.report(.warning, context.node, .method, .missing, &sink)
    }
    let conduit: PSCIDescription.Conduit
    if blob.equal(blob.string(method), "smc") {
      conduit = .smc
    } else if blob.equal(blob.string(method), "hvc") {
      conduit = .hvc
    } else {
      return assembly.report(.warning, context.node, .method, .badValue, &sink)
    }
    assembly.board.psci = PSCIDescription(node: context.node, conduit: conduit, binding: binding)
  }
}
