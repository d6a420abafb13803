// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards
import Hypervisor
import ITS
import Observing
import Ownership
import Redistributor
import SMMUDriver
import SimulatedHardware
import Trace
import Traps
import UEFI

/// A simulated board, as the monitor on one of its CPUs sees it.
package struct SimulatedPlatform: BoardPlatform {
  package typealias SMMUs = SimulatedSMMUMachine

  package let hardware: BoardHardware
  package let cpu: UInt64

  package func willTake(_ rank: LockRank) { hardware.willTake(rank, on: cpu) }
  package func willRelease(_ rank: LockRank) { hardware.willRelease(rank, on: cpu) }

  package var mediation: Mediation { .on }
  package var state: StatePlace<SimulatedPlatform> { unsafe StatePlace(hardware.places.state) }
  package var itses: ITSPlaces { unsafe ITSPlaces(hardware.places.itses) }
  package var redistributors: RedistributorPlace {
    unsafe RedistributorPlace(hardware.places.redistributors)
  }
  package var virtualSMMUs: VirtualSMMUPlaces {
    unsafe VirtualSMMUPlaces(hardware.places.virtualSMMUs)
  }
  package var counts: Statistics<SimulatedCounts> {
    Statistics(cpus: 512, memory: SimulatedCounts(places: hardware.places))
  }

  package func tables(imageBase: PhysicalAddress) -> SimulatedTables {
    SimulatedTables(hardware: hardware)
  }
  package var cache: SimulatedTLB { SimulatedTLB(hardware: hardware) }
  package var memory: SimulatedMappedMemory { SimulatedMappedMemory(hardware: hardware) }
  package var registers: SimulatedRegisters { SimulatedRegisters(hardware: hardware) }
  package func pages(holding rank: LockRank) -> WatchedPages {
    WatchedPages(pages: LockedOwnership(of: self, holding: rank), hardware: hardware)
  }
  package var smmus: SimulatedSMMUMachine { SimulatedSMMUMachine(hardware: hardware) }
  package var host: HostRegisters { hardware.host }
  package func layout(of tables: borrowing SimulatedTables) -> ImageLayout? {
    BoardHardware.layout
  }

  package var multiprocessorAffinity: UInt64 { cpu | 1 << 31 }
  package var physicalAddressRange: UInt64 { hardware.options.physicalAddressRange }
  package var identity: ProcessorIdentity {
    var identity = ProcessorIdentity()
    if hardware.options.hasInterruptRegisters { identity.processorFeature0 = 1 << 24 }
    return identity
  }
  package var time: UInt64 {
    hardware.ticks += 1
    return hardware.ticks
  }
  package var frequency: UInt64 { 1000 }
  package var stackSize: UInt64 { 0x8000 }
  package func stack(_ cpu: UInt64) -> VirtualAddress {
    VirtualAddress(0x4800_0000_0000 + (2 * cpu + 1) * stackSize)
  }

  package func firmware(of board: borrowing Board) -> SimulatedFirmware {
    SimulatedFirmware(hardware: board.psci == nil ? nil : hardware)
  }
  package var noFirmware: SimulatedFirmware { SimulatedFirmware(hardware: nil) }
  package func console(
    _ description: ConsoleDescription, at base: VirtualAddress
  ) -> SimulatedConsole? { SimulatedConsole(hardware: hardware, base: base) }

  package func text(of offer: FirmwareOffer) -> SimulatedConsole {
    SimulatedConsole(hardware: hardware, base: nil)
  }

  @_lifetime(borrow self)
  package func bytes(of range: AddressRange) -> Span<UInt8> {
    let buffer = unsafe hardware.bytes(of: range, isOpen: false)
    return unsafe _overrideLifetime(UnsafeBufferPointer(buffer).span, borrowing: self)
  }

  @_lifetime(borrow self)
  package func mutableBytes(of range: AddressRange) -> MutableSpan<UInt8> {
    let buffer = unsafe hardware.bytes(of: range, isOpen: true)
    return unsafe _overrideLifetime(buffer.mutableSpan, borrowing: self)
  }

  package var payloadSize: UInt64 { 0x1000 }
  package func payloadWord(_ offset: UInt64) -> UInt64 { 0xd503_201f_d503_201f }
  package func publish(_ range: AddressRange) { hardware.publish(range) }
  package func load(_ translation: HostTranslationRegisters) {
    hardware.load(translation)
  }
  package func waitForInterrupt() {}
  package func switchOff(by firmware: SimulatedFirmware) {
    _ = firmware.call(SMCCC.Call(PSCI.systemOff))
    hardware.isOff = true
  }
  package func measure(spare: PageRange?) { hardware.spare = spare.map { .memory($0) } ?? .nothing }
}

// Somebody may look on.
extension SimulatedPlatform {
  package var looksOn: Bool { hardware.watch != nil }
  package func recordingMachine(
    of its: borrowing LockedITS, records: Bool
  ) -> ObservedITSMachine<RecordingITSMachine<SimulatedPlatform>, ITSWitness> {
    ObservedITSMachine(
      RecordingITSMachine(its.number, self, records: records), frame: its.setup.frame,
      ITSWitness(hardware: hardware, its: its.number))
  }
  package func hasBegun(_ its: borrowing LockedITS, isHandedOver: Bool) {
    hardware.watch?.hasBegun(its, isHandedOver: isHandedOver, on: self)
  }
  package func hasAnswered(_ access: TracedAccess, _ its: borrowing LockedITS) {
    hardware.watch?.hasAnswered(access, its, on: self)
  }
  package func hasPaused(_ its: borrowing LockedITS) { hardware.watch?.hasPaused(its, on: self) }
  package func hasWoken(_ its: borrowing LockedITS) { hardware.watch?.hasWoken(its, on: self) }
  package func willAnswer(_ redistributors: borrowing MediatedRedistributors, isWaking: Bool) {
    hardware.watch?.willAnswer(redistributors, isWaking: isWaking, on: self)
  }
  package func hasAnswered(
    _ access: TracedAccess, by number: Int, _ redistributors: borrowing MediatedRedistributors
  ) {
    hardware.watch?.hasAnswered(access, by: number, redistributors, on: self)
  }
  package func hasWoken(mayRun: Bool, _ redistributors: borrowing MediatedRedistributors) {
    hardware.watch?.hasWoken(mayRun: mayRun, redistributors, on: self)
  }
}

/// The words of the statistics.
package struct SimulatedCounts: CountMemory {
  let places: Places
  package func load(_ index: UInt64) -> UInt64 { places.counts[Int(index)] }
  package func store(_ value: UInt64, at index: UInt64) { places.counts[Int(index)] = value }
}

/// What answers SMC.
package struct SimulatedFirmware: Firmware {
  let hardware: BoardHardware?
  package func call(_ call: SMCCC.Call) -> SMCCC.Result {
    guard let hardware else { return SMCCC.Result(SMCCC.notSupported) }
    hardware.calls.append(call)
    if call.function == PSCI.systemOff { hardware.isOff = true }
    if call.function == PSCI.affinityInfo64 {
      return SMCCC.Result(hardware.affinityInfo[call.argument1] ?? 1)
    }
    return SMCCC.Result(0)
  }
}

/// The console, or the text that EL2 leaves for firmware.
package struct SimulatedConsole: LogOutput {
  let hardware: BoardHardware
  let base: VirtualAddress?
  package func send(_ byte: UInt8) -> Bool {
    guard let base else {
      hardware.firmwareText.unicodeScalars.append(Unicode.Scalar(byte))
      return true
    }
    return hardware.write(.word, UInt64(byte), at: base)
  }
}

/// The TLBs.
package struct SimulatedTLB: TranslationCache {
  let hardware: BoardHardware
  package func invalidateStage2(_ pages: PageRange) { hardware.forgetHost(pages) }
  package func invalidateStage2All() { hardware.forgetHost(nil) }
  package func invalidateEL2(_ address: VirtualAddress, count: UInt64) {
    hardware.forgetEL2(address, count)
  }
}

/// The registers of the board, by what EL2 maps.
package struct SimulatedRegisters: DeviceMemory {
  let hardware: BoardHardware
  package func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? {
    hardware.read(width, at: address)
  }
  package func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool {
    hardware.write(width, value, at: address)
  }
  package func orderAccesses() { hardware.memory.publish() }
}

/// The pages of EL2: those of the image always, others where EL2 maps them.
package struct SimulatedTables: WatchedMemory {
  let hardware: BoardHardware

  package var memory: PhysicalMemory { hardware.memory }

  private func check(_ address: UInt64) {
    let address = PhysicalAddress(address)
    guard !BoardHardware.image.contains(address),
      hardware.el2(VirtualLayout.linear(address)) != address.rawValue
    else { return }
    hardware.accessFaults.append("EL2 comes to a table at \(hex(address.rawValue))")
  }

  package func willLoad(_ address: UInt64, isGuarded: Bool) { check(address) }
  package func willStore(_ address: UInt64, isGuarded: Bool) { check(address) }
}

/// Memory that EL2 maps.
package struct SimulatedMappedMemory: WatchedMemory {
  let hardware: BoardHardware

  package var memory: PhysicalMemory { hardware.memory }

  private func isMapped(_ address: PhysicalAddress) -> Bool {
    if hardware.el2(VirtualLayout.linear(address)) == address.rawValue { return true }
    hardware.accessFaults.append(
      "EL2 comes to memory at \(hex(address.rawValue)), which is not mapped")
    return false
  }

  package func load(_ address: PhysicalAddress) -> UInt64 {
    if isMapped(address), !hardware.memory.answers(address.rawValue) {
      hardware.accessFaults.append("EL2 has no answer at \(hex(address.rawValue))")
    }
    return hardware.memory.load(.double, at: address.rawValue)
  }
  package func store(_ value: UInt64, at address: PhysicalAddress) {
    if isMapped(address) { hardware.memory.storeAsHypervisor(value, at: address.rawValue) }
  }
  package func tryLoad(_ address: PhysicalAddress) -> UInt64? {
    guard isMapped(address), hardware.memory.answers(address.rawValue) else { return nil }
    return hardware.memory.load(.double, at: address.rawValue)
  }
  package func tryStore(_ value: UInt64, at address: PhysicalAddress) -> Bool {
    guard isMapped(address), hardware.memory.answers(address.rawValue) else { return false }
    hardware.memory.storeAsHypervisor(value, at: address.rawValue)
    return true
  }
  package func zero(_ address: PhysicalAddress, size: UInt64) {
    guard isMapped(address), isMapped(PhysicalAddress(address.rawValue + size - 1)) else { return }
    // Most of it is zero since the board was made.
    hardware.memory.forEachNonzero(in: address.rawValue, size: size, by: .processor) { (word, _) in
      hardware.memory.storeAsHypervisor(0, at: word)
    }
  }
}

/// What the driver of the SMMU needs.
package struct SimulatedSMMUMachine: SMMUMachine {
  let hardware: BoardHardware
  package var memory: SimulatedMappedMemory { SimulatedMappedMemory(hardware: hardware) }
  package var registers: SimulatedRegisters { SimulatedRegisters(hardware: hardware) }
  package func mayLookAgain(after looks: UInt64) -> Bool { looks < 16 }
}
