// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards
internal import ITS
internal import Ownership
internal import UEFI

/// Firmware that goes on as the host: what it hands over, and what EL1's registers are to be for it.
struct FirmwareHost: Sendable {
  let offer: FirmwareOffer
  private let landing: PhysicalAddress
  private let regime: FirmwareRegime

  /// Holds the firmware's registers to what EL1 has for them; what it hands over is mapped.
  init(_ source: BootSource.Firmware, _ offer: FirmwareOffer) throws(StartupError) {
    self.offer = offer
    landing = source.landing
    do throws(FirmwareRefusal) {
      regime = try FirmwareRegime(source.registers)
    } catch {
      throw .firmware(error)
    }
  }

  /// Where it goes on.
  var start: HostStart { HostStart(entry: landing, argument: 0, regime: regime) }

  /// What it tells of memory, and what EL2 was told by its options.
  func given<Machine: BoardPlatform>(_ platform: Machine) throws(StartupError) -> Board.Given {
    var given = Board.Given()
    guard let map = map(platform) else { throw .firmwareMap }
    try map.forEach(nil) { (range) throws(StartupError) in
      guard given.memory.append(range) else { throw .firmwareMap }
    }
    try map.forEach(.reserved) { (range) throws(StartupError) in
      let reserved = ReservedMemory(node: nil, range: range, isUnmapped: true)
      guard given.reserved.append(reserved) else { throw .firmwareMap }
    }
    if let options = offer.options {
      let text = platform.bytes(of: options)
      var isKnown = true
      given.options = BootOptions(arguments: text) { place in
        isKnown = false
        var line = LogLine("option ")
        BootOptions.write(unknown: text.extracting(place), into: &line)
        platform.log(.error, line)
      }
      guard isKnown else { throw .options }
    }
    return given
  }

  @_lifetime(borrow platform)
  private func map<Machine: BoardPlatform>(_ platform: borrowing Machine) -> FirmwareMemoryMap? {
    guard let size = Int(exactly: offer.descriptorSize) else { return nil }
    return FirmwareMemoryMap(platform.bytes(of: offer.map), descriptorSize: size)
  }

  /// The memory that EL2 is given, which firmware keeps out of every operating system's reach.
  func memory<Machine: BoardPlatform>(
    cpus: Int, _ board: borrowing Board, image: AddressRange, _ platform: Machine
  ) throws(StartupError) -> BoardMemory {
    let size = BoardMemory.size(cpus: cpus, stack: platform.stackSize, itses: board.itses.count)
    let range = offer.memory
    guard range.base.isAligned(to: ITSSetup.arenaAlignment), range.size >= size,
      !range.overlaps(image), !range.overlaps(offer.block),
      let part = AddressRange(base: range.base, size: size),
      let own = BoardMemory(
        part, cpus: cpus, stack: platform.stackSize, itses: board.itses.count)
    else { throw .noRoomForEL2 }
    return own
  }

  /// Says how much of the room for the host's description is used.
  func tell<Machine: BoardPlatform>(hostDescription size: Int, _ platform: Machine) {
    let word = PhysicalAddress(offer.block.base.rawValue + FirmwareOffer.Word.hostUsed.offset)
    platform.memory.store(UInt64(size), at: word)
  }

  /// Has its translation mean at EL1 what it meant at EL2, or changes nothing; what it executes without its being
  /// memory.
  func adaptTables<Machine: BoardPlatform>(
    image: AddressRange, _ geometry: TranslationGeometry, _ early: inout EarlyState<Machine>,
    _ platform: Machine
  ) throws(StartupError) -> Stage2Plan.ExecutedRanges? {
    guard let map = map(platform) else { throw .firmwareMap }
    var executed: FirmwareTables.Executed?
    var memory = MappedFirmwareTables(
      early: early, platform: platform, map: map, image: image, memory: offer.memory)
    var refusal: FirmwareRefusal?
    do throws(FirmwareRefusal) {
      executed = try FirmwareTables.check(regime.geometry, in: &memory)
      try FirmwareTables.adapt(regime.geometry, in: &memory)
    } catch {
      refusal = error
    }
    early = memory.finish()
    if let refusal { throw .firmware(refusal) }
    var pages: Stage2Plan.ExecutedRanges?
    if let executed {
      for index in executed.indices {
        // Behind what stage 2 has, nothing is executed.
        guard let range = PageRange(covering: executed[index]),
          range.last.rawValue < geometry.pageLimit
        else {
          continue
        }
        if pages == nil { pages = Stage2Plan.ExecutedRanges(filler: range) }
        _ = pages?.append(range)
      }
    }
    return pages
  }
}

/// The firmware's tables, each mapped while it is open.
private struct MappedFirmwareTables<Machine: BoardPlatform>: ~Copyable, ~Escapable,
  FirmwareTableMemory
{
  private var early: EarlyState<Machine>
  private let platform: Machine
  private let map: FirmwareMemoryMap
  private let image: AddressRange
  private let memory: AddressRange

  @_lifetime(copy map)
  init(
    early: consuming EarlyState<Machine>, platform: Machine, map: consuming FirmwareMemoryMap,
    image: AddressRange, memory: AddressRange
  ) {
    self.early = early
    self.platform = platform
    self.map = map
    self.image = image
    self.memory = memory
  }

  consuming func finish() -> EarlyState<Machine> { early }

  @_lifetime(self: copy self)
  mutating func open(_ table: AddressRange) -> Bool {
    guard map.isMemory(table), !table.overlaps(image), !table.overlaps(memory) else { return false }
    do throws(StartupError) {
      try early.map(table, .data)
      return true
    } catch {
      return false
    }
  }

  func touchesMemory(_ range: AddressRange) -> Bool { map.touchesMemory(range) }

  @_lifetime(self: copy self)
  mutating func close(_ table: AddressRange) { early.unmap(table) }
  func load(_ address: PhysicalAddress) -> UInt64 { platform.memory.load(address) }
  func store(_ value: UInt64, at address: PhysicalAddress) {
    platform.memory.store(value, at: address)
  }
}
