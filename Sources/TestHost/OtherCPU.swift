// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot
import GIC

/// A second CPU of the host, which does one job while a test needs it.
struct OtherCPU {
  let index: UInt64
  private let psci: PSCI

  /// Nil on a machine with one CPU.
  init?(_ psci: PSCI) {
    self.psci = psci
    index = currentCPU() == 0 ? 1 : 0
    guard psci.affinityInfo(of: index) != PSCI.invalidParameters else { return nil }
  }

  /// Starts it with a job, EL1_JOB_…; false where it doesn't begin within five seconds.
  func start(_ job: Int32) -> Bool {
    el1_set_record(index, UInt64(EL1_WORD_RELEASE), 0)
    el1_set_record(index, UInt64(EL1_WORD_ROUNDS), 0)
    el1_set_record(index, UInt64(EL1_WORD_ADDRESS), 0)
    el1_set_record(index, UInt64(EL1_WORD_JOB), UInt64(truncatingIfNeeded: job))
    guard psci.start(index, at: el1_secondary_entry_address(), context: 0) == 0 else {
      return false
    }
    return wait { el1_record(index, UInt64(EL1_WORD_ROUNDS)) != 0 }
  }

  /// Has it switch itself off, as if it had never been on; false where it doesn't.
  func stop() -> Bool {
    el1_set_record(index, UInt64(EL1_WORD_RELEASE), 1)
    let isOff = wait { psci.affinityInfo(of: index) == PSCI.off }
    el1_set_record(index, UInt64(EL1_WORD_JOB), UInt64(EL1_JOB_READ))
    el1_set_record(index, UInt64(EL1_WORD_ENTRIES), 0)
    return isOff
  }

  /// Has it exchange, as fast as it can, the word at `address` with its value XOR `difference`, and
  /// returns once it has begun; at address 0, nothing.
  func flip(_ address: UInt64, by difference: UInt64) {
    el1_set_record(index, UInt64(EL1_WORD_ADDRESS), 0)
    el1_set_record(index, UInt64(EL1_WORD_DIFFERENCE), difference)
    let rounds = el1_record(index, UInt64(EL1_WORD_ROUNDS))
    el1_set_record(index, UInt64(EL1_WORD_ADDRESS), address)
    if address != 0 { _ = wait { el1_record(index, UInt64(EL1_WORD_ROUNDS)) &- rounds > 8 } }
  }

  /// Waits until it has done its job so often; false where it does not go on.
  func waitForRounds(_ rounds: UInt64) -> Bool {
    func done() -> UInt64 { el1_record(index, UInt64(EL1_WORD_ROUNDS)) }
    while true {
      let before = done()
      if before >= rounds { return true }
      guard wait({ done() > before }) else { return false }
    }
  }

  private func wait(_ condition: () -> Bool) -> Bool {
    Patience.wait(hundredths: 500, until: condition)
  }
}

/// The job EL1_JOB_INTERRUPTS.
func takeInterruptsUntilReleased(_ cpu: UInt64) {
  el1_enable_cpu_interface()
  el1_set_record(cpu, UInt64(EL1_WORD_ROUNDS), 1)
  while el1_record(cpu, UInt64(EL1_WORD_RELEASE)) == 0 {
    _ = el1_take_interrupts(el1_read_counter_frequency() / 100)
  }
}

/// The job EL1_JOB_FLIP.
func flipUntilReleased(_ cpu: UInt64) {
  var rounds: UInt64 = 1
  el1_set_record(cpu, UInt64(EL1_WORD_ROUNDS), rounds)
  while el1_record(cpu, UInt64(EL1_WORD_RELEASE)) == 0 {
    let address = el1_record(cpu, UInt64(EL1_WORD_ADDRESS))
    guard address != 0 else { continue }
    el1_store64(
      address, el1_load64(address) ^ el1_record(cpu, UInt64(EL1_WORD_DIFFERENCE)))
    rounds &+= 1
    el1_set_record(cpu, UInt64(EL1_WORD_ROUNDS), rounds)
  }
}

/// The job EL1_JOB_RING: GITS_CWRITER is set to one place of a queue of 64 KiB after the other.
func ringUntilReleased(_ cpu: UInt64) {
  var rounds: UInt64 = 1
  el1_set_record(cpu, UInt64(EL1_WORD_ROUNDS), rounds)
  while el1_record(cpu, UInt64(EL1_WORD_RELEASE)) == 0 {
    store32(Board.itsControl + Register.gitsCWRITER, rounds * 17 * 32 & 0xffe0)
    _ = load32(Board.itsControl + Register.gitsCREADR)
    rounds &+= 1
    el1_set_record(cpu, UInt64(EL1_WORD_ROUNDS), rounds)
  }
}

/// The job EL1_JOB_MOVE: a register that may change only while the ITS is disabled has one value and
/// then the other.
func moveUntilReleased(_ cpu: UInt64) {
  var rounds: UInt64 = 1
  el1_set_record(cpu, UInt64(EL1_WORD_ROUNDS), rounds)
  while el1_record(cpu, UInt64(EL1_WORD_RELEASE)) == 0 {
    let register = el1_record(cpu, UInt64(EL1_WORD_ADDRESS))
    guard register != 0 else { continue }
    store32(Board.itsControl + Register.gitsCTLR, 0)
    store64(register, load64(register) ^ el1_record(cpu, UInt64(EL1_WORD_DIFFERENCE)))
    ITSDriver.enable()
    rounds &+= 1
    el1_set_record(cpu, UInt64(EL1_WORD_ROUNDS), rounds)
  }
}

/// The job EL1_JOB_WATCH: an ITS that is enabled and does not stall, whatever else happens to it, and
/// how often it was not so.
func watchUntilReleased(_ cpu: UInt64) {
  var rounds: UInt64 = 1
  var wrong: UInt64 = 0
  el1_set_record(cpu, UInt64(EL1_WORD_ROUNDS), rounds)
  while el1_record(cpu, UInt64(EL1_WORD_RELEASE)) == 0 {
    if load32(Board.itsControl + Register.gitsCTLR) & 1 == 0 { wrong += 1 }
    let read = GITSQueuePointer(rawValue: load32(Board.itsControl + Register.gitsCREADR))
    if read.isStalled || load32(Board.itsControl + Register.gitsIIDR) == 0 { wrong += 1 }
    el1_set_record(cpu, UInt64(EL1_WORD_WRONG), wrong)
    rounds &+= 1
    el1_set_record(cpu, UInt64(EL1_WORD_ROUNDS), rounds)
  }
}
