// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards
import DeviceTree
import Foundation
import Testing

@Suite("Boards")
struct BoardTests {
  @Test("QEMU's virt board")
  func virt() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "virt-\(UUID()).dtb")
    defer { try? FileManager.default.removeItem(at: file) }
    _ = try output(
      of: "qemu-system-aarch64",
      [
        "-M", "virt,virtualization=on,gic-version=3,dtb-randomness=off,dumpdtb=\(file.path)",
        "-cpu", "cortex-a76", "-smp", "2", "-m", "1G", "-nic", "none",
      ])
    let (board, diagnostics, _) = try read([UInt8](Data(contentsOf: file)))
    #expect(board.verdict == .protectable)
    #expect(diagnostics.isEmpty)
    try #require(board.itses.count == 1)
    #expect(board.itses[0].controlFrame == range(0x808_0000, 0x1_0000))
    #expect(board.itses[0].translationFrame == range(0x809_0000, 0x1_0000))
    try #require(board.redistributors.count == 1)
    #expect(board.redistributors[0].range.base == PhysicalAddress(0x80a_0000))
    #expect(board.distributor == range(0x800_0000, 0x1_0000))
    try #require(board.memory.count == 1)
    #expect(board.memory[0] == range(0x4000_0000, 0x4000_0000))
    #expect(board.psci?.conduit == .smc)
    #expect(board.psci?.binding == .version1x0)
    #expect(board.console?.kind == .pl011)
    #expect(board.console?.range.base == PhysicalAddress(0x900_0000))
    try #require(board.cpus.count == 2)
    #expect(board.cpus[1] == 1)
  }

  @Test("nested buses translate with each level's own cells")
  func nested() throws {
    let (board, _, lines) = try read(
      compile(
        """
        \(gic) bus { #address-cells = <1>; #size-cells = <1>; ranges = <0x0 0x8 0x80000000 0x10000000>;
          inner { #address-cells = <2>; #size-cells = <1>; ranges = <1 0 0x100000 0x100000>;
            its { compatible = "vendor,its", "arm,gic-v3-its"; reg = <1 0x20000 0x20000>;
              dma-noncoherent; }; }; };
        """))
    #expect(lines.isEmpty)
    #expect(board.verdict == .protectable)
    try #require(board.itses.count == 1)
    #expect(board.itses[0].controlFrame == range(0x8_8012_0000, 0x1_0000))
    #expect(board.itses[0].traits == .nonCoherent)
  }

  @Test(
    "a refused board says node, property and reason",
    arguments: [
      ("reg = <0 0x8080800 0 0x20000>;", "/its: reg: base 0x8080800 is not a multiple"),
      ("reg = <0 0x8080000 0 0x20800>;", "/its: reg: size 0x20800 is not a multiple"),
      ("reg = <0 0x8080000 0 0x1000>;", "/its: reg: size 0x1000 is less than"),
      ("reg = <0 0x8080000 0>;", "/its: reg: has an impossible length of 12"),
      ("reg = <0 0x8080000 0 0>;", "/its: reg: has no size"),
      ("", "/its: reg: is missing"),
      ("reg = <0xffffffff 0xffff0000 0 0x20000>;", "/its: reg: 0xffffffffffff0000 size"),
      ("reg = <0x100000 0 0 0x20000>;", "/its: reg: 0x10000000000000 size"),
      ("reg = <0 0x40000000 0 0x20000>;", "/its: reg: overlaps memory"),
    ])
  func refused(reg: String, line: String) throws {
    let (board, _, lines) = try read(
      compile(
        """
        \(gic) its { compatible = "arm,gic-v3-its"; \(reg) };
        memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0 0x1000000>; };
        """))
    #expect(board.verdict == .refused)
    try #require(lines.count == 1)
    #expect(lines[0].hasPrefix(line))
  }

  @Test(
    "an ITS the bus does not make reachable is refused",
    arguments: [
      ("", "cannot be reached by the CPU: no ranges in /bus"),
      ("ranges = <0 0 0 0 0 0x10000>;", "is not covered by the ranges of /bus"),
      ("ranges = <0 0 0xffffffff 0xffff0000 0 0x10000000>;", "passes the end"),
      ("ranges = <0 0 0>;", "impossible length"),
      ("#address-cells = <3>; ranges;", "3 cells cannot be read"),
    ])
  func unreachable(bus: String, reason: String) throws {
    let cells = bus.contains("#address") ? "" : "#address-cells = <2>;"
    let (board, _, lines) = try read(
      compile(
        """
        \(gic) bus { \(cells) #size-cells = <2>; \(bus)
          its { compatible = "arm,gic-v3-its"; reg = <0 0x80000 0 0x20000>; }; };
        """))
    #expect(board.verdict == .refused)
    #expect(lines.count == 1 && lines[0].contains(reason))
  }

  @Test("at most 32 ITSes; one more is refused", arguments: [32, 33])
  func limit(count: Int) throws {
    let nodes = (0..<count).map {
      "its@\($0) { compatible = \"arm,gic-v3-its\"; reg = <\($0) 0 0 0x20000>; };"
    }
    let board = try read(compile(gic + nodes.joined())).board
    #expect(board.verdict == (count == 32 ? .protectable : .refused))
    #expect(board.itses.count == 32)
  }

  @Test("overlapping ITSes are refused")
  func overlap() throws {
    let (board, diagnostics, _) = try read(
      compile(
        """
        \(gic) a { compatible = "arm,gic-v3-its"; reg = <0 0x80000 0 0x20000>; };
        b { compatible = "arm,gic-v3-its"; reg = <0 0x90000 0 0x20000>; };
        """))
    #expect(board.verdict == .refused)
    #expect(diagnostics.count == 1)
  }

  @Test("64 KiB pages refuse what 4 KiB pages take", arguments: [Granule.kib4, .kib16, .kib64])
  func granules(granule: Granule) throws {
    let blob = try compile(
      gic + "its { compatible = \"arm,gic-v3-its\"; reg = <0 0x84000 0 0x24000>; };")
    #expect(try read(blob, granule).board.verdict == (granule == .kib64 ? .refused : .protectable))
  }

  @Test("modules without cells in /chosen, typed and untyped")
  func modules() throws {
    let board = try read(
      compile(
        """
        chosen { bootargs = "own";
          module@0x46000000 { compatible = "multiboot,ramdisk", "multiboot,module";
            reg = <0 0x46000000 0 0x1000>; };
          module@1 { compatible = "multiboot,module"; reg = <0 0x47000000 0 0x2000>; }; };
        """)
    ).board
    #expect(board.ramdisk?.range == range(0x4600_0000, 0x1000))
    #expect(board.kernel?.range == range(0x4700_0000, 0x2000))
  }

  @Test(
    "F-43: a board without a GICv3 is refused, whatever else it has",
    arguments: ["arm,gic-400", "arm,cortex-a15-gic", "apple,aic", "arm,gic-v3-its", "x,arm,gic-v3"])
  func noGICv3(compatible: String) throws {
    let (board, _, lines) = try read(
      compile(
        "intc { compatible = \"\(compatible)\"; reg = <0 0x8000000 0 0x20000>; };", gic: ""))
    #expect(board.verdict == .refused)
    #expect(lines == ["/: the board has no GICv3"])
  }

  @Test("F-43: a GICv3 that is disabled is one all the same: the CPU has its registers")
  func disabledGICv3() throws {
    let gic = gicV3(reg: "<0 0x8000000 0 0x10000>, <0 0x9000000 0 0x20000>; status = \"disabled\"")
    #expect(try read(compile("", gic: gic)).board.verdict != .refused)
  }

  @Test(
    "F-47: a console is a PL011 or an 8250, by its registers' distance and width",
    arguments: [
      ("\"arm,pl011\", \"arm,primecell\"", "", ConsoleDescription.Kind.pl011, 2, AccessWidth.word),
      ("\"arm,sbsa-uart\"", "reg-shift = <0>;", .pl011, 2, .word),
      ("\"arm,pl011\"", "reg-io-width = <2>;", .pl011, 2, .half),
      ("\"ns16550a\"", "", .uart8250, 0, .byte),
      ("\"vendor,uart\", \"ns16550\"", "reg-shift = <2>;", .uart8250, 2, .byte),
      ("\"snps,dw-apb-uart\"", "reg-shift = <2>; reg-io-width = <4>;", .uart8250, 2, .word),
      ("\"ti,am64-uart\", \"ti,am654-uart\"", "", .uart8250, 2, .word),
      ("\"mediatek,mt8195-uart\", \"mediatek,mt6577-uart\"", "", .uart8250, 2, .word),
      ("\"ns16550a\"", "reg-io-width = <3>;", .other, 0, .word),
      ("\"ns16550a\"", "reg-shift = <9>;", .other, 0, .byte),
      ("\"qcom,geni-debug-uart\"", "", .other, 2, .word),
    ])
  func console(
    compatible: String, properties: String, kind: ConsoleDescription.Kind, shift: UInt8,
    width: AccessWidth
  ) throws {
    let board = try read(
      compile(
        """
        chosen { stdout-path = "/uart"; };
        uart { compatible = \(compatible); reg = <0 0x9000000 0 0x1000>; \(properties) };
        """)
    ).board
    let console = try #require(board.console)
    #expect(console.kind == kind && console.registerShift == shift)
    #expect(console.registerWidth == width)
  }

  @Test(
    "F-47: a console whose registers are not all there, or are misaligned, is none",
    arguments: [
      ("arm,pl011", "0x9000000 0 0x1c", true), ("arm,pl011", "0x9000000 0 0x1b", false),
      ("arm,pl011", "0x9000002 0 0x1000", false), ("ns16550a", "0x9000ff8 0 6", true),
      ("ns16550a", "0x9000ff8 0 5", false), ("ns16550a", "0x9000001 0 8", true),
    ])
  func consoleRegisters(compatible: String, reg: String, isKnown: Bool) throws {
    let board = try read(
      compile(
        """
        chosen { stdout-path = "/uart"; };
        uart { compatible = "\(compatible)"; reg = <0 \(reg)>; };
        """)
    ).board
    let console = try #require(board.console)
    #expect((console.kind != .other) == isKnown)
  }

  @Test(
    "the initial RAM disk that /chosen names, in one cell or two",
    arguments: [
      ("<0x41000000>", "<0x41800000>", 0x80_0000), ("<0 0x41000000>", "<0 0x41800000>", 0x80_0000),
      ("<0x41000000>", "<0x41000000>", nil), ("<>", "<1>", nil),
    ] as [(String, String, UInt64?)])
  func initialRAMDisk(start: String, end: String, size: UInt64?) throws {
    let board = try read(
      compile(
        "chosen { linux,initrd-start = \(start); linux,initrd-end = \(end); };")
    ).board
    #expect(
      board.initialRAMDisk
        == size.flatMap { AddressRange(base: PhysicalAddress(0x4100_0000), size: $0) })
  }

  @Test(
    "F-45: too many CPUs or ITSes refuse the board with their number and the limit",
    arguments: [(512, 32), (513, 32), (512, 33), (600, 40)])
  func limits(cpus: Int, itses: Int) throws {
    let cpuNodes = (0..<cpus).map {
      "cpu@\($0) { device_type = \"cpu\"; enable-method = \"psci\"; reg = <\($0)>; };"
    }
    let itsNodes = (0..<itses).map {
      "its@\($0) { compatible = \"arm,gic-v3-its\"; reg = <\($0) 0 0 0x20000>; };"
    }
    let (board, _, lines) = try read(
      compile(
        """
        cpus { #address-cells = <1>; #size-cells = <0>; \(cpuNodes.joined()) };
        psci { compatible = "arm,psci-1.0"; method = "smc"; };
        \(itsNodes.joined())
        """, gic: gicV3(reg: "<0xfff 0 0 0x10000>, <0xfff 0x1000000 0 0x4000000>")))
    var expected: [String] = []
    if itses > 32 { expected.append("/its@32: \(itses) of them, more than 32") }
    if cpus > 512 { expected.append("/cpus/cpu@512: \(cpus) of them, more than 512") }
    #expect(lines == expected)
    #expect(board.verdict == (expected.isEmpty ? .protectable : .refused))
    #expect(board.cpus.count == 512 && board.itses.count == 32)
  }
}
