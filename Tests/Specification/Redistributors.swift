// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC

// `Redistributor.md`: the tables of LPIs are the host's own memory, which is held while a Redistributor may use it.

/// One Redistributor: its hardware, what the host wrote, and what is held for it.
struct RedistributorState: Equatable, Sendable {
  /// The first address of the RD frame.
  var base: PhysicalAddress
  /// GICR_TYPER of the hardware.
  var type: GICRTyper
  /// GICR_IIDR, GICR_MPAMIDR, GICR_SYNCR and the ID registers of the hardware, by offset.
  var identification: [UInt64: UInt64] = [:]
  /// The registers of the hardware that a transition changes.
  var hardware: RedistributorHardware
  /// GICR_PROPBASER as the host reads it.
  var configuration = GICRConfigurationBase(rawValue: 0)
  /// GICR_PENDBASER as the host reads it.
  var pending = GICRPendingBase(rawValue: 0)
  /// Whether the host promised that the pending table is zero, and EL2 has not passed that on.
  var isPromisedZero = false
  /// Whether tables are in use.
  var state = State.idle
  /// The tables that are held.
  var tables: LPITables?
  /// GICR_VPROPBASER as the host reads it.
  var virtualConfiguration = GICRConfigurationBase(rawValue: 0)
  /// The tables of the resident vPE that are held.
  var resident: LPITables?

  //            EnableLPIs := 1          EnableLPIs := 0
  //     idle ─────────────────▶ in use ────────────────▶ stopping
  //      ▲ ▲                     │   ▲                    │  │
  //      │ └─── power was lost ──┘   └─ can't be cleared ─┘  │
  //      └────────────── RWP clear, EnableLPIs clear ────────┘
  //  The tables are released in idle, at a look of the own CPU, with CES.

  /// The states of `Redistributor.md`, When tables are in use.
  enum State: Equatable, Sendable {
    /// The hardware said that it uses no tables.
    case idle
    /// The hardware uses them.
    case inUse
    /// The hardware was told to stop.
    case stopping
  }

  /// How commands name it.
  func target(areAddresses: Bool) -> Target { areAddresses ? base.rawValue >> 16 : type.processorNumber }
}

/// The registers of a Redistributor as a read of the hardware would give them.
struct RedistributorHardware: Equatable, Sendable {
  var control = GICRControl(rawValue: 0)
  var configuration = GICRConfigurationBase(rawValue: 0)
  var pending = GICRPendingBase(rawValue: 0)
  var waker: UInt64 = 0
  var virtualConfiguration = GICRConfigurationBase(rawValue: 0)
  var virtualPending = GICRVirtualPendingBase(rawValue: 0)

  /// Sets EnableLPIs and RWP.
  mutating func set(isEnabled: Bool, isWritePending: Bool) {
    let other = control.rawValue & ~(GICRControl.enable | 1 << 3)
    control = GICRControl(
      rawValue: other | (isEnabled ? GICRControl.enable : 0) | (isWritePending ? 1 << 3 : 0))
  }
}

/// A configuration table and a pending table, by the registers that name them.
struct LPITables: Equatable, Sendable {
  var configurationBase: GICRConfigurationBase
  var pendingBase: PhysicalAddress
  /// The bits of an INTID: the smaller of the register's IDbits and of GICD_TYPER.IDbits.
  var interruptIDBits: UInt64
  /// The pages of the configuration table; nil where they leave the address space.
  var configuration: PageRange? { PageRange(configurationBase.base, bytes: sizes.configuration) }
  /// The pages of the pending table.
  var pending: PageRange? { PageRange(pendingBase, bytes: sizes.pending) }
  private var sizes: LPITableSizes { LPITableSizes(interruptIDBits: interruptIDBits) }

  /// Whether LPIs may be enabled with `other` while these are held.
  func isSame(as other: LPITables) -> Bool {
    configurationBase == other.configurationBase && pendingBase == other.pendingBase
  }
}

extension World {
  /// The tables that two registers name.
  private func tables(_ configuration: GICRConfigurationBase, _ pending: PhysicalAddress) -> LPITables {
    LPITables(
      configurationBase: configuration, pendingBase: pending,
      interruptIDBits: min(configuration.interruptIDBits, board.interruptIDBits))
  }

  /// Whether a Redistributor offers virtual LPIs: with the policy `checked` one of GICv4.0 does.
  private func offersVirtual(redistributor rd: Int) -> Bool {
    let type = redistributors[rd].type
    return board.checksVirtual && type.hasVirtualLPIs && !type.hasVPETable
  }
}

// MARK: Looking

extension World {
  /// EL2 reads GICR_CTLR: the state follows it, and a look of the own CPU releases tables that are not in use.
  func looking(redistributor rd: Int, byOwnCPU isOwn: Bool) -> World {
    let control = redistributors[rd].hardware.control
    var world = self
    switch redistributors[rd].state {
    case .idle where control.isEnabled && redistributors[rd].tables != nil,
      .stopping where control.isEnabled && !control.isWritePending:
      world.redistributors[rd].state = .inUse
    case .inUse where control.isIdle, .stopping where control.isIdle: world.redistributors[rd].state = .idle
    default: break
    }
    let canRelease = isOwn && control.canBeDisabled && world.redistributors[rd].state == .idle
    return canRelease ? world.releasing(rd) : world
  }

  /// Both tables are released, but for a configuration table that a shared register may still name.
  private func releasing(_ rd: Int) -> World {
    guard let tables = redistributors[rd].tables, let configuration = tables.configuration else {
      return self
    }
    var world = self
    let others = redistributors.indices.filter { $0 != rd }.compactMap { redistributors[$0].tables }
    let isNamed = others.contains { $0.configuration == configuration } || lingering.contains(configuration)
    if others.isEmpty {
      for range in lingering { world.pages.holds[.lingering(range)] = nil }
    } else if board.sharesConfigurationBase != false, !isNamed {
      guard lingering.count < Board.lingeringTables else { return self }
      world.pages.holds[.lingering(configuration)] = configuration
    }
    world.pages.holds[.configuration(rd)] = nil
    world.pages.holds[.pending(rd)] = nil
    world.redistributors[rd].tables = nil
    return world
  }

  /// The configuration tables that a shared register may still name.
  var lingering: [PageRange] {
    pages.holds.compactMap { use, range in if case .lingering = use { range } else { nil } }
  }

  /// On each CPU that firmware starts or wakes EL2 checks its Redistributor, which has what firmware restored.
  func waking(redistributor rd: Int, restored: RedistributorHardware) -> [Outcome] {
    var world = self
    world.redistributors[rd].hardware = restored
    if !world.isHeld(rd, restored) {
      world.redistributors[rd].hardware.set(isEnabled: false, isWritePending: false)
    }
    return world.looking(redistributor: rd, byOwnCPU: true).ending(
      .redistributor(rd), .done, .wakingChecksTheRedistributor, .powerWasLost, .ownCPUReleases)
  }

  /// Whether the tables that registers name, if any are in use, are those that are held.
  func isHeld(_ rd: Int, _ hardware: RedistributorHardware) -> Bool {
    guard !hardware.control.isIdle else { return true }
    guard let tables = redistributors[rd].tables else { return false }
    let named =
      board.sharesConfigurationBase == false
      ? [tables.configuration] : redistributors.map { $0.tables?.configuration } + lingering
    return hardware.pending.base == tables.pendingBase
      && named.contains { $0?.first.address == hardware.configuration.base }
  }
}

// MARK: Loads

extension World {
  /// A load of the host from the RD frame or the VLPI frame.
  func load(redistributor rd: Int, at offset: UInt64, _ width: AccessWidth, byOwnCPU isOwn: Bool) -> [Outcome]
  {
    let frame = Frame.redistributor(rd)
    return decoding(frame, offset, width, orElse: .value(0)) { access in
      let it = redistributors[rd]
      func reads(_ whole: UInt64, _ rule: Rule) -> [Outcome] {
        ending(frame, .value(access.part(of: whole)), rule)
      }
      switch access.register {
      case RedistributorRegister.control.offset:
        return looking(redistributor: rd, byOwnCPU: isOwn).ending(
          frame, .value(it.hardware.control.rawValue & width.mask), .redistributorControl, .ownCPUReleases,
          .cannotBeCleared, .sharedRegisterKeepsTables, .atMost16Lingering)
      case RedistributorRegister.type.offset:
        let type = offersVirtual(redistributor: rd) ? it.type : it.type.withoutVPEs
        return reads(type.rawValue, .redistributorType)
      case RedistributorRegister.waker.offset: return reads(it.hardware.waker, .waker)
      case RedistributorRegister.configurationBase.offset:
        return reads(it.configuration.rawValue, .tableRegisters)
      case RedistributorRegister.pendingBase.offset: return reads(it.pending.rawValue, .tableRegisters)
      case RedistributorRegister.virtualConfigurationBase.offset where offersVirtual(redistributor: rd):
        return reads(it.virtualConfiguration.rawValue, .residentTablesAreHeld)
      case RedistributorRegister.virtualPendingBase.offset where offersVirtual(redistributor: rd):
        return evicting(rd).flatMap {
          $0.ending(
            frame, .value(access.part(of: it.hardware.virtualPending.rawValue)), .releasedWhenNotResident)
        }
      case RedistributorRegister.virtualConfigurationBase.offset,
        RedistributorRegister.virtualPendingBase.offset:
        return reads(0, .virtualFrameIsHidden)
      default:
        guard let value = it.identification[access.register] else {
          return reads(0, .otherRedistributorRegisters)
        }
        return reads(value, .redistributorIdentification)
      }
    }
  }
}

// MARK: Stores

extension World {
  /// A store of the host to the RD frame or the VLPI frame.
  ///
  /// `readBack` is what a register of tables reads as afterwards: its attributes are the hardware's choice.
  func store(
    redistributor rd: Int, at offset: UInt64, _ width: AccessWidth, _ value: UInt64, byOwnCPU isOwn: Bool,
    readBack: UInt64 = 0
  ) -> [Outcome] {
    let frame = Frame.redistributor(rd)
    return decoding(frame, offset, width, orElse: .ignored) { access in
      let it = redistributors[rd]
      // Commands to the Redistributor: a 32-bit store has effect by the lower half alone.
      let isLower = access.shift == 0
      let isInTables = isLower && hasInterrupt(rd, value)
      switch access.register {
      case RedistributorRegister.control.offset:
        return storeControl(rd, GICRControl(rawValue: value & width.mask), byOwnCPU: isOwn)
      case RedistributorRegister.waker.offset:
        return changed { $0.redistributors[rd].hardware.waker = it.hardware.waker & ~2 | value & 2 }.ending(
          frame, .done, .waker)
      case RedistributorRegister.configurationBase.offset, RedistributorRegister.pendingBase.offset:
        return storeTableRegister(rd, access, value, byOwnCPU: isOwn, readBack)
      case RedistributorRegister.virtualConfigurationBase.offset where offersVirtual(redistributor: rd):
        return storeVirtualConfiguration(rd, access, value, readBack)
      case RedistributorRegister.virtualPendingBase.offset where offersVirtual(redistributor: rd):
        return storeVirtualPending(rd, access, value)
      case RedistributorRegister.virtualConfigurationBase.offset,
        RedistributorRegister.virtualPendingBase.offset:
        return ending(frame, .ignored, .virtualFrameIsHidden)
      case RedistributorRegister.setLPI.offset, RedistributorRegister.clearLPI.offset:
        let takesEffect = isInTables && it.type.hasDirectLPIs
        return ending(frame, takesEffect ? .done : .ignored, .directLPIs)
      case RedistributorRegister.invalidateLPI.offset, RedistributorRegister.invalidateAll.offset:
        let isAll = access.register == RedistributorRegister.invalidateAll.offset
        let isOffered = it.type.hasDirectLPIs || it.hardware.control.hasInvalidation
        let isPhysical = isAll ? value == 0 && it.state == .inUse : isInTables
        return ending(frame, isOffered && isPhysical ? .done : .ignored, .invalidations)
      default: return ending(frame, .ignored, .otherRedistributorRegisters)
      }
    }
  }

  /// Whether the tables in use have an LPI, which is the whole value.
  private func hasInterrupt(_ rd: Int, _ id: UInt64) -> Bool {
    guard redistributors[rd].state == .inUse, let tables = redistributors[rd].tables else { return false }
    return id >= 8192 && id >> tables.interruptIDBits == 0
  }

  /// GICR_PROPBASER and GICR_PENDBASER: EL2's copies, while LPIs are disabled.
  private func storeTableRegister(
    _ rd: Int, _ access: Access, _ value: UInt64, byOwnCPU isOwn: Bool, _ readBack: UInt64
  ) -> [Outcome] {
    var world = looking(redistributor: rd, byOwnCPU: isOwn)
    let it = world.redistributors[rd]
    guard it.state == .idle else {
      return world.ending(.redistributor(rd), .ignored, .tableRegisters, .nothingWhileDisabling)
    }
    let isPending = access.register == RedistributorRegister.pendingBase.offset
    let old = isPending ? it.pending.rawValue : it.configuration.rawValue
    let promise = isPending && it.isPromisedZero ? GICRPendingBase.zeroed : 0
    let whole = access.joining(value, to: old | promise)
    let writable = isPending ? GICRPendingBase.writable : GICRConfigurationBase.writable
    guard (readBack ^ whole) & writable & ~GICRTableAttributes.all == 0, readBack & ~writable == 0 else {
      return []
    }
    if isPending {
      world.redistributors[rd].pending = GICRPendingBase(rawValue: readBack)
      world.redistributors[rd].isPromisedZero = whole & GICRPendingBase.zeroed != 0
    } else {
      let isShared = board.sharesConfigurationBase == true
      for other in redistributors.indices where other == rd || isShared {
        guard world.redistributors[other].state == .idle else { continue }
        world.redistributors[other].configuration = GICRConfigurationBase(rawValue: readBack)
      }
    }
    return world.ending(.redistributor(rd), .done, .tableRegisters)
  }

  /// GICR_CTLR: EL2 looks before and behind the store.
  private func storeControl(_ rd: Int, _ value: GICRControl, byOwnCPU isOwn: Bool) -> [Outcome] {
    var world = looking(redistributor: rd, byOwnCPU: isOwn)
    let frame = Frame.redistributor(rd)
    guard world.redistributors[rd].state != .stopping else {
      return world.ending(frame, .ignored, .nothingWhileDisabling)
    }
    let old = world.redistributors[rd].hardware.control.rawValue & ~GICRControl.groups
    world.redistributors[rd].hardware.control = GICRControl(
      rawValue: old | value.rawValue & GICRControl.groups)
    let outcomes: [Outcome]
    switch (world.redistributors[rd].state, value.isEnabled) {
    case (.idle, true): outcomes = world.enabling(rd)
    case (.inUse, false):
      world.redistributors[rd].state = .stopping
      // The hardware clears EnableLPIs, at once or later, or does not.
      outcomes = [(false, false), (false, true), (true, false), (true, true)].flatMap { enabled, pending in
        world.changed { $0.redistributors[rd].hardware.set(isEnabled: enabled, isWritePending: pending) }
          .ending(frame, .done, .everythingStaysHeld)
      }
    default: outcomes = world.ending(frame, .done, .redistributorControl)
    }
    return outcomes.adding { $0 = $0.looking(redistributor: rd, byOwnCPU: isOwn) }
  }

  /// EnableLPIs 0 to 1: checked, held, installed. The first rule that fails is the reason.
  private func enabling(_ rd: Int) -> [Outcome] {
    func refusing(_ rule: Rule) -> [Outcome] {
      ending(.redistributor(rd), .refused(rule), .enablingIsRefused)
    }
    let it = redistributors[rd]
    let wanted = tables(it.configuration, it.pending.base)
    let agrees = redistributors.indices.allSatisfy { other in
      let isInGroup =
        board.sharesConfigurationBase != false
        || redistributors[other].type.sharesConfiguration(with: it.type)
      guard other != rd, isInGroup, let held = redistributors[other].tables else { return true }
      return held.interruptIDBits == wanted.interruptIDBits
    }
    guard agrees else { return refusing(.groupHasAsManyINTIDs) }
    if let held = it.tables, !held.isSame(as: wanted) { return refusing(.sameTablesOnly) }
    guard wanted.interruptIDBits <= Board.widestInterruptID else { return refusing(.atMost24Bits) }
    var world = self
    if it.tables == nil {
      guard let configuration = wanted.configuration, let pending = wanted.pending,
        let one = holding(configuration, for: .configuration(rd)),
        let both = one.holding(pending, for: .pending(rd))
      else { return refusing(.tablesAreChecked) }
      world = both
    }
    // The hardware may not take the addresses: GICR_PROPBASER is read only, or has fewer bits; or LPIs are
    // enabled already. What was held before stays held.
    let notTaken = refusing(.hardwareReadsBack)
    guard !it.hardware.control.isEnabled else { return notTaken }
    return notTaken + world.installing(rd, wanted)
  }

  private func installing(_ rd: Int, _ wanted: LPITables) -> [Outcome] {
    let pending = redistributors[rd].pending.rawValue
    let promise = redistributors[rd].isPromisedZero ? GICRPendingBase.zeroed : 0
    var alone = self
    alone.redistributors[rd].tables = wanted
    alone.redistributors[rd].state = .inUse
    alone.redistributors[rd].isPromisedZero = false
    alone.redistributors[rd].hardware.configuration = wanted.configurationBase
    // PTZ reads as zero.
    alone.redistributors[rd].hardware.pending = GICRPendingBase(rawValue: (pending | promise) & ~promise)
    let shared = alone.changed {
      for other in $0.redistributors.indices {
        $0.redistributors[other].hardware.configuration = wanted.configurationBase
      }
    }
    let registers =
      switch board.sharesConfigurationBase {
      case true: [shared]
      case false: [alone]
      default: [alone, shared]
      }
    // RWP may still be set when the trap ends.
    return registers.flatMap { world in
      [false, true].flatMap { isPending in
        world.changed { $0.redistributors[rd].hardware.set(isEnabled: true, isWritePending: isPending) }
          .ending(.redistributor(rd), .done, .tablesAreChecked, .onlyEL2WritesAddresses, .promiseIsPassedOnce)
      }
    }
  }
}

// MARK: The VLPI frame

extension World {
  /// GICR_VPROPBASER: EL2's copy, while no vPE is resident.
  private func storeVirtualConfiguration(_ rd: Int, _ access: Access, _ value: UInt64, _ readBack: UInt64)
    -> [Outcome]
  {
    let it = redistributors[rd]
    guard it.resident == nil else { return ending(.redistributor(rd), .ignored, .residentTablesAreHeld) }
    let whole = access.joining(value, to: it.virtualConfiguration.rawValue)
    let fixed = GICRConfigurationBase.writable & ~GICRTableAttributes.all
    guard (readBack ^ whole) & fixed == 0 else { return [] }
    return changed { $0.redistributors[rd].virtualConfiguration = GICRConfigurationBase(rawValue: readBack) }
      .ending(.redistributor(rd), .done, .residentTablesAreHeld)
  }

  /// GICR_VPENDBASER: Valid makes a vPE resident whose tables are the host's; without it one is evicted.
  private func storeVirtualPending(_ rd: Int, _ access: Access, _ value: UInt64) -> [Outcome] {
    evicting(rd).flatMap { (world: World) -> [Outcome] in
      let old = world.redistributors[rd].hardware.virtualPending.rawValue
      let whole = access.joining(value, to: old) & GICRVirtualPendingBase.writable
      let wanted = GICRVirtualPendingBase(rawValue: whole)
      return wanted.isValid ? world.entering(rd, wanted) : world.leaving(rd, wanted)
    }
  }

  /// Valid is set: the tables are checked and held as for EnableLPIs.
  private func entering(_ rd: Int, _ wanted: GICRVirtualPendingBase) -> [Outcome] {
    let frame = Frame.redistributor(rd)
    let it = redistributors[rd]
    if it.resident != nil { return ending(frame, .ignored, .residentTablesAreHeld) }
    let named = tables(it.virtualConfiguration, wanted.base)
    guard named.interruptIDBits <= Board.widestInterruptID, let configuration = named.configuration,
      let pending = named.pending, let one = holding(configuration, for: .virtualConfiguration(rd)),
      var both = one.holding(pending, for: .virtualPending(rd))
    else { return ending(frame, .refused(.residentTablesAreHeld)) }
    both.redistributors[rd].resident = named
    both.redistributors[rd].hardware.virtualConfiguration = it.virtualConfiguration
    both.redistributors[rd].hardware.virtualPending = wanted
    return both.ending(frame, .done, .residentTablesAreHeld)
  }

  /// Valid is clear: the hardware may still write the pending table, which is Dirty.
  private func leaving(_ rd: Int, _ wanted: GICRVirtualPendingBase) -> [Outcome] {
    var clean = self
    clean.redistributors[rd].hardware.virtualPending = wanted
    var dirty = clean
    dirty.redistributors[rd].hardware.virtualPending = .init(rawValue: wanted.rawValue | 1 << 60)
    let worlds = redistributors[rd].resident == nil ? [clean] : [clean, dirty]
    return worlds.flatMap { $0.ending(.redistributor(rd), .done, .residentTablesAreHeld) }
  }

  /// EL2 reads GICR_VPENDBASER: where Valid and Dirty are clear, it may release the tables.
  private func evicting(_ rd: Int) -> [World] {
    guard redistributors[rd].resident != nil, redistributors[rd].hardware.virtualPending.isIdle else {
      return [self]
    }
    let released = changed {
      $0.redistributors[rd].resident = nil
      $0.pages.holds[.virtualConfiguration(rd)] = nil
      $0.pages.holds[.virtualPending(rd)] = nil
    }
    return [released, self]
  }
}

// MARK: The hardware

extension World {
  /// What a Redistributor may do by itself: a write that was pending takes effect, a table is written back, firmware
  /// puts it to sleep or restores it with what EL2 has installed.
  func stepping(redistributor rd: Int, _ becomes: RedistributorHardware) -> [World] {
    let old = redistributors[rd].hardware
    let isKept = !becomes.control.isEnabled || redistributors[rd].tables != nil
    let isResident = becomes.virtualPending.isIdle || redistributors[rd].resident != nil
    guard isKept, isResident, isHeld(rd, becomes) || isHeld(rd, old) == false else { return [] }
    return [changed { $0.redistributors[rd].hardware = becomes }]
  }
}
