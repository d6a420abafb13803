// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Testing
import UEFI

@Suite struct FirmwareRegimeTests {
  /// What EDK2 sets on a board with 40 bits: 4 KiB pages, T0SZ 24, write-back tables.
  static let usual = FirmwareRegisters(
    tableBase: 0x4700_0000, translationControl: 0x8082_3518, memoryAttributes: 0xff_bb_44_00,
    systemControl: 0x30c5_183d, configuration: 1 << 27, timerControl: 0,
    stackSelect: 1, extendedTranslation: 0, extendedControl: 0, guardedStacks: 0)

  private func refusal(_ change: (inout FirmwareRegisters) -> Void) -> FirmwareRefusal? {
    var registers = Self.usual
    change(&registers)
    do throws(FirmwareRefusal) {
      _ = try FirmwareRegime(registers)
      return nil
    } catch {
      return error
    }
  }

  @Test func carriesTheTranslation() throws {
    let regime = try FirmwareRegime(Self.usual)
    #expect(regime.tableBase == 0x4700_0000)
    // T0SZ, IRGN0, ORGN0, SH0, TG0.
    #expect(regime.translationControl & 0xffff == 0x3518)
    #expect(regime.translationControl >> 32 & 0b111 == 0b010, "PS is IPS")
    #expect(regime.translationControl >> 23 & 1 == 1, "EPD1")
    #expect(regime.translationControl >> 31 & 1 == 1, "TG1 is 4 KiB")
    #expect(regime.geometry.addressBits == 40)
    #expect(regime.geometry.granuleShift == 12)
    // M, C, SA, I are there, A is not; what is RES1 at EL1 is 1.
    #expect(regime.systemControl & 0x100f == 0x100d)
    #expect(regime.systemControl & 0x30d0_0800 == 0x30d0_0800)
  }

  @Test(
    arguments: [(20, 37), (21, 39), (22, 40), (24, 41), (29, 51), (30, 57)] as [(UInt64, UInt64)])
  func carriesABit(from: UInt64, to: UInt64) throws {
    var registers = Self.usual
    #expect(try FirmwareRegime(registers).translationControl >> to & 1 == 0)
    registers.translationControl |= 1 << from
    #expect(try FirmwareRegime(registers).translationControl >> to & 1 == 1)
  }

  /// M and I, which are set here, among them; A, C, SA, nAA, EOS, EnDB, WXN, IESB, EIS, EnDA, EnIB, EnIA, BT, DSSBS.
  @Test(arguments: 0..<64 as Range<UInt64>)
  func carriesTheControlsThatBothHave(bit: UInt64) throws {
    var registers = Self.usual
    // What is refused where it is set, or clear.
    let refused: [UInt64] = [0, 2, 25, 40, 41]
    guard !refused.contains(bit) else { return }
    let carried: [UInt64] = [1, 3, 6, 11, 12, 13, 19, 21, 22, 27, 30, 31, 36, 44]
    let one: [UInt64] = [20, 23, 28, 29]
    for isSet in [false, true] {
      registers.systemControl = 0b101 | (isSet ? 1 << bit : 0)
      let found = try FirmwareRegime(registers).systemControl >> bit & 1 == 1
      #expect(found == (one.contains(bit) || isSet && carried.contains(bit)))
    }
  }

  @Test func takesTheAddressAloneFromTTBR0() throws {
    var registers = Self.usual
    registers.tableBase |= 1 | 0xabcd << 48
    #expect(try FirmwareRegime(registers).tableBase == 0x4700_0000)
    #expect(try FirmwareRegime(registers).geometry.root == PhysicalAddress(0x4700_0000))
  }

  @Test func refusesWhatEL1IsNotGiven() {
    #expect(refusal { _ in } == nil)
    #expect(refusal { $0.configuration |= 1 << 34 } == .hostExtensions)
    #expect(refusal { $0.systemControl &= ~1 } == .noTranslation)
    #expect(refusal { $0.systemControl |= 1 << 25 } == .bigEndian)
    #expect(refusal { $0.systemControl |= 1 << 40 } == .tagChecks)
    #expect(refusal { $0.stackSelect = 0 } == .stack)
    #expect(refusal { $0.timerControl = 1 } == .timer)
    #expect(refusal { $0.timerControl = 0b10 } == nil, "the interrupt is masked, and the timer off")
    #expect(refusal { $0.extendedTranslation = 1 << 63 } == .extendedTranslation)
    #expect(refusal { $0.extendedControl = 1 } == .extendedControl)
    #expect(refusal { $0.guardedStacks = 1 } == .guardedStacks)
    #expect(refusal { $0.systemControl &= ~(1 << 2) } == .uncached, "C")
    #expect(refusal { $0.translationControl &= ~(0b11 << 8) } == .uncached, "IRGN0")
    #expect(refusal { $0.translationControl &= ~(0b11 << 10) } == .uncached, "ORGN0")
    #expect(refusal { $0.translationControl ^= 0b11 << 8 } == nil, "write-through")
    #expect(refusal { $0.translationControl |= 0b11 << 14 } == .geometry, "TG0")
    #expect(refusal { $0.translationControl |= 1 << 32 } == .geometry, "DS")
    #expect(refusal { $0.translationControl |= 0b110 << 16 } == .geometry, "52 bits")
    #expect(refusal { $0.translationControl = $0.translationControl & ~0x3f | 15 } == .geometry)
    #expect(refusal { $0.translationControl = $0.translationControl & ~0x3f | 40 } == .geometry)
  }
}
