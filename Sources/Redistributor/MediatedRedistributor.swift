// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC
internal import Ownership
internal import Traps

/// One Redistributor between the host, which sees a Redistributor, and the hardware.
///
/// The hardware is told of a table only when that is held, so that no register ever has an address
/// which the host could have made it read or write at.
struct MediatedRedistributor: Sendable {
  /// Where EL2 sees the RD frame.
  let frame: VirtualAddress
  /// GICR_TYPER as the hardware has it.
  let typer: GICRTyper
  /// GICR_CTLR.CES: that LPIs are disabled means that the tables are no longer touched.
  let canBeDisabled: Bool
  /// GICR_CTLR.IR or GICR_TYPER.DirectLPI: there are GICR_INVLPIR and GICR_INVALLR.
  let hasInvalidation: Bool
  /// Whether the host is offered virtual LPIs.
  let offersVirtualLPIs: Bool

  var configurationRules = AttributeRules()
  var pendingRules = AttributeRules()
  /// The tables of physical LPIs.
  var lpis = TablePair()
  /// The tables of the vPE that is resident.
  var vpe = TablePair()
  /// GICR_PENDBASER.PTZ as last written: it counts for the next time that LPIs are enabled.
  var isPendingTableZeroed = false

  /// Describes a Redistributor whose LPIs are disabled.
  init(
    frame: VirtualAddress, typer: GICRTyper, control: GICRControl, mayOfferVirtualLPIs: Bool
  ) {
    self.frame = frame
    self.typer = typer
    canBeDisabled = control.canBeDisabled
    hasInvalidation = control.hasInvalidation || typer.hasDirectLPIs
    // A GICv4.1 finds vPEs in a table of its own accord, which is checked by nobody.
    offersVirtualLPIs = mayOfferVirtualLPIs && typer.hasVirtualLPIs && !typer.hasVPETable
  }

  func read<Machine: RedistributorMachine & ~Copyable>(
    _ register: RegisterLayout, _ machine: borrowing Machine
  ) -> UInt64? {
    machine.registers.read(
      register.size == 8 ? .double : .word,
      at: VirtualAddress(frame.rawValue &+ register.offset))
  }

  func write<Machine: RedistributorMachine & ~Copyable>(
    _ register: RegisterLayout, _ value: UInt64, _ machine: borrowing Machine
  ) -> Bool {
    machine.registers.write(
      register.size == 8 ? .double : .word, value,
      at: VirtualAddress(frame.rawValue &+ register.offset))
  }

  /// Whether the CPU that has trapped is that of this Redistributor.
  func isOwn<Machine: RedistributorMachine & ~Copyable>(_ machine: borrowing Machine) -> Bool {
    machine.affinity == typer.affinity
  }

  func control<Machine: RedistributorMachine & ~Copyable>(
    _ machine: borrowing Machine
  ) -> GICRControl? {
    read(RedistributorRegister.control, machine).map(GICRControl.init(rawValue:))
  }

  /// Carries a load of the host out on the hardware.
  func pass<Machine: RedistributorMachine & ~Copyable>(
    _ access: Access, _ machine: borrowing Machine
  ) -> ReadEffect {
    let place = VirtualAddress(frame.rawValue &+ access.offset)
    guard let value = machine.registers.read(access.width, at: place) else {
      return .refused(.externalAbort)
    }
    return .value(value)
  }
}
