// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
internal import GIC
internal import Ownership

// Set-up: every Redistributor is added, then all of them are finished. What firmware or a loader has left
// enabled is disabled, or, where that can't be or is not wanted, taken over as it is: its tables are read
// from the hardware, and held like any others.

extension MediatedRedistributors {
  /// How often a bit that the hardware is to change is looked at.
  private static var polls: Int { 1 << 20 }

  /// Adds the Redistributor whose RD frame EL2 sees at `frame`.
  ///
  /// With `keepsLive` LPIs that are enabled stay so.
  ///
  /// - Throws: any `RedistributorSetupError`; the host must not run then.
  public mutating func add<Machine: RedistributorMachine & ~Copyable>(
    _ frame: VirtualAddress, keepsLive: Bool = false, machine: borrowing Machine
  ) throws(RedistributorSetupError) {
    guard
      let typer = machine.registers.read(
        .double, at: VirtualAddress(frame.rawValue &+ RedistributorRegister.type.offset)),
      let control = machine.registers.read(
        .word, at: VirtualAddress(frame.rawValue &+ RedistributorRegister.control.offset))
    else { throw .silent(frame) }
    var redistributor = MediatedRedistributor(
      frame: frame, typer: GICRTyper(rawValue: typer), control: GICRControl(rawValue: control),
      mayOfferVirtualLPIs: offersVirtualLPIs)
    if redistributor.typer.hasVirtualLPIs { try evictVPE(redistributor, machine) }
    guard redistributor.typer.hasPhysicalLPIs else {
      return try append(redistributor)
    }
    if !GICRControl(rawValue: control).isIdle {
      var isDisabled = false
      if !keepsLive { isDisabled = try disable(redistributor, machine) }
      if !isDisabled {
        try holdFound(&redistributor, machine)
        redistributor.lpis.use = .inUse
        counters.enabled &+= 1
      } else if !redistributor.canBeDisabled {
        // It may still use them. They are held for good, and what the host has is held beside them.
        var found = redistributor
        try holdFound(&found, machine)
      }
    }
    try append(redistributor)
  }

  /// Tries the registers out, once all Redistributors are added.
  ///
  /// Where LPIs are live nothing is tried: a register may be one for several Redistributors.
  public mutating func finish<Machine: RedistributorMachine & ~Copyable>(
    machine: borrowing Machine
  ) throws(RedistributorSetupError) {
    for number in 0..<count where slots[number].lpis.use != .idle { return }
    for number in 0..<count where slots[number].typer.hasPhysicalLPIs {
      var redistributor = slots[number]
      redistributor.configurationRules = try probe(
        redistributor, RedistributorRegister.configurationBase, machine)
      redistributor.pendingRules = try probe(
        redistributor, RedistributorRegister.pendingBase, machine)
      slots[number] = redistributor
    }
    hasOneConfigurationBase = try probeOneRegister(machine)
  }

  /// Lets go of all that is held, where no host runs yet and nothing will be mediated.
  public mutating func abandon<Machine: RedistributorMachine & ~Copyable>(
    machine: borrowing Machine
  ) {
    for slot in 0..<pins.capacity { machine.release(slot, of: &pins) }
    count = 0
  }

  /// Whether a GICR_PROPBASER has what another one was given.
  ///
  /// Each is given an address of its own, which counts for nothing while LPIs are disabled.
  private func probeOneRegister<Machine: RedistributorMachine & ~Copyable>(
    _ machine: borrowing Machine
  ) throws(RedistributorSetupError) -> Bool {
    let register = RedistributorRegister.configurationBase
    var isOne = false
    // Written, read, and cleared again.
    for step in 0..<3 {
      for number in 0..<count where slots[number].typer.hasPhysicalLPIs {
        let redistributor = slots[number]
        let mark = GICRConfigurationBase(rawValue: UInt64(number + 1) << 12)
        if step == 1 {
          guard let value = redistributor.read(register, machine) else {
            throw .silent(redistributor.frame)
          }
          if GICRConfigurationBase(rawValue: value).base != mark.base { isOne = true }
        } else if !redistributor.write(register, step == 0 ? mark.rawValue : 0, machine) {
          throw .silent(redistributor.frame)
        }
      }
    }
    return isOne
  }

  private mutating func append(
    _ redistributor: MediatedRedistributor
  ) throws(RedistributorSetupError) {
    guard count < Self.capacity else { throw .tooMany }
    slots.put(redistributor, at: count)
    count += 1
  }

  private func probe<Machine: RedistributorMachine & ~Copyable>(
    _ redistributor: MediatedRedistributor, _ register: RegisterLayout,
    _ machine: borrowing Machine
  ) throws(RedistributorSetupError) -> AttributeRules {
    let rules = AttributeRules { value in
      guard redistributor.write(register, value, machine) else { return nil }
      return redistributor.read(register, machine)
    }
    guard let rules else { throw .silent(redistributor.frame) }
    return rules
  }

  /// Disables LPIs; false where they stay enabled.
  func disable<Machine: RedistributorMachine & ~Copyable>(
    _ redistributor: MediatedRedistributor, _ machine: borrowing Machine
  ) throws(RedistributorSetupError) -> Bool {
    guard let control = redistributor.control(machine),
      redistributor.write(
        RedistributorRegister.control, control.rawValue & ~GICRControl.enable, machine)
    else { throw .silent(redistributor.frame) }
    for _ in 0..<Self.polls {
      guard let control = redistributor.control(machine) else { throw .silent(redistributor.frame) }
      if control.isIdle { return true }
      if !control.isWritePending { return false }
    }
    return false
  }

  /// Holds the tables that LPIs were found enabled with.
  private mutating func holdFound<Machine: RedistributorMachine & ~Copyable>(
    _ redistributor: inout MediatedRedistributor, _ machine: borrowing Machine
  ) throws(RedistributorSetupError) {
    guard
      let configuration = redistributor.read(RedistributorRegister.configurationBase, machine),
      let pending = redistributor.read(RedistributorRegister.pendingBase, machine)
    else { throw .silent(redistributor.frame) }
    redistributor.lpis.configuration = GICRConfigurationBase(
      rawValue: configuration & GICRConfigurationBase.writable)
    redistributor.lpis.pending = pending & GICRPendingBase.writable
    do throws(TableRefusal) {
      try redistributor.lpis.hold(
        interruptIDBits: bits(redistributor.lpis.configuration), below: addressLimit, in: &pins,
        machine)
    } catch {
      throw .live(redistributor.frame)
    }
    // The hardware has physical addresses, which are held only where they are the host's too.
    guard let holding = redistributor.lpis.holding,
      holding.configuration == redistributor.lpis.configuration,
      holding.pending == GICRPendingBase(rawValue: pending).base
    else {
      redistributor.lpis.release(from: &pins, machine)
      throw .live(redistributor.frame)
    }
  }

  /// The bits of an INTID that count: those of the register, and not more than the board has.
  func bits(_ configuration: GICRConfigurationBase) -> UInt64 {
    min(configuration.interruptIDBits, interruptIDBits)
  }

  /// Sees to it that no vPE is resident, and that no table of vPEs is used.
  func evictVPE<Machine: RedistributorMachine & ~Copyable>(
    _ redistributor: MediatedRedistributor, _ machine: borrowing Machine
  ) throws(RedistributorSetupError) {
    let register = RedistributorRegister.virtualPendingBase
    guard let value = redistributor.read(register, machine) else {
      throw .silent(redistributor.frame)
    }
    if !GICRVirtualPendingBase(rawValue: value).isIdle {
      guard redistributor.write(register, 0, machine) else { throw .silent(redistributor.frame) }
      var isIdle = false
      for _ in 0..<Self.polls {
        guard let value = redistributor.read(register, machine) else {
          throw .silent(redistributor.frame)
        }
        isIdle = GICRVirtualPendingBase(rawValue: value).isIdle
        if isIdle { break }
      }
      guard isIdle else { throw .resident(redistributor.frame) }
    }
    // With GICv4.1 bit [63] says that the table of vPEs is valid.
    guard redistributor.write(RedistributorRegister.virtualConfigurationBase, 0, machine) else {
      throw .silent(redistributor.frame)
    }
  }
}
