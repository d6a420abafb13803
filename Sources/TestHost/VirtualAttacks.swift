// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot
import GIC

/// Commands of GICv4 (IHI 0069, 5.3): a hostile host sends them whatever GITS_TYPER tells it.
extension Attacker {
  private var vpe: UInt64 { 1 }

  /// Gives the ITS a vPE table.
  func useVPEs(_ value: UInt64) { move(.vpes, value) }

  /// VMAPP: maps the vPE to a CPU, and to a pending table of 64 Ki bits at `pending`.
  mutating func mapVPE(pending: UInt64) {
    let target = Redistributors.target(of: currentCPU())
    send(ITSCommand(0x29, vpe << 32, 1 << 63 | target << 16, pending | 15))
  }

  /// VMAPTI: maps an event of the device to a virtual interrupt of the vPE.
  mutating func mapVirtualEvent(_ event: UInt64 = 0, interrupt: UInt64 = 8192) {
    send(
      ITSCommand(0x2a | UInt64(device) << 32, event | vpe << 32, interrupt | 1023 << 32))
  }

  /// All that makes a virtual interrupt pending in `pending`.
  mutating func raise(in pending: UInt64) {
    mapVPE(pending: pending)
    mapHonestly(device)
    mapVirtualEvent()
    send(.event(.int, device, 0))
  }

  /// A vPE table entry as QEMU lays it out.
  func vpeEntry(pending: UInt64) -> UInt64 {
    let target = Redistributors.target(of: currentCPU())
    return 1 | 15 << 1 | (pending >> 16) << 6 | target << 42
  }

  /// Where the entry of the vPE is in a table.
  func vpeEntryAddress(in table: UInt64) -> UInt64 { table + 8 * vpe }
}

/// Attacks by virtual interrupts.
func testVirtualAttacks(_ report: inout TestReport) {
  attack(&report, "B-46 VMAPP with a pending table in EL2's memory") { host in
    host.empty(Arena.vpes)
    host.useVPEs(host.baser(Arena.vpes))
    host.raise(in: host.canary)
  }
  attack(&report, "B-46 VMAPP once more, with a pending table in EL2's memory") { host in
    host.empty(Arena.vpes)
    host.empty(Arena.vpePending)
    host.useVPEs(host.baser(Arena.vpes))
    host.raise(in: Arena.vpePending)
    host.raise(in: host.canary + Arena.page)
  }
  attack(&report, "B-46 vPE table in EL2's memory") { host in
    host.useVPEs(host.baser(host.canary))
    host.mapVPE(pending: Arena.vpePending)
  }
  attack(&report, "B-07 vPE table in EL2's memory, by 32-bit stores") { host in
    let register = Attacker.register(.vpes)
    host.whileDisabled {
      store32(register + 4, host.baser(host.canary) >> 32)
      store32(register, host.baser(host.canary) & 0xffff_ffff)
    }
    host.mapVPE(pending: Arena.vpePending)
  }
  attack(&report, "B-53 second level of the vPE table in EL2's memory") { host in
    host.useTwoLevels(.vpes)
    host.forge(Arena.firstLevel, 1 << 63 | host.canary)
    host.mapVPE(pending: Arena.vpePending)
  }
  attack(&report, "B-53 vPE table entry forged by the host") { host in
    host.empty(Arena.vpes)
    host.useVPEs(host.baser(Arena.vpes))
    host.forge(host.vpeEntryAddress(in: Arena.vpes), host.vpeEntry(pending: host.canary))
    host.mapHonestly(host.device)
    host.mapVirtualEvent()
    host.send(.event(.int, host.device, 0))
  }
  attack(&report, "B-53 vPE table entry overwritten after VMAPP") { host in
    host.empty(Arena.vpes)
    host.empty(Arena.vpePending)
    host.useVPEs(host.baser(Arena.vpes))
    host.raise(in: Arena.vpePending)
    host.forge(host.vpeEntryAddress(in: Arena.vpes), host.vpeEntry(pending: host.canary))
    host.send(.event(.int, host.device, 0))
  }
  attack(&report, "B-64 translation entry of a virtual interrupt forged by the host") { host in
    host.empty(Arena.vpes)
    host.useVPEs(host.baser(Arena.vpes))
    host.forge(host.vpeEntryAddress(in: Arena.vpes), host.vpeEntry(pending: host.canary))
    host.mapHonestly(host.device)
    // Valid, virtual, LPI 8201 of vPE 1; no doorbell.
    let table = Arena.translations + UInt64(host.device) * 0x1000
    host.forge(table, 1 | 8201 << 2 | 1 << 48)
    host.forge(table + 8, 1023)
    host.send(.event(.int, host.device, 0))
  }
  attack(&report, "B-46 VMAPTI into a translation table in EL2's memory") { host in
    host.empty(Arena.vpes)
    host.useVPEs(host.baser(Arena.vpes))
    host.mapVPE(pending: Arena.vpePending)
    host.its.append(.mapd(host.device, table: host.canary, eventIDBits: 4))
    host.mapVirtualEvent(3)
  }
  attack(&report, "B-46 VMAPI into a translation table in EL2's memory") { host in
    host.empty(Arena.vpes)
    host.useVPEs(host.baser(Arena.vpes))
    host.mapVPE(pending: Arena.vpePending)
    host.its.append(.mapd(host.device, table: host.canary, eventIDBits: 14))
    host.send(ITSCommand(0x2b | UInt64(host.device) << 32, 8192 | 1 << 32, 1023 << 32))
  }
  attack(&report, "B-46 VMAPP of GICv4.1 with Alloc, PTZ and a configuration in EL2's memory") {
    host in
    host.empty(Arena.vpes)
    host.useVPEs(host.baser(Arena.vpes))
    let target = Redistributors.target(of: currentCPU())
    host.send(
      ITSCommand(
        0x29 | 0b11 << 8 | host.canary, 1 << 32 | 1023, 1 << 63 | target << 16, host.canary | 15))
    host.send(.event(.int, host.device, 0))
  }
  attack(&report, "B-47 VMAPP and VMOVP to Redistributors that aren't there") { host in
    host.empty(Arena.vpes)
    host.useVPEs(host.baser(Arena.vpes))
    host.send(ITSCommand(0x29, 1 << 32, 1 << 63 | 0xffff << 16, Arena.vpePending | 15))
    host.send(ITSCommand(0x29, 1 << 32, 1 << 63 | host.canary, Arena.vpePending | 15))
    host.send(ITSCommand(0x22, 1 << 32, host.canary))
    host.send(ITSCommand(0x22 | 1 << 32, 0xffff | 1 << 32, 0xffff << 16))
  }
  attack(&report, "B-46 VMOVI, VSYNC, VINVALL, VSGI and INVDB of a vPE that isn't there") { host in
    host.mapHonestly(host.device)
    host.its.append(ITSCommand(0x21 | UInt64(host.device) << 32, 0xffff << 32, 1))
    host.its.append(ITSCommand(0x25, 0xffff << 32))
    host.its.append(ITSCommand(0x2d, 0xffff << 32))
    host.its.append(ITSCommand(0x23 | 0b111 << 8, 0xffff << 32))
    host.its.append(ITSCommand(0x2e, 0xffff << 32))
    _ = host.its.finish()
  }
}
