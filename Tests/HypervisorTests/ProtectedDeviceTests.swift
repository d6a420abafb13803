// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Hypervisor
import Testing
import Traps

/// One register, which may answer with external aborts.
private final class OneRegister: DeviceMemory, ProtectionContext, @unchecked Sendable {
  var value: UInt64 = 0x1122_3344_5566_7788
  var width: AccessWidth?
  var address: VirtualAddress?
  var isSilent = false

  func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? {
    (self.width, self.address) = (width, address)
    return isSilent ? nil : value
  }
  func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool {
    (self.width, self.address) = (width, address)
    if !isSilent { self.value = value }
    return !isSilent
  }
  func orderAccesses() {}
  func readRedistributor(_ number: Int, _ access: Access) -> ReadEffect {
    .value(UInt64(number) << 32 | access.offset)
  }
  func writeRedistributor(_ number: Int, _ access: Access, _ value: UInt64) -> WriteEffect {
    number == 12 && access.offset == 0x2_0078 && value == 0x42 ? .done : .refused(.device)
  }
  func readITS(_ number: UInt8, _ access: Access) -> ReadEffect { .value(UInt64(number) << 8) }
  func writeITS(_ number: UInt8, _ access: Access, _ value: UInt64) -> WriteEffect {
    number == 3 && value == 0x42 ? .again : .refused(.device)
  }
  func readSMMU(_ number: UInt8, _ access: Access) -> ReadEffect {
    .value(UInt64(number) << 16 | access.offset)
  }
  func writeSMMU(_ number: UInt8, _ access: Access, _ value: UInt64) -> WriteEffect {
    number == 5 && value == 0x42 ? .done : .refused(.device)
  }
}

@Suite("Devices behind protected regions")
struct ProtectedDeviceTests {
  static let widths: [AccessWidth] = [.byte, .half, .word, .double]

  @Test("A forwarded access reaches the register at its width", arguments: widths)
  func forwarded(width: AccessWidth) {
    let memory = OneRegister()
    let access = Access(offset: 8, address: VirtualAddress(0x7008), width: width)
    let device = ProtectedDevice<OneRegister>.forwarded
    #expect(device.read(access, context: memory) == .value(0x1122_3344_5566_7788))
    #expect(memory.width == width && memory.address == VirtualAddress(0x7008))
    #expect(device.write(access, 0x42, context: memory) == .done)
    #expect(memory.value == 0x42)
  }

  @Test("A mediated ITS is asked by its number, and the hardware is left alone")
  func mediated() {
    let memory = OneRegister()
    let access = Access(offset: 8, address: VirtualAddress(0x7008), width: .word)
    let device = ProtectedDevice<OneRegister>.mediatedITS(3)
    #expect(device.read(access, context: memory) == .value(0x300))
    #expect(device.write(access, 0x42, context: memory) == .again)
    #expect(memory.width == nil)
  }

  @Test("A mediated Redistributor is asked by its frame, from its RD frame on")
  func redistributors() {
    let memory = OneRegister()
    let access = Access(
      offset: 0x78, frame: 2, distance: 0x8_0078, address: VirtualAddress(0x7008), width: .double)
    let device = ProtectedDevice<OneRegister>.mediatedRedistributors(first: 10, frame: 2)
    #expect(device.read(access, context: memory) == .value(12 << 32 | 0x2_0078))
    #expect(device.write(access, 0x42, context: memory) == .done)
    #expect(memory.width == nil)
  }

  @Test("Whoever owns an SMMU is asked by its number, and the hardware is left alone")
  func smmu() {
    let memory = OneRegister()
    let access = Access(offset: 8, address: VirtualAddress(0x7008), width: .word)
    let device = ProtectedDevice<OneRegister>.smmu(5)
    #expect(device.read(access, context: memory) == .value(0x5_0008))
    #expect(device.write(access, 0x42, context: memory) == .done)
    #expect(memory.width == nil)
  }

  @Test(
    "A function is told of an access whole, and what it refuses is refused",
    arguments: [false, true])
  func callback(isOrdered: Bool) {
    let access = Access(
      offset: 8, frame: 1, distance: 0x2_0008, address: VirtualAddress(0x7008), width: .half,
      isOrdered: isOrdered)
    let memory = OneRegister()
    // It answers where all that it is told is as it should be, and refuses a store of 0.
    let device = ProtectedDevice<OneRegister>.callback(
      unsafe RegionCallback(
        { context, offset, width, flags, value in
          guard let value = unsafe value, UInt(bitPattern: context) & ~1 == 0x1230,
            offset == 0x2_0008, width == 2, flags >> 2 == 0,
            flags >> 1 == UInt32(UInt(bitPattern: context) & 1)
          else { return 1 }
          if flags & RegionCallback.write != 0 { return unsafe value.pointee == 0x42 ? 0 : 1 }
          unsafe value.pointee = 0x4711
          return 0
        }, context: isOrdered ? 0x1231 : 0x1230))
    #expect(device.read(access, context: memory) == .value(0x4711))
    #expect(device.write(access, 0x42, context: memory) == .done)
    #expect(device.write(access, 0, context: memory) == .refused(.device))
    let elsewhere = Access(offset: 8, address: VirtualAddress(0x7008), width: .half)
    #expect(device.read(elsewhere, context: memory) == .refused(.device))
    #expect(memory.width == nil)
  }

  @Test("An external abort of the hardware is refused to the host, not taken", arguments: widths)
  func silent(width: AccessWidth) {
    let memory = OneRegister()
    memory.isSilent = true
    let access = Access(offset: 8, address: VirtualAddress(0x7008), width: width)
    let device = ProtectedDevice<OneRegister>.forwarded
    #expect(device.read(access, context: memory) == .refused(.externalAbort))
    #expect(device.write(access, 0x42, context: memory) == .refused(.externalAbort))
    #expect(memory.value == 0x1122_3344_5566_7788)
  }
}
