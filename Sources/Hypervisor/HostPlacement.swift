// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards
internal import DeviceTree
internal import ITS
internal import Ownership
internal import UEFI

/// Brings the host's image and its device tree to where they belong, before the host runs.
struct HostPlacement<Machine: BoardPlatform>: ~Copyable {
  private let platform: Machine
  private let image: AddressRange
  private let tree: AddressRange
  private var memory: HostMemoryMap
  private var free: FreeMemory

  /// Checks that the CPU can address all memory, before anything is put there: it could only fault on the rest.
  static func checkReach(
    of board: borrowing Board, _ geometry: TranslationGeometry
  ) throws(StartupError) {
    for index in board.memory.indices
    where board.memory[index].last.rawValue >> PageFrameNumber.shift >= geometry.pageLimit {
      throw .memoryOutOfReach(board.memory[index].base)
    }
  }

  /// Notes what is taken.
  init(
    _ board: borrowing Board, tree: AddressRange, image: AddressRange, _ platform: Machine
  ) throws(StartupError) {
    self.platform = platform
    self.image = image
    self.tree = tree
    memory = HostMemoryMap(board, image: image)
    free = FreeMemory(taken: image)
    var fits = free.take(tree)
    for index in board.reserved.indices { fits = free.take(board.reserved[index].range) && fits }
    for index in board.modules.indices { fits = free.take(board.modules[index].range) && fits }
    if let disk = board.initialRAMDisk { fits = free.take(disk) && fits }
    guard fits else { throw .noRoom }
  }

  /// Memory that nobody has a use for: 2 MiB of the host's; nil where there is none.
  var spare: PageRange? {
    let size: UInt64 = 0x20_0000
    return free.find(size: size, alignment: size, in: memory.pieces.span).flatMap {
      PageRange(covering: $0)
    }
  }

  /// Places everything, on a board with so many CPUs: `firmware` stays where it is.
  mutating func place<Description: HardwareDescription & ~Escapable>(
    _ firmware: FirmwareHost?, _ board: borrowing Board, _ blob: Description, cpus: Int,
    smmus policy: SMMUPolicy, disabling nodes: HostTree.DisabledNodes,
    _ early: inout EarlyState<Machine>
  ) throws(StartupError) -> (start: HostStart, memory: BoardMemory) {
    let host: AddressRange
    let own: BoardMemory
    var hostTree = HostTree()
    hostTree.disabled = nodes
    if let firmware {
      own = try firmware.memory(cpus: cpus, board, image: image, platform)
      try own.map(&early, platform)
      let size = try writeTree(hostTree, to: firmware.offer.host, board, blob, smmus: policy)
      firmware.tell(hostDescription: size, platform)
      return (firmware.start, own)
    }
    try check(board, blob, kernelMemory: nil)
    if let kernel = board.kernel {
      host = try placeKernel(kernel, board, blob, &early)
      hostTree.ramdisk = board.ramdisk?.range
      hostTree.bootArguments = kernel.bootArguments
      own = try takeMemory(board, cpus: cpus, apartFrom: host)
    } else {
      own = try takeMemory(board, cpus: cpus, apartFrom: nil)
      host = try placePayload(&early)
    }
    try own.map(&early, platform)
    for index in memory.withheld.indices where !hostTree.withhold(memory.withheld[index]) {
      throw .hostTree
    }
    let tree = try placeTree(hostTree, above: host, board, blob, smmus: policy, &early)
    return (HostStart(entry: host.base, argument: tree.rawValue), own)
  }

  /// Takes memory for EL2: behind its image, or where else there is room; what is left around both that is of no use
  /// is nobody's.
  private mutating func takeMemory(
    _ board: borrowing Board, cpus: Int, apartFrom kernel: AddressRange?
  ) throws(StartupError) -> BoardMemory {
    let reach = reach(of: board)
    var apart = free
    // A host may take more memory behind its image than the image says.
    if let kernel, let room = AddressRange(base: kernel.base, size: kernel.size + Self.kernelRoom) {
      guard apart.take(room) else { throw .noRoomForEL2 }
    }
    let size = BoardMemory.size(
      cpus: cpus, stack: platform.stackSize, itses: board.itses.count)
    var range = find(size, in: reach, apart)
    if range == nil { range = find(size, in: reach, free) }
    guard let range,
      let own = BoardMemory(
        range, cpus: cpus, stack: platform.stackSize, itses: board.itses.count)
    else {
      throw .noRoomForEL2
    }
    memory = HostMemoryMap(board, image: image, beside: range)
    for index in memory.withheld.indices where !free.take(memory.withheld[index]) {
      throw .noRoomForEL2
    }
    return own
  }

  /// What is left free behind a kernel, where there is other room: as far as its tree is put above it.
  private static var kernelRoom: UInt64 { 64 << 20 }

  /// The memory that every ITS reaches.
  private func reach(of board: borrowing Board) -> HostMemoryMap.Pieces {
    var limit = UInt64.max
    for index in board.itses.indices { limit = min(limit, board.itses[index].traits.addressLimit) }
    var reach = HostMemoryMap.Pieces(filler: image)
    for index in board.memory.indices {
      let range = board.memory[index]
      guard range.base.rawValue < limit,
        let part = AddressRange(
          base: range.base, size: min(range.size, limit - range.base.rawValue))
      else { continue }
      // A board has fewer ranges than there are places.
      _ = reach.append(part)
    }
    return reach
  }

  private func find(
    _ size: UInt64, in reach: borrowing HostMemoryMap.Pieces, _ free: borrowing FreeMemory
  ) -> AddressRange? {
    let alignment = ITSSetup.arenaAlignment
    if let behind = free.find(
      size: size, alignment: alignment, from: image.last, in: reach.span)
    {
      return behind
    }
    return free.find(size: size, alignment: alignment, in: reach.span)
  }

  /// Checks that the loader has put all modules where they may be.
  private func check<Description: HardwareDescription & ~Escapable>(
    _ board: borrowing Board, _ blob: Description, kernelMemory: AddressRange?
  ) throws(StartupError) {
    var diagnostics = FirstDiagnostics<Diagnostic>()
    let surroundings = Board.ModuleSurroundings(
      tree: tree, hypervisor: image, kernelMemory: kernelMemory)
    guard !board.checkModules(surroundings, reporting: &diagnostics) else { return }
    diagnostics.write(in: blob) { platform.log($0, $1) }
    throw .modules
  }

  /// Checks a kernel that the loader has put in memory, and keeps what it needs beyond its file, which is returned
  /// with it.
  private mutating func placeKernel<Description: HardwareDescription & ~Escapable>(
    _ module: BootModule, _ board: borrowing Board, _ blob: Description,
    _ early: inout EarlyState<Machine>
  ) throws(StartupError) -> AddressRange {
    let kernel = HostImage(
      header: try header(of: module.range, &early), fileSize: module.range.size)
    guard kernel.mayRun(at: module.range.base) else {
      var diagnostics = FirstDiagnostics<Diagnostic>()
      Board.reportMisplaced(module, textOffset: kernel.textOffset, to: &diagnostics)
      diagnostics.write(in: blob) { platform.log($0, $1) }
      throw .modules
    }
    guard let whole = AddressRange(base: module.range.base, size: kernel.memorySize) else {
      throw .noRoom
    }
    try check(board, blob, kernelMemory: whole)
    guard free.take(whole) else { throw .noRoom }
    return whole
  }

  /// The first 64 bytes of a module; zeros where they can be no header of an image.
  private func header(
    of range: AddressRange, _ early: inout EarlyState<Machine>
  ) throws(StartupError) -> InlineArray<8, UInt64> {
    var header = InlineArray<8, UInt64>(repeating: 0)
    guard range.size >= 64, range.base.isAligned(to: 8) else { return header }
    for index in 0..<8 {
      let place = PhysicalAddress(range.base.rawValue + UInt64(index) * 8)
      guard let word = AddressRange(base: place, size: 8), let page = PageRange(covering: word)
      else { throw .memory }
      // A module may begin on a page of the tree's, which is mapped.
      let isMapped = PageRange(covering: tree)?.overlaps(page) ?? false
      if !isMapped { try early.map(word, .readOnlyData) }
      header[index] = platform.memory.load(place)
      if !isMapped { early.unmap(word) }
    }
    return header
  }

  /// Copies the built-in host to free memory.
  private mutating func placePayload(
    _ early: inout EarlyState<Machine>
  ) throws(StartupError) -> AddressRange {
    let size = platform.payloadSize
    var header = InlineArray<8, UInt64>(repeating: 0)
    for index in 0..<8 { header[index] = platform.payloadWord(UInt64(index) &* 8) }
    let payload = HostImage(header: header, fileSize: size)
    let offset = payload.textOffset ?? 0
    guard
      let place = free.find(
        size: payload.memorySize, alignment: HostImage.alignment, offset: offset,
        from: PhysicalAddress(offset), in: memory.pieces.span),
      payload.mayRun(at: place.base), free.take(place)
    else { throw .noRoom }
    try early.map(place, .data)
    for offset in stride(from: UInt64(0), to: size, by: 8) {
      platform.memory.store(
        platform.payloadWord(offset), at: PhysicalAddress(place.base.rawValue &+ offset))
    }
    platform.publish(place)
    early.unmap(place)
    return place
  }

  /// Writes the host's tree to free memory above the host.
  private mutating func placeTree<Description: HardwareDescription & ~Escapable>(
    _ hostTree: HostTree, above host: AddressRange, _ board: borrowing Board,
    _ blob: Description, smmus policy: SMMUPolicy,
    _ early: inout EarlyState<Machine>
  ) throws(StartupError) -> PhysicalAddress {
    // What is added to a tree is a few properties; libfdt refuses the edit where it is more.
    let size = (tree.size + 0x2000) & ~0xfff
    guard
      let place = free.find(
        size: size, alignment: HostImage.alignment, above: host, in: memory.pieces.span),
      free.take(place)
    else { throw .noRoom }
    try early.map(place, .data)
    _ = try writeTree(hostTree, to: place, board, blob, smmus: policy)
    platform.publish(place)
    early.unmap(place)
    return place.base
  }

  /// Writes the host's tree to memory that is mapped, and returns how many bytes it has.
  private func writeTree<Description: HardwareDescription & ~Escapable>(
    _ hostTree: HostTree, to place: AddressRange, _ board: borrowing Board, _ blob: Description,
    smmus policy: SMMUPolicy
  ) throws(StartupError) -> Int {
    let platform = platform
    do throws(Description.HostError) {
      var bytes = platform.mutableBytes(of: place)
      return switch policy {
      case .owned: try DMADescription.write(hostTree, board, blob, into: &bytes)
      case .nested: try blob.write(hostTree, nestingSMMUsInto: &bytes)
      case .off: try blob.write(hostTree, into: &bytes)
      }
    } catch {
      throw .hostTree
    }
  }
}
