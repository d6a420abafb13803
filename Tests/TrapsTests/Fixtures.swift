// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Testing

@testable import Traps

/// System registers as plain values, behind a reference as they are on a CPU.
final class SimulatedRegisters: HostSystemRegisters {
  var features: HostFeatures = .none
  var elrEL2: UInt64 = 0xffff_0000_1234_5678
  var spsrEL2: UInt64 = 0x6000_0005
  var esrEL1: UInt64 = 0xdead
  var farEL1: UInt64 = 0xdead
  var elrEL1: UInt64 = 0xdead
  var spsrEL1: UInt64 = 0xdead
  var vbarEL1: UInt64 = 0xffff_8000_0001_0800
  var sctlrEL1: UInt64 = 1 << 23
  var sctlr2EL1: UInt64 = 0
  var tcrEL1: UInt64 = 16 | 16 << 16 | 2 << 30
  var ttbr0EL1: UInt64 = 0
  var ttbr1EL1: UInt64 = 0
}

/// Device memory that notes each operation in order.
final class RecordingMemory: DeviceMemory {
  enum Operation: Equatable {
    case read(AccessWidth, UInt64)
    case write(AccessWidth, UInt64, UInt64)
    case order
  }
  var operations: [Operation] = []
  var answer: UInt64? = 0
  var acceptsWrites = true

  func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? {
    operations.append(.read(width, address.rawValue))
    return answer.map { $0 & width.mask }
  }
  func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool {
    operations.append(.write(width, value & width.mask, address.rawValue))
    return acceptsWrites
  }
  func orderAccesses() { operations.append(.order) }
}

/// A device that forwards, notes what it is asked, or refuses.
enum TestDevice: TrapDevice {
  case forwarded
  /// Forwards as well, and wants to be asked.
  case watched
  case refusing

  func read(_ access: Access, context: TestContext) -> ReadEffect {
    context.accesses.append(access)
    if self == .refusing { return .refused(.device) }
    return Forwarder.read(access, through: context.memory)
  }
  func write(_ access: Access, _ value: UInt64, context: TestContext) -> WriteEffect {
    context.accesses.append(access)
    if self == .refusing { return .refused(.device) }
    return Forwarder.write(access, value, through: context.memory)
  }
}

final class TestContext: TrapContext {
  let memory = RecordingMemory()
  var deviceMemory: RecordingMemory { memory }
  var accesses: [Access] = []
}

/// A host CPU before a trap: 31 registers with a value of their own each, and the regions.
final class TestCPU {
  static let base: UInt64 = 0x808_0000
  static let mapped: UInt64 = 0xa000_0000
  var registers = (0..<31).map { 0x1111_1111_1111_1111 &* (UInt64($0) + 1) }
  let host = SimulatedRegisters()
  let context = TestContext()

  func handle(
    _ esr: UInt64, at address: UInt64 = base, hpfarNS: Bool = false, rare: Bool = false,
    widths: AccessWidths = .all, kinds: AccessKinds = .readWrite, device: TestDevice? = .forwarded
  ) throws -> Outcome {
    var registry = RegionRegistry<TestDevice>()
    try registry.register(
      Region(
        RegionLayout(base: PhysicalAddress(Self.base), pages: 16),
        mappedAt: VirtualAddress(Self.mapped), widths: widths, kinds: kinds, device: device))
    registry.freeze()
    let far = 0xffff_8000_0000_0000 | (address & 0xfff)
    let hpfar = (address >> 12) << 4 | (hpfarNS ? 1 << 63 : 0)
    return try registers.withUnsafeMutableBufferPointer { buffer in
      let file = RegisterFile(try #require(buffer.baseAddress))
      return rare
        ? registry.handleRareAbort(
          esr: esr, far: far, hpfar: hpfar, registers: file, host: host, context: context)
        : registry.handleAbort(
          esr: esr, far: far, hpfar: hpfar, registers: file, host: host, context: context)
    }
  }
}

/// ESR_EL2 of a data abort from a lower level, put together bit by bit.
func dataAbort(
  isv: UInt64 = 1, sas: UInt64 = 2, sse: UInt64 = 0, srt: UInt64 = 3, sf: UInt64 = 0,
  ar: UInt64 = 0, vncr: UInt64 = 0, lst: UInt64 = 0, cm: UInt64 = 0, s1ptw: UInt64 = 0,
  wnr: UInt64 = 0, dfsc: UInt64 = 0x07, il: UInt64 = 1
) -> UInt64 {
  0x24 << 26 | il << 25 | isv << 24 | sas << 22 | sse << 21 | srt << 16 | sf << 15 | ar << 14
    | vncr << 13 | lst << 11 | cm << 8 | s1ptw << 7 | wnr << 6 | dfsc
}
