// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC

// `Redistributor.md`: the tables of LPIs are the host's own memory, held while a Redistributor may use it.

private typealias Register = RedistributorRegister

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
  var tables: LPITables? = nil
  /// GICR_VPROPBASER as the host reads it.
  var virtualConfiguration = GICRConfigurationBase(rawValue: 0)
  /// GICR_VPENDBASER as the host wrote it, without its status.
  var virtualPending: UInt64 = 0
  /// The tables of the resident vPE that are held.
  var resident: LPITables? = nil

  //            EnableLPIs := 1          EnableLPIs := 0
  //     idle ─────────────────▶ in use ────────────────▶ stopping
  //      ▲ ▲                     │   ▲                    │  │
  //      │ └─── power was lost ──┘   └─ can't be cleared ─┘  │
  //      └────────────── RWP clear, EnableLPIs clear ────────┘
  //  The tables are released in idle, at a look of the own CPU, with CES.

  /// The states of `Redistributor.md`, When tables are in use.
  enum State: Equatable, Sendable { case idle, inUse, stopping }

  /// How commands name it.
  func target(areAddresses: Bool) -> Target { areAddresses ? base.rawValue >> 16 : type.processorNumber }
}

/// The registers of a Redistributor as a read of the hardware would give them.
struct RedistributorHardware: Equatable, Sendable {
  /// GICR_CTLR.
  var control = GICRControl(rawValue: 0)
  /// GICR_PROPBASER.
  var configuration = GICRConfigurationBase(rawValue: 0)
  /// GICR_PENDBASER.
  var pending = GICRPendingBase(rawValue: 0)
  /// GICR_WAKER.
  var waker: UInt64 = 0
  /// GICR_VPROPBASER.
  var virtualConfiguration = GICRConfigurationBase(rawValue: 0)
  /// GICR_VPENDBASER.
  var virtualPending = GICRVirtualPendingBase(rawValue: 0)

  /// Sets EnableLPIs and RWP.
  mutating func set(isEnabled: Bool, isWritePending: Bool) {
    let bits = (isEnabled ? GICRControl.enable : 0) | (isWritePending ? 1 << 3 : 0)
    control = GICRControl(rawValue: control.rawValue & ~(GICRControl.enable | 1 << 3) | bits)
  }
}

/// A configuration table and a pending table, as registers name them.
struct LPITables: Equatable, Sendable {
  /// The register that names the configuration table.
  var configurationBase: GICRConfigurationBase
  /// The first address of the pending table.
  var pendingBase: PhysicalAddress
  /// The bits of an INTID: the smaller of the register's IDbits and of GICD_TYPER.IDbits.
  var interruptIDBits: UInt64

  private var sizes: LPITableSizes { LPITableSizes(interruptIDBits: interruptIDBits) }
  /// The pages of the configuration table; nil where they leave the address space.
  var configuration: PageRange? { PageRange(configurationBase.base, bytes: sizes.configuration) }
  /// The pages of the pending table; nil where they leave the address space.
  var pending: PageRange? { PageRange(pendingBase, bytes: sizes.pending) }
}

extension World {
  /// The tables that two registers name.
  private func tables(_ configuration: GICRConfigurationBase, _ pending: PhysicalAddress) -> LPITables {
    let bits = min(configuration.interruptIDBits, board.interruptIDBits)
    return LPITables(configurationBase: configuration, pendingBase: pending, interruptIDBits: bits)
  }

  /// Both tables, checked over their true span, and held for two uses.
  private func holding(_ tables: LPITables, for uses: (Use, Use)) -> World? {
    guard let configuration = tables.configuration, let pending = tables.pending else { return nil }
    return holding(configuration, for: uses.0)?.holding(pending, for: uses.1)
  }

  /// Whether virtual LPIs are offered: with the policy `checked`, by a Redistributor of GICv4.0.
  private func offersVirtual(redistributor rd: Int) -> Bool {
    let type = redistributors[rd].type
    return board.checksVirtual && type.hasVirtualLPIs && !type.hasVPETable
  }

  // MARK: Looking

  /// EL2 reads GICR_CTLR: the state follows it, and the own CPU's releases tables that are not in use.
  func looking(redistributor rd: Int, byOwnCPU isOwn: Bool) -> World {
    let it = redistributors[rd], control = it.hardware.control
    var world = self
    switch (it.state, control.isEnabled, control.isWritePending) {
    case (.idle, true, _) where it.tables != nil, (.stopping, true, false):
      world.redistributors[rd].state = .inUse
    case (.inUse, false, false), (.stopping, false, false): world.redistributors[rd].state = .idle
    default: break
    }
    let isReleased = isOwn && control.canBeDisabled && world.redistributors[rd].state == .idle
    return isReleased ? world.releasing(rd) : world
  }

  /// Both tables are released, but for a configuration table that a shared register may still name.
  private func releasing(_ rd: Int) -> World {
    guard let configuration = redistributors[rd].tables?.configuration else { return self }
    var world = self
    world.redistributors[rd].tables = nil
    let others = world.redistributors.compactMap { $0.tables?.configuration }
    if others.isEmpty {
      for range in lingering { world.pages.holds[.lingering(range)] = nil }
    } else if board.sharesConfigurationBase != false, !(others + lingering).contains(configuration) {
      guard lingering.count < Board.lingeringTables else { return self }
      world.pages.holds[.lingering(configuration)] = configuration
    }
    world.pages.holds[.configuration(rd)] = nil
    world.pages.holds[.pending(rd)] = nil
    return world
  }

  /// The configuration tables that a shared register may still name.
  var lingering: [PageRange] {
    pages.holds.compactMap { use, range in if case .lingering = use { range } else { nil } }
  }

  /// On each CPU that firmware starts or wakes EL2 checks its Redistributor, as firmware restored it.
  func waking(redistributor rd: Int, restored: RedistributorHardware) -> [Outcome] {
    var hardware = restored
    if !isHeld(rd, restored) { hardware.set(isEnabled: false, isWritePending: false) }
    if !hasHeldVPE(rd, restored) { hardware.virtualPending = GICRVirtualPendingBase(rawValue: 0) }
    let world = changed { $0.redistributors[rd].hardware = hardware }
    return world.looking(redistributor: rd, byOwnCPU: true).evicting(rd).flatMap {
      $0.ending(
        .redistributor(rd), .done, .wakingChecksTheRedistributor, .powerWasLost, .ownCPUReleases)
    }
  }

  /// Whether the tables of the vPE that registers name, if one is resident, are held.
  func hasHeldVPE(_ rd: Int, _ hardware: RedistributorHardware) -> Bool {
    guard let tables = redistributors[rd].resident else { return hardware.virtualPending.isIdle }
    let configuration = hardware.virtualConfiguration
    return hardware.virtualPending.isIdle
      || tables.pendingBase == hardware.virtualPending.base
        && tables.configurationBase.base == configuration.base
        && tables.interruptIDBits == configuration.interruptIDBits
  }

  /// Whether the tables that registers name, if any are in use, are held.
  func isHeld(_ rd: Int, _ hardware: RedistributorHardware) -> Bool {
    guard !hardware.control.isIdle else { return true }
    guard let tables = redistributors[rd].tables else { return false }
    let all = redistributors.compactMap { $0.tables?.configuration } + lingering
    let named = board.sharesConfigurationBase == false ? [tables.configuration].compactMap { $0 } : all
    let used = self.tables(hardware.configuration, hardware.pending.base)
    let isPending = used.pendingBase == tables.pendingBase && used.interruptIDBits == tables.interruptIDBits
    return isPending && named.contains { $0 == used.configuration }
  }

  // MARK: Loads and stores

  /// A load of the host from the RD frame or the VLPI frame.
  func load(redistributor rd: Int, at offset: UInt64, _ width: AccessWidth, byOwnCPU isOwn: Bool) -> [Outcome]
  {
    let frame = Frame.redistributor(rd), it = redistributors[rd]
    return decoding(frame, offset, width, isLoad: true) { access in
      func reads(_ whole: UInt64?, _ rule: Rule) -> [Outcome] {
        ending(frame, .value(access.part(of: whole ?? 0)), rule)
      }
      switch access.register {
      case Register.control.offset:
        return looking(redistributor: rd, byOwnCPU: isOwn).ending(
          frame, .value(it.hardware.control.rawValue & width.mask), .redistributorControl, .ownCPUReleases,
          .cannotBeCleared, .sharedRegisterKeepsTables, .atMost16Lingering)
      case Register.type.offset:
        let type = offersVirtual(redistributor: rd) ? it.type : it.type.withoutVPEs
        return reads(type.rawValue, .redistributorType)
      case Register.waker.offset: return reads(it.hardware.waker, .waker)
      case Register.configurationBase.offset: return reads(it.configuration.rawValue, .tableRegisters)
      case Register.pendingBase.offset: return reads(it.pending.rawValue, .tableRegisters)
      case Register.virtualFrame... where !offersVirtual(redistributor: rd):
        return readingNothing(frame).adding(.virtualFrameIsHidden)
      case Register.virtualConfigurationBase.offset:
        return reads(it.virtualConfiguration.rawValue, .residentTablesAreHeld)
      case Register.virtualPendingBase.offset:
        let value = Answer.value(access.part(of: virtualPending(rd)))
        return evicting(rd).flatMap { $0.ending(frame, value, .releasedWhenNotResident) }
      default:
        guard let value = it.identification[access.register] else { return readingNothing(frame) }
        return reads(value, .redistributorIdentification)
      }
    }
  }

  /// A store of the host to the RD frame or the VLPI frame.
  ///
  /// `readBack` is what a register of tables reads as afterwards: its attributes are the hardware's choice.
  func store(
    redistributor rd: Int, at offset: UInt64, _ width: AccessWidth, _ value: UInt64, byOwnCPU isOwn: Bool,
    readBack: UInt64 = 0
  ) -> [Outcome] {
    let frame = Frame.redistributor(rd), it = redistributors[rd]
    return decoding(frame, offset, width, isLoad: false) { access in
      // Only the lower half of a register that takes an INTID has effect.
      let bits = it.state == .inUse ? it.tables?.interruptIDBits : nil
      let isInTables = access.shift == 0 && value >= 8192 && bits.map { value >> $0 == 0 } ?? false
      switch access.register {
      case Register.control.offset:
        return storeControl(rd, GICRControl(rawValue: value & width.mask), byOwnCPU: isOwn)
      case Register.waker.offset:
        return ending(frame, .done, .waker) {
          $0.redistributors[rd].hardware.waker = it.hardware.waker & ~2 | value & 2
        }
      case Register.configurationBase.offset, Register.pendingBase.offset:
        return looking(redistributor: rd, byOwnCPU: isOwn).storeTableRegister(rd, access, value, readBack)
      case Register.virtualFrame... where !offersVirtual(redistributor: rd):
        return ending(frame, .ignored, .virtualFrameIsHidden)
      case Register.virtualConfigurationBase.offset:
        return evicting(rd).flatMap { $0.storeTableRegister(rd, access, value, readBack) }
      case Register.virtualPendingBase.offset:
        return evicting(rd).flatMap { $0.storeResident(rd, access, value) }
      case Register.setLPI.offset, Register.clearLPI.offset:
        return ending(frame, isInTables && it.type.hasDirectLPIs ? .done : .ignored, .directLPIs)
      case Register.invalidateLPI.offset, Register.invalidateAll.offset:
        let isOffered = it.type.hasDirectLPIs || it.hardware.control.hasInvalidation
        let isAll = access.register == Register.invalidateAll.offset && value == 0 && it.state == .inUse
        return ending(frame, isOffered && (isAll || isInTables) ? .done : .ignored, .invalidations)
      default: return ending(frame, .ignored, .otherRedistributorRegisters)
      }
    }
  }

  /// GICR_PROPBASER, GICR_PENDBASER and GICR_VPROPBASER: EL2's copies, while nothing uses the tables.
  private func storeTableRegister(_ rd: Int, _ access: Access, _ value: UInt64, _ readBack: UInt64)
    -> [Outcome]
  {
    let it = redistributors[rd], isPending = access.register == Register.pendingBase.offset
    let isVirtual = access.register == Register.virtualConfigurationBase.offset
    let isInUse = isVirtual ? it.resident != nil : it.state != .idle
    if isInUse { return ending(.redistributor(rd), .ignored, .tableRegisters, .nothingWhileDisabling) }
    let promise = it.isPromisedZero ? GICRPendingBase.zeroed : 0
    let configuration = isVirtual ? it.virtualConfiguration : it.configuration
    let old = isPending ? it.pending.rawValue | promise : configuration.rawValue
    let whole = access.joining(value, to: old)
    let writable = isPending ? GICRPendingBase.writable : GICRConfigurationBase.writable
    let isPossible =
      (readBack ^ whole) & writable & ~GICRTableAttributes.all == 0 && readBack & ~writable == 0
    guard isPossible else { return [] }
    return ending(.redistributor(rd), .done, .tableRegisters) { world in
      if isVirtual {
        world.redistributors[rd].virtualConfiguration = GICRConfigurationBase(rawValue: readBack)
      } else if isPending {
        world.redistributors[rd].pending = GICRPendingBase(rawValue: readBack)
        world.redistributors[rd].isPromisedZero = whole & GICRPendingBase.zeroed != 0
      } else {
        let isShared = board.sharesConfigurationBase == true
        for other in redistributors.indices
        where other == rd || isShared && redistributors[other].state == .idle {
          world.redistributors[other].configuration = GICRConfigurationBase(rawValue: readBack)
        }
      }
    }
  }

  // MARK: EnableLPIs

  /// GICR_CTLR: EL2 looks before and behind the store.
  private func storeControl(_ rd: Int, _ value: GICRControl, byOwnCPU isOwn: Bool) -> [Outcome] {
    let frame = Frame.redistributor(rd)
    var world = looking(redistributor: rd, byOwnCPU: isOwn)
    let isStopping = world.redistributors[rd].state == .stopping
    if isStopping { return world.ending(frame, .ignored, .nothingWhileDisabling) }
    let old = world.redistributors[rd].hardware.control.rawValue, groups = GICRControl.groups
    world.redistributors[rd].hardware.control = GICRControl(rawValue: old & ~groups | value.rawValue & groups)
    let outcomes =
      switch (world.redistributors[rd].state, value.isEnabled) {
      case (.idle, true): world.enabling(rd)
      case (.inUse, false):
        // The hardware clears EnableLPIs, at once or later, or does not.
        [(false, false), (false, true), (true, false), (true, true)].flatMap { enabled, pending in
          world.ending(frame, .done, .everythingStaysHeld) {
            $0.redistributors[rd].state = .stopping
            $0.redistributors[rd].hardware.set(isEnabled: enabled, isWritePending: pending)
          }
        }
      default: world.ending(frame, .done, .redistributorControl)
      }
    return outcomes.adding { $0 = $0.looking(redistributor: rd, byOwnCPU: isOwn) }
  }

  /// EnableLPIs 0 to 1: checked, held, installed.
  ///
  /// The first rule that fails is the reason.
  private func enabling(_ rd: Int) -> [Outcome] {
    func refusing(_ rule: Rule) -> [Outcome] {
      ending(.redistributor(rd), .refused(rule), .enablingIsRefused)
    }
    let it = redistributors[rd], wanted = tables(it.configuration, it.pending.base)
    let isShared = board.sharesConfigurationBase != false
    let group = redistributors.indices.filter {
      $0 != rd && (isShared || redistributors[$0].type.sharesConfiguration(with: it.type))
    }
    let bits = group.compactMap { redistributors[$0].tables?.interruptIDBits }
    guard bits.allSatisfy({ $0 == wanted.interruptIDBits }) else { return refusing(.groupHasAsManyINTIDs) }
    if let held = it.tables, held != wanted { return refusing(.sameTablesOnly) }
    guard wanted.interruptIDBits <= Board.widestInterruptID else { return refusing(.atMost24Bits) }
    let held = it.tables != nil ? self : holding(wanted, for: (.configuration(rd), .pending(rd)))
    guard let held else { return refusing(.tablesAreChecked) }
    // The hardware may not take the addresses: GICR_PROPBASER is read only, or LPIs are enabled already.
    let notTaken = refusing(.hardwareReadsBack)
    return it.hardware.control.isEnabled ? notTaken : notTaken + held.installing(rd, wanted)
  }

  /// EL2 writes both registers of the hardware, and EnableLPIs; PTZ is passed once, and reads as zero.
  private func installing(_ rd: Int, _ wanted: LPITables) -> [Outcome] {
    // RWP may still be set when the trap ends; and the register may be one for all.
    let choices = board.sharesConfigurationBase.map { [$0] } ?? [false, true]
    return choices.flatMap { isShared in [(isShared, false), (isShared, true)] }.flatMap {
      isShared, isPending in
      ending(.redistributor(rd), .done, .tablesAreChecked, .onlyEL2WritesAddresses, .promiseIsPassedOnce) {
        for other in redistributors.indices where other == rd || isShared {
          $0.redistributors[other].hardware.configuration = wanted.configurationBase
        }
        $0.redistributors[rd].hardware.pending = redistributors[rd].pending
        $0.redistributors[rd].hardware.set(isEnabled: true, isWritePending: isPending)
        $0.redistributors[rd].isPromisedZero = false
        $0.redistributors[rd].tables = wanted
        $0.redistributors[rd].state = .inUse
      }
    }
  }

  // MARK: The resident vPE

  /// GICR_VPENDBASER as the host reads it: what it wrote, with the status of the hardware.
  private func virtualPending(_ rd: Int) -> UInt64 {
    redistributors[rd].hardware.virtualPending.rawValue & 0b1111 << 60 | redistributors[rd].virtualPending
  }

  /// GICR_VPENDBASER: with Valid, tables are checked and held as for EnableLPIs; without, the vPE is evicted.
  private func storeResident(_ rd: Int, _ access: Access, _ value: UInt64) -> [Outcome] {
    let frame = Frame.redistributor(rd), it = redistributors[rd]
    let whole = access.joining(value, to: virtualPending(rd)) & GICRVirtualPendingBase.writable
    let wanted = GICRVirtualPendingBase(rawValue: whole)
    if it.resident != nil {
      guard it.hardware.virtualPending.isValid, !wanted.isValid else {
        return ending(frame, .ignored, .residentTablesAreHeld)
      }
      // Only Valid changes, and the hardware may still write the pending table: Dirty.
      return [0, 1 << 60 as UInt64].flatMap { dirty in
        changed {
          let kept = it.hardware.virtualPending.rawValue & ~(1 << 63)
          $0.redistributors[rd].hardware.virtualPending = GICRVirtualPendingBase(rawValue: kept | dirty)
        }.evicting(rd).flatMap { $0.ending(frame, .done, .residentTablesAreHeld) }
      }
    }
    var copied = self
    copied.redistributors[rd].virtualPending = whole & ~(0b1111 << 60)
    guard wanted.isValid else { return copied.ending(frame, .done, .residentTablesAreHeld) }
    // Of a vINTID the register's bits count alone.
    var named = tables(it.virtualConfiguration, wanted.base)
    named.interruptIDBits = it.virtualConfiguration.interruptIDBits
    guard named.interruptIDBits <= Board.widestInterruptID,
      let held = copied.holding(named, for: (.virtualConfiguration(rd), .virtualPending(rd)))
    else { return copied.ending(frame, .refused(.residentTablesAreHeld)) }
    return held.ending(frame, .done, .residentTablesAreHeld) {
      $0.redistributors[rd].resident = named
      $0.redistributors[rd].hardware.virtualConfiguration = it.virtualConfiguration
      $0.redistributors[rd].hardware.virtualPending = wanted
    }
  }

  /// EL2 reads GICR_VPENDBASER: where Valid and Dirty are clear, it may release the tables.
  private func evicting(_ rd: Int) -> [World] {
    let it = redistributors[rd]
    guard it.resident != nil, it.hardware.virtualPending.isIdle else { return [self] }
    var released = self
    released.redistributors[rd].resident = nil
    released.pages.holds[.virtualConfiguration(rd)] = nil
    released.pages.holds[.virtualPending(rd)] = nil
    return [released, self]
  }

  // MARK: The hardware

  /// What a Redistributor may do by itself: a write that was pending takes effect, a table is written back.
  ///
  /// Firmware may put it to sleep, and restore it with what EL2 has installed.
  func stepping(redistributor rd: Int, _ becomes: RedistributorHardware) -> [World] {
    isHeld(rd, becomes) && hasHeldVPE(rd, becomes)
      ? [changed { $0.redistributors[rd].hardware = becomes }] : []
  }
}
