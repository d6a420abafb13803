// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Simulation
@testable import SimulatedHardware
@testable import Specification

/// What a host has of one ITS, and how it drives that.
///
///     0x0_0000  queue          0x3_0000  Interrupt Translation Tables, two in a page
///     0x1_0000  devices        0x6_0000  staging queue
///     0x1_8000  second level   0x7_0000  copies of the tables
///     0x2_0000  collections    0x8_0000  descriptor
final class HandoverHost {
  /// The bytes of its memory.
  static let size: UInt64 = 0x9_0000
  /// The bits of an EventID of each device.
  static let bits: UInt64 = 5

  let board: BoardHardware
  let index: Int
  let base: UInt64
  private let frame: UInt64
  private var queue: UInt64
  private var queueSize: UInt64 = 0x1000
  private var offset: UInt64 = 0
  private var devices: [UInt32] = []

  init(_ board: BoardHardware, _ index: Int) {
    self.board = board
    self.index = index
    base = Self.base(index)
    frame = BoardHardware.its(index)
    queue = base
  }

  static func base(_ index: Int) -> UInt64 { 0x4a00_0000 + UInt64(index) * 0x40_0000 }

  var hardware: SimulatedITS { board.gic.services[index] }
  /// Whether the hardware is enabled.
  var isLive: Bool { hardware.state.isEnabled }
  /// Whether the host reads the hardware's GITS_CBASER.
  var seesHardware: Bool { read(ITSRegister.commandBase.offset) == hardware.queueBase.rawValue }

  private func read(_ register: UInt64) -> UInt64 {
    if case .value(let value) = board.load(.double, frame + register) { return value }
    return .max
  }

  private func write(_ register: UInt64, _ value: UInt64, _ width: AccessWidth = .double) {
    _ = board.store(width, frame + register, value)
  }

  /// A store to memory; nothing where stage 2 has not the page.
  private func put(_ word: UInt64, at address: UInt64) {
    if board.hostAddress(address) != nil { board.memory.store(.double, word, at: address) }
  }

  private func table(of device: UInt32) -> UInt64 {
    base + 0x3_0000 + UInt64(device / 2) << 12 + UInt64(device % 2) << 11
  }

  // MARK: The ITS

  /// Gives a disabled ITS a queue and tables, as Linux does, enables it and maps devices.
  func setUp(_ dice: inout SeededGenerator) {
    guard !isLive else { return }
    hardware.pace = .instant
    for page in [0x1_0000, 0x1_8000, 0x2_0000] as [UInt64] {
      for offset in stride(from: 0, to: 4096, by: 8) as StrideTo<UInt64> {
        put(0, at: base + page + offset)
      }
    }
    let isIndirect = dice.below(2) == 0
    if isIndirect { put(base + 0x1_8000 | 1 << 63, at: base + 0x1_0000) }
    for number in 0..<8 as Range<UInt64> {
      let register = ITSRegister.tableBases.offset + number * 8
      switch GITSTableBase(rawValue: read(register)).kind {
      case .devices: write(register, 1 << 63 | (isIndirect ? 1 << 62 : 0) | base + 0x1_0000)
      case .collections:
        // Two ITSes may have one by mistake.
        let owner = dice.below(8) == 0 ? Self.base(0) : base
        write(register, 1 << 63 | owner + 0x2_0000)
      default: break
      }
    }
    (queue, queueSize, offset, devices) = (base, 0x1000 << dice.below(2), 0, [])
    write(ITSRegister.commandBase.offset, 1 << 63 | queue | (queueSize >> 12 - 1))
    write(ITSRegister.commandWrite.offset, 0)
    write(ITSRegister.control.offset, 1, .word)
    send(.mapc(0, target: 0))
    for device in 0..<UInt32(1 + dice.below(4)) { map(device) }
  }

  private func map(_ device: UInt32) {
    send(.mapd(device, table: table(of: device), eventIDBits: Self.bits))
    send(.mapti(device, 1, interrupt: 8192 + device, collectionID: 0))
    if !devices.contains(device) { devices.append(device) }
  }

  /// Clears Enabled.
  func disable() {
    hardware.pace = .instant
    write(ITSRegister.control.offset, 0, .word)
  }

  /// Has an ITS that is enabled map or unmap a device, or leaves commands in its queue.
  func command(_ dice: inout SeededGenerator, mayWait: Bool) {
    guard isLive else { return }
    hardware.pace = .instant
    hardware.run()
    let device = UInt32(dice.below(6))
    switch dice.below(mayWait ? 4 : 3) {
    case 0: map(device)
    case 1:
      send(.unmapd(device))
      devices.removeAll { $0 == device }
    case 2: send(.event(.int, device, 1))
    default:
      hardware.pace = .manual
      send(.sync(target: 0))
    }
  }

  private func send(_ command: ITSCommand) {
    for word in 0..<4 { put(command.words[word], at: queue + offset + UInt64(word) * 8) }
    offset = (offset + ITSCommand.size) % queueSize
    write(ITSRegister.commandWrite.offset, offset)
  }

  // MARK: The descriptor

  /// All that it knows, by the C header.
  func describe() -> Descriptor {
    Descriptor(
      place: base + 0x8_0000, frame: frame, commandBase: read(ITSRegister.commandBase.offset),
      staging: base + 0x6_0000,
      tables: (0..<8).map { read(ITSRegister.tableBases.offset + $0 * 8) },
      devices: devices.map { (id: $0, table: table(of: $0)) }, targets: [0])
  }

  /// Writes a descriptor where the host says that it is, if it can.
  func write(_ descriptor: Descriptor) {
    for (index, word) in descriptor.words.enumerated() {
      put(word, at: descriptor.place & ~7 + UInt64(index) * 8)
    }
  }

  /// Goes on in the staging queue, at the offset where it was.
  func goOn(in descriptor: Descriptor) {
    queue = descriptor.staging
    hardware.pace = .instant
  }

  /// The pages that the hardware uses, and those of the devices that are named.
  func uses(_ descriptor: Descriptor) -> [PageRange] {
    var ranges: [PageRange?] = hardware.reachable.map { reach in
      switch reach.use {
      case .queue, .table, .firstLevel: PageRange(PhysicalAddress(reach.base), bytes: reach.size)
      default: nil
      }
    }
    ranges += descriptor.devices.map { PageRange(PhysicalAddress($0.table), bytes: tableSize) }
    return ranges.compactMap { $0 }
  }

  /// The bytes of a device's table.
  var tableSize: UInt64 { max(hardware.typer.translationEntrySize << Self.bits, 256) }
}

/// What a host says of a live ITS.
struct Descriptor {
  var place: UInt64
  var version: UInt64 = 1
  var frame: UInt64
  var commandBase: UInt64
  var staging: UInt64
  var tables: [UInt64]
  var devices: [(id: UInt32, table: UInt64)]
  /// The target of each collection, from the first on.
  var targets: [UInt64]

  var words: [UInt64] {
    let header = [
      version, frame, commandBase, staging, UInt64(devices.count), UInt64(targets.count), 0, 0,
    ]
    // The host has its copies of the tables side by side.
    let copies = tables.indices.map { number in
      tables[number] >> 63 == 0 ? 0 : staging + 0x1_0000 + UInt64(number) << 12
    }
    let named = devices.flatMap { [UInt64($0.id) | HandoverHost.bits << 32, $0.table] }
    return header + tables + copies + named
      + targets.enumerated().map { UInt64($0.offset) | $0.element << 16 }
  }

  /// Says something that is wrong, or may be.
  mutating func spoil(_ flaw: Flaw, _ host: HandoverHost, _ dice: inout SeededGenerator) {
    let own = BoardHardware.image.base.rawValue + 0x1_0000
    switch flaw {
    case .none: break
    case .unaligned: place += 8
    case .hypervisorsDescriptor: place = own
    case .version: version = 2
    case .frame: frame += 0x1_0000
    case .commandBase: commandBase ^= 0x1000
    case .table: tables[Int(dice.below(8))] ^= 0x1000
    case .target: targets.append(9)
    case .twice: if let device = devices.first { devices.append(device) }
    case .overlap:
      if let device = devices.first { devices.append((id: 40, table: device.table + 0x100)) }
    case .hypervisorsTable: devices.append((id: 40, table: own))
    case .tableInQueue: devices.append((id: 40, table: commandBase & 0xf_ffff_f000))
    case .tableOfOthers:
      devices.append(
        (
          id: 40,
          table: HandoverHost.base(Int(dice.below(UInt64(host.board.options.services))))
            + dice.below(9) << 16
        ))
    case .unalignedStaging: staging += 0x100
    case .hypervisorsStaging: staging = own
    case .stagingInQueue: staging = commandBase & 0xf_ffff_f000
    }
  }
}

/// What is wrong with a descriptor, or may be.
enum Flaw: CaseIterable {
  case none, unaligned, hypervisorsDescriptor, version, frame, commandBase, table, target, twice,
    overlap,
    hypervisorsTable, tableInQueue, tableOfOthers, unalignedStaging, hypervisorsStaging,
    stagingInQueue

  /// None, or any.
  static func any(_ dice: inout SeededGenerator) -> Flaw {
    dice.below(3) == 0 ? .none : allCases[Int(dice.below(UInt64(allCases.count)))]
  }
}

// By `Handover.md`, What EL2 checks; the numbers are those of `portcullis_hypercalls.h`.
extension HandoverWalk {
  /// What the call must answer: the first failure.
  func expectedAnswer(_ descriptor: Descriptor, _ host: HandoverHost) -> Int64 {
    guard isOffered(host.index) else { return -4 }
    // The page of it that is read must be the host's.
    guard descriptor.place & 0xfff == 0, isHosts(descriptor.place >> 12) else { return -16 }
    guard descriptor.version == 1, descriptor.frame == BoardHardware.its(host.index) else {
      return -17
    }
    let hardware = host.hardware
    guard host.isLive else { return -19 }
    guard descriptor.commandBase == hardware.queueBase.rawValue else { return -21 }
    guard hardware.readPointer.rawValue == hardware.writePointer.rawValue else { return -20 }
    for (number, table) in descriptor.tables.enumerated()
    where table != hardware.tableBase(number).rawValue { return -21 }
    var claimed: Set<UInt64> = []
    func claim(_ range: PageRange) -> Bool {
      for page in range.pages.map(\.rawValue) {
        guard isFree(page), claimed.insert(page).inserted else { return false }
      }
      return true
    }
    for range in host.uses(Descriptor(ofTablesIn: descriptor)) where !claim(range) { return -27 }
    if descriptor.targets.contains(where: { $0 > 1 }) { return -26 }
    var tables: [(id: UInt32, bytes: Range<UInt64>)] = []
    for device in descriptor.devices {
      let bytes = device.table..<device.table + host.tableSize
      if tables.contains(where: { $0.id == device.id }) { return -25 }
      let isShared = tables.contains { $0.bytes.lowerBound >> 12 == device.table >> 12 }
      if isShared, tables.contains(where: { $0.bytes.overlaps(bytes) }) { return -30 }
      if !isShared, !claim(Self.pages(device.table & ~0xfff, 0x1000)) { return -27 }
      tables.append((device.id, bytes))
    }
    guard descriptor.staging & 0xfff == 0 else { return -17 }
    let staging = Self.pages(descriptor.staging, hardware.queueBase.size)
    let isStagingHosts = staging.pages.allSatisfy {
      isHosts($0.rawValue) && !claimed.contains($0.rawValue)
    }
    return isStagingHosts ? 0 : -27
  }
}

extension Descriptor {
  /// The same without devices.
  fileprivate init(ofTablesIn other: Descriptor) {
    self = other
    devices = []
  }
}
