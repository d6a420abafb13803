// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import Boards
internal import DeviceTree
internal import Hypervisor
internal import SMMU
internal import SMMUDriver
internal import Traps

// The functions of portcullis.h that concern SMMUs. Leaves, as in Interface.swift.

/// SMMUs in C.
///
/// Its lists are tuples to Swift, and are gone through as what they are in memory.
@safe private struct SMMUsInC {
  private let smmus: UnsafeMutablePointer<portcullis_smmus>

  @unsafe init(_ smmus: UnsafeMutablePointer<portcullis_smmus>) { unsafe self.smmus = smmus }

  /// How many there are.
  var count: UInt32 { unsafe smmus.pointee.smmu_count }

  /// The SMMUs as the core has them; nil where there is neither one nor anything beside, or a part can't be.
  func places() -> SMMUPlan.Places? {
    var places = SMMUPlan().places
    let areSound = unsafe withUnsafeBytes(of: &smmus.pointee.smmu) { list in
      unsafe list.forEach(count) { (smmu: portcullis_smmu) in
        guard smmu.registers.bytes >= 0x2_0000,
          let range = AddressRange(
            base: PhysicalAddress(smmu.registers.base), size: smmu.registers.bytes),
          let streams = Self.streams(of: smmu)
        else { return false }
        return places.append(SMMUPlan.Place(range: range, streams: streams))
      }
    }
    let hasAny = unsafe count > 0 || smmus.pointee.beside_count > 0
    return areSound && hasAny ? places : nil
  }

  private static func streams(of smmu: portcullis_smmu) -> PermittedStreams? {
    var streams = PermittedStreams()
    let areSound = unsafe withUnsafeBytes(of: smmu.streams) { list in
      unsafe list.forEach(smmu.streams_count) { (range: portcullis_streams) in
        guard range.first <= range.last else { return false }
        return streams.permit(StreamID(range.first)...StreamID(range.last))
      }
    }
    return areSound ? streams : nil
  }

  /// Registers all regions: those of the SMMUs, and what else is withheld.
  ///
  /// - Throws: why one can't be.
  func append(to state: inout EmbedderState) throws(EmbedderError) {
    var number: UInt8 = 0
    var failure: EmbedderError?
    _ = unsafe withUnsafeBytes(of: &smmus.pointee.smmu) { list in
      unsafe list.forEach(smmus.pointee.smmu_count) { (smmu: portcullis_smmu) in
        failure = Self.add(smmu.registers, .smmu(number), to: &state)
        number += 1
        return failure == nil
      }
    }
    if let failure { throw failure }
    let isWhole = unsafe withUnsafeBytes(of: &smmus.pointee.beside) { list in
      unsafe list.forEach(smmus.pointee.beside_count) { (pages: portcullis_pages) in
        failure = Self.add(pages, nil, to: &state)
        return failure == nil
      }
    }
    if !isWhole { throw failure ?? EmbedderError(PORTCULLIS_ERROR_ARGUMENT) }
  }

  private static func add(
    _ pages: portcullis_pages, _ device: Device?, to state: inout EmbedderState
  ) -> EmbedderError? {
    let base = PhysicalAddress(pages.base)
    do throws(RegistryError) {
      guard pages.bytes % PageFrameNumber.size == 0 else { throw .misaligned(base) }
      let layout = try RegionLayout(base: base, pages: pages.bytes >> PageFrameNumber.shift)
      let status = state.add(
        RegionRequest(layout, widths: .all, kinds: .readWrite, device: device))
      return status == PORTCULLIS_OK ? nil : EmbedderError(status, at: base)
    } catch {
      return EmbedderError(error)
    }
  }

  /// Takes over what a tree says.
  ///
  /// - Returns: why not, nil where it is done.
  func write(_ plan: borrowing SMMUPlan, _ board: borrowing Board) -> LogLine? {
    unsafe smmus.pointee.is_complete = plan.coversAll ? 1 : 0
    unsafe smmus.pointee.smmu_count = UInt32(plan.places.count)
    for index in plan.places.indices {
      var smmu = portcullis_smmu()
      let place = plan.places[index]
      smmu.registers = portcullis_pages(base: place.range.base.rawValue, bytes: place.range.size)
      smmu.streams_count = UInt32(place.streams.count)
      unsafe withUnsafeMutableBytes(of: &smmu.streams) { list in
        for number in 0..<place.streams.count {
          let range = place.streams[number]
          unsafe list.storeBytes(
            of: portcullis_streams(
              first: range.lowerBound.rawValue, last: range.upperBound.rawValue),
            toByteOffset: number * MemoryLayout<portcullis_streams>.stride,
            as: portcullis_streams.self)
        }
      }
      // As many as a driver takes.
      unsafe withUnsafeMutableBytes(of: &smmus.pointee.smmu) { list in
        unsafe list.storeBytes(
          of: smmu, toByteOffset: index * MemoryLayout<portcullis_smmu>.stride,
          as: portcullis_smmu.self)
      }
    }
    var beside = FixedList<64, PageRange>(filler: .filler)
    for index in plan.companions.indices {
      guard beside.join(plan.companions[index]) else { return Self.tooMuch }
    }
    for index in plan.monitors.indices {
      guard beside.join(plan.monitors[index]) else { return Self.tooMuch }
    }
    for index in board.unused.indices where board.unused[index].kind != .its {
      guard let pages = PageRange(covering: board.unused[index].range), beside.join(pages) else {
        return Self.tooMuch
      }
    }
    // A claim takes whole pages of both translations.
    let mask = board.granule.bytes - 1
    for index in plan.places.indices {
      let range = plan.places[index].range
      if (range.base.rawValue | range.size) & mask != 0 { return Self.shared(range.base) }
    }
    for index in beside.indices {
      let base = beside[index].first.address
      let size = beside[index].count << PageFrameNumber.shift
      if (base.rawValue | size) & mask != 0 { return Self.shared(base) }
    }
    unsafe smmus.pointee.beside_count = UInt32(beside.count)
    unsafe withUnsafeMutableBytes(of: &smmus.pointee.beside) { list in
      for index in beside.indices {
        unsafe list.storeBytes(
          of: portcullis_pages(
            base: beside[index].first.address.rawValue,
            bytes: beside[index].count << PageFrameNumber.shift),
          toByteOffset: index * MemoryLayout<portcullis_pages>.stride, as: portcullis_pages.self)
      }
    }
    return nil
  }

  private static var tooMuch: LogLine {
    LogLine("the SMMUs cannot be owned: there is too much beside them")
  }
  private static func shared(_ base: PhysicalAddress) -> LogLine {
    var line = LogLine("the SMMUs cannot be owned: a page has other registers too, at ")
    line.append(hex: base.rawValue)
    return line
  }
}

extension FixedList<64, PageRange> {
  /// Appends pages, or joins them to the last ones that they follow; false where there is no room.
  fileprivate mutating func join(_ pages: PageRange) -> Bool {
    if let last = removeLast() {
      if last.last.rawValue + 1 == pages.first.rawValue,
        let both = PageRange(first: last.first, count: last.count + pages.count)
      {
        return append(both)
      }
      _ = append(last)
    }
    return append(pages)
  }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_smmus_from_tree(
  _ tree: UnsafeRawPointer!, _ treeSize: Int, _ pageSize: UInt32,
  _ ops: UnsafePointer<portcullis_ops>!, _ told: UnsafeMutablePointer<portcullis_smmus>!
) -> portcullis_status {
  guard let tree = unsafe tree, let ops = unsafe ops, let told = unsafe told,
    let granule = Granule(rawValue: UInt64(pageSize))
  else { return PORTCULLIS_ERROR_ARGUMENT }
  guard unsafe told.pointee.size >= MemoryLayout<portcullis_smmus>.size,
    unsafe ops.pointee.size >= MemoryLayout<portcullis_ops>.size
  else { return PORTCULLIS_ERROR_STRUCT_SIZE }
  let platform = unsafe EmbedderPlatform(UnsafeRawPointer(ops))
  do throws(EmbedderError) {
    let source = try unsafe BoardInTree(tree, treeSize, granule, platform)
    let blob = try source.blob()
    let board = try source.board()
    let plan: SMMUPlan
    do throws(SMMUPlanError) {
      plan = try DMADescription.plan(board, blob) { platform.log($0, $1) }
    } catch {
      var line = LogLine("the SMMUs cannot be owned: ")
      line.append(error.text)
      platform.log(.error, line)
      throw EmbedderError(PORTCULLIS_ERROR_BOARD)
    }
    if let problem = unsafe SMMUsInC(told).write(plan, board) {
      platform.log(.error, problem)
      throw EmbedderError(PORTCULLIS_ERROR_BOARD)
    }
    return PORTCULLIS_OK
  } catch {
    return error.status
  }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_smmu_memory_size(_ count: Int, _ policy: UInt32, _ memory: UInt64) -> UInt64 {
  guard 1...Int(PORTCULLIS_SMMU_LIMIT) ~= count, memory >> 48 == 0,
    let policy = SMMUPolicy(policy), policy.isOwning
  else { return 0 }
  return EmbedderSMMUs.recommendedSize(count, policy, memory: memory)
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_add_smmus(
  _ state: OpaquePointer!, _ smmus: UnsafePointer<portcullis_smmus>!,
  _ memory: UnsafePointer<portcullis_pages>!
) -> portcullis_status {
  guard let state = unsafe state, let smmus = unsafe smmus else { return PORTCULLIS_ERROR_ARGUMENT }
  guard unsafe smmus.pointee.size >= MemoryLayout<portcullis_smmus>.size else {
    return PORTCULLIS_ERROR_STRUCT_SIZE
  }
  let gate = unsafe StateMemory.state(state)
  let machine = unsafe gate.pointee.monitor.platform
  // It is only read.
  let told = unsafe SMMUsInC(UnsafeMutablePointer(mutating: smmus))
  guard machine.registers.canMirror, let places = told.places(),
    unsafe told.count == 0 || memory != nil
  else { return PORTCULLIS_ERROR_ARGUMENT }
  do throws(EmbedderError) {
    guard told.count > 0, let memory = unsafe memory else {
      try unsafe gate.pointee.add(nil) { (state) throws(EmbedderError) in
        try told.append(to: &state)
      }
      return PORTCULLIS_OK
    }
    let pages = try EmbedderMediation.pages(unsafe memory.pointee, unit: 1 << 16)
    guard machine.memory.address(of: pages.first.address).rawValue != 0 else {
      throw EmbedderError(PORTCULLIS_ERROR_RANGE)
    }
    let policy = unsafe gate.pointee.mediation.smmuPolicy
    let hook = unsafe SMMUHook(
      { state, exchange in
        let machine = unsafe EmbedderMachine(state)
        guard let memory = unsafe machine.board.pointee.smmus?.memory else { return }
        let exchange = unsafe exchange.assumingMemoryBound(to: SMMUHook.Exchange.self)
        unsafe exchange.pointee.answer =
          EmbedderSMMUs(of: machine, in: memory).answer(exchange.pointee.request)
      }, memory: pages, coversAll: smmus.pointee.is_complete != 0)
    try unsafe gate.pointee.add(hook) { (state) throws(EmbedderError) in
      guard !machine.isOwn(pages) else { throw EmbedderError(PORTCULLIS_ERROR_OVERLAP) }
      try told.append(to: &state)
      guard EmbedderSMMUs(of: machine, in: pages).put(places, policy) else {
        throw EmbedderError(PORTCULLIS_ERROR_MEMORY)
      }
    }
    return PORTCULLIS_OK
  } catch {
    return error.status
  }
}
