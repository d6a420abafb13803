// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC

// What a Redistributor is found to be where its power may have been lost.

extension MediatedRedistributors {
  /// Whether a table is held, for as many INTIDs: for a Redistributor, or parked.
  private func holds(_ configuration: GICRConfigurationBase) -> Bool {
    for number in 0..<count {
      guard let held = slots[number].lpis.holding?.configuration else { continue }
      if isSameTable(held, configuration) { return true }
    }
    return parked.contains { isSameTable($0, configuration) }
  }

  /// Looks at the Redistributor of a CPU that may have lost its power, before the host runs there.
  ///
  /// Firmware may have enabled it with tables that are not held. It is disabled then; false where that can't be,
  /// and then the host must not run.
  public mutating func wake<Machine: RedistributorMachine & ~Copyable>(
    machine: borrowing Machine
  ) -> Bool {
    for number in 0..<count where slots[number].isOwn(machine) {
      let redistributor = slots[number]
      do throws(RedistributorSetupError) {
        if redistributor.typer.hasVirtualLPIs, !hasHeldVPE(number, machine) {
          try evictVPE(redistributor, machine)
          _ = observeVPE(number, machine)
        }
        guard redistributor.typer.hasPhysicalLPIs else { continue }
        guard let control = observe(number, machine) else { return false }
        guard control.isEnabled, !hasHeldTables(number, machine) else { continue }
        guard try disable(redistributor, machine), redistributor.canBeDisabled else {
          return false
        }
        _ = observe(number, machine)
      } catch {
        return false
      }
    }
    return true
  }

  /// Whether a vPE is resident with the tables that are held for it.
  private func hasHeldVPE<Machine: RedistributorMachine & ~Copyable>(
    _ number: Int, _ machine: borrowing Machine
  ) -> Bool {
    let redistributor = slots[number]
    guard let holding = redistributor.vpe.holding,
      let first = redistributor.read(RedistributorRegister.virtualConfigurationBase, machine),
      let second = redistributor.read(RedistributorRegister.virtualPendingBase, machine)
    else { return false }
    let pending = GICRVirtualPendingBase(rawValue: second)
    return pending.isValid && pending.base == holding.pending
      && GICRConfigurationBase(rawValue: first).isSameTable(as: holding.configuration)
  }

  /// Whether the hardware has the tables that are held for this Redistributor.
  private func hasHeldTables<Machine: RedistributorMachine & ~Copyable>(
    _ number: Int, _ machine: borrowing Machine
  ) -> Bool {
    let redistributor = slots[number]
    guard let holding = redistributor.lpis.holding,
      let first = redistributor.read(RedistributorRegister.configurationBase, machine),
      let second = redistributor.read(RedistributorRegister.pendingBase, machine),
      GICRPendingBase(rawValue: second).base == holding.pending
    else { return false }
    let configuration = GICRConfigurationBase(rawValue: first)
    return isSameTable(configuration, holding.configuration)
      || hasOneConfigurationBase != false && holds(configuration)
  }
}
