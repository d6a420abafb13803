// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Hypervisor
import Ownership
import SimulatedHardware
import Traps

/// What a load or store of the host comes to.
package enum HostAccess: Hashable, Sendable {
  /// What it read; zero for a store.
  case value(UInt64)
  /// An abort at EL1.
  case aborted
}

// What the host does, on a CPU: by its stage 2, or into a trap.
extension BoardHardware {
  /// The host loads from an address.
  package func load(_ width: AccessWidth = .word, _ address: UInt64, cpu: Int = 0) -> HostAccess {
    guard let physical = hostAddress(address) else {
      return abort(width, address, value: nil, cpu: cpu)
    }
    if Self.ram.contains(PhysicalAddress(physical)) {
      return .value(memory.load(width, at: physical))
    }
    return readDevice(width, at: physical).map { .value($0) } ?? .aborted
  }

  /// The host stores to one.
  package func store(
    _ width: AccessWidth = .word, _ address: UInt64, _ value: UInt64, cpu: Int = 0
  ) -> HostAccess {
    guard let physical = hostAddress(address) else {
      return abort(width, address, value: value, cpu: cpu)
    }
    if Self.ram.contains(PhysicalAddress(physical)) {
      memory.store(width, value, at: physical)
      return .value(0)
    }
    return writeDevice(width, value, at: physical) ? .value(0) : .aborted
  }

  /// A translation fault at stage 2 of an LDR or STR of x1 (ESR_EL2: Arm ARM DDI 0487, D24.2.40).
  private func abort(
    _ width: AccessWidth, _ address: UInt64, value: UInt64?, cpu: Int
  ) -> HostAccess {
    let size = UInt64(width.bytes.trailingZeroBitCount)
    var esr: UInt64 = 0x24 << 26 | 1 << 25 | 1 << 24 | size << 22 | 1 << 16 | 0b0111
    if width == .double { esr |= 1 << 15 }
    if value != nil { esr |= 1 << 6 }
    var registers = [UInt64](repeating: 0, count: RegisterFile.count)
    registers[1] = value ?? 0
    // A trap that is not finished is repeated by the host.
    for _ in 0..<1_000 {
      host.elrEL2 = 0x1000
      trap(esr, far: address, hpfar: (address >> 12) << 4, &registers, cpu)
      if host.elrEL2 == 0x1004 { return .value(value == nil ? registers[1] : 0) }
      if host.elrEL2 != 0x1000 { return .aborted }
    }
    fatalError("a trap is repeated for ever")
  }

  /// The host executes HVC.
  package func call(_ call: SMCCC.Call, cpu: Int = 0) -> SMCCC.Result {
    var registers = [UInt64](repeating: 0, count: RegisterFile.count)
    registers[0] = UInt64(call.function)
    registers[1] = call.argument1
    registers[2] = call.argument2
    registers[3] = call.argument3
    trap(0x16 << 26 | 1 << 25, far: 0, hpfar: 0, &registers, cpu)
    var result = SMCCC.Result(registers[0])
    result.x1 = registers[1]
    result.x2 = registers[2]
    result.x3 = registers[3]
    result.x4 = registers[4]
    return result
  }

  /// An exception of the host.
  package func trap(
    _ esr: UInt64, far: UInt64, hpfar: UInt64, _ registers: inout [UInt64], _ cpu: Int = 0
  ) {
    let outer = tableLog.cpu
    tableLog.cpu = UInt64(cpu)
    tableLog.append(.enter)
    defer {
      tableLog.cpu = UInt64(cpu)
      tableLog.append(.leave)
      checkTables()
      tableLog.cpu = outer
    }
    registers.withUnsafeMutableBufferPointer { buffer in
      guard let first = buffer.baseAddress else { return }
      HostTrap(
        esr: esr, far: far, hpfar: hpfar, registers: unsafe RegisterFile(first),
        on: platform(cpu)
      ).handle()
    }
  }

  /// EL2 takes a page from the host for good.
  package func claim(_ address: UInt64) throws(OwnershipError) {
    let page = FixedList<1, PageRange>([pages(address >> 12)])
    let state = monitor().state
    _ = try state.shared.ownershipLock.withLock(on: platform()) {
      () throws(OwnershipError) -> Claim<1> in
      try state.shared.ownership.donate(page, expecting: .memory)
    }.keepForever()
  }
}
