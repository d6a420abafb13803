// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import Boards
internal import Hypervisor
internal import Ownership
internal import Traps

// The functions of portcullis.h. Leaves: what a pointer must be, the header asks of the caller.

extension UnsafeRawBufferPointer {
  /// Hands the entries of a list of the C interface, a tuple to Swift, to `add` until it refuses one; whether it took all.
  ///
  /// A leaf: the header gives the list so many entries of this type.
  func forEach<Entry>(_ count: UInt32, _ add: (Entry) -> Bool) -> Bool {
    let stride = MemoryLayout<Entry>.stride
    guard Int(count) * stride <= self.count else { return false }
    for index in 0..<Int(count) {
      guard add(unsafe load(fromByteOffset: index * stride, as: Entry.self)) else { return false }
    }
    return true
  }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_version() -> UInt32 { UInt32(PORTCULLIS_VERSION) }

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_state_size() -> Int {
  StateMemory.poolOffset + StateMemory.recommendedPages << Int(PageFrameNumber.shift)
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_state_alignment() -> Int { Int(PORTCULLIS_STATE_ALIGNMENT) }

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_init(
  _ memory: UnsafeMutableRawPointer!, _ memorySize: Int,
  _ config: UnsafePointer<portcullis_config>!,
  _ state: UnsafeMutablePointer<OpaquePointer?>!
) -> portcullis_status {
  unsafe initialise(memory, memorySize, config, state) {
    (config, granule, platform) throws(EmbedderError) in
    guard let tree = unsafe config.tree else { throw EmbedderError(PORTCULLIS_ERROR_ARGUMENT) }
    return try unsafe BoardInTree(
      tree, config.tree_size, granule,
      claimsMasters: config.policy & PORTCULLIS_POLICY_CLAIM_MASTERS != 0, platform)
  }
}

/// What is wrong with the version of a configuration, its size, and those of what it leads to; nil where nothing is.
func mismatch(_ config: UnsafePointer<portcullis_config>) -> portcullis_status? {
  guard unsafe config.pointee.size >= MemoryLayout<portcullis_config>.size else {
    return PORTCULLIS_ERROR_STRUCT_SIZE
  }
  guard unsafe config.pointee.version == portcullis_version() else {
    return PORTCULLIS_ERROR_VERSION
  }
  guard let table = unsafe config.pointee.ops else { return PORTCULLIS_ERROR_ARGUMENT }
  guard unsafe table.pointee.size >= MemoryLayout<portcullis_ops>.size,
    unsafe ProblemPlace(config.pointee).fits
  else { return PORTCULLIS_ERROR_STRUCT_SIZE }
  return nil
}

/// What the two functions that make a state have in common; `source` is called once all else is as it must be.
func initialise<Source: BoardSource>(
  _ memory: UnsafeMutableRawPointer?, _ memorySize: Int,
  _ config: UnsafePointer<portcullis_config>?, _ state: UnsafeMutablePointer<OpaquePointer?>?,
  _ source: (portcullis_config, Granule, EmbedderPlatform) throws(EmbedderError) -> Source
) -> portcullis_status {
  guard let memory = unsafe memory, let config = unsafe config, let state = unsafe state else {
    return PORTCULLIS_ERROR_ARGUMENT
  }
  if let status = unsafe mismatch(config) { return status }
  guard let table = unsafe config.pointee.ops, unsafe EmbedderPlatform.isComplete(table.pointee),
    let granule = unsafe Granule(rawValue: UInt64(config.pointee.page_size)),
    let features = unsafe UInt8(exactly: config.pointee.features), features < 1 << 5
  else { return PORTCULLIS_ERROR_ARGUMENT }
  guard let choice = unsafe EmbedderMediation.Choice(config.pointee) else {
    return PORTCULLIS_ERROR_ARGUMENT
  }
  guard UInt(bitPattern: memory) % UInt(PORTCULLIS_STATE_ALIGNMENT) == 0,
    memorySize > StateMemory.poolOffset, StateMemory.fits
  else { return choice.problem.tell(EmbedderError(PORTCULLIS_ERROR_MEMORY)) }
  let poolPages = UInt64(memorySize - StateMemory.poolOffset) >> PageFrameNumber.shift
  guard let pages = PageRange(first: PageFrameNumber(0), count: poolPages) else {
    return PORTCULLIS_ERROR_MEMORY
  }
  let copy = unsafe memory.bindMemory(to: portcullis_ops.self, capacity: 1)
  unsafe copy.initialize(to: table.pointee)
  let pool = unsafe PagePool(
    pages: pages, memory: EmbedderTables(memory + StateMemory.poolOffset, pages: poolPages))
  do throws(EmbedderError) {
    let machine = unsafe EmbedderMachine(memory)
    machine.beginFrames()
    let source = try unsafe source(config.pointee, granule, machine.registers)
    let board = try source.board()
    let masters = try source.masters(of: board)
    let state = unsafe StateMemory.state(OpaquePointer(memory))
    try unsafe EmbedderState.make(
      at: state, board, masters, features: HostFeatures(rawValue: features), machine: machine,
      choice: choice, pool: pool)
  } catch {
    return choice.problem.tell(error)
  }
  unsafe state.pointee = OpaquePointer(memory)
  return PORTCULLIS_OK
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_add_region(
  _ state: OpaquePointer!, _ region: UnsafePointer<portcullis_region>!
) -> portcullis_status {
  guard let state = unsafe state, let region = unsafe region else {
    return PORTCULLIS_ERROR_ARGUMENT
  }
  guard unsafe region.pointee.size >= MemoryLayout<portcullis_region>.size else {
    return PORTCULLIS_ERROR_STRUCT_SIZE
  }
  let request = unsafe region.pointee
  guard let widths = unsafe UInt8(exactly: request.widths), widths < 1 << 4,
    let kinds = unsafe UInt8(exactly: request.kinds), kinds < 1 << 2
  else { return PORTCULLIS_ERROR_ARGUMENT }
  let device: Device?
  switch unsafe (request.handler, request.callback) {
  case (PORTCULLIS_HANDLER_NONE, nil): device = nil
  case (PORTCULLIS_HANDLER_FORWARD, nil): device = .forwarded
  case (PORTCULLIS_HANDLER_CALLBACK, let callback?):
    // The header asks that the function may run on any CPU as long as the state lives.
    device = unsafe .callback(
      RegionCallback(
        unsafeBitCast(callback, to: RegionCallback.Function.self),
        context: UInt(bitPattern: request.callback_context)))
  default: return PORTCULLIS_ERROR_ARGUMENT
  }
  let layout: RegionLayout
  do throws(RegistryError) {
    layout = try unsafe RegionLayout(request)
  } catch {
    return portcullis_status(error)
  }
  return unsafe StateMemory.state(state).pointee.add(
    RegionRequest<Device>(
      layout, widths: AccessWidths(rawValue: widths), kinds: AccessKinds(rawValue: kinds),
      device: device))
}

extension RegionLayout {
  /// The layout that the C interface describes.
  fileprivate init(_ region: portcullis_region) throws(RegistryError) {
    let bytes = unsafe region.bytes
    let base = unsafe PhysicalAddress(region.base)
    guard bytes % PageFrameNumber.size == 0 else { throw .misaligned(base) }
    let count = unsafe max(UInt64(region.count), 1)
    try self.init(
      base: base, pages: bytes >> PageFrameNumber.shift, stride: unsafe region.stride, count: count)
  }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_claim(_ state: OpaquePointer!) -> portcullis_status {
  guard let state = unsafe state else { return PORTCULLIS_ERROR_ARGUMENT }
  return unsafe StateMemory.state(state).pointee.claim()
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_uncovered(_ state: OpaquePointer!) -> UInt32 {
  guard let state = unsafe state else { return Uncovered.all.rawValue }
  return unsafe StateMemory.state(state).pointee.uncovered.rawValue
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_region_count(_ state: OpaquePointer!) -> Int {
  guard let state = unsafe state else { return 0 }
  return unsafe StateMemory.state(state).pointee.regions.count
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_region_at(
  _ state: OpaquePointer!, _ index: Int, _ info: UnsafeMutablePointer<portcullis_region_info>!
) -> portcullis_status {
  guard let state = unsafe state, let info = unsafe info else { return PORTCULLIS_ERROR_ARGUMENT }
  guard unsafe info.pointee.size >= MemoryLayout<portcullis_region_info>.size else {
    return PORTCULLIS_ERROR_STRUCT_SIZE
  }
  let gate = unsafe StateMemory.state(state)
  guard let layout = unsafe gate.pointee.layout(at: index) else { return PORTCULLIS_ERROR_INDEX }
  unsafe info.pointee.base = layout.base.rawValue
  unsafe info.pointee.bytes = layout.frameSize
  unsafe info.pointee.stride = layout.stride
  unsafe info.pointee.count = UInt32(truncatingIfNeeded: layout.count)
  // The registry has the regions in their order, and is empty before the claim.
  unsafe info.pointee.address = gate.pointee.registry[index]?.address.rawValue ?? 0
  return PORTCULLIS_OK
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_handle_trap(
  _ state: OpaquePointer!, _ frame: UnsafeMutablePointer<portcullis_frame>!, _ esr: UInt64,
  _ far: UInt64, _ hpfar: UInt64, _ refusal: UnsafeMutablePointer<portcullis_refusal>!
) -> portcullis_trap {
  guard let state = unsafe state, let frame = unsafe frame else {
    return PORTCULLIS_TRAP_NOT_READY
  }
  let gate = unsafe StateMemory.state(state)
  guard
    let outcome = unsafe gate.pointee.handleTrap(
      esr: esr, far: far, hpfar: hpfar, host: gate.pointee.host(frame))
  else { return PORTCULLIS_TRAP_NOT_READY }
  switch outcome {
  case .completed: return PORTCULLIS_TRAP_COMPLETED
  case .unfinished: return PORTCULLIS_TRAP_UNFINISHED
  case .skipped: return PORTCULLIS_TRAP_SKIPPED
  case .unclaimed: return PORTCULLIS_TRAP_UNCLAIMED
  case .notAnAbort: return PORTCULLIS_TRAP_NOT_AN_ABORT
  case .injected(let reason):
    // The header gives the reasons the numbers that they have in the core.
    if let refusal = unsafe refusal {
      unsafe refusal.pointee = portcullis_refusal(rawValue: UInt32(reason.rawValue))
    }
    return PORTCULLIS_TRAP_INJECTED
  }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_inject_abort(
  _ state: OpaquePointer!, _ frame: UnsafeMutablePointer<portcullis_frame>!, _ esr: UInt64,
  _ far: UInt64, _ hpfar: UInt64
) -> portcullis_status {
  guard let state = unsafe state, let frame = unsafe frame,
    let abort = Abort(esr: esr, far: far, hpfar: hpfar)
  else { return PORTCULLIS_ERROR_ARGUMENT }
  unsafe abort.inject(into: StateMemory.state(state).pointee.host(frame))
  return PORTCULLIS_OK
}
