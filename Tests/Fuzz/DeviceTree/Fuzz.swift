// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
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

/// Takes one input along the whole path: check, board, messages, the host's tree.
func exercise(_ bytes: [UInt8]) {
  guard let blob = try? DeviceTreeBlob(checking: bytes.span) else { return }
  for granule in [Granule.kib4, .kib16, .kib64] {
    var sink = Discard()
    let board = Board.read(blob, granule: granule, reporting: &sink)
    let diagnostics = sink.pending
    for diagnostic in diagnostics { diagnostic.write(in: blob, into: &sink) }
    guard granule == .kib4, board.memory.count > 0,
      let hole = AddressRange(
        base: PhysicalAddress(board.memory[0].base.rawValue & ~0xfff), size: 0x1000)
    else { continue }
    let tree = HostTree(withheld: hole, ramdisk: hole, bootArguments: board.kernel?.bootArguments)
    var buffer = [UInt8](repeating: 0, count: bytes.count + 1024)
    var span = buffer.mutableSpan
    _ = try? tree.write(from: blob, into: &span)
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
