// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import CHardware
internal import DeviceTree
internal import Hypervisor
internal import IOMMU
internal import Ownership
internal import SMMUDriver
internal import Traps

/// Builds what confines the host, and with it the state that all CPUs share.
enum Confinement {
  static func begin(
    _ board: borrowing Board, _ options: BootOptions, _ masters: MasterProtection,
    _ smmus: borrowing SMMUPlan, _ cpus: consuming CPUTable,
    image: AddressRange, memory own: BoardMemory, interruptLimit: UInt64,
    _ stage1: consuming ImageMap.Stage1, _ pool: consuming ImageMap.Pool, _ log: inout Log
  ) throws(StartupError) {
    let firmware = MetalFirmware(board)
    let memory = try memoryMap(of: board)
    guard let imagePages = PageRange(covering: image), let ownPages = PageRange(covering: own.range)
    else { throw .memory }
    var excluded = FixedList<2, PageRange>(filler: imagePages)
    if mediation != .off {
      _ = excluded.append(imagePages)
      _ = excluded.append(ownPages)
    }

    let canary = try canary(of: image)

    let range = pc_read_id_aa64mmfr0_el1() & 0xf
    guard let geometry = TranslationGeometry(physicalAddressRange: range) else {
      throw .translation
    }
    let state: EL2State
    do throws(OwnershipError) {
      let stage2 = try Stage2(
        geometry, memoryMap: memory, excluded: excluded.span, pool: &pool,
        cache: MetalTranslationCache())
      let context = HostContext(
        translationBase: stage2.root.rawValue,
        translationControl: try stage2.controlValue(physicalAddressRange: range))
      let walk = stage2.walk
      let ownership = try PageOwnership(
        geometry, memoryMap: memory, hypervisorPages: excluded.span, pool: pool, host: stage2,
        hypervisor: stage1, observer: DMAProtection())
      state = EL2State(
        features: HostFeatures(of: .ofThisCPU()), context: context, image: image,
        memory: own, canary: canary, firmware: firmware,
        powerStateFormat: PSCI.PowerStateFormat(
          features: firmware.call(
            SMCCC.Call(PSCI.features, UInt64(PSCI.cpuSuspend64))
          ).x0), stage2: walk, cpus: cpus, ownership: ownership)
    } catch {
      throw .translation
    }
    unsafe StateMemory.shared.initialize(to: state)
    unsafe StateMemory.shared.pointee.reserved = ReservedPages(board)
    // The TLB operations of a claim are for the host's VMID.
    unsafe StateMemory.shared.pointee.context.loadTranslation()
    if options.isTraced, mediation == .on {
      Recorder.begin(toConsole: options.drainsTrace)
    }
    if mediation != .off {
      try claim(board, options, masters, smmus, geometry, interruptLimit: interruptLimit, &log)
    }
  }

  /// Unmaps the device tree at EL2, and checks what is mapped there, last of all before the host runs.
  static func finish(tree: PageRange) throws(StartupError) {
    unsafe StateMemory.shared.pointee.ownership.unmapAtHypervisor(
      tree, at: VirtualLayout.linear(tree.first.address))
    // The control of the attack tests leaves the image to the host.
    guard mediation != .off else { return }
    var table: DMATable?
    unsafe StateMemory.shared.pointee.ownership.updateObserver { (protection, _, _, _) in
      table = protection.mirror?.driver.table
    }
    let exposure = unsafe StateMemory.shared.pointee.ownership.firstExposure { (frame, memory) in
      guard let table, frame.rawValue < table.geometry.pageLimit else { return false }
      return table.leaf(from: frame, in: memory).output != nil
    }
    if let exposure { throw .exposed(exposure) }
  }

  private static func claim(
    _ board: borrowing Board, _ options: BootOptions, _ masters: MasterProtection,
    _ smmus: borrowing SMMUPlan, _ geometry: TranslationGeometry, interruptLimit: UInt64,
    _ log: inout Log
  ) throws(StartupError) {
    var others = RegionRequests<Device>()
    if mediation == .on { try RedistributorMediation.append(board, to: &others) }
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
      unsafe StateMemory.shared.pointee.identities = try ITSClaim.claim(
        board, beside: others, collecting: &frames,
        from: &StateMemory.shared.pointee.ownership,
        registry: &StateMemory.shared.pointee.registry,
        device: { index in
          mediation == .forwarding
            ? .forwarded : .mediatedITS(UInt8(truncatingIfNeeded: index))
        }, registers: MetalDeviceMemory())
    } catch {
      switch error {
      case .ownership(.tooManyRanges(let limit)): throw .tooManyFrames(limit: limit)
      case .registry(.full): throw .tooManyRegions(limit: RegionRequests<Device>.capacity)
      default: throw .claim
      }
    }
    let identities = unsafe StateMemory.shared.pointee.identities
    if mediation == .on {
      try RedistributorMediation.begin(board, options, interruptLimit: interruptLimit, &log)
      let offered = try ITSMediation.begin(
        board, identities, options, masters, interruptLimit: interruptLimit)
      unsafe StateMemory.shared.pointee.identities = offered
    }
    do throws(OwnershipError) {
      // Nobody answers there: the abort is that of any page which is not the host's.
      try claimUnused(board)
      if !smmus.monitors.isEmpty {
        _ = try unsafe StateMemory.shared.pointee.ownership.donate(
          smmus.monitors, expecting: .mmio
        ).keepForever()
      }
      if !smmus.companions.isEmpty {
        _ = try unsafe StateMemory.shared.pointee.ownership.donate(
          smmus.companions, expecting: .mmio
        ).keepForever()
      }
    } catch {
      throw .claim
    }
    // Behind all other claims, so that the snapshot has them.
    try SMMUMediation.begin(smmus, options.smmuPolicy, board, geometry, &log)
    for index in identities.indices {
      var line = LogLine("ITS at ")
      line.append(hex: identities[index].base.rawValue)
      line.append(" claimed, GITS_TYPER ")
      line.append(hex: identities[index].typer)
      log.write(.info, line)
    }
    var line = LogLine("table pages used ")
    line.append(decimal: unsafe StateMemory.shared.pointee.ownership.usedTablePages)
    line.append(", free ")
    line.append(decimal: unsafe StateMemory.shared.pointee.ownership.freeTablePages)
    log.write(.info, line)
  }

  /// Takes the registers that the host does not use.
  private static func claimUnused(_ board: borrowing Board) throws(OwnershipError) {
    guard !board.unused.isEmpty else { return }
    guard let filler = PageRange(covering: board.unused[0].range) else { throw .empty }
    var pages = FixedList<64, PageRange>(filler: filler)
    for index in board.unused.indices {
      guard let range = PageRange(covering: board.unused[index].range), pages.append(range) else {
        throw .empty
      }
    }
    _ = try unsafe StateMemory.shared.pointee.ownership.donate(pages, expecting: .mmio)
      .keepForever()
  }

  /// The canary, filled; the control of the attack tests has it too, for it is to be overwritten there.
  private static func canary(of image: AddressRange) throws(StartupError) -> Canary {
    let offset = el2_canary_here() - el2_image_start_here()
    let base = PhysicalAddress(image.base.rawValue + offset)
    guard let range = AddressRange(base: base, size: el2_canary_size) else { throw .memory }
    let canary = Canary(range: range)
    canary.fill(MetalTables(imageBase: image.base))
    return canary
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

  /// The CPUs of the tree; the one that runs this is on, and first.
  static func cpuTable(of board: borrowing Board) throws(StartupError) -> CPUTable {
    let own = pc_read_mpidr_el1() & CPUTable.affinityMask
    var table = CPUTable()
    guard table.add(affinity: own, state: .on) else { throw .cpus }
    for index in board.cpus.indices where board.cpus[index] != own {
      guard table.add(affinity: board.cpus[index], state: .off) else { throw .cpus }
    }
    return table
  }
}
