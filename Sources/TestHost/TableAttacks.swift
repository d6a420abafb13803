// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot
import GIC

/// Attacks by the tables that GITS_BASER<n> points to: where they are, and what is in them.
func testTableAttacks(_ report: inout TestReport) {
  testBaseAttacks(&report)
  testLevelAttacks(&report)
  testForgedEntries(&report)
}

/// Tables that lie in EL2's memory.
private func testBaseAttacks(_ report: inout TestReport) {
  attack(&report, "B-81 device table in EL2's memory, by a 64-bit store") {
    $0.move(.devices, $0.baser($0.canary))
    $0.mapHonestly($0.device)
  }
  attack(&report, "B-81 device table in the second half of the canary") {
    $0.move(.devices, $0.baser($0.canary + Arena.page))
    $0.mapHonestly($0.device)
  }
  attack(&report, "B-07 device table in EL2's memory, by 32-bit stores, low half first") { host in
    let register = Attacker.register(.devices)
    host.whileDisabled {
      store32(register, host.baser(host.canary) & 0xffff_ffff)
      store32(register + 4, host.baser(host.canary) >> 32)
    }
    host.mapHonestly(host.device)
  }
  attack(&report, "B-07 device table in EL2's memory, by 32-bit stores, high half first") { host in
    let register = Attacker.register(.devices)
    host.whileDisabled {
      store32(register + 4, host.baser(host.canary) >> 32)
      store32(register, host.baser(host.canary) & 0xffff_ffff)
    }
    host.mapHonestly(host.device)
  }
  attack(&report, "B-07 only the low half of GITS_BASER is moved to EL2's memory") { host in
    host.whileDisabled {
      store32(Attacker.register(.devices), host.baser(host.canary) & 0xffff_ffff)
    }
    host.mapHonestly(host.device)
  }
  attack(&report, "B-80 an address whose bits join those of the one before to EL2's") { host in
    let register = Attacker.register(.devices)
    let lowest = host.canary & (0 &- host.canary)
    host.whileDisabled { store64(register, host.baser(host.canary & ~lowest)) }
    host.whileDisabled { store64(register, load64(register) | lowest) }
    host.mapHonestly(host.device)
  }
  attack(&report, "B-81 device table made Valid only after its address was written") { host in
    let register = Attacker.register(.devices)
    host.whileDisabled { store64(register, host.baser(host.canary) & ~(1 << 63)) }
    host.whileDisabled { store32(register + 4, host.baser(host.canary) >> 32) }
    host.mapHonestly(host.device)
  }
  attack(&report, "B-81 device table in EL2's memory with non-cacheable attributes") { host in
    let value = host.baser(host.canary) & ~MemoryAttributes.all | MemoryAttributes.nonCacheable
    host.move(.devices, value)
    host.mapHonestly(host.device)
  }
  attack(&report, "B-81 device table of 4 KiB pages in EL2's memory") {
    $0.move(.devices, $0.baser($0.canary + 0x3000, pageSize: .kib4))
    $0.mapHonestly($0.device)
  }
  attack(&report, "B-81 device table of 16 KiB pages in EL2's memory") {
    $0.move(.devices, $0.baser($0.canary + 0x4000, pageSize: .kib16))
    $0.mapHonestly($0.device)
  }
  attack(&report, "B-81 device table of the reserved page size in EL2's memory") {
    $0.move(.devices, $0.baser($0.canary) | 0b11 << 8)
    $0.mapHonestly($0.device)
  }
  attack(&report, "B-29 device table that begins in the host's memory and ends in EL2's") { host in
    let base = host.hypervisor - Arena.page
    host.move(.devices, host.baser(base, pages: 256))
    host.mapHonestly(UInt32(truncatingIfNeeded: (host.canary - base) / 8))
  }
  attack(&report, "B-87 device table whose bits above the address space are set") {
    $0.move(.devices, $0.baser($0.canary) | 0xf000)
    $0.mapHonestly($0.device)
  }
  attack(&report, "B-81 device table moved while the ITS is enabled") { host in
    store64(Attacker.register(.devices), host.baser(host.canary))
    ITSDriver.enable()
    host.mapHonestly(host.device)
  }
  attack(&report, "B-81 device table moved while enabled, taken over by the next enabling") {
    host in
    store64(Attacker.register(.devices), host.baser(host.canary))
    host.whileDisabled { store64(Attacker.register(.devices), host.baser(host.canary)) }
    host.mapHonestly(host.device)
  }
  attack(&report, "B-88 device table moved by what looks like a resume") { host in
    _ = ITSDriver.disable()
    let control = Board.itsControl
    store64(control + Register.gitsCBASER, load64(control + Register.gitsCBASER))
    store64(control + Register.gitsCWRITER, 0)
    host.its.next = 0
    store64(Attacker.register(.devices), host.baser(host.canary))
    ITSDriver.enable()
    host.send(.mapc(0, target: Redistributors.target(of: currentCPU())))
    host.mapHonestly(host.device)
  }
  attack(&report, "B-81 collection table in EL2's memory, by a 64-bit store") {
    $0.move(.collections, $0.baser($0.canary))
    $0.send(.mapc(3, target: Redistributors.target(of: currentCPU())))
  }
  attack(&report, "B-07 collection table in EL2's memory, by 32-bit stores") { host in
    let register = Attacker.register(.collections)
    host.whileDisabled {
      store32(register, host.baser(host.canary) & 0xffff_ffff)
      store32(register + 4, host.baser(host.canary) >> 32)
    }
    host.send(.mapc(3, target: Redistributors.target(of: currentCPU())))
  }
  attack(&report, "B-29 collection table that begins in the host's memory and ends in EL2's") {
    host in
    let base = host.hypervisor - Arena.page
    host.move(.collections, host.baser(base, pages: 256))
    host.send(
      .mapc(
        UInt16(truncatingIfNeeded: (host.canary - base) / 8),
        target: Redistributors.target(of: currentCPU())))
  }
  attack(&report, "B-81 one table for devices and collections, in EL2's memory") { host in
    host.whileDisabled {
      store64(Attacker.register(.devices), host.baser(host.canary))
      store64(Attacker.register(.collections), host.baser(host.canary))
    }
    host.send(.mapc(0, target: Redistributors.target(of: currentCPU())))
    host.mapHonestly(0)
  }
  attack(&report, "B-81 an unmapped collection clears its entry in EL2's memory") {
    $0.move(.collections, $0.baser($0.canary))
    $0.send(.unmapc(5))
  }
  attack(&report, "B-81 an unmapped device clears its entry in EL2's memory") {
    $0.move(.devices, $0.baser($0.canary))
    $0.send(.unmapd(5))
  }
  attack(&report, "B-81 every GITS_BASER points to EL2's memory") { host in
    host.whileDisabled {
      for index in 0..<8 as Range<UInt64> {
        store64(Board.itsControl + Register.gitsBASER0 + 8 * index, host.baser(host.canary))
      }
    }
    host.mapHonestly(host.device)
  }
  attack(&report, "B-69 a DeviceID behind the end of a small device table") { host in
    host.move(.devices, host.baser(Arena.devices, pageSize: .kib4))
    host.mapHonestly(512)
    host.mapHonestly(0xffff)
    host.mapHonestly(0xffff_ffff)
  }
  attack(&report, "B-69 a collection behind the end of a small collection table") { host in
    host.move(.collections, host.baser(Arena.collections, pageSize: .kib4))
    host.send(.mapc(512, target: Redistributors.target(of: currentCPU())))
    host.send(.mapc(0xffff, target: Redistributors.target(of: currentCPU())))
  }
  attack(&report, "B-68 a device table that isn't Valid") { host in
    host.move(.devices, host.baser(host.canary) & ~(1 << 63))
    host.mapHonestly(host.device)
  }
}

/// Two levels, of which the first is the host's.
private func testLevelAttacks(_ report: inout TestReport) {
  attack(&report, "B-53 second level of the device table in EL2's memory") { host in
    host.useTwoLevels(.devices)
    host.forge(Arena.firstLevel, 1 << 63 | host.canary)
    host.mapHonestly(host.device)
  }
  attack(&report, "B-54 second level at an address that isn't a multiple of its size") { host in
    host.useTwoLevels(.devices)
    host.forge(Arena.firstLevel, 1 << 63 | host.canary + 0x8000)
    host.mapHonestly(host.device)
  }
  attack(&report, "B-54 second level whose last entries alone are in the canary") { host in
    host.useTwoLevels(.devices)
    host.forge(Arena.firstLevel, 1 << 63 | host.canary - 0x8000)
    host.mapHonestly(0x8000 / 8 + 1)
  }
  attack(&report, "B-54 second level whose entry has reserved bits set") { host in
    host.useTwoLevels(.devices)
    host.forge(Arena.firstLevel, 0xfff8_0000_0000_0000 | host.canary)
    host.mapHonestly(host.device)
  }
  attack(&report, "B-51 second level for a DeviceID of another first-level entry") { host in
    host.useTwoLevels(.devices)
    host.forge(Arena.firstLevel + 8, 1 << 63 | host.canary)
    host.mapHonestly(8192 + 7)
  }
  attack(&report, "B-28 second level of 4 KiB in EL2's memory") { host in
    host.empty(Arena.firstLevel)
    host.move(.devices, host.baser(Arena.firstLevel, pageSize: .kib4, isIndirect: true))
    host.forge(Arena.firstLevel, 1 << 63 | host.canary + 0x5000)
    host.mapHonestly(host.device)
  }
  attack(&report, "B-65 second level moved to EL2's memory after its first use") { host in
    host.useTwoLevels(.devices)
    host.empty(Arena.secondLevel(0))
    host.forge(Arena.firstLevel, 1 << 63 | Arena.secondLevel(0))
    host.mapHonestly(host.device)
    host.forge(Arena.firstLevel, 1 << 63 | host.canary)
    host.mapHonestly(host.neighbour)
  }
  attack(&report, "B-55 second level taken away and given back as EL2's memory") { host in
    host.useTwoLevels(.devices)
    host.empty(Arena.secondLevel(0))
    host.forge(Arena.firstLevel, 1 << 63 | Arena.secondLevel(0))
    host.mapHonestly(host.device)
    host.forge(Arena.firstLevel, 0)
    host.send(.unmapd(host.neighbour))
    host.forge(Arena.firstLevel, 1 << 63 | host.canary)
    host.send(.unmapd(host.device))
  }
  attack(&report, "B-26 second level of the collection table in EL2's memory") { host in
    host.useTwoLevels(.collections)
    host.forge(Arena.firstLevel, 1 << 63 | host.canary)
    host.send(.mapc(3, target: Redistributors.target(of: currentCPU())))
  }
  attack(&report, "B-55 second level that the host edits while devices in it are mapped") { host in
    host.useTwoLevels(.devices)
    host.empty(Arena.secondLevel(0))
    host.forge(Arena.firstLevel, 1 << 63 | Arena.secondLevel(0))
    host.mapHonestly(host.device)
    host.forge(Arena.secondLevel(0) + 8 * UInt64(host.device), host.deviceEntry(table: host.canary))
    host.mapEvent(host.device, 1)
  }
  attack(&report, "B-68 a first level in EL2's memory") { host in
    host.move(.devices, host.baser(host.canary, isIndirect: true))
    host.mapHonestly(host.device)
  }
  attack(&report, "B-53 a direct device table read as two levels") { host in
    host.empty(Arena.devices)
    host.forge(Arena.devices, 1 << 63 | host.canary)
    host.move(.devices, host.baser(Arena.devices, isIndirect: true))
    host.mapHonestly(host.device)
  }
}

/// Entries that the host has written itself.
private func testForgedEntries(_ report: inout TestReport) {
  attack(&report, "B-53 device table entry forged before the table is installed") { host in
    host.empty(Arena.devices)
    host.forge(Arena.devices + 8 * 9, host.deviceEntry(table: host.canary))
    host.move(.devices, host.baser(Arena.devices))
    host.mapEvent(9)
  }
  attack(&report, "B-53 device table entry forged in a table in use") { host in
    host.forge(Arena.devices + 8 * 9, host.deviceEntry(table: host.canary))
    host.mapEvent(9)
  }
  attack(&report, "B-53 second-level page with a forged entry, installed for another device") {
    host in
    host.useTwoLevels(.devices)
    host.empty(Arena.secondLevel(0))
    host.forge(Arena.secondLevel(0) + 8 * 9, host.deviceEntry(table: host.canary))
    host.forge(Arena.firstLevel, 1 << 63 | Arena.secondLevel(0))
    host.mapHonestly(host.device)
    host.mapEvent(9)
  }
  attack(&report, "B-64 entry of a mapped device overwritten by the host") { host in
    host.mapHonestly(host.device)
    host.forge(Arena.devices + 8 * UInt64(host.device), host.deviceEntry(table: host.canary))
    host.mapEvent(host.device, 2)
  }
  attack(&report, "B-64 forged entry whose table begins in the host's memory and ends in EL2's") {
    host in
    let table = host.hypervisor - 0x100
    host.forge(Arena.devices + 8 * 9, host.deviceEntry(table: table, eventIDBits: 16))
    host.mapEvent(9, host.event(reaching: host.canary, from: table))
  }
  attack(&report, "B-64 forged entry of 2^32 events") { host in
    // All of memory is in reach.
    host.forge(Arena.devices + 8 * 9, host.deviceEntry(table: Board.memory, eventIDBits: 32))
    host.mapEvent(9, host.event(reaching: host.canary, from: Board.memory))
  }
  attack(&report, "B-70 a translation table that overlaps the device table forges an entry") {
    host in
    // Only commands with addresses of the host's own: entry 2 of the table of device 1 lies over the
    // entry of device 3, and its LPI reads as 2^32 events of a table at 0xfff00.
    host.its.append(.mapd(1, table: Arena.devices, eventIDBits: 4))
    host.its.append(.mapti(1, 2, interrupt: 0xffff, collectionID: 0))
    host.mapEvent(3, host.event(reaching: host.canary, from: 0xf_ff00))
  }
  attack(&report, "B-26 forged collection entry with a Redistributor that isn't there") { host in
    host.forge(Arena.collections + 8 * 7, 1 | 0xffff << 1)
    host.its.append(.mapd(host.device, table: Arena.translations, eventIDBits: 4))
    host.its.append(.mapti(host.device, 0, interrupt: 8192, collectionID: 7))
    host.send(.event(.int, host.device, 0))
  }
  attack(&report, "B-64 forged translation entry with an LPI behind all tables") { host in
    host.mapHonestly(host.device)
    let table = Arena.translations + UInt64(host.device) * 0x1000
    host.forge(table, 0b11 | 0xff_ffff << 2)
    host.send(.event(.int, host.device, 0))
    host.send(.event(.movi, host.device, 0))
  }
}
