// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Traps

/// What EL2 has counted since boot, a word a count.
///
///     CPU 0      CPU 1      …   ITS 0                         ITS 1     …
///     traps …    traps …        loads, stores, commands       …
///
/// The words of a CPU are written by that CPU alone, those of an ITS with its lock held: no count is
/// ever lost, and a reader, which takes no lock, sees one of the values that a word has had.
public struct Statistics<Memory: CountMemory> {
  private let memory: Memory
  private let cpus: UInt64

  /// The words of a CPU.
  private static var cpuWords: UInt64 { 32 }
  /// The words of an ITS.
  private static var serviceWords: UInt64 { 256 }

  /// The words of one CPU, which ``value(_:)`` reads.
  enum CPUWord {
    static var traps: UInt64 { 0 }
    static var unfinished: UInt64 { 1 }
    static var calls: UInt64 { 2 }
    static var longest: UInt64 { 3 }
    static var longestSyndrome: UInt64 { 4 }
    static var longestAddress: UInt64 { 5 }
    static var ticks: UInt64 { 6 }
    static var refusals: UInt64 { 16 }
  }

  /// The bytes that the counts of so many CPUs and ITSes take.
  public static func size(cpus: UInt64, services: UInt64) -> UInt64 {
    (cpus * cpuWords + services * serviceWords) * 8
  }

  /// The counts in `memory`.
  @inline(__always)
  public init(cpus: UInt64, memory: Memory) {
    self.cpus = cpus
    self.memory = memory
  }

  @inline(__always)
  private func place(_ cpu: UInt64, _ word: UInt64) -> UInt64 { cpu &* Self.cpuWords &+ word }

  @inline(__always)
  private func servicePlace(_ number: UInt8, _ word: UInt64) -> UInt64 {
    cpus &* Self.cpuWords &+ UInt64(number) &* Self.serviceWords &+ word
  }

  @inline(__always)
  private func increment(_ place: UInt64) {
    memory.store(memory.load(place) &+ 1, at: place)
  }

  // MARK: Counting

  /// Counts an abort that a CPU of the host has taken to EL2 and that took so many counts of the clock.
  @inline(__always)
  public func countTrap(
    cpu: UInt64, ticks: UInt64, syndrome: UInt64, address: UInt64
  ) {
    increment(place(cpu, CPUWord.traps))
    let all = place(cpu, CPUWord.ticks)
    memory.store(memory.load(all) &+ ticks, at: all)
    guard ticks > memory.load(place(cpu, CPUWord.longest)) else { return }
    memory.store(ticks, at: place(cpu, CPUWord.longest))
    memory.store(syndrome, at: place(cpu, CPUWord.longestSyndrome))
    memory.store(address, at: place(cpu, CPUWord.longestAddress))
  }

  /// Counts a store that a CPU runs again because work is left.
  public func countUnfinished(cpu: UInt64) { increment(place(cpu, CPUWord.unfinished)) }

  /// Counts an access that was answered with an abort.
  public func count(_ refusal: Refusal, cpu: UInt64) {
    increment(place(cpu, CPUWord.refusals &+ UInt64(refusal.rawValue)))
  }

  /// Counts an HVC or SMC.
  public func countCall(cpu: UInt64) { increment(place(cpu, CPUWord.calls)) }

  /// Counts a load at `offset` in the control frame of an ITS.
  @inline(__always)
  public func countLoad(_ number: UInt8, _ offset: UInt64) {
    increment(servicePlace(number, Self.register(offset)))
  }

  /// Counts a store at `offset` in the control frame of an ITS.
  @inline(__always)
  public func countStore(_ number: UInt8, _ offset: UInt64) {
    increment(servicePlace(number, Statistic.stores - .loads &+ Self.register(offset)))
  }

  /// Counts a command that an ITS has accepted, by its number.
  @inline(__always)
  public func countCommand(_ number: UInt8, _ command: UInt8) {
    increment(servicePlace(number, Statistic.commands - .loads &+ UInt64(command) % 64))
  }

  /// A count for each word up to the last GITS_BASER<n>, and one for all that lies behind.
  @inline(__always)
  private static func register(_ offset: UInt64) -> UInt64 {
    min(offset / 4, UInt64(Statistic.registers &- 1))
  }

  // MARK: Reading

  /// A word of an ITS.
  func word(_ number: UInt8, _ index: UInt64) -> UInt64 {
    memory.load(servicePlace(number, index))
  }

  /// A word, added up over all CPUs.
  func sum(_ word: UInt64) -> UInt64 {
    var sum: UInt64 = 0
    for cpu in 0..<cpus { sum &+= memory.load(place(cpu, word)) }
    return sum
  }

  /// A word of the CPU that had the longest abort.
  func longest(_ word: UInt64) -> UInt64 {
    var slowest: UInt64 = 0
    for cpu in 1..<cpus
    where memory.load(place(cpu, CPUWord.longest)) > memory.load(place(slowest, CPUWord.longest)) {
      slowest = cpu
    }
    return memory.load(place(slowest, word))
  }
}
