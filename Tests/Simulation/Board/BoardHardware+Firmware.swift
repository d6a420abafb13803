// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Hypervisor
import SimulatedHardware
import UEFI

/// What firmware hands over that goes on as the host.
package struct FirmwareStart: Sendable {
  /// Descriptors of the memory map: type, base, pages.
  package var map: [(type: UInt64, base: UInt64, pages: UInt64)] = [
    (7, 0x4000_0000, 0x200),
    (0, BoardHardware.image.base.rawValue, BoardHardware.image.size >> 12),
    (7, 0x40c0_0000, 0x5400), (0, FirmwareStart.memory, 0x2000), (7, 0x4800_0000, 0x1_8000),
  ]
  /// The options.
  package var options = ""
  /// EL2's registers.
  package var registers = FirmwareRegisters(
    tableBase: FirmwareStart.root, translationControl: 0x8082_3519, memoryAttributes: 0xff00,
    systemControl: 0x30c5_183d, configuration: 1 << 31, timerControl: 0, stackSelect: 1,
    extendedTranslation: 0, extendedControl: 0, guardedStacks: 0)
  /// Words of the header that are other than they should be.
  package var words: [FirmwareOffer.Word: UInt64] = [:]
  /// Entries of the first table of its translation, each a gigabyte: registers, memory.
  package var entries: [UInt64] = [0x40_0000_0000_0401, 0x4000_0445]

  /// Where it has its first table.
  package static let root: UInt64 = 0x4100_0000
  /// What it hands over.
  package static let block: UInt64 = 0x4200_0000
  /// Memory for EL2, 32 MiB.
  package static let memory: UInt64 = 0x4600_0000
  /// Where it goes on.
  package static let landing: UInt64 = 0x4900_0000

  /// Makes the usual one.
  package init() {}
}

extension BoardHardware {
  /// Starts up under firmware.
  package func start(from firmware: FirmwareStart) throws -> BootOutcome {
    let tree = try options.compiled()
    let block = FirmwareStart.block
    func store(_ word: FirmwareOffer.Word, _ value: UInt64) {
      memory.store(.double, firmware.words[word] ?? value, at: block + word.offset)
    }
    let map = FirmwareOffer.partsOffset
    let (text, description, host) = (map + 0x1000, map + 0x2000, map + 0x8000)
    for (index, entry) in firmware.map.enumerated() {
      let place = block + map + UInt64(index) * 40
      let words = [entry.type, entry.base, 0, entry.pages, 8]
      for (word, value) in words.enumerated() {
        memory.store(.double, value, at: place + UInt64(word) * 8)
      }
    }
    for (index, byte) in firmware.options.utf8.enumerated() {
      memory.store(.byte, UInt64(byte), at: block + text + UInt64(index))
    }
    for (index, byte) in tree.enumerated() {
      memory.store(.byte, UInt64(byte), at: block + description + UInt64(index))
    }
    for (index, entry) in firmware.entries.enumerated() {
      memory.store(.double, entry, at: FirmwareStart.root + UInt64(index) * 8)
    }
    store(.mapOffset, map)
    store(.mapSize, UInt64(firmware.map.count) * 40)
    store(.descriptorSize, 40)
    store(.optionsOffset, text)
    store(.optionsSize, UInt64(firmware.options.utf8.count))
    store(.descriptionOffset, description)
    store(.descriptionSize, UInt64(tree.count))
    store(.hostOffset, host)
    store(.hostSize, 0x8000)
    store(.memoryBase, FirmwareStart.memory)
    store(.memorySize, 0x200_0000)
    let source = BootSource.Firmware(
      block: Self.range(block, host + 0x8000), landing: PhysicalAddress(FirmwareStart.landing),
      registers: firmware.registers)
    let outcome = monitor().start(by: .firmware(source))
    checkTables()
    if case .host = outcome { tableLog.append(.run) }
    return outcome
  }
}
