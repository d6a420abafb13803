// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import ACPI
import Architecture
import Boards
import Testing

@Suite("Boards of ACPI tables") struct ACPIBoardTests {
  @Test("A board has what its tables tell")
  func whole() throws {
    let iort = IORTSource.table([
      IORTSource.group(0), IORTSource.smmu(), IORTSource.monitor(0x2b42_0000, 0x2b43_0000),
      IORTSource.reserved((0x4700_0000, 0x10_0000)),
    ])
    let madt = MADT.table([
      MADT.distributor(), MADT.redistributors(0x80a_0000, 0xf6_0000), MADT.cpu(0),
      MADT.cpu(0x1_0000_0001), MADT.cpu(3, flags: 8), MADT.cpu(4, flags: 0), MADT.its(0x808_0000),
    ])
    let ram = try #require(range(0x4000_0000, 0x1000_0000))
    let kept = try #require(range(0x4800_0000, 0x1000))
    let reading = try Reading(
      [madt, fadt(), spcr(), mcfg((0x40_1000_0000, 0, 0, 255)), iort], memory: [ram],
      reserved: [kept])
    let board = reading.board
    #expect(reading.lines.isEmpty)
    #expect(board.verdict == .protectable)
    #expect(board.distributor == range(0x800_0000, 0x1_0000))
    #expect(board.redistributors.count == 1)
    #expect(board.redistributors[0].range == range(0x80a_0000, 0xf6_0000))
    #expect(board.redistributors[0].stride == nil)
    #expect(board.itses.count == 1)
    #expect(board.itses[0].region == range(0x808_0000, 0x2_0000))
    #expect(board.itses[0].controlFrame == range(0x808_0000, 0x1_0000))
    #expect(board.itses[0].translationFrame == range(0x809_0000, 0x1_0000))
    #expect(board.itses[0].traits == .none)
    #expect(board.cpus.indices.map { board.cpus[$0] } == [0, 0x1_0000_0001, 3])
    #expect(board.psci?.conduit == .smc)
    #expect(board.console?.kind == .pl011)
    #expect(board.console?.range == range(0x900_0000, 0x1000))
    #expect(board.iommus.count == 1)
    #expect(board.iommus[0].range == range(0x905_0000, 0x2_0000))
    #expect(board.iommus[0].isCoherent)
    #expect(
      board.monitors.indices.map { board.monitors[$0].range.base.rawValue } == [
        0x2b42_0000, 0x2b43_0000,
      ])
    #expect(board.monitors[0].range.size == 0x1000)
    #expect(board.memory.count == 1)
    #expect(
      board.reserved.indices.map { board.reserved[$0].range } == [
        kept, range(0x4700_0000, 0x10_0000),
      ])
    let model = try #require(board.model)
    #expect(
      Array(copy([madt])[model.offset..<(model.offset + model.count)])
        == Array("PORTCLTABLES  ".utf8))
  }

  @Test(
    "A board is refused, with table, offset and rule",
    arguments: [
      (
        [MADT.table([MADT.redistributors(0x80a_0000, 0x2_0000), MADT.cpu(0)])],
        "ACPI: the board has no GICv3"
      ),
      ([fadt()], "ACPI: the board has no GICv3"),
      ([MADT.table([MADT.distributor(version: 0)])], "ACPI: the board has no GICv3"),
      ([MADT.table([MADT.distributor(), MADT.cpu(0, flags: 0)])], "ACPI: the board has no GICv3"),
      (
        [MADT.table([MADT.distributor(version: 2)])],
        "APIC+0x2c: GIC Version: is an interrupt controller that is not supported"
      ),
      ([MADT.board(MADT.distributor(0x900_0000))], "APIC+0xa4: is there a second time"),
      (
        [MADT.board([0x1c, 4, 0, 0])],
        "APIC+0xa4: Type: is an interrupt controller that is not supported"
      ),
      (
        [MADT.board([0x0f, 19] + Array(repeating: 0, count: 17))],
        "APIC+0xa4: Length: has an impossible length of 19 bytes"
      ),
      (
        [MADT.board([0x0b, 75] + Array(repeating: 0, count: 73))],
        "APIC+0xa4: Length: has an impossible length of 75 bytes"
      ),
      (
        [MADT.board([0x0e, 15] + Array(repeating: 0, count: 13))],
        "APIC+0xa4: Length: has an impossible length of 15 bytes"
      ),
      ([MADT.board([0x0f, 1])], "APIC+0xa4: Length: has an impossible length of 166 bytes"),
      ([MADT.board([0x0f, 0])], "APIC+0xa4: Length: has an impossible length of 166 bytes"),
      ([MADT.board([0x0f, 20, 0, 0])], "APIC+0xa4: Length: has an impossible length of 168 bytes"),
      ([MADT.board([0x0f])], "APIC+0xa4: Length: has an impossible length of 165 bytes"),
      (
        [MADT.board(MADT.its(0x808_1000))],
        "APIC+0xa4: Base Address: base 0x8081000 is not a multiple of the page size 0x10000"
      ),
      (
        [MADT.board(MADT.its(.max - 0xffff))],
        "APIC+0xa4: Base Address: 0xffffffffffff0000 size 0x20000 passes the end of the address space"
      ),
      (
        [MADT.board(MADT.its(1 << 52))],
        "APIC+0xa4: Base Address: 0x10000000000000 size 0x20000 is beyond 52-bit physical addresses"
      ),
      (
        [MADT.board(MADT.its(0x808_0000), MADT.its(0x809_0000, identifier: 1))],
        "APIC+0xb8: Base Address: overlaps 0x8080000 size 0x20000 of APIC+0xa4"
      ),
      (
        [MADT.board(MADT.its(0x7ff_0000))],
        "APIC+0x2c: Base Address: overlaps 0x7ff0000 size 0x20000 of APIC+0xa4"
      ),
      ([MADT.board(MADT.redistributors(0x900_0000, 0))], "APIC+0xa4: Base Address: has no size"),
      ([MADT.board(MADT.cpu(1))], "APIC+0xa4: there is no enabled PSCI to start the CPU"),
      (
        [MADT.board(MADT.cpu(1), MADT.cpu(2))],
        "APIC+0xf4: there is no enabled PSCI to start the CPU"
      ),
      (
        [MADT.board(MADT.cpu(1)), table("FACP", [0])],
        "FACP+0x24: there is no enabled PSCI to start the CPU"
      ),
      ([MADT.board(MADT.cpu(1)), fadt(0)], "FACP+0x81: there is no enabled PSCI to start the CPU"),
      (
        [MADT.board(MADT.cpu(1)), fadt(major: 5, minor: 0)],
        "FACP+0x81: there is no enabled PSCI to start the CPU"
      ),
      (
        [MADT.board(MADT.cpu(1, parking: 1)), fadt()],
        "APIC+0xa4: Parking Protocol Version: is not psci: the CPU may run the host at EL2"
      ),
      (
        [MADT.board(MADT.cpu(1, flags: 0, parking: 1)), fadt()],
        "APIC+0xa4: Parking Protocol Version: is not psci: the CPU may run the host at EL2"
      ),
      (
        [MADT.board(), mcfg((0x800_0000, 0, 0, 0))],
        "MCFG+0x2c: Base Address: overlaps 0x80a0000 size 0xf60000 of APIC+0x44"
      ),
      (
        [MADT.board(), IORTSource.table([IORTSource.smmu(at: 0x80b_0000)])],
        "IORT+0x30: Base Address: overlaps 0x80a0000 size 0xf60000 of APIC+0x44"
      ),
      (
        [MADT.board(), IORTSource.table([IORTSource.smmu(at: .max)])],
        "IORT+0x30: Base Address: 0xffffffffffffffff size 0x20000 passes the end of the address space"
      ),
      (
        [MADT.board(), IORTSource.table([.init(type: 4, content: little(UInt64(0x905_0000)))])],
        "IORT+0x30: Length: has an impossible length of 24 bytes"
      ),
      (
        [MADT.board(), IORTSource.table([.init(type: 5, content: [])])],
        "IORT+0x30: Length: has an impossible length of 16 bytes"
      ),
      (
        [MADT.board(), IORTSource.table([IORTSource.monitor(0, .max)])],
        "IORT+0x30: Base Address: 0xffffffffffffffff size 0x1000 passes the end of the address space"
      ),
      (
        [MADT.board(), IORTSource.table([IORTSource.group()], count: 2)],
        "IORT+0x43: Length: has an impossible length of 68 bytes"
      ),
      (
        [MADT.board(), IORTSource.table([], count: 1)],
        "IORT+0x2f: Length: has an impossible length of 48 bytes"
      ),
      ([MADT.board(), IORTSource.table([], count: 1025)], "IORT+0x24: more than 1024"),
      (
        [MADT.board(), table("IORT", [])], "IORT+0x4: Length: has an impossible length of 36 bytes"
      ),
      // A node could begin there.
      (
        [
          MADT.board(),
          table(
            "IORT",
            little(UInt32(1), UInt32(44), UInt32(0x1000)) + Array(repeating: 0, count: 16)),
        ], "IORT+0x28: Length: has an impossible length of 64 bytes"
      ),
      (
        [
          MADT.board(),
          IORTSource.table([
            .init(
              type: 6,
              content: little(UInt32(0), UInt32(1), UInt32(16), UInt64(0), UInt64(0), UInt32(0)))
          ]),
        ], "IORT+0x30: Length: has an impossible length of 48 bytes"
      ),
      (
        [MADT.board(), IORTSource.table([IORTSource.reserved((0x4700_0000, 0x1000), count: 2)])],
        "IORT+0x30: Length: has an impossible length of 48 bytes"
      ),
      (
        [
          MADT.board(), IORTSource.table([IORTSource.reserved((0x4700_0000, 0x1000), count: .max)]),
        ], "IORT+0x30: Length: has an impossible length of 48 bytes"
      ),
      (
        [MADT.board(), IORTSource.table([IORTSource.reserved((0x4700_0000, 0))])],
        "IORT+0x4c: Base Address: has no size"
      ),
    ] as [([[UInt8]], String)])
  func refused(tables: [[UInt8]], line: String) throws {
    let reading = try Reading(tables, granule: line.contains("page size") ? .kib64 : .kib4)
    #expect(reading.lines.contains(line), "\(reading.lines)")
    #expect(reading.board.verdict == .refused)
  }

  @Test(
    "What the host can do without is warned of, and left out",
    arguments: [
      (
        [MADT.board(), spcr(space: 1)],
        "SPCR+0x28: Base Address Format: has a value that is not known"
      ),
      (
        [MADT.board(), spcr(access: 4)],
        "SPCR+0x28: Base Address Format: has a value that is not known"
      ),
      (
        [MADT.board(), table("SPCR", [3])],
        "SPCR+0x4: Length: has an impossible length of 37 bytes"
      ),
      (
        [MADT.board(), spcr(.max)],
        "SPCR+0x28: Base Address: 0xffffffffffffffff size 0x1000 passes the end of the address space"
      ),
      (
        [MADT.board(), table("MCFG", [1])], "MCFG+0x4: Length: has an impossible length of 37 bytes"
      ),
      (
        [MADT.board(), mcfg((0x40_1000_0000, 0, 2, 1))],
        "MCFG+0x2c: Bus Number: has a value that is not known"
      ),
      (
        [MADT.board(), mcfg((.max, 0, 2, 3))],
        "MCFG+0x2c: Base Address: 0xffffffffffffffff size 0x200000 passes the end of the address space"
      ),
      (
        [
          MADT.table([
            MADT.distributor(), MADT.redistributors(0x80a_0000, 0x2_0000), MADT.cpu(0),
            MADT.cpu(1 << 31),
          ]), fadt(),
        ], "APIC+0xa4: MPIDR: has a value that is not known"
      ),
    ] as [([[UInt8]], String)])
  func warned(tables: [[UInt8]], line: String) throws {
    let reading = try Reading(tables)
    #expect(reading.lines == [line])
    #expect(reading.board.verdict == .nothingToProtect)
    if line.hasPrefix("SPCR") { #expect(reading.board.console?.kind ?? .other == .other) }
  }

  @Test("Of too many parts the board is refused once for each list")
  func many() throws {
    let entries = (0..<70).map { MADT.redistributors(0x1_0000_0000 + UInt64($0) << 20, 0x2_0000) }
    let itses = (0..<40).map { MADT.its(0x2_0000_0000 + UInt64($0) << 20, identifier: UInt32($0)) }
    let cpus = (0..<520).map { MADT.cpu(UInt64($0)) }
    let spaces = (0..<300).map {
      little(0x10_0000_0000 + UInt64($0) << 28, UInt16($0), UInt8(0), UInt8(255), UInt32(0))
    }
    let reading = try Reading([
      MADT.table([MADT.distributor()] + entries + itses + cpus), fadt(),
      table("MCFG", little(UInt64(0)) + spaces.flatMap { $0 }),
    ])
    #expect(reading.board.verdict == .refused)
    #expect(reading.lines.count { $0.contains("more than 64") } == 2, "\(reading.lines)")
    #expect(reading.lines.contains { $0.hasSuffix("40 of them, more than 32") })
    #expect(reading.lines.contains { $0.hasSuffix("520 of them, more than 512") })
    #expect(reading.lines.contains("MCFG+0x4: Length: more than 256"))
    #expect(reading.board.cpus.count == 512)
  }

  @Test("A GIC without a version is one that has Redistributors")
  func versionless() throws {
    let reading = try Reading([
      MADT.table([
        MADT.distributor(version: 0), MADT.redistributors(0x80a_0000, 0x2_0000), MADT.cpu(0),
      ])
    ])
    #expect(reading.board.verdict == .nothingToProtect)
  }

  @Test(
    "Without regions of Redistributors, those of CPUs count; those that follow one another are one region"
  )
  func ofCPUs() throws {
    for (version, size) in [(UInt8(3), UInt64(0x2_0000)), (4, 0x4_0000)] {
      let cpus = [
        MADT.cpu(0, redistributor: 0x80a_0000), MADT.cpu(1, redistributor: 0x80a_0000 + size),
        MADT.cpu(2, redistributor: 0x900_0000),
        MADT.cpu(3, flags: 0, redistributor: 0x900_0000 + size),
        MADT.cpu(4, flags: 0),
      ]
      let reading = try Reading([MADT.table([MADT.distributor(version: version)] + cpus), fadt()])
      let regions = reading.board.redistributors
      #expect(
        regions.indices.map { regions[$0].range } == [
          range(0x80a_0000, 2 * size), range(0x900_0000, size), range(0x900_0000 + size, size),
        ])
      #expect(regions.indices.map { regions[$0].isUsed } == [true, true, false])
      // With a region these do not count, but none is left out.
      for (size, lines) in [
        (0x100_0000, []),
        (
          0x80_0000,
          ["APIC+0xf4: GICR Base Address: 0x9000000 lies in no region of Redistributors"]
        ),
      ] as [(UInt32, [String])] {
        let told = [MADT.distributor(version: version), MADT.redistributors(0x808_0000, size)]
        let other = try Reading([MADT.table(told + cpus), fadt()])
        #expect(other.board.redistributors.count == 1)
        #expect(other.lines == lines)
      }
    }
    let lacking = try Reading([
      MADT.table([
        MADT.distributor(), MADT.cpu(0, redistributor: 0x80a_0000), MADT.cpu(1),
      ]), fadt(),
    ])
    #expect(lacking.lines.first == "APIC+0x94: GICR Base Address: is missing")
    #expect(lacking.board.verdict == .refused)
    let wrapped = try Reading([
      MADT.table([
        MADT.distributor(), MADT.cpu(0, redistributor: .max - 0x1_ffff),
        MADT.cpu(1, redistributor: 0),
      ])
    ])
    #expect(wrapped.board.verdict == .refused)
  }

  @Test(
    "What is told of coherency is a trait of an ITS, or of all that the GIC has, whatever the order of entries"
  )
  func traits() throws {
    let own = try Reading([
      MADT.board(MADT.its(0x808_0000, flags: 1), MADT.its(0x810_0000 + 0x1000_0000, identifier: 1))
    ])
    #expect(own.board.itses[0].traits == .nonCoherent)
    #expect(own.board.itses[1].traits == .none)
    for last in [
      MADT.redistributors(0x900_0000 + 0x1000_0000, 0x2_0000, flags: 1), MADT.cpu(1, flags: 0x11),
    ] {
      let all = try Reading([MADT.board(MADT.its(0x808_0000), last), fadt()])
      #expect(all.board.itses[0].traits == .nonCoherent)
      #expect(all.board.gicTraits == .nonCoherent)
    }
  }

  @Test(
    "The console is what the SPCR says, and its registers are as far apart as they are wide",
    arguments: [
      (
        spcr(type: 0, bits: 8, access: 1), ConsoleDescription.Kind.uart8250, UInt8(0),
        AccessWidth.byte,
        UInt64(8)
      ),
      (spcr(type: 1, bits: 8, access: 0), .uart8250, 0, .byte, 8),
      (spcr(type: 0x12, bits: 32, access: 3), .uart8250, 2, .word, 32),
      (spcr(type: 0x12, bits: 16, access: 2), .uart8250, 1, .half, 16),
      (spcr(type: 0x12, bits: 32, access: 1), .uart8250, 2, .byte, 32),
      (spcr(type: 3), .pl011, 2, .word, 0x1000),
      (spcr(type: 3, bits: 8, access: 1), .pl011, 2, .byte, 0x1000),
      (spcr(type: 0x0d), .pl011, 2, .word, 0x1000), (spcr(type: 0x0e), .pl011, 2, .word, 0x1000),
      (spcr(type: 0x0f), .other, 2, .word, 0x1000),
      (spcr(type: 3, 0x900_0001), .other, 2, .word, 0x1000),
    ])
  func console(
    table: [UInt8], kind: ConsoleDescription.Kind, shift: UInt8, width: AccessWidth, size: UInt64
  ) throws {
    let console = try #require(try Reading([MADT.board(), table]).board.console)
    #expect(console.kind == kind)
    #expect(console.registerShift == shift)
    #expect(console.registerWidth == width)
    #expect(console.range.size == size)
  }

  @Test("No address is no console")
  func noConsole() throws {
    let reading = try Reading([MADT.board(), spcr(0)])
    #expect(reading.board.console == nil)
    #expect(reading.lines.isEmpty)
  }

  @Test(
    "The conduit of PSCI is what the FADT says",
    arguments: [(UInt16(1), PSCIDescription.Conduit.smc), (3, .hvc)])
  func conduit(flags: UInt16, conduit: PSCIDescription.Conduit) throws {
    #expect(try Reading([MADT.board(), fadt(flags)]).board.psci?.conduit == conduit)
    #expect(
      try Reading([MADT.board(), table("FACP", revision: 6, Array(repeating: 1, count: 95))]).board
        .psci == nil)
  }

  @Test("Models of SMMUs that differ are told apart, and coherency is what is told")
  func models() throws {
    let nodes = [
      IORTSource.smmu(at: 0x905_0000, flags: 0), IORTSource.smmu(at: 0x907_0000, model: 1),
      IORTSource.smmu(at: 0x909_0000, model: 2),
      IORTSource.monitor(0x90b_0000, 0x90c_0000, revision: 0),
    ]
    let reading = try Reading([MADT.board(), IORTSource.table(nodes)])
    let board = reading.board
    #expect(board.iommus.indices.map { board.iommus[$0].isCoherent } == [false, true, true])
    #expect(
      board.iommus.indices.map { board.iommus[$0].range.size } == [0x2_0000, 0x2_0000, 0x1_0000])
    #expect(board.monitors.count == 1)
    let iommus = reading.dma.iommus
    #expect(iommus.indices.map { iommus[$0].traits } == [.none, .noPrefetch, .onePage])
  }

  /// A table of another maker, for another board.
  private func made(_ table: [UInt8], by maker: String, for board: String = "BOARD   ") -> [UInt8] {
    var table = table
    table.replaceSubrange(10..<24, with: Array(maker.utf8) + Array(board.utf8))
    return sealed(table)
  }

  @Test func knowsAGICByItsMaker() throws {
    func traits(_ maker: String, _ board: String) throws -> ITSTraits {
      let madt = made(MADT.board(MADT.its(0x808_0000)), by: maker, for: board)
      let reading = try Reading([madt])
      #expect(reading.board.itses.count == 1)
      return reading.board.itses[0].traits
    }
    var both = ITSTraits.nonCoherent
    both.insert(.addresses32Bit)
    #expect(try traits("RKCP  ", "RK3588  ") == .nonCoherent)
    #expect(try traits("RKCP  ", "RK3568  ") == both)
    #expect(try traits("RKCPX ", "RK3568  ") == .none)
  }

  @Test func refusesSMMUsThatMayHaveQueuesBesideThem() throws {
    let iort = IORTSource.table([IORTSource.group(0), IORTSource.smmu()])
    let madt = MADT.board(MADT.its(0x808_0000))
    #expect(try Reading([madt, iort]).board.verdict == .protectable)
    let reading = try Reading([madt, made(iort, by: "NVIDIA")])
    #expect(reading.board.verdict == .refused)
    #expect(
      reading.lines == [
        "IORT+0x48: may have command queues of its maker beside it, which no table tells of"
      ])
  }
}
