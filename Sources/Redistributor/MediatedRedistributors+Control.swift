// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC
internal import Ownership
internal import Traps

// GICR_CTLR.EnableLPIs: when the tables of physical LPIs come into use, and when they are free again.

extension MediatedRedistributors {
  /// Looks how far the hardware is, gives back what it has let go of, and returns GICR_CTLR; nil for an
  /// abort, after which nothing has changed.
  ///
  /// Also where the host has not asked for it: a Redistributor that has lost its power is disabled. Only its
  /// own CPU has what is held given back: firmware may enable the Redistributor of a sleeping CPU again, with
  /// the tables that it had, before that CPU runs.
  mutating func observe<Machine: RedistributorMachine & ~Copyable>(
    _ number: Int, _ machine: borrowing Machine
  ) -> GICRControl? {
    var redistributor = slots[number]
    guard let control = redistributor.control(machine) else { return nil }
    guard redistributor.lpis.use != .idle || redistributor.lpis.holding != nil,
      !control.isWritePending
    else { return control }
    if control.isEnabled {
      // Where it was to stop: the bit can't be cleared, and all is as before. Where it was idle: firmware has
      // restored it.
      redistributor.lpis.use = .inUse
    } else {
      redistributor.lpis.use = .idle
      if redistributor.canBeDisabled, redistributor.lpis.holding != nil,
        redistributor.isOwn(machine)
      {
        letGo(&redistributor, number, machine)
      }
    }
    slots[number] = redistributor
    return control
  }

  /// Whether GICR_PROPBASER and GICR_PENDBASER may be written.
  mutating func isUnlocked<Machine: RedistributorMachine & ~Copyable>(
    _ number: Int, _ machine: borrowing Machine
  ) -> Bool {
    guard slots[number].typer.hasPhysicalLPIs else { return false }
    _ = observe(number, machine)
    return slots[number].lpis.use == .idle
  }

  mutating func setControl<Machine: RedistributorMachine & ~Copyable>(
    _ number: Int, _ value: UInt64, _ machine: borrowing Machine
  ) -> WriteEffect {
    guard let control = observe(number, machine) else { return .refused(.externalAbort) }
    var redistributor = slots[number]
    // What follows on a disabling that is under way would be UNPREDICTABLE.
    guard redistributor.lpis.use != .stopping else { return ignore() }
    var enables = value & GICRControl.enable != 0 && redistributor.typer.hasPhysicalLPIs
    if enables, redistributor.lpis.use == .idle {
      do throws(TableRefusal) {
        // Nobody but EL2 enables LPIs, so that this is not a Redistributor as it was found.
        guard !control.isEnabled else { throw .hardware }
        try install(&redistributor, number, machine)
        redistributor.lpis.use = .inUse
        redistributor.isPendingTableZeroed = false
        counters.enabled &+= 1
      } catch {
        refuse(error, number, redistributor.lpis)
        enables = false
      }
    } else if !enables, redistributor.lpis.use == .inUse {
      redistributor.lpis.use = .stopping
    }
    slots[number] = redistributor
    let kept = control.rawValue & ~(GICRControl.groups | GICRControl.enable)
    let written = kept | value & GICRControl.groups | (enables ? GICRControl.enable : 0)
    guard redistributor.write(RedistributorRegister.control, written, machine) else {
      // Whether it took effect is not known: what is held stays so.
      return .refused(.externalAbort)
    }
    // A bit that does not stick leaves nothing held.
    _ = observe(number, machine)
    return .done
  }

  /// Checks and holds the tables, and tells the hardware of them.
  ///
  /// - Throws: the reason; nothing is held then that was not before, and the hardware is disabled.
  private mutating func install<Machine: RedistributorMachine & ~Copyable>(
    _ redistributor: inout MediatedRedistributor, _ number: Int, _ machine: borrowing Machine
  ) throws(TableRefusal) {
    let configuration = redistributor.lpis.configuration
    for other in 0..<count where other != number {
      let peer = slots[other]
      guard let held = peer.lpis.holding,
        hasOneConfigurationBase != false
          || peer.typer.sharesConfiguration(with: redistributor.typer)
      else { continue }
      // Whichever of two tables the hardware looks at is held; but each pending table is for its own.
      guard bits(held.configuration) == bits(configuration) else { throw .configurationDiffers }
    }
    let wasHeld = redistributor.lpis.holding != nil
    try redistributor.lpis.hold(
      interruptIDBits: bits(configuration), below: addressLimit, in: &pins, machine)
    let zeroed = redistributor.isPendingTableZeroed ? GICRPendingBase.zeroed : 0
    guard let holding = redistributor.lpis.holding,
      redistributor.write(
        RedistributorRegister.configurationBase, holding.configuration.rawValue, machine),
      redistributor.write(
        RedistributorRegister.pendingBase,
        GICRPendingBase(rawValue: redistributor.lpis.pending).at(holding.pending).rawValue | zeroed,
        machine),
      let first = redistributor.read(RedistributorRegister.configurationBase, machine),
      let second = redistributor.read(RedistributorRegister.pendingBase, machine),
      GICRConfigurationBase(rawValue: first).isSameTable(as: holding.configuration),
      GICRPendingBase(rawValue: second).base == holding.pending
    else {
      if !wasHeld { letGo(&redistributor, number, machine) }
      throw .hardware
    }
  }
}
