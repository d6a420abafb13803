// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import ACPI
public import Architecture
public import Boards
public import DeviceTree

/// What a board is read from: a device tree, or the tables of ACPI.
public protocol HardwareDescription: BoardDescription, ~Escapable {
  /// Why what describes the board to the host can't be written.
  associatedtype HostError: Error

  /// What says which requesters of a bus are which streams.
  static var requesterMap: StaticString { get }
  /// Reads the board, beside what is `given` of it otherwise.
  func readBoard<Sink: DiagnosticSink & ~Copyable>(
    given: Board.Given?, reporting sink: inout Sink
  ) -> Board
  /// Reads who does DMA on `board`, and how.
  func readTopology<Sink: DMADiagnosticSink & ~Copyable>(
    of board: borrowing Board, reporting sink: inout Sink
  ) -> DMATopology
  /// Hands the registers of all enabled nodes to `body`; nil for an entry without an address of the CPU.
  func forEachRegisters(_ body: (BoardNode, AddressRange?) -> Void)
  /// Whether two nodes differ in their addresses alone.
  func isAlike(_ one: BoardNode, _ other: BoardNode) -> Bool
  /// The calls of firmware that it names, and which of them may be relayed; with `keepsPower` none may.
  func firmwareCalls(of board: borrowing Board, keepsPower: Bool) -> Board.FirmwareCalls
  /// Writes what describes the board to the host, and returns how many bytes it has; 0: what the host has already.
  ///
  /// - Parameter topology: of which the SMMUs are hidden; nil where they are not.
  func write(
    _ host: HostTree, hidingSMMUsOf topology: borrowing DMATopology,
    into bytes: inout MutableSpan<UInt8>
  ) throws(HostError) -> Int
  /// Writes the same with the SMMUs as EL2 shows them to the host.
  func write(
    _ host: HostTree, nestingSMMUsInto bytes: inout MutableSpan<UInt8>
  ) throws(HostError) -> Int
  /// Writes the same with the SMMUs as they are.
  func write(_ host: HostTree, into bytes: inout MutableSpan<UInt8>) throws(HostError) -> Int
}

extension DeviceTreeBlob: HardwareDescription {
  /// The property of a bus.
  public static var requesterMap: StaticString { "iommu-map" }

  /// Reads the board.
  public func readBoard<Sink: DiagnosticSink & ~Copyable>(
    given: Board.Given?, reporting sink: inout Sink
  ) -> Board { Board.read(self, granule: .kib4, given: given, reporting: &sink) }

  /// Reads who does DMA on `board`, and how.
  public func readTopology<Sink: DMADiagnosticSink & ~Copyable>(
    of board: borrowing Board, reporting sink: inout Sink
  ) -> DMATopology { DMATopology(reading: self, of: board, reporting: &sink) }

  // Not inlined: a walk is large, and there are several.
  /// Hands all entries of `reg` to `body`.
  @inline(never)
  public func forEachRegisters(_ body: (BoardNode, AddressRange?) -> Void) {
    var walk = RegisterWalk()
    while let registers = walk.next(in: self) { body(registers.node, registers.range) }
  }

  /// Whether two nodes have the same name, but for the addresses.
  public func isAlike(_ one: BoardNode, _ other: BoardNode) -> Bool {
    let (left, right) = (name(of: one), name(of: other))
    var index = 0
    while index < left.count, byte(left, index) != UInt8(ascii: "@") {
      guard byte(left, index) == byte(right, index) else { return false }
      index += 1
    }
    return index == right.count || byte(right, index) == UInt8(ascii: "@")
  }

  /// The calls that `arm,scmi-smc` nodes name.
  public func firmwareCalls(of board: borrowing Board, keepsPower: Bool) -> Board.FirmwareCalls {
    board.firmwareCalls(in: self, keepsPower: keepsPower)
  }

  /// Writes the host's tree without the SMMUs.
  public func write(
    _ host: HostTree, hidingSMMUsOf topology: borrowing DMATopology,
    into bytes: inout MutableSpan<UInt8>
  ) throws(HostTreeError) -> Int {
    try host.write(from: self, hidingSMMUsOf: topology, into: &bytes)
  }

  /// Writes the host's tree with the SMMUs as EL2 shows them.
  public func write(
    _ host: HostTree, nestingSMMUsInto bytes: inout MutableSpan<UInt8>
  ) throws(HostTreeError) -> Int { try host.write(from: self, nestingSMMUsInto: &bytes) }

  /// Writes the host's tree.
  public func write(
    _ host: HostTree, into bytes: inout MutableSpan<UInt8>
  ) throws(HostTreeError) -> Int { try host.write(from: self, into: &bytes) }
}

extension ACPITables: HardwareDescription {
  /// What a node of IORT has.
  public static var requesterMap: StaticString { "the ID mappings" }

  /// Reads the board; its memory is what is given.
  public func readBoard<Sink: DiagnosticSink & ~Copyable>(
    given: Board.Given?, reporting sink: inout Sink
  ) -> Board {
    let given = given ?? Board.Given()
    var reserved = FixedList<128, AddressRange>(filler: .filler)
    for index in given.reserved.indices { _ = reserved.append(given.reserved[index].range) }
    return Board.read(
      self, memory: given.memory.span, reserved: reserved.span, options: given.options,
      granule: .kib4, reporting: &sink)
  }

  /// Reads who does DMA on `board`, and how.
  public func readTopology<Sink: DMADiagnosticSink & ~Copyable>(
    of board: borrowing Board, reporting sink: inout Sink
  ) -> DMATopology { DMATopology(reading: self, of: board, reporting: &sink) }

  /// No table that is read tells the registers of a device: they are in the code of DSDT and SSDT.
  public func forEachRegisters(_ body: (BoardNode, AddressRange?) -> Void) {}
  /// Each is told by itself.
  public func isAlike(_ one: BoardNode, _ other: BoardNode) -> Bool { false }
  /// No table names any.
  public func firmwareCalls(of board: borrowing Board, keepsPower: Bool) -> Board.FirmwareCalls {
    Board.noFirmwareCalls
  }

  /// Writes the host's IORT, without the SMMUs; the other tables do not tell of them.
  public func write(
    _ host: HostTree, hidingSMMUsOf topology: borrowing DMATopology,
    into bytes: inout MutableSpan<UInt8>
  ) throws(HostIORTError) -> Int { try HostIORT.write(from: self, into: &bytes) }

  /// The host keeps its tables: an SMMU that it sees is where it was.
  public func write(
    _ host: HostTree, nestingSMMUsInto bytes: inout MutableSpan<UInt8>
  ) throws(HostIORTError) -> Int { 0 }

  /// The host keeps its tables.
  public func write(
    _ host: HostTree, into bytes: inout MutableSpan<UInt8>
  ) throws(HostIORTError) -> Int { 0 }
}
