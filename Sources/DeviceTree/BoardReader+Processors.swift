// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture

/// What a tree says of the CPUs, used or not, and of who starts them.
///
/// A CPU that PSCI does not start waits elsewhere, by `spin-table` at EL2 for a word in the host's memory.
struct Processors {
  /// How many there are.
  private(set) var count = 0
  /// The last one.
  private(set) var last = DeviceTreeNode.root
  /// The first that something other than PSCI starts.
  private(set) var otherwise: DeviceTreeNode?
  /// Whether one says nothing of it, as the one that boots may.
  private var hasSilent = false

  /// Looks at a child of `/cpus`.
  mutating func see(_ context: NodeContext, in blob: DeviceTreeBlob) {
    let method = context.properties[.enableMethod]
    let isCPU =
      context.properties[.deviceType].map { blob.equal(blob.string($0), "cpu") } ?? false
    guard isCPU || method != nil || blob.hasPrefix(blob.name(of: context.node), "cpu@") else {
      return
    }
    count += 1
    last = context.node
    guard method.map({ blob.equal(blob.string($0), "psci") }) != true else { return }
    if method != nil || hasSilent { otherwise = otherwise ?? context.node }
    if method == nil { hasSilent = true }
  }
}

extension BoardReader {
  /// Refuses a board on which a CPU may run the host's code at EL2.
  mutating func checkProcessors<Sink: DiagnosticSink & ~Copyable>(_ sink: inout Sink) {
    guard processors.count > 1 else { return }
    if let node = processors.otherwise { report(.error, node, .enableMethod, .notPSCI, &sink) }
    if board.psci == nil { report(.error, processors.last, nil, .noPSCI, &sink) }
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
}
