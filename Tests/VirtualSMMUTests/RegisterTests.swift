// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU
import Simulation
import SimulatedHardware
import Testing
import Traps
import VirtualSMMU

@Suite("Registers of the virtual SMMU")
struct RegisterTests {
  @Test("The ID registers hide what the host must not have")
  func identification() throws {
    var configuration = NestedWorld.configuration
    configuration.hasVMIDWildcards = true
    configuration.canForceWriteBack = true
    configuration.hasSmallTables = true
    let world = try NestedWorld(configuration)
    let host = HostSMMUDriver(world)
    let idr0 = SMMUIDR0(rawValue: UInt32(host.read(0)))
    #expect(idr0.hasStage1 && idr0.isCoherent && idr0.hasASID16 && idr0.hasTwoLevelContextTables)
    #expect(idr0.hasAArch64Tables && idr0.hasTwoLevelStreamTables)
    #expect(!idr0.hasStage2 && !idr0.hasATS && !idr0.hasPRI && !idr0.hasMSI && !idr0.hasSEV)
    #expect(!idr0.hasHypervisorContexts && !idr0.hasVMID16 && !idr0.hasVMIDWildcards)
    #expect(!idr0.followsBroadcasts && !idr0.hasATOS && !idr0.hasVATOS)
    #expect(idr0.hardwareUpdates == 0 && idr0.stallModel == .terminateOnly)
    let idr1 = SMMUIDR1(rawValue: UInt32(host.read(4)))
    #expect(idr1.streamIDBits == 10 && idr1.substreamIDBits == 4)
    #expect(idr1.commandQueueLog2 == 8 && idr1.eventQueueLog2 == 7 && idr1.requestQueueLog2 == 0)
    #expect(!idr1.hasPresetQueues && !idr1.hasPresetTables && !idr1.hasEnhancedCommandQueues)
    let idr3 = SMMUIDR3(rawValue: UInt32(host.read(0xc)))
    #expect(idr3.hasRangeInvalidation && idr3.hasSmallTables && idr3.breakBeforeMake == .level2)
    #expect(!idr3.canForceWriteBack && !idr3.hasPartitioning && !idr3.hasDevicePermissionTable)
    let idr5 = SMMUIDR5(rawValue: UInt32(host.read(0x14)))
    #expect(idr5.outputSize == .bits40 && idr5.hasGranule4K && idr5.stallLimit == 0)
    for offset: UInt64 in [8, 0x10] { #expect(host.read(offset) == 0) }
    let implementer = host.read(0x18)
    #expect(implementer == 0x43b)
  }

  /// Every word of both pages, and what is left of ones after a write while all is off.
  static func expected(_ offset: UInt64) -> UInt64? {
    switch offset {
    case 0x20: 0b1101
    case 0x28: 0xfff
    case 0x2c: 0b110
    case 0x50, 0x54: 0b101
    case 0x80: 0xffff_ffc0
    case 0x84: 0x400f_ffff
    case 0x88: 0x307ff
    case 0x90, 0xa0: 0xffff_ffff
    case 0x94, 0xa4: 0x400f_ffff
    case 0x98: 0xf_ffff
    case 0x9c: 0x7f0f_ffff
    case 0x100a8, 0x100ac: 0x800f_ffff
    case 0x24, 0x44: nil
    case 0...0x1c: nil
    default: 0
    }
  }

  @Test("Whatever is not in the table of registers reads as zero and ignores writes")
  func everyWord() throws {
    let offsets =
      Array(stride(from: UInt64(0), to: 0x200, by: 4))
      + Array(stride(from: UInt64(0x1_0000), to: 0x1_0200, by: 4)) + [0xfd0, 0xfffc, 0x1_fffc]
    for offset in offsets {
      guard let expected = Self.expected(offset) else { continue }
      let world = try Self.small()
      let host = HostSMMUDriver(world)
      host.write(offset == 0x54 ? 0x50 : offset, 0xffff_ffff)
      let found = host.read(offset)
      #expect(found == expected, "offset \(String(offset, radix: 16))")
      #expect(world.complaints == [])
    }
  }

  static func small() throws -> NestedWorld {
    var configuration = NestedWorld.configuration
    configuration.streamIDBits = 4
    return try NestedWorld(configuration)
  }

  @Test("Widths: bytes and halves abort, a doubleword is for what has as many bits")
  func widths() throws {
    let world = try Self.small()
    for offset: UInt64 in [0, 0x20, 0x80, 0x98, 0x1000, 0x100a8] {
      #expect(world.read(.byte, offset) == .refused(.width))
      #expect(world.write(.half, offset, 0) == .refused(.width))
    }
    for offset: UInt64 in [0, 0x20, 0x98, 0x100a8, 0x88] {
      #expect(world.read(.double, offset) == .refused(.width))
      #expect(world.write(.double, offset, 0) == .refused(.width))
    }
    for offset: UInt64 in [0x68, 0x80, 0x90, 0xa0, 0xb0, 0x1000] {
      #expect(world.write(.double, offset, 0) == .done)
    }
    // An address by halves.
    let host = HostSMMUDriver(world)
    host.write(0x84, 0xf_ffff)
    host.write(0x80, 0xffff_ffff)
    let base = host.read64(0x80)
    #expect(base == 0xf_ffff_ffff_ffc0)
  }

  @Test("What belongs to something that is on is locked")
  func locked() throws {
    let world = try Self.small()
    let host = HostSMMUDriver(world)
    host.start(log2: 4)
    let registers: [(UInt64, UInt64)] = [
      (0x2c, 0), (0x80, 0x4000_0000), (0x88, 3), (0x90, 0x4000_0000), (0x9c, 5),
      (0xa0, 0x4000_0000), (0x100a8, 5),
    ]
    for (offset, value) in registers {
      let before = host.read(offset)
      host.write(offset, value)
      let after = host.read(offset)
      #expect(before == after, "offset \(String(offset, radix: 16))")
    }
    // IDs, acknowledgements and errors are never written.
    for offset: UInt64 in [0, 4, 0xc, 0x14, 0x18, 0x24, 0x54, 0x60] {
      let before = host.read(offset)
      host.write(offset, ~before)
      let after = host.read(offset)
      #expect(before == after, "offset \(String(offset, radix: 16))")
    }
    #expect(world.complaints == [])
  }

  @Test("Only an error that is active can be acknowledged")
  func errors() throws {
    let world = try Self.small()
    let host = HostSMMUDriver(world)
    host.start(log2: 4)
    host.write(0x64, 0xffff_ffff)
    let none = host.read(0x64)
    #expect(none == 0)
    host.send((0xff, 0))
    #expect(host.stop == .illegal)
    host.write(0x64, 0xffff_ffff)
    let acknowledged = host.read(0x64)
    #expect(acknowledged == 1)
    // The command is as illegal as before.
    #expect(host.stop == .illegal)
    let errors = host.read(0x60)
    #expect(errors == 0)
  }
}
