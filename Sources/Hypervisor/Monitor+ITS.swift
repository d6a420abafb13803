// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
internal import Boards
internal import GIC
public import ITS
internal import Trace
public import Traps

/// An ITS that nobody answers for any more: the trust in the host has ended, and it is not mediated.
public struct UnmediatedITS: Error {
  /// Its number.
  public let number: UInt8
  /// Why it could not be set up; nil where it is live and was not handed over.
  public let failure: ITSSetupError?

  /// The reason in words, for a log.
  public var text: StaticString { failure?.text ?? "a live ITS was not handed over" }
}

// The accesses of the host. The lock of the ITS is held, and an access is recorded behind all that it has
// caused: the records of one ITS stand in the order in which its mediation went.
extension Monitor {
  /// Has an ITS answer a load.
  @inline(never)
  public func readITS(_ number: UInt8, _ access: Access) -> ReadEffect {
    let its = platform.itses.lock(number, on: platform)
    let effect = read(its, access)
    its.unlock(on: platform)
    return effect
  }

  @inline(__always)
  private func read(_ its: borrowing LockedITS, _ access: Access) -> ReadEffect {
    if Machine.countsLoads { platform.counts.countLoad(its.number, access.offset) }
    guard its.path == .mediated else { return readRarely(its, access) }
    let effect = its.mediation.read(access, machine: platform.machine(of: its.number))
    tellNews(its)
    return effect
  }

  /// Has an ITS carry out a store.
  @inline(never)
  public func writeITS(_ number: UInt8, _ access: Access, _ value: UInt64) -> WriteEffect {
    let its = platform.itses.lock(number, on: platform)
    let effect = write(its, access, value)
    its.unlock(on: platform)
    return effect
  }

  @inline(__always)
  private func write(
    _ its: borrowing LockedITS, _ access: Access, _ value: UInt64
  ) -> WriteEffect {
    platform.counts.countStore(its.number, access.offset)
    guard its.path == .mediated else { return writeRarely(its, access, value) }
    let effect = its.mediation.write(access, value, machine: platform.machine(of: its.number))
    tellNews(its)
    return effect
  }

  @inline(never)
  private func readRarely(_ its: borrowing LockedITS, _ access: Access) -> ReadEffect {
    let start = platform.time
    let effect: ReadEffect
    switch its.path {
    case .closed: return .refused(.noHandler)
    case .forwarded: effect = Forwarder.read(access, through: deviceMemory)
    case .mediated, .recorded:
      effect = its.mediation.read(
        access, machine: platform.recordingMachine(of: its, records: true))
      tellNews(its)
      if platform.looksOn { platform.hasAnswered(TracedAccess(access, effect), its) }
    }
    if platform.records { record(TracedAccess(access, effect), its, since: start) }
    return effect
  }

  @inline(never)
  private func writeRarely(
    _ its: borrowing LockedITS, _ access: Access, _ value: UInt64
  ) -> WriteEffect {
    let start = platform.time
    let effect: WriteEffect
    switch its.path {
    case .closed: return .refused(.noHandler)
    case .forwarded: effect = Forwarder.write(access, value, through: deviceMemory)
    case .mediated, .recorded:
      effect = its.mediation.write(
        access, value, machine: platform.recordingMachine(of: its, records: true))
      tellNews(its)
      if platform.looksOn { platform.hasAnswered(TracedAccess(access, value, effect), its) }
    }
    if platform.records { record(TracedAccess(access, value, effect), its, since: start) }
    return effect
  }

  private func record(
    _ access: TracedAccess, _ its: borrowing LockedITS, since start: UInt64
  ) {
    var access = access
    access.isForwarded = its.path == .forwarded
    access.duration = platform.time &- start
    record(.access(access), its: its.number, at: start)
    platform.hasRecorded()
  }

  /// Logs what there is to tell of an ITS.
  @inline(__always)
  private func tellNews(_ its: borrowing LockedITS) {
    if its.mediation.hasNews { tell(its) }
  }

  @inline(never)
  private func tell(_ its: borrowing LockedITS) {
    if let refusal = its.mediation.takeRefusal() {
      var line = LogLine()
      ITSNews.write(refusal, of: its.number, to: &line)
      platform.log(.warning, line)
    }
    guard its.mediation.isBroken else { return }
    var line = LogLine()
    ITSNews.writeBreakdown(of: its.number, to: &line)
    platform.log(.error, line)
  }
}

// How a mediation begins.
extension Monitor {
  /// Sets an ITS up that is in its place, from what boot has left.
  ///
  /// - Throws: why not; it is disabled then, as far as it can be, and knows no address of the arena.
  public func setUp(_ number: UInt8) throws(ITSSetupError) {
    try platform.withITS(number) { (its) throws(ITSSetupError) in try setUp(its) }
  }

  private func setUp(_ its: borrowing LockedITS) throws(ITSSetupError) {
    let machine = platform.machine(of: its.number)
    do throws(ITSSetupError) {
      begin(
        its,
        try MediatedITS.setUp(its.setup, machine: machine) { targets, typer in
          platform.addTargets(to: &targets, typer)
        }, isHandedOver: false)
    } catch {
      MediatedITS.abandon(its.setup.frame, machine: machine)
      throw error
    }
  }

  private func begin(
    _ its: borrowing LockedITS, _ mediation: consuming MediatedITS, isHandedOver: Bool
  ) {
    if platform.records {
      mediation.recordSetup(
        its.setup, at: its.base, isHandedOver: isHandedOver,
        machine: platform.recordingMachine(of: its, records: true))
    }
    its.begin(mediation, platform.records || platform.looksOn ? .recorded : .mediated)
    platform.hasBegun(its, isHandedOver: isHandedOver)
  }

  /// Takes a live ITS over by the descriptor at `descriptor`; nil where the host is not trusted with it, or not
  /// any more, else 0, or why not.
  public func handOver(_ number: UInt8, descriptor: PhysicalAddress) -> Int64? {
    platform.withITS(number) { its in
      guard its.path == .forwarded else { return nil }
      do throws(HandoverError) {
        begin(
          its,
          try MediatedITS.handOver(
            its.setup, base: its.base, descriptor: descriptor,
            machine: platform.machine(of: number)
          ) { targets, typer in platform.addTargets(to: &targets, typer) }, isHandedOver: true)
      } catch {
        return error.code
      }
      var line = LogLine("ITS ")
      line.append(decimal: UInt64(number))
      line.append(" handed over")
      platform.log(.info, line)
      return 0
    }
  }

  /// Answers the host's call for an ITS to be taken over: 0, or why not.
  // Apart, for a new mediation is on its stack, which is that of a trap.
  @inline(never)
  func handOver(number: UInt64, descriptor: UInt64) -> Int64 {
    guard number < UInt64(platform.itsCount) else { return HypervisorService.invalidParameter }
    // Once, and only while the host is trusted.
    return handOver(
      UInt8(truncatingIfNeeded: number), descriptor: PhysicalAddress(descriptor))
      ?? HypervisorService.denied
  }

  /// Ends the trust in the host with every ITS: one that is disabled and was not handed over is set up.
  ///
  /// - Throws: which one is not mediated, the last of several.
  public func endTrust() throws(UnmediatedITS) {
    var problem: UnmediatedITS?
    for index in 0..<platform.itsCount {
      problem = endTrust(in: UInt8(truncatingIfNeeded: index)) ?? problem
    }
    if let problem { throw problem }
  }

  private func endTrust(in number: UInt8) -> UnmediatedITS? {
    platform.withITS(number) { its in
      guard !its.isMediated else { return nil }
      its.close()
      guard let control = deviceMemory.read(.word, at: its.setup.frame), control & 1 == 0 else {
        return UnmediatedITS(number: number, failure: nil)
      }
      do throws(ITSSetupError) {
        try setUp(its)
        return nil
      } catch {
        return UnmediatedITS(number: number, failure: error)
      }
    }
  }
}

// Both sides of a loss of power; with one CPU running, or about to run.
extension Monitor {
  /// Has an ITS come to rest, so that a loss takes nothing with it.
  public func pauseITS(_ number: UInt8) {
    platform.withITS(number) { its in
      guard its.isMediated else { return }
      if platform.looksOn {
        its.mediation.pause(machine: platform.recordingMachine(of: its, records: false))
        platform.hasPaused(its)
      } else {
        its.mediation.pause(machine: platform.machine(of: number))
      }
      tellNews(its)
    }
  }

  /// Looks whether an ITS is as EL2 left it; what is not is switched off.
  public func wakeITS(_ number: UInt8) {
    platform.withITS(number) { its in
      guard its.isMediated else { return }
      if platform.looksOn {
        its.mediation.wake(machine: platform.recordingMachine(of: its, records: false))
        platform.hasWoken(its)
      } else {
        its.mediation.wake(machine: platform.machine(of: number))
      }
      tellNews(its)
    }
  }
}
