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
  func flat() throws {
    let image = try #require(HostImage(header: InlineArray(repeating: .max), fileSize: 100))
    #expect(image.memorySize == 100 && image.textOffset == nil)
    #expect(image.mayRun(at: PhysicalAddress(0x4000_0004)))
    #expect(!image.mayRun(at: PhysicalAddress(0x4000_0002)))
  }

  @Test("A Linux image runs at its text offset from 2 MiB", arguments: [0, 0x8_0000] as [UInt64])
  func linux(offset: UInt64) throws {
    let image = try #require(
      HostImage(header: header(textOffset: offset, imageSize: 0x200), fileSize: 0x180))
    #expect(image.memorySize == 0x200 && image.textOffset == offset)
    #expect(image.mayRun(at: PhysicalAddress(0x4020_0000 + offset)))
    #expect(!image.mayRun(at: PhysicalAddress(0x4021_0000 + offset)))
    #expect(image.mayRun(at: PhysicalAddress(offset)))
    if offset > 0 { #expect(!image.mayRun(at: PhysicalAddress(0))) }
  }

  @Test(
    "A header that contradicts itself is refused",
    arguments: [
      (0, 0, 1), (0, 0xfff, 0x1000), (0x20_0000, 0x1000, 0x1000), (.max, .max, 1),
      (1 << 63, 0x1000, 0x1000), (0, .max - 1, .max),
    ] as [(UInt64, UInt64, UInt64)])
  func refused(offset: UInt64, size: UInt64, fileSize: UInt64) {
    #expect(
      HostImage(header: header(textOffset: offset, imageSize: size), fileSize: fileSize) == nil)
  }

  @Test("The largest sizes are taken as they are, for the placement to refuse")
  func largest() throws {
    let image = try #require(
      HostImage(header: header(textOffset: 0x1f_ffff, imageSize: .max), fileSize: .max))
    #expect(image.memorySize == .max)
    #expect(image.mayRun(at: PhysicalAddress(0x1f_ffff)))
    #expect(image.mayRun(at: PhysicalAddress(.max)))
    #expect(!image.mayRun(at: PhysicalAddress(.max - 1)))
  }
}
