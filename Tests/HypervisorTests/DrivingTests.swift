// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Hypervisor
import Simulation
import SimulatedHardware
import Testing

/// A host that drives the first ITS of its board, and the LPIs of its first CPU.
final class Driver {
  /// Where the host has its queue and tables.
  static let queue: UInt64 = 0x4a00_0000
  static let devices: UInt64 = 0x4a01_0000
  static let collections: UInt64 = 0x4a02_0000
  static let events: UInt64 = 0x4a03_0000
  static let configuration: UInt64 = 0x4a10_0000
  static let pending: UInt64 = 0x4a20_0000
  static let redistributor: UInt64 = 0x80a_0000

  let board: BoardHardware
  private let its = BoardHardware.its(0)
  private var offset: UInt64 = 0

  init(_ board: BoardHardware) { self.board = board }

  func read(_ register: UInt64) -> UInt64 {
    if case .value(let value) = board.load(.double, its + register) { return value }
    return .max
  }

  /// Installs queue and tables, and enables LPIs and the ITS.
  func begin() {
    for register in stride(from: UInt64(0x100), to: 0x140, by: 8) {
      let kind = read(register) >> 56 & 7
      guard kind == 1 || kind == 4 else { continue }
      let table = kind == 1 ? Self.devices : Self.collections
      #expect(board.store(.double, its + register, 1 << 63 | table) == .value(0))
    }
    #expect(board.store(.double, its + 0x80, 1 << 63 | Self.queue) == .value(0))
    #expect(board.store(.word, its, 1) == .value(0))
    board.memory.store(.byte, 0xa1, at: Self.configuration)
    #expect(
      board.store(.double, Self.redistributor + 0x70, Self.configuration | 15) == .value(0))
    #expect(board.store(.double, Self.redistributor + 0x78, Self.pending) == .value(0))
    #expect(board.store(.word, Self.redistributor, 1) == .value(0))
  }

  /// Has the ITS carry out a command, by a doorbell; false where it does not come past it.
  func send(_ word0: UInt64, _ word1: UInt64 = 0, _ word2: UInt64 = 0) -> Bool {
    for (index, word) in [word0, word1, word2, 0].enumerated() {
      board.memory.store(.double, word, at: Self.queue + offset + UInt64(index) * 8)
    }
    offset += 32
    _ = board.store(.word, its + 0x88, offset)
    return (0..<16).contains { _ in read(0x90) & 0xf_ffe0 == offset }
  }

  /// Maps an event of device 0 to LPI 8192 on the first CPU.
  func map() {
    #expect(send(0x09, 0, 1 << 63))  // MAPC
    #expect(send(0x08, 4, 1 << 63 | Self.events))  // MAPD
    #expect(send(0x0a, 8192 << 32, 0))  // MAPTI
    #expect(send(0x0c))  // INV
  }

  /// Writes down what is live for a handover, and where.
  func describe(_ descriptor: UInt64) {
    let bases = (0..<8 as Range<UInt64>).map { read(0x100 + $0 * 8) }
    let words: [UInt64] =
      [1, its, read(0x80), Self.queue + 0x1000, 1, 1, 0, 0] + bases
      + [UInt64](repeating: 0, count: 8)
      // Device 0, whose EventIDs have five bits, and collection 0 on the first CPU.
      + [5 << 32, Self.events, 0]
    for (index, word) in words.enumerated() {
      board.memory.store(.double, word, at: descriptor + UInt64(index) * 8)
    }
  }
}

@Suite("A host that drives its hardware")
struct DrivingTests {
  private func started(_ options: BoardOptions = BoardOptions()) throws -> BoardHardware {
    let board = try BoardHardware(options)
    _ = try #require(board.start(), "\(board.console)")
    return board
  }

  @Test("Its interrupts arrive, recorded or not", arguments: ["", "portcullis.trace"])
  func delivers(_ arguments: String) throws {
    var options = BoardOptions()
    options.bootArguments = arguments
    let board = try started(options)
    let driver = Driver(board)
    driver.begin()
    driver.map()
    #expect(driver.send(0x03))  // INT
    #expect(board.gic.delivered == [.init(interrupt: 8192, redistributor: 0)])
    // What the hardware uses can't be given to anybody else.
    #expect(throws: (any Error).self) { try board.claim(Driver.queue) }
    #expect(throws: (any Error).self) { try board.claim(Driver.pending) }
    #expect(driver.send(0x08, 4, Driver.events))  // MAPD, no longer valid
    #expect(board.violations().isEmpty)
  }

  @Test("The hardware learns of no table that the host names, and what it refuses is told")
  func refused() throws {
    let board = try started()
    let driver = Driver(board)
    driver.begin()
    let image = BoardHardware.image.base.rawValue
    let content = board.memory.load(.double, at: image + 0x1_0000)
    #expect(driver.send(0x09, 0, 1 << 63))
    _ = driver.send(0x08, 4, 1 << 63 | image + 0x1_0000)
    _ = driver.send(0x0a, 8192 << 32, 0)
    _ = driver.send(0x09, 0, 1 << 63 | 9 << 16)  // MAPC to a Redistributor that is not there
    #expect(board.memory.load(.double, at: image + 0x1_0000) == content)
    #expect(board.violations().isEmpty)
    _ = board.call(SMCCC.Call(PSCI.systemOff))
    #expect(board.console.contains("portcullis: ITS 0"))
  }

  @Test("A live ITS is handed over, and goes on")
  func handsOver() throws {
    var options = BoardOptions()
    options.bootArguments = "portcullis.handover"
    let board = try started(options)
    let driver = Driver(board)
    driver.begin()
    driver.map()
    #expect(driver.send(0x03))
    // Not with a table that is EL2's own.
    let descriptor: UInt64 = 0x4a30_0000
    driver.describe(descriptor)
    board.memory.store(
      .double, BoardHardware.image.base.rawValue + 0x1_0000, at: descriptor + 200)
    #expect(Int64(bitPattern: board.call(.own(0x200, 0, descriptor)).x0) < 0)
    driver.describe(descriptor)
    #expect(board.call(.own(0x200, 0, descriptor)).x0 == 0)
    // The hardware's tables are EL2's from here on, and the host goes on in its new queue.
    #expect(board.hostAddress(Driver.events) == nil)
    #expect(board.call(.own(0x201)).x0 == 0)
    #expect(board.gic.services[0].message(device: 0, event: 0) == nil)
    #expect(board.gic.delivered.count == 2)
    #expect(board.violations().isEmpty && !board.isOff)
    _ = board.call(SMCCC.Call(PSCI.systemOff))
    #expect(board.console.contains("ITS 0 handed over"))
  }

  @Test(
    "What is counted is told by number, and in a few lines at the end", arguments: Devices.allCases)
  func statistics(_ devices: Devices) throws {
    let board = try started(devices.options)
    let driver = Driver(board)
    driver.begin()
    driver.map()
    #expect(board.statistic(.itses) == 1 && board.statistic(.redistributors) == 2)
    #expect(board.statistic(.tablesHeld) > 0 && board.statistic(.tablesEnabled) == 1)
    #expect(board.statistic(.traps) > 10 && board.statistic(.calls) > 2)
    #expect(board.statistic(.claimedPages) > 16 && board.statistic(.pins) > 0)
    #expect(board.statistic(.smmus) == (devices == .unconfined ? 0 : 1))
    #expect(board.statistic(.lostLines) == 0)
    // MAPC, MAPD, MAPTI and INV of ITS 0.
    #expect(board.statistic(.doorbells) == 4)
    #expect(board.call(.own(0x301, 512 * 9)).x0 == UInt64(bitPattern: -3))
    #expect(board.call(.own(0x301, 15)).x0 == UInt64(bitPattern: -3))
    let lines = board.console.split(separator: "\n").count
    _ = board.call(SMCCC.Call(PSCI.systemOff))
    #expect(board.console.contains("portcullis: statistics: "))
    #expect(board.console.split(separator: "\n").count - lines <= 12)
  }

  // MARK: What a loader has brought

  private func withKernel(_ further: String = "") -> BoardOptions {
    var options = BoardOptions()
    options.furtherNodes = """
      chosen { kernel@48000000 { compatible = "multiboot,kernel", "multiboot,module";
        reg = <0 0x48000000 0 0x100000>; bootargs = "quiet"; }; \(further) };
      """
    return options
  }

  @Test("A kernel that a loader has brought is started where it lies")
  func kernel() throws {
    let board = try BoardHardware(
      withKernel(
        """
        disk@49000000 { compatible = "multiboot,ramdisk", "multiboot,module";
          reg = <0 0x49000000 0 0x1000>; };
        """))
    // The header of an arm64 image: text offset, size in memory, magic.
    board.memory.store(.double, 0, at: 0x4800_0008)
    board.memory.store(.double, 0x30_0000, at: 0x4800_0010)
    board.memory.store(.double, 0x644d_5241, at: 0x4800_0038)
    let start = try #require(board.start(), "\(board.console)")
    #expect(start.entry.rawValue == 0x4800_0000)
    #expect(!(0x4800_0000..<0x4830_0000 ~= start.argument))
    #expect(board.violations().isEmpty)
  }

  @Test("One that lies where it can't run is refused")
  func misplaced() throws {
    let board = try BoardHardware(withKernel())
    board.memory.store(.double, 0x8_0000, at: 0x4800_0008)
    board.memory.store(.double, 0x30_0000, at: 0x4800_0010)
    board.memory.store(.double, 0x644d_5241, at: 0x4800_0038)
    #expect(board.start() == nil)
    #expect(board.isOff && board.console.contains("a boot module cannot be used"))
  }

  @Test("So is one in whose memory something else lies")
  func overlapping() throws {
    let board = try BoardHardware(
      withKernel(
        """
        disk@48200000 { compatible = "multiboot,ramdisk", "multiboot,module";
          reg = <0 0x48200000 0 0x1000>; };
        """))
    board.memory.store(.double, 0, at: 0x4800_0008)
    board.memory.store(.double, 0x30_0000, at: 0x4800_0010)
    board.memory.store(.double, 0x644d_5241, at: 0x4800_0038)
    #expect(board.start() == nil)
    #expect(board.isOff && board.console.contains("a boot module cannot be used"))
  }

  // MARK: Masters

  private func withMasters(_ arguments: String) -> BoardOptions {
    var options = BoardOptions()
    options.hasSMMU = true
    options.bootArguments = arguments
    options.furtherNodes = """
      dma@a100000 { compatible = "some,dma"; reg = <0 0xa100000 0 0x1000>; #dma-cells = <1>; };
      ethernet@a000000 { msi-parent = <&its0 3>; };
      """
    return options
  }

  @Test("A master that nothing confines is told of, or claimed", arguments: [false, true])
  func masters(_ isClaimed: Bool) throws {
    let board = try started(withMasters(isClaimed ? "portcullis.masters=claim" : ""))
    #expect((board.hostAddress(0xa10_0000) == nil) == isClaimed)
    #expect(board.console.contains("/dma@a100000"))
    #expect(board.violations().isEmpty)
  }

  @Test("Where DeviceIDs are listed, others aren't mapped")
  func devices() throws {
    let board = try started(withMasters("portcullis.deviceids=listed"))
    let driver = Driver(board)
    driver.begin()
    #expect(driver.send(0x09, 0, 1 << 63))
    #expect(driver.send(0x08 | 3 << 32, 4, 1 << 63 | Driver.events))
    #expect(driver.send(0x0a | 3 << 32, 8192 << 32, 0))
    #expect(driver.send(0x0c | 3 << 32))
    _ = driver.send(0x08 | 4 << 32, 4, 1 << 63 | (Driver.events + 0x1000))
    _ = driver.send(0x0a | 4 << 32, 8193 << 32, 0)
    #expect(board.gic.services[0].message(device: 3, event: 0) == nil)
    #expect(board.gic.services[0].message(device: 4, event: 0) != nil)
  }

  // MARK: SMMUs

  @Test("A device behind the SMMU that the host sees reaches what the host lets it")
  func nested() throws {
    let board = try started(Devices.nested.options)
    let smmu = try #require(board.smmu)
    let table: UInt64 = 0x4b00_0000
    let commands: UInt64 = 0x4b10_0000
    let events: UInt64 = 0x4b11_0000
    func write(_ offset: UInt64, _ value: UInt64, _ width: AccessWidth = .word) {
      #expect(board.store(width, smmu.base + offset, value) == .value(0), "\(offset)")
    }
    func send(_ index: UInt64, _ word0: UInt64, _ word1: UInt64 = 0) {
      board.memory.store(.double, word0, at: commands + index * 16)
      board.memory.store(.double, word1, at: commands + index * 16 + 8)
      write(0x98, index + 1)
    }
    // Streams 0 to 15 in one level: number 8 passes, the others are not valid.
    write(0x80, table, .double)
    write(0x88, 4)
    board.memory.store(.double, 1 | 0b100 << 1, at: table + 8 * 64)
    board.memory.store(.double, 1 << 44, at: table + 8 * 64 + 8)
    write(0x90, commands | 5, .double)
    write(0xa0, events | 5, .double)
    write(0x20, 0b1000)
    send(0, 0x04, 31)  // CFGI_ALL
    send(1, 0x30)  // TLBI_NSNH_ALL
    send(2, 0x46)  // SYNC
    write(0x20, 0b1101)
    #expect(smmu.write(8, 0x4800_0000, 1) == .completed(0))
    #expect(smmu.write(8, BoardHardware.image.base.rawValue, 1) != .completed(0))
    #expect(smmu.write(9, 0x4800_0000, 1) != .completed(0))
    // The table is EL2's to look at as long as it is one.
    #expect(throws: (any Error).self) { try board.claim(commands) }
    // The tree names no device of stream 9: its event is EL2's, as that of stage 2 is.
    #expect(board.load(.word, smmu.base + 0x1_00a8) == .value(0))
    #expect(board.statistic(.smmuEvents) == 2)
    // That of stream 8 without an entry is the host's to read.
    board.memory.store(.double, 0, at: table + 8 * 64)
    send(3, 0x03 | 8 << 32, 1)  // CFGI_STE
    send(4, 0x46)  // SYNC
    #expect(smmu.write(8, 0x4800_0000, 1) != .completed(0))
    #expect(board.load(.word, smmu.base + 0x1_00a8) == .value(1))
    #expect(board.statistic(.smmuEvents) == 2)
    write(0x20, 0)
    #expect(board.violations().isEmpty)
  }

  @Test("An SMMU that stops confirming keeps pages where they are, and says so")
  func unconfirmed() throws {
    let board = try started(Devices.owned.options)
    let smmu = try #require(board.smmu)
    #expect(smmu.write(8, 0x4800_0000, 1) == .completed(0))
    smmu.isFrozen = true
    #expect(throws: (any Error).self) { try board.claim(0x4800_0000) }
    #expect(board.hostAddress(0x4800_0000) != nil)
    #expect(board.statistic(.keptPages) == 1)
  }
}
