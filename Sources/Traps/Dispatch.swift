// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

// One trap, from top to bottom:
//
//   ESR, FAR, HPFAR ── plain access that a region permits? ── yes ─→ haveAnswered: device ─→ register
//                                  │ no                                    ╲                  program counter
//                           handleRareAbort                                 inject abort
//                                  │
//                       region by address ── none ─→ unclaimed
//                                  │
//                     carryOut: kind, width, alignment ─→ haveAnswered ─→ register, program counter
//                                                      ╲        ╱
//                                                     inject abort
//
// The plain case is a short cut and no rule of its own: handleRareAbort decides the same for it.

extension RegionRegistry {
  /// Handles an abort that the host took to EL2, from the registers that the CPU reports it in.
  ///
  /// `esr`, `far` and `hpfar` are ESR_EL2, FAR_EL2 and HPFAR_EL2; `registers` are the host's X0 to
  /// X30, of which a load changes one. Takes no lock and allocates nothing. Afterwards the host
  /// continues with what ELR_EL2 and SPSR_EL2 say, except where the outcome leaves it to the caller.
  @inline(__always)
  public func handleAbort<Host: HostSystemRegisters & ~Copyable>(
    esr: UInt64, far: UInt64, hpfar: UInt64, registers: RegisterFile, host: borrowing Host,
    context: Device.Context
  ) -> Outcome {
    let address = PhysicalAddress(Abort.page(hpfar) | (far & 0xfff))
    let syndrome = DataAbortSyndrome(rawValue: esr)
    // SCTLR_EL1.EE and E0E, bits [25:24]: with neither set no AArch64 access is big-endian. In
    // AArch32 the answer is in SPSR_EL2. A state that stepping over must change is rare as well.
    guard Self.isPlain(esr), host.sctlrEL1 & (0b11 << 24) == 0,
      host.spsrEL2 & ProcessorState.steppedOver == 0, let index = index(of: address),
      address.rawValue & (1 &<< UInt64(syndrome.accessSize) &- 1) == 0,
      slot(index).permits(syndrome)
    else {
      return handleRareAbort(
        esr: esr, far: far, hpfar: hpfar, registers: registers, host: host, context: context)
    }
    let effect = haveAnswered(
      syndrome, at: address, in: slot(index), isOrdered: false, swapsBytes: false,
      registers: registers, context: context)
    switch effect {
    case .done:
      host.elrEL2 = host.elrEL2 &+ 4
      return .completed
    case .again: return .unfinished
    case .refused(let refusal):
      guard let abort = Abort(esr: esr, far: far, hpfar: hpfar) else { return .notAnAbort }
      abort.inject(into: host)
      return .injected(refusal)
    }
  }

  /// Whether a syndrome is that of the common case, found with one comparison: a data abort from a
  /// lower level, translation fault at level 0 to 3, valid, neither on a stage-1 walk nor cache
  /// maintenance, without acquire or release, not in place of a system register, not of 64 bytes.
  @inline(__always)
  static func isPlain(_ esr: UInt64) -> Bool {
    let exceptionClass: UInt64 = 0x3f << 26
    let valid: UInt64 = 1 << 24
    let unusual: UInt64 = 1 << 14 | 1 << 13 | 0b11 << 11 | 1 << 8 | 1 << 7
    return esr & (exceptionClass | valid | unusual | 0x3c) == 0x24 << 26 | valid | 0x04
  }

  /// Decides every case, the plain one too.
  @inline(never)
  func handleRareAbort<Host: HostSystemRegisters & ~Copyable>(
    esr: UInt64, far: UInt64, hpfar: UInt64, registers: RegisterFile, host: borrowing Host,
    context: Device.Context
  ) -> Outcome {
    guard let abort = Abort(esr: esr, far: far, hpfar: hpfar) else { return .notAnAbort }
    guard let address = abort.address, let index = index(of: address.identityMapped) else {
      return .unclaimed(abort.address)
    }
    let data = abort.data
    let effect: WriteEffect
    if abort.isStage1Walk {
      // First, for the instruction that caused the walk is not an access to this page at all. AT,
      // which sets CM as well, faults at stage 2 only like this (Arm ARM DDI 0487, D8.14): stepping
      // over it as if it were cache maintenance would leave PAR_EL1 as it was and have the host take
      // the old value for an answer.
      effect = .refused(.tableWalk)
    } else if abort.isInstructionFetch {
      effect = .refused(.instructionFetch)
    } else if data.isCacheMaintenance {
      // DC by address or IC IVAU. EL2 maps the page as Device memory and the host can't map it at
      // all, so that no cache holds a line of it, and cleaning or invalidating nothing is nothing.
      // Without a hypervisor the instruction succeeds on a Device location too. DC ZVA writes and is
      // not among these: it doesn't set CM, has no valid syndrome, and is refused.
      stepOverInstruction(abort.syndrome, of: host)
      return .skipped
    } else if !data.isValid || data.isVNCR || data.loadStoreType != 0 {
      effect = .refused(.noSyndrome)
    } else {
      effect = carryOut(
        data, at: address.identityMapped, in: slot(index), isOrdered: data.isAcquireRelease,
        swapsBytes: isBigEndian(host), registers: registers, context: context)
    }
    switch effect {
    case .done:
      stepOverInstruction(abort.syndrome, of: host)
      return .completed
    case .again: return .unfinished
    case .refused(let refusal):
      abort.inject(into: host)
      return .injected(refusal)
    }
  }

  /// Whether the host's data accesses are big-endian at the moment.
  ///
  /// Devices are little-endian; such a host finds its bytes reversed in the register, as it would
  /// without a hypervisor.
  private func isBigEndian<Host: HostSystemRegisters & ~Copyable>(_ host: borrowing Host) -> Bool {
    let state = ProcessorState(rawValue: host.spsrEL2)
    if state.isAArch32 { return state.rawValue & ProcessorState.aarch32BigEndian != 0 }
    return host.sctlrEL1.bit(state.isEL0 ? 24 : 25)
  }

  /// Checks a load or store with a valid syndrome, has the device carry it out, and writes the
  /// register of a load.
  func carryOut(
    _ syndrome: DataAbortSyndrome, at address: PhysicalAddress, in region: Region<Device>,
    isOrdered: Bool, swapsBytes: Bool, registers: RegisterFile, context: Device.Context
  ) -> WriteEffect {
    let width = syndrome.width
    guard region.permits(syndrome) else {
      if region.widths.permits(width) {
        return .refused(syndrome.isWrite ? .notWritable : .notReadable)
      }
      return .refused(.width)
    }
    // Frames are whole pages, so that an aligned access stays in its frame.
    guard address.isAligned(to: width.bytes) else { return .refused(.misaligned) }
    return haveAnswered(
      syndrome, at: address, in: region, isOrdered: isOrdered, swapsBytes: swapsBytes,
      registers: registers, context: context)
  }

  /// Has the device carry out an access that the region permits, and writes the register of a load.
  @inline(__always)
  func haveAnswered(
    _ syndrome: DataAbortSyndrome, at address: PhysicalAddress, in region: Region<Device>,
    isOrdered: Bool, swapsBytes: Bool, registers: RegisterFile, context: Device.Context
  ) -> WriteEffect {
    guard let device = region.device else { return .refused(.noHandler) }
    let width = syndrome.width
    let layout = region.layout
    // Not below the base and in the extent, for the region was found by this address.
    let distance = address.rawValue &- layout.base.rawValue
    let access = Access(
      offset: layout.offsetInFrame(distance), frame: distance &>> layout.strideShift,
      distance: distance,
      address: VirtualAddress(region.address.rawValue &+ distance), width: width,
      isOrdered: isOrdered)
    let unusedBits = 64 &- width.bits
    if syndrome.isWrite {
      var value = registers[syndrome.register] & width.mask
      if swapsBytes { value = value.byteSwapped &>> unusedBits }
      return device.write(access, value, context: context)
    }
    switch device.read(access, context: context) {
    case .refused(let refusal): return .refused(refusal)
    case .value(var value):
      value &= width.mask
      if swapsBytes { value = value.byteSwapped &>> unusedBits }
      registers[syndrome.register] = syndrome.extended(value)
      return .done
    }
  }
}

extension DataAbortSyndrome {
  /// SAS as a width; meaningful with a valid syndrome.
  @inline(__always)
  public var width: AccessWidth {
    // SAS is two bits, and each of the four values is a width.
    switch accessSize {
    case 0: .byte
    case 1: .half
    case 2: .word
    default: .double
    }
  }

  /// What a load writes to its register: `value`, which has no bits above the width, extended with
  /// zeroes or the sign, to 32 bits (which clears the upper half) or to 64.
  @inline(__always)
  func extended(_ value: UInt64) -> UInt64 {
    // Only a load of 32 bits or fewer has a 32-bit register, and extends its sign.
    guard extendsSign else { return value }
    let unusedBits = 64 &- width.bits
    let extended = UInt64(bitPattern: Int64(bitPattern: value &<< unusedBits) &>> Int64(unusedBits))
    return is64BitRegister ? extended : extended & 0xffff_ffff
  }
}
