// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Boards

extension Board {
  /// Reads a board from a checked tree and checks that its ITSes can be protected.
  ///
  /// Every error goes to `sink` and makes the verdict `refused`; nothing else does. The work is one
  /// walk over the tree, and no node can make it recur.
  ///
  /// - Parameter given: what firmware tells beside the tree, and in the place of what that says of it.
  public static func read<Sink: DiagnosticSink & ~Copyable>(
    _ blob: DeviceTreeBlob, granule: Granule, given: Given? = nil, reporting sink: inout Sink
  ) -> Board {
    var reader = BoardReader(granule: granule)
    if let given { reader.take(given) }
    reader.readReservations(blob, &sink)
    reader.findConsole(blob, &sink)
    var current = blob.node(after: nil)
    while let (node, depth) = current {
      reader.visit(node, depth: depth, blob, &sink)
      current = blob.node(after: (node, depth))
    }
    return reader.finish(&sink)
  }
}

/// The state of one walk over a tree.
struct BoardReader: ~Copyable {
  var assembly: BoardAssembly
  var path = BusPath()
  var consoleNode: BoardNode?
  /// Whether memory and options are known already.
  var isGiven = false

  init(granule: Granule) { assembly = BoardAssembly(granule: granule) }

  mutating func take(_ given: Board.Given) {
    assembly.board.memory = given.memory
    assembly.board.reserved = given.reserved
    assembly.board.options = given.options
    isGiven = true
  }

  /// The board, as far as it was read.
  consuming func finish<Sink: DiagnosticSink & ~Copyable>(_ sink: inout Sink) -> Board {
    assembly.conclude(&sink)
    return assembly.finish()
  }

  // MARK: Before the walk

  mutating func readReservations<Sink: DiagnosticSink & ~Copyable>(
    _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    var index: Int32 = 0
    let count = blob.reservationCount
    while index < count, let entry = blob.reservation(index) {
      index += 1
      guard entry.size > 0 else { continue }
      guard let range = AddressRange(base: PhysicalAddress(entry.base), size: entry.size) else {
        assembly.report(
          .warning, .root, .memoryReservation, .overflow(base: entry.base, size: entry.size), &sink)
        continue
      }
      guard assembly.addReserved(range, isUnmapped: false, nil, .memoryReservation, &sink) else {
        return
      }
    }
  }

  mutating func findConsole<Sink: DiagnosticSink & ~Copyable>(
    _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    guard let chosen = blob.node(path: "/chosen") else { return }
    let properties = blob.properties(of: chosen)
    assembly.board.bootArguments = properties[.bootargs]
    assembly.board.initialRAMDisk = Self.initialRAMDisk(of: chosen, blob)
    if !isGiven, let arguments = properties[.bootargs] {
      readOptions(arguments, chosen, blob, &sink)
    }
    let name: PropertyName = properties[.stdoutPath] != nil ? .stdoutPath : .linuxStdoutPath
    guard let value = properties[name] else { return }
    // What follows a colon are the console's options.
    let text = blob.string(value)
    var length = 0
    while length < text.count, blob.byte(text, length) != UInt8(ascii: ":") { length += 1 }
    var target = BlobBytes(offset: text.offset, count: length)
    if blob.byte(target, 0) != UInt8(ascii: "/"), let aliases = blob.node(path: "/aliases"),
      let alias = blob.property(named: target, of: aliases)
    {
      // An alias is a path; one that names another alias is not followed.
      target = blob.string(alias)
    }
    consoleNode = blob.node(path: target)
    if consoleNode == nil { assembly.report(.warning, chosen, name, .noSuchNode, &sink) }
  }

  /// One cell or two each, as boot loaders write them.
  private static func initialRAMDisk(
    of chosen: BoardNode, _ blob: DeviceTreeBlob
  ) -> AddressRange? {
    func number(_ name: StaticString) -> UInt64? {
      blob.property(name, of: chosen).flatMap { blob.number($0, at: 0, cells: $0.count / 4) }
    }
    guard let start = number("linux,initrd-start"), let end = number("linux,initrd-end"),
      start < end
    else { return nil }
    return AddressRange(base: PhysicalAddress(start), size: end - start)
  }

  /// Refuses what is addressed to the hypervisor and not known: what was meant is not what would be done.
  private mutating func readOptions<Sink: DiagnosticSink & ~Copyable>(
    _ arguments: BlobBytes, _ chosen: BoardNode, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    assembly.board.options = BootOptions(arguments: blob.span(arguments)) { place in
      let option = BlobBytes(offset: arguments.offset + place.lowerBound, count: place.count)
      assembly.report(.error, chosen, .bootargs, .unknownOption(option), &sink)
    }
  }

  // MARK: The walk

  mutating func visit<Sink: DiagnosticSink & ~Copyable>(
    _ node: BoardNode, depth: Int, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    guard depth < path.levels.count else {
      // Reported once a chain: what lies deeper still has a parent that was reported.
      if depth == path.levels.count {
        assembly.report(.error, node, nil, .tooDeep(DeviceTreeBlob.maximumDepth), &sink)
      }
      return
    }
    let properties = blob.properties(of: node)
    enter(node, depth: depth, properties, blob, &sink)
    if blob.list(properties[.compatible], contains: "arm,gic-v3") { assembly.hasGICv3 = true }
    guard depth > 0 else {
      assembly.board.model = properties[.model]
      assembly.board.compatible = properties[.compatible]
      assembly.board.gicTraits = ITSQuirk.traits(of: properties[.compatible], in: blob)
      return
    }
    let isEnabled = path.levels[depth].isEnabled
    let context = NodeContext(
      node: node, depth: depth, isEnabled: isEnabled, properties: properties)
    // What reads and writes memory, or runs, by itself is there whatever the status is.
    readHardware(context, blob, &sink)
    if path.levels[depth - 1].role == .cpus { assembly.processors.see(context, in: blob) }
    guard isEnabled else { return }
    if node == consoleNode { readConsole(context, blob, &sink) }
    if let type = properties[.deviceType] {
      if !isGiven, blob.equal(blob.string(type), "memory") { readMemory(context, blob, &sink) }
      if path.levels[depth - 1].role == .cpus, blob.equal(blob.string(type), "cpu") {
        readCPU(context, blob, &sink)
      }
    }
    if path.levels[depth - 1].role == .reservedMemory { readReserved(context, blob, &sink) }
    guard let compatible = properties[.compatible] else { return }
    if path.levels[depth - 1].role == .chosen, blob.list(compatible, contains: "multiboot,module") {
      readModule(context, blob, &sink)
    }
    readPSCI(context, blob, &sink)
  }

  /// Puts `node` on the path, so that its children know how their addresses read.
  private mutating func enter<Sink: DiagnosticSink & ~Copyable>(
    _ node: BoardNode, depth: Int, _ properties: NodeProperties, _ blob: DeviceTreeBlob,
    _ sink: inout Sink
  ) {
    var isEnabled = true
    if let value = properties[.status] {
      let status = blob.string(value)
      isEnabled = blob.equal(status, "okay") || blob.equal(status, "ok")
    }
    var level = Bus(
      node: node, addressCells: 2, sizeCells: 1, ranges: properties[.ranges],
      isEnabled: isEnabled && (depth == 0 || path.levels[depth - 1].isEnabled))
    if depth == 1 {
      let name = blob.name(of: node)
      if blob.equal(name, "chosen") { level.role = .chosen }
      if blob.equal(name, "cpus") { level.role = .cpus }
      if blob.equal(name, "reserved-memory") { level.role = .reservedMemory }
    }
    if level.role == .chosen {
      // What /chosen holds are addresses of the root, and QEMU writes no cells there: they are
      // then the root's, whatever the default of the specification is.
      level.addressCells = path.levels[0].addressCells
      level.sizeCells = path.levels[0].sizeCells
      level.ranges = level.ranges ?? BlobBytes(offset: 0, count: 0)
    }
    if let cells = cells(.addressCells, properties, node, level.isEnabled, blob, &sink) {
      level.addressCells = cells
    }
    if let cells = cells(.sizeCells, properties, node, level.isEnabled, blob, &sink) {
      level.sizeCells = cells
    }
    path.levels[depth] = level
  }

  private mutating func cells<Sink: DiagnosticSink & ~Copyable>(
    _ name: PropertyName, _ properties: NodeProperties, _ node: BoardNode, _ isEnabled: Bool,
    _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) -> UInt32? {
    guard let value = properties[name] else { return nil }
    if value.count == 4 { return blob.word(value) }
    if isEnabled { assembly.report(.warning, node, name, .badLength(value.count), &sink) }
    // A count that no address has, so that nothing below is read by a guess.
    return UInt32.max
  }
}

/// A node that is being read.
struct NodeContext {
  let node: BoardNode
  let depth: Int
  /// Whether the node, and each above it, is enabled.
  let isEnabled: Bool
  let properties: NodeProperties
}
