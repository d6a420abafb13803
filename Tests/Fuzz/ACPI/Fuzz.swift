// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import ACPI
import Architecture
import Boards
import Foundation

/// Writes every diagnostic, so that messages are fuzzed as well, and keeps nothing.
struct Discard: DiagnosticSink, DMADiagnosticSink, TextSink {
  var pending: [Diagnostic] = []
  mutating func report(_ diagnostic: Diagnostic) {
    if pending.count < 16 { pending.append(diagnostic) }
  }
  mutating func report(_ diagnostic: DMADiagnostic) {
    var text = Discard()
    diagnostic.writeMessage(into: &text)
  }
  mutating func append(_ byte: UInt8) {}
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
      precondition(topology.iommus[iommu].kind == .smmuV3 && topology.iommus[iommu].hasRegisters)
      precondition(path.requesters.map { $0.count == streams.count } ?? (streams.count == 1))
    }
  }
  precondition(withPath == topology.masters.count || !topology.isComplete)
  last = -1
  for index in topology.doorbells.indices {
    let doorbell = topology.doorbells[index]
    precondition(doorbell.master >= last && doorbell.master < topology.masters.count)
    last = doorbell.master
    precondition(topology.msiControllers[doorbell.its].isITS)
    if let requesters = doorbell.requesters {
      precondition(requesters.count == doorbell.deviceIDs?.count)
    }
  }
  // Each requester of a root complex has a path: what no mapping has is not left out.
  guard topology.isComplete else { return }
  for master in topology.masters.indices where topology.masters[master].evidence == .pciHost {
    var covered: UInt64 = 0
    for index in topology.paths.indices where topology.paths[index].master == master {
      covered += topology.paths[index].requesters?.count ?? 0
    }
    precondition(covered >= 0x1_0000)
  }
}

/// Reads a board, and who does DMA on it, of a copy that has been checked; whether a CPU or an SMMU was found.
@discardableResult
func read(_ tables: ACPITables, granule: Granule) -> Bool {
  var sink = Discard()
  let none: [AddressRange] = []
  let board = Board.read(
    tables, memory: none.span, reserved: none.span, options: BootOptions(), granule: granule,
    reporting: &sink)
  let diagnostics = sink.pending
  for diagnostic in diagnostics { diagnostic.write(in: tables, into: &sink) }
  for index in board.itses.indices {
    precondition(board.itses[index].region.base.isAligned(to: granule.bytes))
  }
  let topology = DMATopology(reading: tables, of: board, reporting: &sink)
  check(topology)
  hide(tables, topology)
  return board.cpus.count > 0 || board.iommus.count > 0
}

/// Hides the SMMUs; where that is done, none is left, and every DeviceID is one that there was.
func hide(_ tables: ACPITables, _ old: borrowing DMATopology) {
  var buffer = [UInt8](repeating: 0xff, count: 0x4_0000)
  var span = buffer.mutableSpan
  guard let count = try? HostIORT.write(from: tables, into: &span) else { return }
  var bytes: [UInt8] = []
  if let madt = tables.table(.madt) {
    let entries = tables.span(madt)
    bytes = entries.indices.map { entries[$0] }
    bytes += Array(repeating: 0, count: ACPITables.place(after: bytes.count) - bytes.count)
  }
  bytes += buffer[..<count]
  guard let view = try? ACPITables(checking: bytes.span) else { fatalError("a broken table") }
  var sink = Discard()
  let none: [AddressRange] = []
  let board = Board.read(
    view, memory: none.span, reserved: none.span, options: BootOptions(), granule: .kib4,
    reporting: &sink)
  precondition(board.iommus.isEmpty && board.monitors.isEmpty)
  let new = DMATopology(reading: view, of: board, reporting: &sink)
  for index in new.iommus.indices { precondition(new.iommus[index].kind != .smmuV3) }
  guard old.isComplete else { return }
  for index in new.doorbells.indices {
    let doorbell = new.doorbells[index]
    var isKnown = false
    for other in old.doorbells.indices where !isKnown {
      let known = old.doorbells[other]
      guard known.master == doorbell.master, known.its == doorbell.its, let ids = known.deviceIDs,
        let own = doorbell.deviceIDs
      else { continue }
      isKnown = ids.first <= own.first && own.last <= ids.last
    }
    precondition(isKnown)
  }
}

/// Where tables are in an input that is laid out as a copy, as far as they fit.
func tables(in bytes: [UInt8]) -> [Range<Int>] {
  var found: [Range<Int>] = []
  var start = 0
  while bytes.count - start >= ACPITables.headerSize {
    let length = bytes[(start + 4)..<(start + 8)].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length >= ACPITables.headerSize, length <= bytes.count - start else { break }
    found.append(start..<(start + length))
    start = ACPITables.place(after: start + length)
  }
  return found
}

func seal(_ bytes: inout [UInt8], _ table: Range<Int>, at offset: Int = 9) {
  bytes[table.lowerBound + offset] = 0
  bytes[table.lowerBound + offset] = 0 &- bytes[table].reduce(0, &+)
}

/// Memory of which everything else can't be read.
struct Memory: ACPIMemory {
  let bytes: [UInt8]
  func byte(at address: PhysicalAddress) -> UInt8? {
    guard address.rawValue >= 0x1000, address.rawValue - 0x1000 < UInt64(bytes.count) else {
      return nil
    }
    return bytes[Int(address.rawValue - 0x1000)]
  }
}

/// Gathers what is in memory; what was copied passes the check of a copy.
func gather(_ memory: [UInt8]) {
  var copy = [UInt8](repeating: 0xff, count: 0x1_0000)
  var span = copy.mutableSpan
  do throws(ACPIError) {
    let gathering = try ACPIGathering(
      from: PhysicalAddress(0x1000), in: Memory(bytes: memory), into: &span)
    let bytes = Array(copy[..<gathering.count])
    guard let tables = try? ACPITables(checking: bytes.span) else { fatalError("a broken copy") }
    for index in gathering.tables.indices {
      let table = gathering.tables[index]
      precondition(tables.table(table.signature)?.offset == table.offset)
    }
  } catch {
    var sink = Discard()
    error.write(into: &sink)
  }
}

/// A pointer and a root table that leads to `places` of `bytes`, before those.
func rooted(_ bytes: [UInt8], _ places: [Int]) -> [UInt8] {
  func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
  let size = 40 + ACPITables.place(after: 36 + 8 * places.count)
  var root = Array("RSD PTR ".utf8) + [0] + Array("FUZZED".utf8) + [2] + little(0, 4)
  seal(&root, 0..<20, at: 8)
  root += little(36, 4) + little(0x1028, 8) + [0, 0, 0, 0]
  seal(&root, 0..<36, at: 32)
  root += [0, 0, 0, 0] + Array("XSDT".utf8) + little(36 + 8 * places.count, 4)
  root += Array(repeating: 0, count: 28)
  for place in places { root += little(0x1000 + size + place, 8) }
  seal(&root, 40..<root.count)
  return root + Array(repeating: 0, count: size - root.count) + bytes
}

/// The inputs of which a board was read.
///
/// A replay tells how many: a reader that refuses everything finds no fault.
nonisolated(unsafe) var taken: Set<[UInt8]> = []
/// Evaluated by the first input that is taken, and so registered once.
let tellsAtEnd: Void = { _ = atexit { print("inputs taken: \(taken.count)") } }()

/// Takes one input along the whole path: gathering, check, board, messages, who does DMA.
func exercise(_ input: [UInt8]) {
  if let copy = try? ACPITables(checking: input.span) { read(copy, granule: .kib64) }
  gather(input)
  // What is fuzzed is what tables say, and not whether a checksum can be met by chance.
  var bytes = input
  let found = tables(in: bytes)
  for table in found { seal(&bytes, table) }
  gather(rooted(bytes, found.map(\.lowerBound)))
  do throws(ACPIError) {
    guard read(try ACPITables(checking: bytes.span), granule: .kib4) else { return }
    tellsAtEnd
    // A fuzzer has more of them than memory.
    if taken.count < 1000 { taken.insert(input) }
  } catch {
    var sink = Discard()
    error.write(into: &sink)
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
