// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// The rounds of reads that a secondary CPU makes against the others.
private let rounds: UInt64 = 300

/// The bits that mark a context, beside the CPU's index and the attempt.
private let contextMark: UInt64 = 0xc0de_5eed_0000_0000

private func context(of cpu: UInt64, attempt: UInt64) -> UInt64 {
  contextMark | attempt << 8 | cpu
}

/// Waits until a word of a CPU's record reaches a value; false after ten seconds.
private func wait(for word: Int32, of cpu: UInt64, toReach value: UInt64) -> Bool {
  waitUntil { el1_record(cpu, UInt64(truncatingIfNeeded: word)) >= value }
}

// Only the first CPU, which runs the tests, touches it.
nonisolated(unsafe) private var hasWaitedInVain = false

/// Waits for a condition, ten seconds at most; once that was in vain a CPU is lost, and the tests that
/// still ask for it get a hundredth of a second each, so that a run with nothing mediated ends.
private func waitUntil(_ condition: () -> Bool) -> Bool {
  let isMet = Patience.wait(hundredths: unsafe hasWaitedInVain ? 1 : 1000, until: condition)
  if !isMet { unsafe hasWaitedInVain = true }
  return isMet
}

/// The values that every CPU has to read.
private struct Identification {
  let typer = load64(Board.itsControl + Register.gitsTYPER)
  let iidr = load32(Board.itsControl + Register.gitsIIDR)
  let pidr2 = load32(Board.itsControl + Register.gitsPIDR2)

  /// Reads all registers once more in all widths; the number of reads that differ or abort.
  func differences() -> UInt64 {
    let control = Board.itsControl
    var wrong: UInt64 = 0
    func check(_ instruction: Int32, _ offset: UInt64, _ expected: UInt64) {
      let outcome = probe(instruction, control + offset)
      if !outcome.completed || outcome.value != expected { wrong += 1 }
    }
    check(EL1_LDR_X, Register.gitsTYPER, typer)
    check(EL1_LDR_W, Register.gitsTYPER, typer & 0xffff_ffff)
    check(EL1_LDR_W, Register.gitsTYPER + 4, typer >> 32)
    check(EL1_LDR_W, Register.gitsIIDR, iidr)
    check(EL1_LDR_W, Register.gitsPIDR2, pidr2)
    return wrong
  }
}

/// A secondary CPU: does its job, which is to read the ITS while others do where it has no other, until
/// its release, and switches itself off.
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func el1_secondary_main(_ cpu: UInt64) {
  switch el1_record(cpu, UInt64(EL1_WORD_JOB)) {
  case UInt64(EL1_JOB_INTERRUPTS): takeInterruptsUntilReleased(cpu)
  case UInt64(EL1_JOB_FLIP): flipUntilReleased(cpu)
  case UInt64(EL1_JOB_RING): ringUntilReleased(cpu)
  case UInt64(EL1_JOB_MOVE): moveUntilReleased(cpu)
  case UInt64(EL1_JOB_WATCH): watchUntilReleased(cpu)
  default: readUntilReleased(cpu)
  }
  let result = PSCI().conduit.call(PSCI.cpuOff).x0
  el1_set_record(cpu, UInt64(EL1_WORD_OFF_RESULT), result)
  while true {}
}

private func readUntilReleased(_ cpu: UInt64) {
  let identification = Identification()
  var wrong: UInt64 = 0
  for _ in 0..<rounds { wrong += identification.differences() }
  // A register that reads as zero throughout would differ from nothing.
  if identification.typer == 0 || identification.iidr == 0 { wrong += 1 }
  el1_set_record(cpu, UInt64(EL1_WORD_WRONG), wrong)
  el1_set_record(cpu, UInt64(EL1_WORD_ROUNDS), rounds)
  while el1_record(cpu, UInt64(EL1_WORD_RELEASE)) == 0 {}
}

/// The other CPUs: their start, what they see, their end.
///
/// The tests are one sequence, for a CPU that runs can't be started anew; but each looks by itself and
/// says by itself what's wrong, and a machine with one CPU skips them all.
func testProcessors(_ report: inout TestReport, _ psci: PSCI) {
  let area: StaticString = "cpus"
  let own = currentCPU()

  func forEachOther(_ test: inout Test, _ body: (inout Test, UInt64) -> Void) {
    var others: UInt64 = 0
    for cpu in 0..<UInt64(EL1_CPU_LIMIT) where cpu != own {
      guard psci.affinityInfo(of: cpu) != PSCI.invalidParameters else { continue }
      others += 1
      body(&test, cpu)
    }
    if others == 0 { test.skip("the machine has one CPU") }
  }

  func start(_ test: inout Test, attempt: UInt64) {
    forEachOther(&test) { test, cpu in
      el1_set_record(cpu, UInt64(EL1_WORD_RELEASE), 0)
      el1_set_record(cpu, UInt64(EL1_WORD_ROUNDS), 0)
      el1_set_record(cpu, UInt64(EL1_WORD_WRONG), .max)
      test.expect(
        "CPU_ON",
        psci.start(
          cpu, at: el1_secondary_entry_address(), context: context(of: cpu, attempt: attempt)),
        equals: 0)
    }
    // All run by now; this CPU reads beside them.
    let identification = Identification()
    var wrong: UInt64 = 0
    for _ in 0..<rounds { wrong += identification.differences() }
    test.expect("this CPU's wrong reads meanwhile", wrong, equals: 0)
    forEachOther(&test) { test, cpu in
      if !wait(for: EL1_WORD_ENTRIES, of: cpu, toReach: attempt) {
        test.fail("a CPU didn't enter the host")
        test.expect("the CPU", cpu, equals: own)
      }
    }
  }

  func stop(_ test: inout Test) {
    forEachOther(&test) { test, cpu in
      el1_set_record(cpu, UInt64(EL1_WORD_RELEASE), 1)
      _ = waitUntil { psci.affinityInfo(of: cpu) == PSCI.off }
      test.expect("the state", psci.affinityInfo(of: cpu), equals: PSCI.off)
    }
  }

  report.test(area, "CPU_ON with an entry in EL2's memory is INVALID_ADDRESS") { test in
    forEachOther(&test) { test, cpu in
      // Zeros, which are no instruction: where nothing is mediated, code of EL2's would end the run.
      guard let information = Hypercall.information() else {
        test.fail("no hypervisor tells where its memory is")
        return
      }
      test.expect(
        "the status", psci.start(cpu, at: information.furtherBase, context: 0),
        equals: PSCI.invalidAddress)
      test.expect("the state", psci.affinityInfo(of: cpu), equals: PSCI.off)
    }
  }
  report.test(area, "CPU_ON starts every other CPU in the host") { start(&$0, attempt: 1) }
  report.test(area, "every other CPU entered at EL1, interrupts masked, MMU off") { test in
    forEachOther(&test) { test, cpu in
      test.expect(
        "CurrentEL", el1_record(cpu, UInt64(EL1_WORD_CURRENT_EL)), equals: 1 << 2)
      test.expect("DAIF", el1_record(cpu, UInt64(EL1_WORD_DAIF)), equals: 0xf << 6)
      test.expect("SCTLR_EL1.M", el1_record(cpu, UInt64(EL1_WORD_SCTLR)) & 1, equals: 0)
    }
  }
  report.test(area, "every other CPU found its context in x0") { test in
    forEachOther(&test) { test, cpu in
      test.expect(
        "x0", el1_record(cpu, UInt64(EL1_WORD_CONTEXT)), equals: context(of: cpu, attempt: 1))
    }
  }
  report.test(area, "concurrent reads of the ITS are right on every CPU") { test in
    forEachOther(&test) { test, cpu in
      _ = waitUntil { el1_record(cpu, UInt64(EL1_WORD_ROUNDS)) == rounds }
      test.expect("the rounds", el1_record(cpu, UInt64(EL1_WORD_ROUNDS)), equals: rounds)
      test.expect("the wrong reads", el1_record(cpu, UInt64(EL1_WORD_WRONG)), equals: 0)
    }
  }
  report.test(area, "CPU_ON of a CPU that's on is ALREADY_ON and doesn't start it anew") { test in
    forEachOther(&test) { test, cpu in
      test.expect(
        "the status", psci.start(cpu, at: el1_secondary_entry_address(), context: 0),
        equals: PSCI.alreadyOn)
      test.expect("the entries", el1_record(cpu, UInt64(EL1_WORD_ENTRIES)), equals: 1)
    }
  }
  report.test(area, "a CPU that called CPU_OFF is OFF") { stop(&$0) }
  report.test(area, "CPU_ON starts them again, with a new context") { test in
    start(&test, attempt: 2)
    forEachOther(&test) { test, cpu in
      test.expect(
        "x0", el1_record(cpu, UInt64(EL1_WORD_CONTEXT)), equals: context(of: cpu, attempt: 2))
      test.expect("CurrentEL", el1_record(cpu, UInt64(EL1_WORD_CURRENT_EL)), equals: 1 << 2)
      _ = waitUntil { el1_record(cpu, UInt64(EL1_WORD_ROUNDS)) == rounds }
      test.expect("the wrong reads", el1_record(cpu, UInt64(EL1_WORD_WRONG)), equals: 0)
    }
  }
  report.test(area, "and they switch themselves off again") { stop(&$0) }
}
