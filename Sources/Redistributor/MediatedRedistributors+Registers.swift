// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC
internal import Ownership
public import Traps

// The RD frame and the VLPI frame, deny by default: what is not named reads as zero and ignores writes,
// and is counted. Only a width or an alignment that the architecture forbids is answered with an abort.

extension MediatedRedistributors {
  /// Answers a load of the host from `access.offset`, counted from the RD frame of Redistributor `number`.
  public mutating func read<Machine: RedistributorMachine & ~Copyable>(
    _ number: Int, _ access: Access, machine: borrowing Machine
  ) -> ReadEffect {
    guard number >= 0, number < count else { return .refused(.noHandler) }
    guard access.width == .word || access.width == .double else { return .refused(.width) }
    if access.offset >= RedistributorRegister.virtualFrame {
      guard Self.permits(access) else { return .refused(.width) }
      return readVirtual(number, access, machine)
    }
    if access.width == .word {
      switch access.offset {
      case RedistributorRegister.control.offset:
        guard let control = observe(number, machine) else { return .refused(.externalAbort) }
        return .value(control.rawValue)
      case RedistributorRegister.implementer.offset, RedistributorRegister.waker.offset,
        RedistributorRegister.mpamIdentification.offset,
        RedistributorRegister.synchronization.offset,
        RedistributorRegister.identification.offset...:
        return slots[number].pass(access, machine)
      default: break
      }
    }
    let redistributor = slots[number]
    switch access.offset & ~7 {
    case RedistributorRegister.type.offset:
      let typer = redistributor.typer
      let offered = redistributor.offersVirtualLPIs ? typer : typer.withoutVPEs
      return Self.part(of: offered.rawValue, access)
    case RedistributorRegister.configurationBase.offset where redistributor.typer.hasPhysicalLPIs:
      return Self.part(of: redistributor.lpis.configuration.rawValue, access)
    case RedistributorRegister.pendingBase.offset where redistributor.typer.hasPhysicalLPIs:
      return Self.part(of: redistributor.lpis.pending, access)
    default:
      guard Self.permits(access) else { return .refused(.width) }
      counters.ignored &+= 1
      return .value(0)
    }
  }

  /// Carries out a store of the host to `access.offset`, counted from the RD frame of Redistributor
  /// `number`.
  public mutating func write<Machine: RedistributorMachine & ~Copyable>(
    _ number: Int, _ access: Access, _ value: UInt64, machine: borrowing Machine
  ) -> WriteEffect {
    guard number >= 0, number < count else { return .refused(.noHandler) }
    guard Self.permits(access) else { return .refused(.width) }
    let value = value & access.width.mask
    if access.offset >= RedistributorRegister.virtualFrame {
      return writeVirtual(number, access, value, machine)
    }
    switch access.offset {
    case RedistributorRegister.control.offset: return setControl(number, value, machine)
    case RedistributorRegister.waker.offset: return setWaker(number, value, machine)
    case RedistributorRegister.setLPI.offset, RedistributorRegister.clearLPI.offset,
      RedistributorRegister.invalidateLPI.offset, RedistributorRegister.invalidateAll.offset:
      return direct(number, access, value, machine)
    default: break
    }
    switch access.offset & ~7 {
    case RedistributorRegister.configurationBase.offset where isUnlocked(number, machine):
      var redistributor = slots[number]
      let merged = Self.merge(value, into: redistributor.lpis.configuration.rawValue, access)
      redistributor.lpis.configuration = GICRConfigurationBase(
        rawValue: redistributor.configurationRules.readBack(
          merged & GICRConfigurationBase.writable))
      slots[number] = redistributor
      guard hasOneConfigurationBase == true else { return .done }
      for other in 0..<count where slots[other].lpis.use == .idle {
        slots[other].lpis.configuration = redistributor.lpis.configuration
      }
      return .done
    case RedistributorRegister.pendingBase.offset where isUnlocked(number, machine):
      var redistributor = slots[number]
      let zeroed = redistributor.isPendingTableZeroed ? GICRPendingBase.zeroed : 0
      let merged = Self.merge(value, into: redistributor.lpis.pending | zeroed, access)
      redistributor.lpis.pending = redistributor.pendingRules.readBack(
        merged & GICRPendingBase.writable)
      redistributor.isPendingTableZeroed = merged & GICRPendingBase.zeroed != 0
      slots[number] = redistributor
      return .done
    default: return ignore()
    }
  }

  mutating func ignore() -> WriteEffect {
    counters.ignored &+= 1
    return .done
  }

  /// Whether the architecture permits the width at the offset; at reserved offsets a word or more.
  private static func permits(_ access: Access) -> Bool {
    let widths = RedistributorRegister.widths(at: access.offset)
    if widths != .none { return widths.permits(access.width) }
    return access.width == .word || access.width == .double
  }

  /// The half of a 64-bit register that an access of 32 bits asks for, or all of it.
  static func part(of value: UInt64, _ access: Access) -> ReadEffect {
    access.width == .double
      ? .value(value) : .value(value >> ((access.offset & 4) * 8) & 0xffff_ffff)
  }

  /// What a 64-bit register holds when an access has written all of it or one half.
  static func merge(_ value: UInt64, into old: UInt64, _ access: Access) -> UInt64 {
    if access.width == .double { return value }
    let shift = (access.offset & 4) * 8
    return old & ~(0xffff_ffff << shift) | (value & 0xffff_ffff) << shift
  }

  /// GICR_WAKER: ProcessorSleep is the host's, what the implementation defines stays as it is.
  private mutating func setWaker<Machine: RedistributorMachine & ~Copyable>(
    _ number: Int, _ value: UInt64, _ machine: borrowing Machine
  ) -> WriteEffect {
    let processorSleep: UInt64 = 1 << 1
    let redistributor = slots[number]
    guard let old = redistributor.read(RedistributorRegister.waker, machine),
      redistributor.write(
        RedistributorRegister.waker, old & ~processorSleep | value & processorSleep, machine)
    else { return .refused(.externalAbort) }
    return .done
  }

  /// GICR_SETLPIR, GICR_CLRLPIR, GICR_INVLPIR and GICR_INVALLR: for physical LPIs that the tables in use
  /// have, where the hardware has the registers.
  private mutating func direct<Machine: RedistributorMachine & ~Copyable>(
    _ number: Int, _ access: Access, _ value: UInt64, _ machine: borrowing Machine
  ) -> WriteEffect {
    let redistributor = slots[number]
    let isInvalidation = access.offset >= RedistributorRegister.invalidateLPI.offset
    let hasRegister =
      isInvalidation ? redistributor.hasInvalidation : redistributor.typer.hasDirectLPIs
    guard hasRegister, redistributor.lpis.use == .inUse, value >> 32 == 0,
      let holding = redistributor.lpis.holding
    else { return ignore() }
    if access.offset != RedistributorRegister.invalidateAll.offset {
      let limit: UInt64 = 1 << bits(holding.configuration)
      guard value >= 8192, value < limit else { return ignore() }
    } else if value != 0 {
      return ignore()
    }
    let place = VirtualAddress(redistributor.frame.rawValue &+ access.offset)
    return machine.registers.write(.double, value, at: place) ? .done : .refused(.externalAbort)
  }
}
