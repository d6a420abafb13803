// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot
import GIC

/// Prints how many instructions a forwarded access takes, from the access itself, which counts as one
/// where it does not trap, to the next instruction of the host; and how many of them are EL2's.
///
/// The first access of each kind is not the one that counts: it may fill a translation cache.
func measureAccesses() {
  el1_meter_start()
  let control = Board.itsControl
  measure("read32", control + Register.gitsTYPER, el1_meter_read32)
  measure("write32", control + Register.gitsCWRITER, el1_meter_write32)
  measure("read64", control + Register.gitsTYPER, el1_meter_read64)
  measure("write64", control + Register.gitsCWRITER, el1_meter_write64)
  measure("GITS_IIDR-read32", control + Register.gitsIIDR, el1_meter_read32)
  measure("GITS_PIDR2-read32", control + Register.gitsPIDR2, el1_meter_read32)
  // A function that nobody has, of the range for vendors' hypervisors.
  measure("hvc", 0xc600_ffff, el1_meter_hvc)
}

/// Prints what an access to each kind of register takes on an ITS and a Redistributor that are on and idle.
private func measureRegisters() {
  let its = Board.itsControl
  measure("GITS_CTLR-read32", its + Register.gitsCTLR, el1_meter_read32)
  measure("GITS_CBASER-read64", its + Register.gitsCBASER, el1_meter_read64)
  measure("GITS_CWRITER-read64", its + Register.gitsCWRITER, el1_meter_read64)
  measure("GITS_CREADR-read32", its + Register.gitsCREADR, el1_meter_read32)
  measure("GITS_CREADR-read64", its + Register.gitsCREADR, el1_meter_read64)
  measure("GITS_BASER0-read64", its + Register.gitsBASER0, el1_meter_read64)
  measureStore("GITS_CTLR-write32", its + Register.gitsCTLR)
  let frame = Redistributors.base(of: currentCPU()) ?? Board.redistributors
  typealias Offset = Redistributors.Offset
  measure("GICR_CTLR-read32", frame + Offset.control, el1_meter_read32)
  measure("GICR_TYPER-read64", frame + Offset.type, el1_meter_read64)
  measure("GICR_WAKER-read32", frame + Offset.waker, el1_meter_read32)
  measure("GICR_PROPBASER-read64", frame + Offset.configurationBase, el1_meter_read64)
  measure("GICR_PENDBASER-read64", frame + Offset.pendingBase, el1_meter_read64)
  measureStore("GICR_CTLR-write32", frame + Offset.control)
}

/// Prints what an access to each kind of register takes on an SMMU that the host sees out of reset.
func measureSMMU() {
  let smmu = Board.smmu
  measure("SMMU_IDR0-read32", smmu, el1_meter_read32)
  measure("SMMU_CR0ACK-read32", smmu + 0x24, el1_meter_read32)
  measure("SMMU_GERROR-read32", smmu + 0x60, el1_meter_read32)
  measure("SMMU_STRTAB_BASE-read64", smmu + 0x80, el1_meter_read64)
  measure("SMMU_CMDQ_CONS-read32", smmu + 0x9c, el1_meter_read32)
  measure("SMMU_EVENTQ_PROD-read32", smmu + 0x1_00a8, el1_meter_read32)
  measureStore("SMMU_CMDQ_PROD-write32", smmu + 0x98)
  measureStore("SMMU_EVENTQ_CONS-write32", smmu + 0x1_00ac)
}

/// Prints how many instructions a doorbell takes, by the kind and number of the commands behind it, and
/// how many it takes from the doorbell of an INT to the first instruction of the interrupt's handler.
func measureCommands() {
  Redistributors.begin()
  var its = ITSDriver()
  guard its.start() else { return }
  let target = Redistributors.target(of: currentCPU())
  let device: UInt32 = 1
  el1_zero(Arena.translations, Arena.translationsSize)
  its.append(.mapd(device, table: Arena.translations, eventIDBits: 8))
  for event in 0..<256 as Range<UInt32> {
    its.append(.mapti(device, event, interrupt: 8192 + event, collectionID: 0))
  }
  guard its.finish() else { return }
  measureRegisters()

  // As a driver sends them: every other command is a SYNC.
  measureDoorbells(&its, "inv") { its, index in
    its.append(index % 2 == 0 ? .event(.inv, device, index) : .sync(target: target))
  }
  measureDoorbells(&its, "mapti") { its, index in
    its.append(
      index % 2 == 0
        ? .mapti(device, index, interrupt: 8192 + index, collectionID: 0) : .sync(target: target))
  }
  // New devices each time: what was mapped for the first reading is unmapped before the second.
  measureDoorbells(&its, "mapd") { its, index in
    its.append(
      .mapd(
        100 + index, table: Arena.translations + 0x1_0000 + UInt64(index) * 0x100, eventIDBits: 4))
  } undo: { its, index in
    its.append(.unmapd(100 + index))
  }
  measureInterrupt(&its, device)
}

private func measureDoorbells(
  _ its: inout ITSDriver, _ name: StaticString,
  _ append: (inout ITSDriver, UInt32) -> Void,
  undo: (inout ITSDriver, UInt32) -> Void = { _, _ in }
) {
  let counts: InlineArray<4, UInt32> = [1, 2, 16, 256]
  let register = Board.itsControl + Register.gitsCWRITER
  for place in counts.indices {
    let count = counts[place]
    var with = el1_retired()
    for _ in 0..<2 {
      for index in 0..<count { undo(&its, index) }
      guard its.finish() else { return }
      for index in 0..<count { append(&its, index) }
      el1_barrier()
      with = el1_meter_store32(register, its.next)
      guard its.wait() else { return }
    }
    let without = el1_meter_nothing(register)
    printFigures(
      both: with.both &- without.both, host: with.el1 &- without.el1
    ) {
      Console.write("doorbell-")
      Console.write(name)
      Console.write("-")
      Console.write(decimal: UInt64(count))
    }
  }
}

/// Two figures of one interrupt: from the doorbell alone, and from before the command is written.
///
/// The readings of the first add two instructions: one that reads the other counter, and the branch to
/// the handler.
private func measureInterrupt(_ its: inout ITSDriver, _ device: UInt32) {
  let cpu = currentCPU()
  var figures = el1_retired()
  var begin = el1_retired()
  for _ in 0..<2 {
    begin = el1_meter_now()
    its.append(.event(.int, device, 0))
    el1_barrier()
    figures = el1_meter_interrupt(Board.itsControl + Register.gitsCWRITER, its.next, 1_000_000)
    guard its.wait() else { return }
  }
  printFigures(both: figures.both &- 2, host: figures.el1 &- 2) {
    Console.write("int-to-handler")
  }
  let both = el1_record(cpu, UInt64(EL1_WORD_METER)) &- begin.both
  let host = el1_record(cpu, UInt64(EL1_WORD_METER) + 1) &- begin.el1
  printFigures(both: both & 0xffff_ffff, host: host & 0xffff_ffff) { Console.write("int-to-lpi") }
}

private func measure(
  _ name: StaticString, _ address: UInt64, _ access: @convention(c) (UInt64) -> el1_retired
) {
  _ = access(address)
  _ = el1_meter_nothing(address)
  let with = access(address)
  let without = el1_meter_nothing(address)
  printFigures(both: with.both &- without.both, host: with.el1 &- without.el1) {
    Console.write(name)
  }
}

/// The same of a store of what the register holds.
private func measureStore(_ name: StaticString, _ address: UInt64) {
  let value = load32(address)
  _ = el1_meter_store32(address, value)
  _ = el1_meter_nothing(address)
  let with = el1_meter_store32(address, value)
  let without = el1_meter_nothing(address)
  printFigures(both: with.both &- without.both, host: with.el1 &- without.el1) {
    Console.write(name)
  }
}

/// Prints NAME-instructions, at both levels, and NAME-el2-instructions.
private func printFigures(both: UInt64, host: UInt64, _ writeName: () -> Void) {
  Console.write("bench: ")
  writeName()
  Console.write("-instructions ")
  Console.write(decimal: both)
  Console.write("\nbench: ")
  writeName()
  Console.write("-el2-instructions ")
  Console.write(decimal: both &- host)
  Console.write("\n")
}
