// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

extension Board {
  /// What a board's boot modules may not overlap beside each other, as far as it is known.
  public struct ModuleSurroundings: Sendable {
    /// The device tree, where the loader has put it.
    public var tree: AddressRange?
    /// The hypervisor's image.
    public var hypervisor: AddressRange?
    /// What the kernel takes from its base on when it runs, which its header says; nil: as much as was loaded.
    public var kernelMemory: AddressRange?

    /// Surroundings of which a description alone tells nothing.
    public init(
      tree: AddressRange? = nil, hypervisor: AddressRange? = nil,
      kernelMemory: AddressRange? = nil
    ) {
      self.tree = tree
      self.hypervisor = hypervisor
      self.kernelMemory = kernelMemory
    }
  }

  /// Reports each boot module that is not memory, or overlaps another, the tree or the hypervisor.
  ///
  /// - Returns: whether all are where they may be.
  public func checkModules<Sink: DiagnosticSink & ~Copyable>(
    _ surroundings: ModuleSurroundings, reporting sink: inout Sink
  ) -> Bool {
    var isGood = true
    func report(_ module: BootModule, _ reason: Diagnostic.Reason, _ sink: inout Sink) {
      isGood = false
      sink.report(
        Diagnostic(severity: .error, node: module.node, property: .reg, reason: reason))
    }
    for index in modules.indices {
      let module = modules[index]
      let range = memory(of: module, surroundings)
      // A tree without memory is one that the loader has yet to fill in.
      if !memory.isEmpty, !isMemory(range) { report(module, .notMemory(range), &sink) }
      if let tree = surroundings.tree, tree.overlaps(range) {
        report(module, .moduleOverlaps(range, .tree(tree)), &sink)
      }
      if let hypervisor = surroundings.hypervisor, hypervisor.overlaps(range) {
        report(module, .moduleOverlaps(range, .hypervisor(hypervisor)), &sink)
      }
      for other in 0..<index {
        let against = memory(of: modules[other], surroundings)
        if against.overlaps(range) {
          report(module, .moduleOverlaps(range, .module(modules[other].node, against)), &sink)
        }
      }
    }
    return isGood
  }

  /// Reports that `kernel` does not lie as its header asks: `textOffset` above a multiple of 2 MiB, or, where it has
  /// no header, at an instruction's alignment.
  public static func reportMisplaced<Sink: DiagnosticSink & ~Copyable>(
    _ kernel: BootModule, textOffset: UInt64?, to sink: inout Sink
  ) {
    sink.report(
      Diagnostic(
        severity: .error, node: kernel.node, property: .reg,
        reason: .misplacedKernel(kernel.range, textOffset: textOffset)))
  }

  private func memory(
    of module: BootModule, _ surroundings: ModuleSurroundings
  ) -> AddressRange {
    guard let kernel, kernel.node == module.node else { return module.range }
    return surroundings.kernelMemory ?? module.range
  }

  /// Whether all of `range` is memory, in one range of the description or in several that adjoin.
  private func isMemory(_ range: AddressRange) -> Bool {
    var next = range.base
    for _ in memory.indices {
      for index in memory.indices where memory[index].contains(next) {
        guard memory[index].last < range.last else { return true }
        next = PhysicalAddress(memory[index].last.rawValue + 1)
        break
      }
    }
    return false
  }
}
