// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import ACPI
package import Architecture
internal import Boards
internal import DeviceTree
internal import ITS
internal import Ownership
internal import Traps
package import UEFI

/// Where the host starts.
package struct HostStart: Sendable {
  /// Its first instruction.
  package let entry: PhysicalAddress
  /// Its x0; the address of the device tree, for the boot CPU.
  package let argument: UInt64
  /// By what firmware goes on at EL1; nil for a host that begins.
  package var regime: FirmwareRegime?
}

// The order in which the board is brought from firmware's hands into the host's:
//
//     what describes the board is mapped and checked
//        │
//     Discovered   the board is read, the console open; the CPU and the board may be used
//        │ plan
//     Planned      what is owned, claimed and disabled is decided; host and EL2's memory have their places
//        │ claim
//     Claimed      the host's stage 2 is built, everything that is EL2's is claimed, hardware is set up
//        │ seal
//     Sealed       what describes the board is unmapped, and no page of EL2 is in anyone's reach
//        │ run
//     the host is entered
//
// Each stage consumes the one before. Whatever fails switches the board off: a host that is not confined is never
// entered. Firmware that is still there goes on where a plan fails, and is told: nothing has changed by then.
extension Monitor where Machine: BoardPlatform {
  /// Starts up from what the code before the MMU has left.
  ///
  /// On hardware it does not return where the board is switched off.
  package func start(by source: BootSource) -> BootOutcome {
    state.begin(
      Log(console: nil, level: .info, frequency: platform.frequency),
      firmware: platform.noFirmware)
    let planned: Planned<Machine>
    do throws(StartupError) {
      planned = try plan(by: source)
    } catch {
      guard case .firmware = source else { return ended(error) }
      platform.log(.error, error.line)
      return .refused
    }
    let console = planned.discovered.console
    do throws(StartupError) {
      return .host(try planned.claim().seal().run())
    } catch {
      // Nobody is left who would say what is in memory.
      state.diagnostics.log = Log(
        console: console, level: state.diagnostics.log.level, frequency: platform.frequency)
      return ended(error)
    }
  }

  private func ended(_ error: StartupError) -> BootOutcome {
    end(error.line)
    return .ended
  }

  private func plan(by source: BootSource) throws(StartupError) -> Planned<Machine> {
    var early = state.takeEarly()
    let platform = platform
    let tree: AddressRange
    var firmware: FirmwareHost?
    switch source {
    case .loader(let address): tree = try mapTree(address, &early)
    case .firmware(let source):
      try early.map(source.block, .data)
      guard let offer = FirmwareOffer(source.block, word: { platform.memory.load($0) }) else {
        throw .offer
      }
      state.diagnostics.log = Log(
        console: platform.text(of: offer), level: .info, frequency: platform.frequency)
      firmware = try FirmwareHost(source, offer)
      tree = offer.description
    }
    let given = try firmware?.given(platform)
    let bytes = platform.bytes(of: tree)
    // A tree begins with its own magic, a table with its name.
    if firmware != nil, DeviceTreeBlob.size(head: platform.memory.load(tree.base)) == nil {
      let tables = try checkTables(bytes)
      return try Discovered(self, tables, at: tree, firmware, given, early).plan(tables)
    }
    let blob = try Self.check(bytes)
    return try Discovered(self, blob, at: tree, firmware, given, early).plan(blob)
  }

  @_lifetime(copy bytes)
  private func checkTables(_ bytes: Span<UInt8>) throws(StartupError) -> ACPITables {
    do throws(ACPIError) {
      return try ACPITables(checking: bytes)
    } catch {
      var line = LogLine("")
      error.write(into: &line)
      platform.log(.error, line)
      throw .tables
    }
  }

  /// Maps the device tree and returns where it is.
  private func mapTree(
    _ tree: PhysicalAddress, _ early: inout EarlyState<Machine>
  ) throws(StartupError) -> AddressRange {
    guard tree.isAligned(to: 8), let head = AddressRange(base: tree, size: 8) else { throw .tree }
    try early.map(head, .readOnlyData)
    let word = platform.memory.load(tree)
    early.unmap(head)
    guard let size = DeviceTreeBlob.size(head: word),
      let whole = AddressRange(base: tree, size: size)
    else { throw .tree }
    try early.map(whole, .readOnlyData)
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
}

/// The board as the tree describes it, on a console that is open: nothing is decided.
struct Discovered<Machine: BoardPlatform>: ~Copyable {
  let monitor: Monitor<Machine>
  /// EL2's translation, and where tables come from.
  var early: EarlyState<Machine>
  /// Where the device tree is.
  let tree: AddressRange
  /// The firmware that goes on as the host; nil where there is none any more.
  let firmware: FirmwareHost?
  /// Where the parts of the image are.
  let layout: ImageLayout
  /// The console that the board has.
  let console: Machine.Output?
  let board: Board

  var platform: Machine { monitor.platform }

  /// Reads the board; the tree at `tree` is mapped.
  init<Description: HardwareDescription & ~Escapable>(
    _ monitor: Monitor<Machine>, _ blob: Description, at tree: AddressRange,
    _ firmware: FirmwareHost?, _ given: Board.Given?, _ early: consuming EarlyState<Machine>
  ) throws(StartupError) {
    let platform = monitor.platform
    var diagnostics = FirstDiagnostics<Diagnostic>()
    board = blob.readBoard(given: given, reporting: &diagnostics)
    monitor.state.diagnostics.firmware = platform.firmware(of: board)
    guard let layout = platform.layout(of: early.pool.memory) else { throw .memory }
    // Nothing is written over EL2 itself, and nothing then says so.
    guard board.console?.range.overlaps(layout.image) != true else { throw .boardRefused }
    let console = Self.openConsole(of: board, &early, platform)
    // Of firmware that is there the application says what EL2 has to tell, wherever the firmware's console is.
    monitor.state.diagnostics.log = Log(
      console: firmware.map { platform.text(of: $0.offer) } ?? console,
      level: board.options.logLevel, frequency: platform.frequency)
    var line = LogLine("Portcullis at EL2, image at ")
    line.append(hex: layout.image.base.rawValue)
    line.append(" size ")
    line.append(hex: layout.image.size)
    platform.log(.info, line)
    diagnostics.write(in: blob) { platform.log($0, $1) }
    // Before anything touches a register of the CPU's interface, which is undefined without.
    guard platform.identity.hasInterruptRegisters else { throw .noGICv3 }
    guard board.verdict != .refused else { throw .boardRefused }
    self.monitor = monitor
    self.early = early
    self.tree = tree
    self.firmware = firmware
    self.layout = layout
    self.console = console
  }

  /// Opens the console that the tree names, if it is one that is known.
  private static func openConsole(
    of board: borrowing Board, _ early: inout EarlyState<Machine>, _ platform: Machine
  ) -> Machine.Output? {
    guard let console = board.console, console.kind != .other,
      let pages = PageRange(covering: console.range),
      // Of what a tree calls its registers no more is mapped than there can be.
      let page = PageRange(first: pages.first, count: min(pages.count, 2))
    else { return nil }
    do throws(OwnershipError) {
      try early.stage1.map(page, at: VirtualLayout.console, .device, pool: &early.pool)
    } catch {
      return nil
    }
    let offset = console.range.base.rawValue & (PageFrameNumber.size - 1)
    return platform.console(
      console, at: VirtualAddress(VirtualLayout.console.rawValue &+ offset))
  }

  /// Checks that no CPU but this one runs: it would run the firmware at EL2.
  private func checkOff() throws(StartupError) {
    let firmware = monitor.state.diagnostics.firmware
    let own = platform.multiprocessorAffinity & CPUTable.affinityMask
    for index in board.cpus.indices where board.cpus[index] != own {
      let affinity = board.cpus[index]
      let answer = firmware.call(SMCCC.Call(PSCI.affinityInfo64, affinity)).x0
      guard PSCI.isOff(answer) else { throw .cpuNotOff(affinity: affinity) }
    }
  }

  private static func planSMMUs<Description: HardwareDescription & ~Escapable>(
    _ board: borrowing Board, _ blob: Description, _ platform: Machine
  ) throws(StartupError) -> SMMUPlan {
    do throws(SMMUPlanError) {
      return try DMADescription.plan(board, blob) { platform.log($0, $1) }
    } catch {
      throw .plan(error)
    }
  }

  /// Decides what becomes of the board, and brings the host and EL2's memory to their places.
  consuming func plan<Description: HardwareDescription & ~Escapable>(
    _ blob: Description
  ) throws(StartupError) -> Planned<Machine> {
    let platform = monitor.platform
    let options = board.options
    // What is beside an SMMU writes where it is told to, whether that is used or not.
    let hasDMA = !board.iommus.isEmpty || !board.monitors.isEmpty || !board.companions.isEmpty
    let policy = platform.mediation == .on && hasDMA ? options.smmuPolicy : SMMUPolicy.off
    let smmus = policy.isOwning ? try Self.planSMMUs(board, blob, platform) : SMMUPlan()
    let masters =
      platform.mediation == .off
      ? MasterProtection()
      : try MasterProtection.decide(board, blob, options, ownsSMMUs: policy.isOwning, platform)
    guard let geometry = TranslationGeometry(physicalAddressRange: platform.physicalAddressRange)
    else { throw .translation }
    try HostPlacement<Machine>.checkReach(of: board, geometry)
    guard let cpus = CPUTable(board, own: platform.multiprocessorAffinity) else { throw .cpus }
    if firmware != nil { try checkOff() }
    var placement = try HostPlacement(board, tree: tree, image: layout.image, platform)
    let placed = try placement.place(
      firmware, board, blob, cpus: cpus.count, smmus: policy, disabling: masters.disabled, &early)
    // What firmware that is still there uses is not told.
    let spare = firmware == nil ? placement.spare : nil
    let interruptLimit = try InterruptController.map(board, &early, platform)
    let calls = blob.firmwareCalls(of: board, keepsPower: policy.isOwning)
    // The last that may be refused: what it changes has no effect at EL2.
    let executed = try firmware?.adaptTables(image: layout.image, geometry, &early, platform)
    return Planned(
      discovered: self, calls: calls, executed: executed, policy: policy, smmus: smmus,
      masters: masters, geometry: geometry,
      cpus: cpus, host: placed.start, memory: placed.memory, spare: spare,
      interruptLimit: interruptLimit)
  }
}

/// What becomes of the board: all that may be refused by the tree alone is behind it.
struct Planned<Machine: BoardPlatform>: ~Copyable {
  var discovered: Discovered<Machine>
  /// The calls of firmware that the tree names.
  let calls: Board.FirmwareCalls
  /// What the firmware executes without its being memory.
  let executed: Stage2Plan.ExecutedRanges?
  let policy: SMMUPolicy
  let smmus: SMMUPlan
  let masters: MasterProtection
  let geometry: TranslationGeometry
  let cpus: CPUTable
  let host: HostStart
  /// What EL2 takes beside its image.
  let memory: BoardMemory
  /// Memory of the host's that nobody has a use for.
  let spare: PageRange?
  /// One more than the largest INTID.
  let interruptLimit: UInt64
}
