// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Hypervisor
import Testing

@Suite("Headers of host images")
struct HostImageTests {
  private func header(textOffset: UInt64, imageSize: UInt64) -> InlineArray<8, UInt64> {
    [0x1400_0000, textOffset, imageSize, 0xa, 0, 0, 0, 0xdead_beef_644d_5241]
  }

  @Test("A payload without the magic number is flat, wherever it is aligned to an instruction")
  func flat() {
    let image = HostImage(header: InlineArray(repeating: .max), fileSize: 100)
    #expect(image.memorySize == 100 && image.textOffset == nil)
    #expect(image.mayRun(at: PhysicalAddress(0x4000_0004)))
    #expect(!image.mayRun(at: PhysicalAddress(0x4000_0002)))
  }

  @Test(
    "F-28: a Linux image runs at its text offset from 2 MiB, whatever that is",
    arguments: [0, 0x8_0000, 0x1f_f000, 0x20_0000, 0x40_8000] as [UInt64])
  func linux(offset: UInt64) {
    let image = HostImage(header: header(textOffset: offset, imageSize: 0x200), fileSize: 0x180)
    #expect(image.memorySize == 0x200 && image.textOffset == offset)
    #expect(image.mayRun(at: PhysicalAddress(0x4020_0000 + offset)))
    #expect(!image.mayRun(at: PhysicalAddress(0x4021_0000 + offset)))
    #expect(image.mayRun(at: PhysicalAddress(offset)))
    if offset > 0 { #expect(!image.mayRun(at: PhysicalAddress(0))) }
  }

  @Test(
    "F-28: an image takes what its header says or what was loaded, whichever is more",
    arguments: [
      (0x1000, 0xfff, 0x1000), (0xfff, 0x1000, 0x1000), (0x1000, 0x1000, 0x1000), (1, .max, .max),
      (.max, 1, .max),
    ] as [(UInt64, UInt64, UInt64)])
  func size(imageSize: UInt64, fileSize: UInt64, expected: UInt64) {
    let image = HostImage(header: header(textOffset: 0, imageSize: imageSize), fileSize: fileSize)
    #expect(image.memorySize == expected)
  }

  @Test("An image from before Linux 3.17 names no size, and lies 512 KiB above 2 MiB")
  func old() {
    let image = HostImage(header: header(textOffset: 0x1234, imageSize: 0), fileSize: 0x500)
    #expect(image.memorySize == 0x500 && image.textOffset == 0x8_0000)
  }

  @Test("The largest values are taken as they are, for the placement to refuse")
  func largest() {
    let image = HostImage(header: header(textOffset: .max, imageSize: .max), fileSize: .max)
    #expect(image.memorySize == .max)
    #expect(image.mayRun(at: PhysicalAddress(.max)))
    #expect(!image.mayRun(at: PhysicalAddress(.max - 1)))
  }
}
