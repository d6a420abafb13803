// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards
internal import DeviceTree
internal import IOMMU
internal import Ownership
internal import SMMUDriver
internal import Traps
internal import UEFI

extension Planned {
  /// Builds what confines the host, and with it the state that all CPUs share; claims what is EL2's, and sets
  /// the hardware up that it stands in front of.
  consuming func claim() throws(StartupError) -> Claimed<Machine> {
    let monitor = discovered.monitor
    let platform = monitor.platform
    let options = discovered.board.options
    let calls = calls
    let claimed = Claimed(
      monitor: monitor, lent: discovered.firmware?.offer.block ?? discovered.tree, host: host,
      spare: spare, console: discovered.console, isMeasured: options.isBench)
    let claims = Claims(
      monitor: monitor, smmus: smmus, policy: policy, masters: masters, geometry: geometry,
      interruptLimit: interruptLimit)
    let board = try begin()
    for index in calls.indices { monitor.relay(calls[index]) }
    if options.isTraced, platform.mediation == .on {
      monitor.beginTrace(toConsole: options.drainsTrace)
    }
    if platform.mediation != .off { try claims.make(board, options) }
    return claimed
  }

  /// Builds the state, and returns the board.
  private consuming func begin() throws(StartupError) -> Board {
    let monitor = discovered.monitor
    let platform = monitor.platform
    let layout = discovered.layout
    let map = try Self.memoryMap(of: discovered.board)
    guard let imagePages = PageRange(covering: layout.image),
      let ownPages = PageRange(covering: memory.range)
    else { throw .memory }
    var excluded = FixedList<2, PageRange>(filler: imagePages)
    if platform.mediation != .off {
      _ = excluded.append(imagePages)
      _ = excluded.append(ownPages)
    }
    // The control of the attack tests has it too, for it is to be overwritten there.
    let canary = Canary(range: layout.canary)
    canary.fill(discovered.early.pool.memory)

    let firmware = monitor.state.diagnostics.firmware
    let reserved = ReservedPages(discovered.board)
    let ledger: PageLedger
    let control: UInt64
    let stage2: HypervisorState<Machine>.Stage2
    do throws(OwnershipError) {
      control = try geometry.controlValue(physicalAddressRange: platform.physicalAddressRange)
      ledger = try PageLedger(
        geometry, hypervisorPages: excluded.span, pool: &discovered.early.pool)
      stage2 = try HypervisorState<Machine>.Stage2(
        geometry, memoryMap: map, executed: executed, excluded: excluded.span,
        pool: &discovered.early.pool, cache: platform.cache)
    } catch {
      throw .translation
    }
    let translation = HostTranslationRegisters(base: stage2.root.rawValue, control: control)
    let walk = stage2.walk
    let early = discovered.early
    let ownership = HypervisorState<Machine>.PageOwnership(
      ledger, memoryMap: map, pool: early.pool, host: stage2, hypervisor: early.stage1,
      observer: DMAProtection())
    monitor.state.begin(
      HypervisorState(
        features: HostFeatures(of: platform.identity),
        translation: translation, layout: layout, reserved: reserved, memory: memory,
        canary: canary,
        powerStateFormat: PSCI.PowerStateFormat(
          features: firmware.call(SMCCC.Call(PSCI.features, UInt64(PSCI.cpuSuspend64))).x0),
        stage2: walk, cpus: cpus, ownership: ownership))
    // The TLB operations of a claim are for the host's VMID.
    platform.load(monitor.state.shared.translation)
    return discovered.board
  }

  private static func memoryMap(of board: borrowing Board) throws(StartupError) -> MemoryMap {
    var map = MemoryMap()
    do throws(OwnershipError) {
      for index in board.memory.indices {
        guard let pages = PageRange(covering: board.memory[index]) else { throw .empty }
        try map.add(pages)
      }
    } catch {
      throw .memory
    }
    return map
  }
}

/// What is EL2's, or nobody's.
private struct Claims<Machine: BoardPlatform> {
  typealias Device = HypervisorState<Machine>.Device

  let monitor: Monitor<Machine>
  let smmus: SMMUPlan
  let policy: SMMUPolicy
  let masters: MasterProtection
  let geometry: TranslationGeometry
  let interruptLimit: UInt64

  /// Makes the claims.
  func make(_ board: borrowing Board, _ options: BootOptions) throws(StartupError) {
    let (platform, state) = (monitor.platform, monitor.state)
    var others = RegionRequests<Device>()
    if platform.mediation == .on { try monitor.appendRedistributors(of: board, to: &others) }
    do throws(RegistryError) {
      guard try SMMUClaim.append(smmus, to: &others, { .smmu($0) }) else {
        throw .full(PhysicalAddress(0))
      }
    } catch {
      throw .claim
    }
    try masters.append(to: &others)
    var frames: RegionClaim.BoardFrames = RegionClaim.noFrames()
    do throws(ITSClaimError) {
      state.shared.identities = try ITSClaim.claim(
        board, beside: others, collecting: &frames, from: &state.shared.ownership,
        registry: &state.shared.registry,
        device: { index in
          platform.mediation == .forwarding
            ? .forwarded : .mediatedITS(UInt8(truncatingIfNeeded: index))
        }, registers: platform.registers)
    } catch {
      switch error {
      case .ownership(.tooManyRanges(let limit)): throw .tooManyFrames(limit: limit)
      case .registry(.full): throw .tooManyRegions(limit: RegionRequests<Device>.capacity)
      default: throw .claim
      }
    }
    let identities = state.shared.identities
    if platform.mediation == .on {
      try monitor.beginRedistributors(of: board, options, interruptLimit: interruptLimit)
      state.shared.identities = try monitor.beginITSes(
        of: board, identities, options, masters, interruptLimit: interruptLimit)
    }
    do throws(OwnershipError) {
      // Nobody answers there: the abort is that of any page which is not the host's.
      try claimUnused(board)
      if !smmus.monitors.isEmpty {
        _ = try state.shared.ownership.donate(smmus.monitors, expecting: .mmio).keepForever()
      }
      if !smmus.companions.isEmpty {
        _ = try state.shared.ownership.donate(smmus.companions, expecting: .mmio).keepForever()
      }
    } catch {
      throw .claim
    }
    // Behind all other claims, so that the snapshot has them.
    try monitor.beginSMMUs(smmus, policy, board, geometry)
    for index in identities.indices {
      var line = LogLine("ITS at ")
      line.append(hex: identities[index].base.rawValue)
      line.append(" claimed, GITS_TYPER ")
      line.append(hex: identities[index].typer)
      platform.log(.info, line)
    }
    var line = LogLine("table pages used ")
    line.append(decimal: state.shared.ownership.usedTablePages)
    line.append(", free ")
    line.append(decimal: state.shared.ownership.freeTablePages)
    platform.log(.info, line)
  }

  /// Takes the registers that the host does not use.
  private func claimUnused(_ board: borrowing Board) throws(OwnershipError) {
    guard !board.unused.isEmpty else { return }
    guard let filler = PageRange(covering: board.unused[0].range) else { throw .empty }
    var pages = FixedList<64, PageRange>(filler: filler)
    for index in board.unused.indices {
      guard let range = PageRange(covering: board.unused[index].range), pages.append(range) else {
        throw .empty
      }
    }
    _ = try monitor.state.shared.ownership.donate(pages, expecting: .mmio)
      .keepForever()
  }
}

/// Everything that is EL2's is claimed; what describes the board is mapped still.
struct Claimed<Machine: BoardPlatform>: ~Copyable {
  let monitor: Monitor<Machine>
  /// The host's memory that EL2 maps until then: the tree, or what firmware hands over.
  let lent: AddressRange
  let host: HostStart
  let spare: PageRange?
  let console: Machine.Output?
  let isMeasured: Bool

  // With none the compiler fails where an error ends the stage (swift 6.3.1, CopyPropagation).
  deinit {}

  /// Unmaps what describes the board at EL2, and checks what is mapped there, last of all before the host runs.
  consuming func seal() throws(StartupError) -> Sealed<Machine> {
    let (platform, state) = (monitor.platform, monitor.state)
    if isMeasured { platform.measure(spare: spare) }
    state.diagnostics.log = Log(
      console: console, level: state.diagnostics.log.level, frequency: platform.frequency)
    if let pages = PageRange(covering: lent) {
      state.shared.ownership.unmapAtHypervisor(
        pages, at: VirtualLayout.linear(pages.first.address))
    }
    // The control of the attack tests leaves the image to the host.
    if platform.mediation != .off, let exposure = firstExposure() { throw .exposed(exposure) }
    return Sealed(monitor: monitor, host: host)
  }

  private func firstExposure() -> Exposure? {
    let table = monitor.state.shared.ownership.updateObserver { (protection, _, _, _) in
      protection.mirror?.driver.table
    }
    return monitor.state.shared.ownership.firstExposure { (frame, memory) in
      guard let table, frame.rawValue < table.geometry.pageLimit else { return false }
      return table.leaf(from: frame, in: memory).output != nil
    }
  }
}

/// The host may run.
struct Sealed<Machine: BoardPlatform>: ~Copyable {
  let monitor: Monitor<Machine>
  let host: HostStart

  // As of ``Claimed``.
  deinit {}

  /// Gives the console to the host, and says where it starts.
  consuming func run() -> HostStart {
    monitor.state.diagnostics.log.isBuffered = true
    return host
  }
}

extension Monitor where Machine: BoardPlatform {
  /// Relays a call of firmware that the tree names, or says why not.
  fileprivate func relay(_ call: FirmwareCall) {
    var line = LogLine("SCMI by SMC ")
    line.append(hex: UInt64(call.number))
    if let refusal = call.refusal {
      line.append(" not relayed: ")
      line.append(refusal.text)
      return platform.log(.warning, line)
    }
    _ = state.shared.treeCalls.append(call.number)
    line.append(" relayed")
    platform.log(.info, line)
  }
}
