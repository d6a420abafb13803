// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import CHardware
internal import DeviceTree
internal import Hypervisor
internal import Ownership

/// Where the host starts.
struct HostStart {
  /// Its first instruction.
  let entry: PhysicalAddress
  /// The device tree, for x0.
  let tree: PhysicalAddress
}

/// Brings the host's image and its device tree to where they belong, before the host runs.
struct HostPlacement: ~Copyable {
  private let image: AddressRange
  private let memory: Board.MemoryRanges
  private var free: FreeMemory

  /// Notes what is taken.
  init(_ board: borrowing Board, tree: AddressRange, image: AddressRange) throws(StartupError) {
    self.image = image
    memory = board.memory
    free = FreeMemory(taken: image)
    var fits = free.take(tree)
    for index in board.reserved.indices { fits = free.take(board.reserved[index].range) && fits }
    for index in board.modules.indices {
      let module = board.modules[index].range
      guard !module.overlaps(image) else { throw .modules }
      fits = free.take(module) && fits
    }
    guard fits else { throw .noRoom }
  }

  /// Memory that nobody has a use for: 2 MiB of the host's; nil where there is none.
  var spare: PageRange? {
    let size: UInt64 = 0x20_0000
    return free.find(size: size, alignment: size, in: memory.span).flatMap {
      PageRange(covering: $0)
    }
  }

  /// Places everything.
  mutating func place(
    _ board: borrowing Board, _ blob: DeviceTreeBlob, smmus policy: SMMUPolicy,
    disabling nodes: HostTree.DisabledNodes,
    _ stage1: inout ImageMap.Stage1, _ pool: inout ImageMap.Pool
  ) throws(StartupError) -> HostStart {
    let entry: PhysicalAddress
    var hostTree = HostTree(withheld: image)
    hostTree.disabled = nodes
    if let kernel = board.kernel {
      try checkKernel(kernel.range, &stage1, &pool)
      entry = kernel.range.base
      hostTree.ramdisk = board.ramdisk?.range
      hostTree.bootArguments = kernel.bootArguments
    } else {
      entry = try placePayload(&stage1, &pool)
    }
    let tree = try placeTree(
      hostTree, board, blob, smmus: policy, &stage1, &pool)
    return HostStart(entry: entry, tree: tree)
  }

  /// Checks a kernel that the loader has put in memory, and keeps what it needs beyond its file.
  private mutating func checkKernel(
    _ range: AddressRange, _ stage1: inout ImageMap.Stage1, _ pool: inout ImageMap.Pool
  ) throws(StartupError) {
    guard range.size >= 64, let head = AddressRange(base: range.base, size: 64) else {
      throw .modules
    }
    try MappedMemory.map(head, .readOnlyData, &stage1, &pool)
    var header = InlineArray<8, UInt64>(repeating: 0)
    for index in 0..<8 {
      header[index] = pc_load64(
        VirtualLayout.linear(range.base).rawValue &+ UInt64(index) &* 8)
    }
    MappedMemory.unmap(head, &stage1, &pool)
    guard let kernel = HostImage(header: header, fileSize: range.size),
      kernel.mayRun(at: range.base),
      let whole = AddressRange(base: range.base, size: kernel.memorySize), !whole.overlaps(image),
      free.take(whole)
    else { throw .modules }
  }

  /// Copies the built-in host to free memory.
  private mutating func placePayload(
    _ stage1: inout ImageMap.Stage1, _ pool: inout ImageMap.Pool
  ) throws(StartupError) -> PhysicalAddress {
    let source = el2_payload_start_here()
    let size = el2_payload_end_here() - source
    var header = InlineArray<8, UInt64>(repeating: 0)
    for index in 0..<8 { header[index] = pc_load64(source &+ UInt64(index) &* 8) }
    guard let payload = HostImage(header: header, fileSize: size),
      let place = free.find(
        size: payload.memorySize, alignment: HostImage.alignment, in: memory.span),
      payload.mayRun(at: place.base), free.take(place)
    else { throw .noRoom }
    try MappedMemory.map(place, .data, &stage1, &pool)
    let target = VirtualLayout.linear(place.base).rawValue
    for offset in stride(from: UInt64(0), to: size, by: 8) {
      pc_store64(target &+ offset, pc_load64(source &+ offset))
    }
    MappedMemory.publish(place)
    MappedMemory.unmap(place, &stage1, &pool)
    return place.base
  }

  /// Writes the host's tree to free memory.
  private mutating func placeTree(
    _ hostTree: HostTree, _ board: borrowing Board, _ blob: DeviceTreeBlob,
    smmus policy: SMMUPolicy,
    _ stage1: inout ImageMap.Stage1, _ pool: inout ImageMap.Pool
  ) throws(StartupError) -> PhysicalAddress {
    // What is added to a tree is a few properties; libfdt refuses the edit where it is more.
    let size = (UInt64(blob.bytes.count) + 0x2000) & ~0xfff
    guard let place = free.find(size: size, alignment: HostImage.alignment, in: memory.span),
      free.take(place)
    else { throw .noRoom }
    try MappedMemory.map(place, .data, &stage1, &pool)
    do throws(HostTreeError) {
      // The pages were mapped just now, for this alone.
      let buffer = unsafe UnsafeMutableBufferPointer<UInt8>(
        start: UnsafeMutablePointer(
          bitPattern: UInt(VirtualLayout.linear(place.base).rawValue)), count: Int(size))
      var bytes = unsafe buffer.mutableSpan
      switch policy {
      case .owned: try DMADescription.write(hostTree, board, blob, into: &bytes)
      case .nested: _ = try hostTree.write(from: blob, nestingSMMUsInto: &bytes)
      case .off: _ = try hostTree.write(from: blob, into: &bytes)
      }
    } catch {
      throw .hostTree
    }
    MappedMemory.publish(place)
    MappedMemory.unmap(place, &stage1, &pool)
    return place.base
  }
}
