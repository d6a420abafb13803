// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import Boards
internal import Hypervisor
internal import IOMMU
internal import Ownership
internal import SMMUDriver
internal import Traps
internal import VirtualSMMU

/// What the driver of the SMMUs needs of an embedder; it gives one a million looks.
struct EmbedderSMMUMachine: SMMUMachine {
  let memory: LinearMemory
  let registers: EmbedderPlatform
}

/// What the host reaches by its embedder's word, without what is EL2's or was claimed.
private struct EmbedderReach: HostLeaves {
  let machine: EmbedderMachine
  let claim: SMMUHook.SealingClaim

  /// All that descriptors without FEAT_LPA reach.
  var pageLimit: UInt64 { 1 << 36 }

  func leaf<Memory: TableMemory & ~Copyable>(
    from first: PageFrameNumber, in memory: borrowing Memory
  ) -> HostLeaf {
    guard let rest = PageRange(first: first, count: pageLimit - first.rawValue) else {
      preconditionFailure("the page is beyond the table")
    }
    var end = pageLimit
    // What is claimed or EL2's begins here, or ends what the embedder says.
    func cut(_ taken: PageRange) -> HostLeaf? {
      if taken.contains(first) { return HostLeaf(rest.upTo(taken.last.rawValue + 1), .claimed) }
      if taken.first > first { end = min(end, taken.first.rawValue) }
      return nil
    }
    for index in 0..<EmbedderMachine.ownCount {
      if let own = machine.own(index), let leaf = cut(own) { return leaf }
    }
    for index in claim.frames.ranges.indices {
      if let leaf = cut(claim.frames.range(index)) { return leaf }
    }
    let said = machine.registers.reach(first.address)
    guard said.pages > 0 else {
      var line = LogLine("host_reach tells of no page: nothing is the host's from ")
      line.append(hex: first.address.rawValue)
      machine.registers.log(.error, line)
      return HostLeaf(rest, .claimed)
    }
    let pages = rest.upTo(min(end, first.rawValue + min(said.pages, rest.count)))
    return HostLeaf(pages, .mapped(isReadable: said.isReadable, isWritable: said.isWritable))
  }
}

/// The SMMUs of an embedder, in memory that it has set aside for them.
///
///     0          the state
///     0x8000     the SMMUs as the host sees them, where it does
///     0x10000 *  an arena each, and behind them the tables of the devices
///
/// A leaf: that memory `portcullis_add_smmus` has found large enough, and the header asks that it is mapped.
@safe struct EmbedderSMMUs {
  struct State: ~Copyable {
    /// What driving the SMMUs starts from; where EL2 sees their registers the claim tells.
    var setups: SMMUClaim.Setups
    /// Where the host sees these registers.
    var bases: FixedList<16, PhysicalAddress>
    let policy: SMMUPolicy
    /// The memory of the devices' tables.
    let tables: PageRange
    /// With the lock of pages held.
    var protection = DMAProtection<EmbedderSMMUMachine>()
    /// With the lock of pages held.
    var pool: PagePool<LinearMemory>

    init(
      _ setup: SMMUSetup, _ base: PhysicalAddress, _ policy: SMMUPolicy, _ tables: PageRange,
      _ memory: LinearMemory
    ) {
      setups = SMMUClaim.Setups(filler: setup)
      bases = FixedList(filler: base)
      self.policy = policy
      self.tables = tables
      pool = PagePool(pages: tables, memory: memory)
    }

    mutating func begin(
      _ claim: SMMUHook.SealingClaim, _ machine: EmbedderMachine
    ) throws(DMAProtectionError) {
      // No SMMU uses a table of an attempt that has failed and was given back.
      pool = PagePool(pages: tables, memory: machine.memory)
      try protection.begin(
        setups.span, bits: 48, policy: policy == .nested ? .nested : .owned,
        doorbells: unsafe machine.board.pointee.doorbells,
        machine: EmbedderSMMUMachine(memory: machine.memory, registers: machine.registers),
        EmbedderReach(machine: machine, claim: claim), claim.memoryMap, &pool)
    }
  }

  private let machine: EmbedderMachine
  private let memory: PageRange
  private let place: UnsafeMutableRawPointer
  private var state: UnsafeMutablePointer<State> {
    unsafe place.assumingMemoryBound(to: State.self)
  }

  /// The SMMUs that have this memory.
  init(of machine: EmbedderMachine, in memory: PageRange) {
    self.machine = machine
    self.memory = memory
    let address = machine.memory.address(of: memory.first.address)
    // `portcullis_add_smmus` has found that this is not 0.
    unsafe place =
      UnsafeMutableRawPointer(bitPattern: UInt(truncatingIfNeeded: address.rawValue))
      .unsafelyUnwrapped
  }

  // MARK: The memory

  private static var virtualOffset: UInt64 { 0x8000 }
  private static var unit: UInt64 { 1 << 16 }

  /// Where the arenas begin.
  private static func arenas(_ count: Int, _ policy: SMMUPolicy) -> UInt64 {
    let end = virtualOffset + (policy == .nested ? UInt64(count) * VirtualSMMUPlaces.stride : 0)
    return (end + unit - 1) / unit * unit
  }

  private static func arena(_ policy: SMMUPolicy) -> UInt64 {
    policy == .nested ? SMMUSetup.recommendedNestedArenaSize : SMMUSetup.recommendedArenaSize
  }

  private static func size(_ count: Int, _ policy: SMMUPolicy, tables: UInt64) -> UInt64 {
    let size = arenas(count, policy) + UInt64(count) * arena(policy)
    return (size + tables << PageFrameNumber.shift + unit - 1) / unit * unit
  }

  /// The least bytes for so many SMMUs: with 64 tables.
  static func leastSize(_ count: Int, _ policy: SMMUPolicy) -> UInt64 {
    size(count, policy, tables: 64)
  }

  /// The bytes that are recommended for so much memory of the board.
  ///
  /// Those are 512 tables for 48 bits of addresses in blocks, as many for what is split, and for an SMMU that can't split
  /// one for each 2 MiB and each GiB of memory.
  static func recommendedSize(_ count: Int, _ policy: SMMUPolicy, memory: UInt64) -> UInt64 {
    size(count, policy, tables: 1024 + memory >> 21 + memory >> 30 + 1)
  }

  /// Whether the parts are as large as what they are for.
  static var fit: Bool {
    MemoryLayout<State>.size <= Int(virtualOffset) && VirtualSMMUPlaces.fit
  }

  private func pages(at offset: UInt64, _ bytes: UInt64) -> PageRange? {
    PageRange(
      first: PageFrameNumber(containing: PhysicalAddress(memory.first.address.rawValue + offset)),
      count: bytes >> PageFrameNumber.shift)
  }

  private var virtualPlace: PhysicalAddress {
    PhysicalAddress(memory.first.address.rawValue + Self.virtualOffset)
  }
  /// The SMMUs as the host sees them.
  var virtualSMMUs: VirtualSMMUPlaces {
    unsafe VirtualSMMUPlaces(place + Int(Self.virtualOffset))
  }

  /// Fills the memory; whether it is enough.
  func put(_ plan: SMMUPlan.Places, _ policy: SMMUPolicy) -> Bool {
    let arenas = Self.arenas(plan.count, policy)
    let part = Self.arena(policy)
    let used = arenas + UInt64(plan.count) * part
    let size = memory.count << PageFrameNumber.shift
    guard Self.fit, size >= Self.leastSize(plan.count, policy),
      let tables = pages(at: used, size - used)
    else { return false }
    for index in plan.indices {
      guard let arena = pages(at: arenas + UInt64(index) * part, part) else { return false }
      let base = plan[index].range.base
      let setup = SMMUSetup(
        frame: VirtualAddress(0), arena: arena, streams: plan[index].streams)
      if index == 0 {
        unsafe state.initialize(
          to: State(setup, base, policy, tables, machine.memory))
      }
      _ = unsafe state.pointee.setups.append(setup)
      _ = unsafe state.pointee.bases.append(base)
    }
    return true
  }

  // MARK: The life

  /// Takes the SMMUs over, whose registers are among the frames of the claim.
  @inline(never)
  private func begin(_ claim: SMMUHook.SealingClaim) -> SMMUHook.Answer {
    switch unsafe state.pointee.protection.mirror?.driver.phase {
    case nil, .off: break
    // They go by the memory of the last attempt.
    case .confining, .quarantined:
      return fail(PORTCULLIS_ERROR_SMMU, "the last attempt could not be undone", nil)
    }
    for index in unsafe state.pointee.setups.indices {
      let base = unsafe state.pointee.bases[index]
      for number in claim.frames.ranges.indices {
        guard claim.frames.range(number).first.address == base,
          let frame = claim.frames.address(number)
        else { continue }
        unsafe state.pointee.setups[index].frame = frame
      }
    }
    do throws(DMAProtectionError) {
      try unsafe state.pointee.begin(claim, machine)
    } catch {
      let status =
        switch error {
        case .mirror(.poolExhausted): PORTCULLIS_ERROR_POOL
        default: PORTCULLIS_ERROR_SMMU
        }
      return fail(status, error.text, error.unit)
    }
    if unsafe state.pointee.policy == .nested {
      let count = UInt8(truncatingIfNeeded: unsafe state.pointee.setups.count)
      guard EmbedderMonitor(machine).beginVirtualSMMUs(count, at: virtualPlace) else {
        unsafe state.pointee.protection.mirror?.stop(&state.pointee.pool)
        return fail(PORTCULLIS_ERROR_SMMU, "it does not say what it is", nil)
      }
      unsafe machine.board.pointee.virtualSMMUs = count
    }
    unsafe machine.board.pointee.ownsSMMUs = true
    return .done
  }

  private func fail(
    _ status: portcullis_status, _ text: StaticString, _ unit: UInt16?
  ) -> SMMUHook.Answer {
    let number = Int(unit ?? 0)
    let bases = unsafe state.pointee.bases
    let base = bases[bases.indices.contains(number) ? number : 0]
    var line = LogLine("SMMU at ")
    line.append(hex: base.rawValue)
    line.append(": ")
    line.append(text)
    machine.registers.log(.error, line)
    return .failed(EmbedderError(status, at: base))
  }

  /// Runs `body` with who follows the owners of pages for devices, and their lock.
  func withDMA<Result>(
    _ body: (inout DMAProtection<EmbedderSMMUMachine>) -> Result
  ) -> Result {
    machine.pages.whileLocked { body(&(unsafe state.pointee.protection)) }
  }

  /// Has devices follow a change of memory of the host.
  private func follow(_ pages: PageRange, _ transition: PageTransition) -> SMMUHook.Answer {
    var list = FixedList<1, PageRange>(filler: pages)
    _ = list.append(pages)
    do throws(OwnershipError) {
      let needed = try unsafe state.pointee.protection.prepare(
        transition, list.span, state.pointee.pool)
      var reservation = try unsafe state.pointee.pool.reserve(needed)
      do throws(OwnershipError) {
        try unsafe state.pointee.protection.revoke(
          transition, list.span, &state.pointee.pool, &reservation)
      } catch {
        unsafe state.pointee.pool.release(reservation)
        throw error
      }
      unsafe state.pointee.protection.commit(
        transition, list.span, &state.pointee.pool, &reservation)
      unsafe state.pointee.pool.release(reservation)
      return .done
    } catch {
      return .refused(error)
    }
  }

  /// Lets devices reach memory that the host may read and write, and no other: they never have more than the host.
  private func grant(_ pages: PageRange) -> SMMUHook.Answer {
    var rest: PageRange? = pages
    while let left = rest {
      let said = machine.registers.reach(left.first.address)
      guard said.pages > 0, said.isReadable, said.isWritable else {
        var line = LogLine("devices do not get what the host may not write, from ")
        line.append(hex: left.first.address.rawValue)
        machine.registers.log(.warning, line)
        return .done
      }
      rest = left.from(left.first.rawValue + min(said.pages, left.count))
    }
    return follow(pages, PageTransition(kind: .memory, old: .none, new: .owned))
  }

  /// The first of these pages that devices reach; nil for none.
  private func firstReached(of pages: PageRange) -> PageFrameNumber? {
    guard let table = unsafe state.pointee.protection.mirror?.driver.table else {
      return pages.first
    }
    var rest = pages.below(table.geometry.pageLimit)
    while let left = rest {
      let leaf = table.leaf(from: left.first, in: unsafe state.pointee.pool.memory)
      if leaf.output != nil { return left.first }
      rest = left.from(leaf.end)
    }
    return nil
  }

  private func held(_ pages: PageRange) -> SMMUHook.Answer {
    for number in 0..<machine.virtualSMMUCount {
      let page = machine.withVirtualSMMU(number) { $0.held(of: pages, memory: machine.memory) }
      if let page { return .page(page) }
    }
    return .done
  }

  /// Answers a request.
  func answer(_ request: SMMUHook.Request) -> SMMUHook.Answer {
    switch request {
    case .begin(let claim): return begin(claim)
    case .read(let number, let access):
      return .read(EmbedderMonitor(machine).readOwnedSMMU(number, access))
    case .write(let number, let access, let value):
      return .write(EmbedderMonitor(machine).writeOwnedSMMU(number, access, value))
    case .revoke(let pages):
      return follow(pages, PageTransition(kind: .memory, old: .owned, new: .none))
    case .grant(let pages): return grant(pages)
    case .reached(let pages): return firstReached(of: pages).map { .page($0) } ?? .done
    case .held(let pages): return held(pages)
    case .value(let number):
      let monitor = EmbedderMonitor(machine)
      return .value(
        number.statistic.owner == .smmus
          ? monitor.dmaCount(number) : monitor.sumOfVirtualSMMUs { number.value(in: $0) })
    }
  }
}
