// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import Boards
internal import Hypervisor
internal import Ownership

// The functions of portcullis.h that concern a board without a tree. Leaves, as in Interface.swift.

/// What is wrong with a board that overlaps itself, told by its first address.
private struct OverlapLog: DiagnosticSink {
  let platform: EmbedderPlatform

  mutating func report(_ diagnostic: Diagnostic) {
    var line = LogLine("board: ")
    switch diagnostic.reason {
    case .overlapsRegion(let range, _):
      line.append("registers overlap those at ")
      line.append(hex: range.base.rawValue)
    case .overlapsMemory(let range):
      line.append("registers overlap the memory at ")
      line.append(hex: range.base.rawValue)
    default: line.append("a part can't be")
    }
    platform.log(.error, line)
  }
}

extension AddressRange {
  /// What of it is whole pages, for a tree may name memory by the byte; nil where there is none.
  fileprivate var wholePages: AddressRange? {
    let mask = PageFrameNumber.size - 1
    let first = (base.rawValue + mask) & ~mask
    let end = (last.rawValue + 1) & ~mask
    return first < end ? AddressRange(base: PhysicalAddress(first), size: end - first) : nil
  }

  fileprivate init?(_ pages: portcullis_pages) {
    guard (pages.base | pages.bytes) % PageFrameNumber.size == 0 else { return nil }
    self.init(base: PhysicalAddress(pages.base), size: pages.bytes)
  }
}

extension portcullis_pages {
  fileprivate init(_ range: AddressRange) {
    self.init(base: range.base.rawValue, bytes: range.size)
  }
}

extension ITSTraits {
  /// The bits of the header are those of the core; nil for others.
  fileprivate init?(_ traits: UInt32) {
    guard traits <= PORTCULLIS_TRAIT_NOT_COHERENT | PORTCULLIS_TRAIT_32_BITS else { return nil }
    self.init(rawValue: UInt8(truncatingIfNeeded: traits))
  }
}

/// A board in C.
///
/// Its lists are tuples to Swift, and are gone through as what they are in memory.
@safe private struct BoardInC: BoardSource {
  // It is only read; of a list that can't be changed a copy would be lent.
  private let told: UnsafeMutablePointer<portcullis_board>
  private let granule: Granule
  private let platform: EmbedderPlatform

  @unsafe init(
    _ board: UnsafePointer<portcullis_board>, _ granule: Granule, _ platform: EmbedderPlatform
  ) {
    unsafe told = UnsafeMutablePointer(mutating: board)
    self.granule = granule
    self.platform = platform
  }

  /// - Throws: `BOARD` where a part can't be, or overlaps another one or memory.
  func board() throws(EmbedderError) -> Board {
    var assembly = BoardAssembly(granule: granule)
    guard setGIC(of: &assembly), addITSes(to: &assembly), addRedistributors(to: &assembly),
      addMemory(to: &assembly)
    else {
      platform.log(.error, LogLine("board: a part is not aligned, or there are too many"))
      throw EmbedderError(PORTCULLIS_ERROR_BOARD)
    }
    var sink = OverlapLog(platform: platform)
    let board = assembly.finish(reporting: &sink)
    guard board.verdict != .refused else { throw EmbedderError(PORTCULLIS_ERROR_BOARD) }
    return board
  }

  func masters(of _: borrowing Board) throws(EmbedderError) -> WithheldMasters {
    var masters = WithheldMasters()
    masters.othersAreConfined = unsafe told.pointee.is_confined != 0
    let areSound = unsafe withUnsafeBytes(of: &told.pointee.masters) { list in
      unsafe list.forEach(told.pointee.masters_count) { (pages: portcullis_pages) in
        guard let found = AddressRange(pages).flatMap({ PageRange(covering: $0) }) else {
          return false
        }
        return masters.pages.append(found)
      }
    }
    guard areSound else {
      platform.log(
        .error, LogLine("board: registers of masters are no pages, or there are too many"))
      throw EmbedderError(PORTCULLIS_ERROR_BOARD)
    }
    return masters
  }

  private func setGIC(of assembly: inout BoardAssembly) -> Bool {
    let base = unsafe told.pointee.distributor
    guard let traits = unsafe ITSTraits(told.pointee.traits) else { return false }
    let frame = AddressRange(base: PhysicalAddress(base), size: Board.controlFrameSize)
    guard base == 0 || frame != nil else { return false }
    return assembly.setGIC(base == 0 ? nil : frame, traits)
  }

  private func addITSes(to assembly: inout BoardAssembly) -> Bool {
    unsafe withUnsafeBytes(of: &told.pointee.its) { list in
      unsafe list.forEach(told.pointee.its_count) { (its: portcullis_its) in
        guard let region = AddressRange(its.registers), let traits = ITSTraits(its.traits) else {
          return false
        }
        return assembly.addITS(region, traits, isUsed: its.is_unused == 0)
      }
    }
  }

  private func addRedistributors(to assembly: inout BoardAssembly) -> Bool {
    unsafe withUnsafeBytes(of: &told.pointee.redistributors) { list in
      unsafe list.forEach(told.pointee.redistributors_count) {
        (region: portcullis_redistributors) in
        guard let range = AddressRange(region.registers) else { return false }
        return assembly.addRedistributors(
          range, stride: region.stride == 0 ? nil : region.stride, isUsed: region.is_unused == 0)
      }
    }
  }

  private func addMemory(to assembly: inout BoardAssembly) -> Bool {
    unsafe withUnsafeBytes(of: &told.pointee.memory) { list in
      unsafe list.forEach(told.pointee.memory_count) { (pages: portcullis_pages) in
        guard let range = AddressRange(pages) else { return false }
        return assembly.addMemory(range)
      }
    }
  }
}

/// Stores an ITS in a list.
private func store(
  _ range: AddressRange, _ traits: ITSTraits, isUnused: UInt32,
  to list: UnsafeMutableRawBufferPointer, _ index: Int
) {
  unsafe list.storeBytes(
    of: portcullis_its(
      registers: portcullis_pages(range), traits: UInt32(traits.rawValue), is_unused: isUnused),
    toByteOffset: index * MemoryLayout<portcullis_its>.stride, as: portcullis_its.self)
}

/// Takes over what a tree says.
private func write(
  _ board: borrowing Board, _ masters: WithheldMasters,
  to told: UnsafeMutablePointer<portcullis_board>
) {
  unsafe told.pointee.masters_count = UInt32(masters.pages.count)
  unsafe withUnsafeMutableBytes(of: &told.pointee.masters) { list in
    for index in masters.pages.indices {
      let pages = masters.pages[index]
      unsafe list.storeBytes(
        of: portcullis_pages(
          base: pages.first.address.rawValue, bytes: pages.count << PageFrameNumber.shift),
        toByteOffset: index * MemoryLayout<portcullis_pages>.stride, as: portcullis_pages.self)
    }
  }
  unsafe told.pointee.distributor = board.distributor?.base.rawValue ?? 0
  unsafe told.pointee.traits = UInt32(board.gicTraits.rawValue)
  var count = 0
  unsafe withUnsafeMutableBytes(of: &told.pointee.its) { list in
    // There is room for as many as a board of the core has.
    for index in board.itses.indices {
      let its = board.itses[index]
      unsafe store(its.region, its.traits, isUnused: 0, to: list, count)
      count += 1
    }
    for index in board.unused.indices where board.unused[index].kind == .its {
      unsafe store(board.unused[index].range, .none, isUnused: 1, to: list, count)
      count += 1
    }
  }
  unsafe told.pointee.its_count = UInt32(count)
  unsafe withUnsafeMutableBytes(of: &told.pointee.redistributors) { list in
    for index in board.redistributors.indices {
      let region = board.redistributors[index]
      unsafe list.storeBytes(
        of: portcullis_redistributors(
          registers: portcullis_pages(region.range), stride: region.stride ?? 0,
          is_unused: region.isUsed ? 0 : 1),
        toByteOffset: index * MemoryLayout<portcullis_redistributors>.stride,
        as: portcullis_redistributors.self)
    }
  }
  unsafe told.pointee.redistributors_count = UInt32(board.redistributors.count)
  var banks = 0
  unsafe withUnsafeMutableBytes(of: &told.pointee.memory) { list in
    for index in board.memory.indices {
      guard let pages = board.memory[index].wholePages else { continue }
      unsafe list.storeBytes(
        of: portcullis_pages(pages), toByteOffset: banks * MemoryLayout<portcullis_pages>.stride,
        as: portcullis_pages.self)
      banks += 1
    }
  }
  unsafe told.pointee.memory_count = UInt32(banks)
  unsafe told.pointee.is_confined = masters.othersAreConfined ? 1 : 0
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_board_from_tree(
  _ tree: UnsafeRawPointer!, _ treeSize: Int, _ pageSize: UInt32, _ policy: UInt32,
  _ ops: UnsafePointer<portcullis_ops>!, _ told: UnsafeMutablePointer<portcullis_board>!
) -> portcullis_status {
  guard let tree = unsafe tree, let ops = unsafe ops, let told = unsafe told,
    let granule = Granule(rawValue: UInt64(pageSize))
  else { return PORTCULLIS_ERROR_ARGUMENT }
  guard unsafe told.pointee.size >= MemoryLayout<portcullis_board>.size,
    unsafe ops.pointee.size >= MemoryLayout<portcullis_ops>.size
  else { return PORTCULLIS_ERROR_STRUCT_SIZE }
  do throws(EmbedderError) {
    let source = try unsafe BoardInTree(
      tree, treeSize, granule, claimsMasters: policy & PORTCULLIS_POLICY_CLAIM_MASTERS != 0,
      EmbedderPlatform(UnsafeRawPointer(ops)))
    let board = try source.board()
    unsafe write(board, try source.masters(of: board), to: told)
    return PORTCULLIS_OK
  } catch {
    return error.status
  }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_init_board(
  _ memory: UnsafeMutableRawPointer!, _ memorySize: Int,
  _ config: UnsafePointer<portcullis_config>!, _ board: UnsafePointer<portcullis_board>!,
  _ state: UnsafeMutablePointer<OpaquePointer?>!
) -> portcullis_status {
  guard let board = unsafe board else { return PORTCULLIS_ERROR_ARGUMENT }
  guard unsafe board.pointee.size >= MemoryLayout<portcullis_board>.size else {
    return PORTCULLIS_ERROR_STRUCT_SIZE
  }
  return unsafe initialise(memory, memorySize, config, state) {
    (_, granule, platform) throws(EmbedderError) in
    unsafe BoardInC(board, granule, platform)
  }
}
