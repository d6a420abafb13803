// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import CHardware
internal import DeviceTree
internal import Hypervisor
internal import IOMMU
internal import ITS
internal import Ownership
internal import SMMUDriver
internal import Traps

/// Why the board is switched off instead of being handed to the host.
enum StartupError: Error {
  case tree
  case noGICv3
  case boardRefused
  case memory
  case memoryOutOfReach(PhysicalAddress)
  case translation
  case claim
  case redistributors
  case tooManyRedistributors(limit: Int)
  case tooManyFrames(limit: Int)
  case tooManyRegions(limit: Int)
  case redistributorClaim(RedistributorClaimError)
  case interruptController
  case mediation(ITSSetupError)
  case masters
  case devices
  case plan(SMMUPlanError)
  case smmu(SMMUSetupError)
  case mirror(IOMMUError)
  case virtualSMMU
  case modules
  case noRoom
  case noRoomForEL2
  case hostTree
  case cpus
  case exposed(Exposure)

  /// What it is about, in front of that.
  var subject: StaticString {
    switch self {
    case .mediation: "an ITS cannot be mediated: "
    case .redistributorClaim: "the Redistributors cannot be claimed: "
    case .plan, .smmu, .mirror, .virtualSMMU: "the SMMUs cannot be owned: "
    default: ""
    }
  }

  /// Where it is; nil where there is no such place.
  var place: PhysicalAddress? {
    switch self {
    case .redistributorClaim(let error): error.told.base
    case .exposed(let exposure): exposure.frame.address
    case .memoryOutOfReach(let base): base
    default: nil
    }
  }

  /// What the log says about it.
  var text: StaticString {
    switch self {
    case .tree: "no usable device tree"
    case .noGICv3: "the board has no GICv3"
    case .boardRefused: "the board cannot be protected"
    case .memory: "memory cannot be mapped"
    case .memoryOutOfReach: "there is memory that the CPU cannot address"
    case .translation: "the host's stage 2 cannot be built"
    case .claim: "registers cannot be claimed"
    case .redistributors: "the Redistributors cannot be mediated"
    case .tooManyRedistributors: "there are more Redistributors than "
    case .tooManyFrames: "there are more frames of registers to claim than "
    case .tooManyRegions: "there are more regions of registers to claim than "
    case .redistributorClaim(let error): error.told.text
    case .interruptController: "the interrupt controller cannot be mapped"
    case .mediation(let error): error.text
    case .masters: "masters that nothing confines cannot be claimed"
    case .devices: "the DeviceIDs of the board cannot be listed"
    case .plan(let error): error.text
    case .smmu(let error): error.text
    case .mirror(.poolExhausted): "there is no memory for their table"
    case .mirror: "what devices reach can't be changed"
    case .virtualSMMU: "one does not say what it is"
    case .modules: "a boot module cannot be used"
    case .noRoom: "no room for the host"
    case .noRoomForEL2: "no room for EL2's stacks and tables"
    case .hostTree: "the host's device tree cannot be written"
    case .cpus: "two CPUs of the tree have one MPIDR_EL1, or it has no room for the one that runs"
    case .exposed(let exposure):
      switch exposure.reason {
      case .leftover: "EL2 still maps memory of the host"
      case .host: "the host reaches memory of EL2"
      case .devices: "devices reach memory of EL2"
      }
    }
  }

  /// The limit that is passed, behind that.
  var limit: Int? {
    switch self {
    case .tooManyRedistributors(let limit), .tooManyFrames(let limit), .tooManyRegions(let limit):
      limit
    default: nil
    }
  }
}

/// The order in which the board is brought from firmware's hands into the host's.
///
/// tree mapped and checked → console → CPU and board checked → host placed → host's stage 2 → ITSes claimed
/// → host entered.
///
/// Whatever fails before the last step switches the board off: a host that is not confined is never
/// entered.
enum Startup {
  /// The most that a device tree may take, in bytes.
  private static var treeLimit: UInt64 { 0x20_0000 }

  static func run(_ early: consuming EarlyState, tree: PhysicalAddress) -> Never {
    var pool = early.pool
    var stage1 = early.stage1
    var log = Log(console: nil, level: .info)
    var firmware = MetalFirmware.none
    let start: HostStart
    do throws(StartupError) {
      let bytes = try mapTree(tree, &stage1, &pool)
      // The pages were mapped just now, and the host, which could write to them, does not run yet.
      let source = unsafe UnsafeBufferPointer<UInt8>(
        start: UnsafePointer(bitPattern: UInt(VirtualLayout.linear(bytes.base).rawValue)),
        count: Int(bytes.size))
      let blob = try check(unsafe source.span)
      var diagnostics = FirstDiagnostics<Diagnostic>()
      let board = Board.read(blob, granule: .kib4, reporting: &diagnostics)
      let options = board.options
      firmware = MetalFirmware(board)
      guard
        let image = AddressRange(
          base: pool.memory.imageBase, size: el2_image_end_here() - el2_image_start_here())
      else { throw .memory }
      // Nothing is written over EL2 itself, and nothing then says so.
      guard board.console?.range.overlaps(image) != true else { throw .boardRefused }
      log = openLog(board, options.logLevel, &stage1, &pool)
      log.write(.info, LogLine("Portcullis at EL2"))
      diagnostics.write(in: blob) { log.write($0, $1) }
      // Before anything touches a register of the CPU's interface, which is undefined without.
      guard ProcessorIdentity.ofThisCPU().hasInterruptRegisters else { throw .noGICv3 }
      guard board.verdict != .refused else { throw .boardRefused }
      // What is beside an SMMU writes where it is told to, whether that is used or not.
      let hasDMA =
        !board.iommus.isEmpty || !board.monitors.isEmpty || !board.companions.isEmpty
      let policy = mediation == .on && hasDMA ? options.smmuPolicy : SMMUPolicy.off
      let smmus = policy.isOwning ? try DMADescription.plan(board, blob, &log) : SMMUPlan()
      let masters = try MasterProtection.decide(
        board, blob, options, ownsSMMUs: policy.isOwning, &log)
      let cpus = try Confinement.cpuTable(of: board)
      try HostPlacement.checkReach(of: board)
      var placement = try HostPlacement(board, tree: bytes, image: image)
      start = try placement.place(
        board, blob, cpus: cpus.count, smmus: policy, disabling: masters.disabled, &stage1, &pool,
        &log)
      let interruptLimit = try InterruptController.map(board, &stage1, &pool)
      try Confinement.begin(
        board, options, masters, smmus, cpus, image: image, memory: start.memory,
        interruptLimit: interruptLimit, stage1, pool, &log)
      let calls = board.firmwareCalls(in: blob, keepsPower: policy.isOwning)
      for index in calls.indices { relay(calls[index], &log) }
      if options.isBench {
        Figures.logTablePages(&log)
        Figures.logDonations(placement.spare, &log)
      }
      if let pages = PageRange(covering: bytes) { try Confinement.finish(tree: pages) }
    } catch {
      var line = LogLine("not started: ")
      line.append(error.subject)
      line.append(error.text)
      if let limit = error.limit { line.append(decimal: UInt64(limit)) }
      if let place = error.place {
        line.append(", at ")
        line.append(hex: place.rawValue)
      }
      log.write(.error, line)
      powerOff(firmware)
    }
    log.isBuffered = true
    unsafe StateMemory.shared.pointee.log = log
    unsafe StateMemory.shared.pointee.context.load()
    el2_enter_host(start.entry.rawValue, start.tree.rawValue)
  }

  /// Relays a call of firmware that the tree names, or says why not.
  private static func relay(_ call: FirmwareCall, _ log: inout Log) {
    var line = LogLine("SCMI by SMC ")
    line.append(hex: UInt64(call.number))
    if let refusal = call.refusal {
      line.append(" not relayed: ")
      line.append(refusal.text)
      return log.write(.warning, line)
    }
    _ = unsafe StateMemory.shared.pointee.treeCalls.append(call.number)
    line.append(" relayed")
    log.write(.info, line)
  }

  /// Says `line` on the console that the tree names and ends it all, before there is an MMU: every
  /// address is physical, and all accesses are aligned, as the format of the tree aligns its words.
  static func refuse(
    _ line: consuming LogLine, tree: PhysicalAddress, exceptionLevel: UInt64
  ) -> Never {
    let (console, firmware) = unmapped(tree, exceptionLevel)
    var log = Log(console: console, level: .error)
    log.write(.error, line)
    powerOff(firmware)
  }

  /// Console and firmware of the board with this tree.
  private static func unmapped(
    _ tree: PhysicalAddress, _ exceptionLevel: UInt64
  ) -> (console: Console?, firmware: MetalFirmware) {
    guard tree.rawValue != 0, let size = treeSize(pc_load64(tree.rawValue)) else {
      return (nil, .none)
    }
    // Nothing else runs that could change the tree.
    let source = unsafe UnsafeBufferPointer<UInt8>(
      start: UnsafePointer(bitPattern: UInt(tree.rawValue)), count: Int(size))
    do throws(BlobError) {
      let blob = try DeviceTreeBlob(checking: unsafe source.span)
      var diagnostics = FirstDiagnostics<Diagnostic>()
      let board = Board.read(blob, granule: .kib4, reporting: &diagnostics)
      let console = board.console.flatMap {
        Console($0, at: $0.range.base.rawValue, isGuarded: exceptionLevel == 2)
      }
      return (console, MetalFirmware(board, exceptionLevel: exceptionLevel))
    } catch {
      return (nil, .none)
    }
  }

  /// The size of a device tree from its first two words, magic and total size, both big-endian; nil
  /// where it is none, or too large.
  private static func treeSize(_ head: UInt64) -> UInt64? {
    let size = UInt64(UInt32(truncatingIfNeeded: head >> 32).byteSwapped)
    guard UInt32(truncatingIfNeeded: head).byteSwapped == 0xd00d_feed, size <= treeLimit else {
      return nil
    }
    return size
  }

  /// Maps the device tree and returns where it is.
  private static func mapTree(
    _ tree: PhysicalAddress, _ stage1: inout ImageMap.Stage1, _ pool: inout ImageMap.Pool
  ) throws(StartupError) -> AddressRange {
    guard tree.isAligned(to: 8), let head = AddressRange(base: tree, size: 8) else { throw .tree }
    try MappedMemory.map(head, .readOnlyData, &stage1, &pool)
    let word = pc_load64(VirtualLayout.linear(tree).rawValue)
    MappedMemory.unmap(head, &stage1, &pool)
    guard let size = treeSize(word), let whole = AddressRange(base: tree, size: size) else {
      throw .tree
    }
    try MappedMemory.map(whole, .readOnlyData, &stage1, &pool)
    return whole
  }

  @_lifetime(copy bytes)
  private static func check(_ bytes: Span<UInt8>) throws(StartupError) -> DeviceTreeBlob {
    do throws(BlobError) {
      return try DeviceTreeBlob(checking: bytes)
    } catch {
      throw .tree
    }
  }

  /// Opens the console that the tree names, if it is one that is known.
  private static func openLog(
    _ board: borrowing Board, _ level: LogLevel, _ stage1: inout ImageMap.Stage1,
    _ pool: inout ImageMap.Pool
  ) -> Log {
    guard let console = board.console, console.kind != .other,
      let pages = PageRange(covering: console.range),
      // Of what a tree calls its registers no more is mapped than there can be.
      let page = PageRange(first: pages.first, count: min(pages.count, 2))
    else { return Log(console: nil, level: level) }
    do throws(OwnershipError) {
      try stage1.map(page, at: VirtualLayout.console, .device, pool: &pool)
    } catch {
      return Log(console: nil, level: level)
    }
    let offset = console.range.base.rawValue & (PageFrameNumber.size - 1)
    return Log(
      console: Console(console, at: VirtualLayout.console.rawValue &+ offset), level: level)
  }

  /// Ends it all: there is nothing that may run.
  static func powerOff(_ firmware: MetalFirmware) -> Never {
    _ = firmware.call(SMCCC.Call(PSCI.systemOff))
    el2_park()
  }
}
