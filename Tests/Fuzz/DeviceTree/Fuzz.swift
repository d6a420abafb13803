// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards
import DeviceTree
import Foundation

/// Writes every diagnostic, so that messages are fuzzed as well, and keeps nothing.
struct Discard: DiagnosticSink, TextSink {
  var pending: [Diagnostic] = []
  mutating func report(_ diagnostic: Diagnostic) {
    if pending.count < 16 { pending.append(diagnostic) }
  }
  mutating func append(_ byte: UInt8) {}
}

/// Writes what is wrong with the description of DMA, and keeps nothing.
struct DiscardDMA: DMADiagnosticSink {
  var text = Discard()
  mutating func report(_ diagnostic: DMADiagnostic) { diagnostic.writeMessage(into: &text) }
}

/// Holds a topology to what it promises.
func check(_ topology: borrowing DMATopology) {
  var withPath = 0
  var last = -1
  for index in topology.paths.indices {
    let path = topology.paths[index]
    precondition(path.master >= last && path.master < topology.masters.count)
    if path.master != last { withPath += 1 }
    last = path.master
    if let iommu = path.iommu { precondition(iommu < topology.iommus.count) }
    if path.confinement == .confined {
      guard let iommu = path.iommu, let streams = path.streams else { fatalError("no IOMMU") }
      precondition(topology.iommus[iommu].kind == .smmuV3 && topology.iommus[iommu].isEnabled)
      precondition(path.requesters.map { $0.count == streams.count } ?? (streams.count == 1))
    }
  }
  precondition(withPath == topology.masters.count || !topology.isComplete)
  for index in topology.doorbells.indices {
    precondition(topology.msiControllers[topology.doorbells[index].its].isITS)
  }
}

/// Reads who does DMA, and hides the SMMUs from the host; where that is done, none may be left.
func exerciseDMA(_ tree: HostTree, _ blob: DeviceTreeBlob, _ board: borrowing Board) {
  var sink = Discard()
  var other = DiscardDMA()
  let topology = DMATopology(reading: blob, of: board, reporting: &other)
  check(topology)
  var buffer = [UInt8](repeating: 0, count: blob.bytes.count + 1024)
  var span = buffer.mutableSpan
  guard let size = try? tree.write(from: blob, hidingSMMUsOf: topology, into: &span) else { return }
  let hidden = Array(buffer[..<size])
  guard let result = try? DeviceTreeBlob(checking: hidden.span) else { fatalError("broken") }
  let left = DMATopology(
    reading: result, of: Board.read(result, granule: .kib4, reporting: &sink), reporting: &other)
  for index in left.iommus.indices { precondition(left.iommus[index].kind != .smmuV3) }
  for index in left.paths.indices { precondition(left.paths[index].confinement != .confined) }
}

/// Takes one input along the whole path: check, board, messages, who does DMA, the host's tree.
func exercise(_ bytes: [UInt8]) {
  guard let blob = try? DeviceTreeBlob(checking: bytes.span) else { return }
  for granule in [Granule.kib4, .kib16, .kib64] {
    var sink = Discard()
    let board = Board.read(blob, granule: granule, reporting: &sink)
    let diagnostics = sink.pending
    for diagnostic in diagnostics { diagnostic.write(in: blob, into: &sink) }
    guard granule == .kib4 else { continue }
    // Where there is no memory to cut, the hole is anywhere.
    let base = board.memory.count > 0 ? board.memory[0].base.rawValue & ~0xfff : 0x1000
    guard let hole = AddressRange(base: PhysicalAddress(base), size: 0x1000) else { continue }
    let tree = HostTree(withheld: hole, ramdisk: hole, bootArguments: board.kernel?.bootArguments)
    var buffer = [UInt8](repeating: 0, count: bytes.count + 1024)
    var span = buffer.mutableSpan
    _ = try? tree.write(from: blob, into: &span)
    exerciseDMA(tree, blob, board)
  }
}

#if FUZZING
  // swift-format-ignore: AlwaysUseLowerCamelCase
  /// libFuzzer's entry.
  @c(LLVMFuzzerTestOneInput)
  public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    exercise(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
  }
#else
  /// Replays the files that are named, for builds without libFuzzer.
  @main
  struct Replay {
    static func main() throws {
      for file in CommandLine.arguments.dropFirst() {
        exercise([UInt8](try Data(contentsOf: URL(fileURLWithPath: file))))
      }
    }
  }
#endif
