// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC
internal import Ownership
internal import Traps

// The VLPI frame and the reserved frame behind it. Where virtual LPIs are not offered all of it reads as
// zero. Where they are, GICR_VPENDBASER makes a vPE resident: its tables are held for as long as the
// hardware may touch them, as those of physical LPIs are.

extension MediatedRedistributors {
  mutating func readVirtual<Machine: RedistributorMachine & ~Copyable>(
    _ number: Int, _ access: Access, _ machine: borrowing Machine
  ) -> ReadEffect {
    let redistributor = slots[number]
    if redistributor.offersVirtualLPIs {
      switch access.offset & ~7 {
      case RedistributorRegister.virtualConfigurationBase.offset:
        return Self.part(of: redistributor.vpe.configuration.rawValue, access)
      case RedistributorRegister.virtualPendingBase.offset:
        guard let value = observeVPE(number, machine) else { return .refused(.externalAbort) }
        return Self.part(of: value.rawValue, access)
      default: break
      }
    }
    counters.ignored &+= 1
    return .value(0)
  }

  mutating func writeVirtual<Machine: RedistributorMachine & ~Copyable>(
    _ number: Int, _ access: Access, _ value: UInt64, _ machine: borrowing Machine
  ) -> WriteEffect {
    guard slots[number].offersVirtualLPIs else { return ignore() }
    switch access.offset & ~7 {
    case RedistributorRegister.virtualConfigurationBase.offset:
      guard observeVPE(number, machine) != nil else { return .refused(.externalAbort) }
      var redistributor = slots[number]
      guard redistributor.vpe.use == .idle else { return ignore() }
      let merged = Self.merge(value, into: redistributor.vpe.configuration.rawValue, access)
      redistributor.vpe.configuration = GICRConfigurationBase(
        rawValue: merged & GICRConfigurationBase.writable)
      slots[number] = redistributor
      return .done
    case RedistributorRegister.virtualPendingBase.offset:
      return setResident(number, access, value, machine)
    default: return ignore()
    }
  }

  /// Looks how far the hardware is with the vPE, and returns its status with what the host wrote; nil for an abort.
  mutating func observeVPE<Machine: RedistributorMachine & ~Copyable>(
    _ number: Int, _ machine: borrowing Machine
  ) -> GICRVirtualPendingBase? {
    var redistributor = slots[number]
    guard let value = redistributor.read(RedistributorRegister.virtualPendingBase, machine) else {
      return nil
    }
    let base = GICRVirtualPendingBase(rawValue: value)
    if redistributor.vpe.use != .idle {
      if base.isIdle, redistributor.isOwn(machine) {
        redistributor.vpe.release(from: &pins, machine)
        redistributor.vpe.use = .idle
        counters.released &+= 1
      } else {
        // Power may have been lost, and firmware have restored what was resident.
        redistributor.vpe.use = base.isValid ? .inUse : .stopping
      }
      slots[number] = redistributor
    }
    // The hardware knows no address that is not held; the host finds its own.
    let status: UInt64 = 0b1111 << 60
    return GICRVirtualPendingBase(rawValue: value & status | redistributor.vpe.pending & ~status)
  }

  /// GICR_VPENDBASER: a vPE comes or goes.
  private mutating func setResident<Machine: RedistributorMachine & ~Copyable>(
    _ number: Int, _ access: Access, _ value: UInt64, _ machine: borrowing Machine
  ) -> WriteEffect {
    guard let old = observeVPE(number, machine) else { return .refused(.externalAbort) }
    var redistributor = slots[number]
    let base = GICRVirtualPendingBase(
      rawValue: Self.merge(value, into: old.rawValue, access) & GICRVirtualPendingBase.writable)
    let register = RedistributorRegister.virtualPendingBase
    switch redistributor.vpe.use {
    case .stopping: return ignore()
    case .inUse:
      // Only Valid may change, and only to zero.
      guard !base.isValid, let holding = redistributor.vpe.holding else { return ignore() }
      redistributor.vpe.use = .stopping
      slots[number] = redistributor
      guard
        redistributor.write(
          register,
          old.at(holding.pending).rawValue & ~(1 << 63) & GICRVirtualPendingBase.writable, machine)
      else { return .refused(.externalAbort) }
    case .idle:
      redistributor.vpe.pending = base.rawValue & ~(0b1111 << 60)
      guard base.isValid else {
        slots[number] = redistributor
        return .done
      }
      do throws(TableRefusal) {
        try redistributor.vpe.hold(
          interruptIDBits: redistributor.vpe.configuration.interruptIDBits, below: addressLimit,
          in: &pins, machine)
      } catch {
        refuse(error, number, redistributor.vpe)
        slots[number] = redistributor
        return .done
      }
      redistributor.vpe.use = .inUse
      counters.enabled &+= 1
      slots[number] = redistributor
      guard let holding = redistributor.vpe.holding,
        redistributor.write(
          RedistributorRegister.virtualConfigurationBase, holding.configuration.rawValue, machine),
        redistributor.write(register, base.at(holding.pending).rawValue, machine)
      else { return .refused(.externalAbort) }
    }
    _ = observeVPE(number, machine)
    return .done
  }
}
