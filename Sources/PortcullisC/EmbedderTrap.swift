// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import Hypervisor
internal import ITS
internal import Traps

/// One trap of the host, as the devices see it.
struct EmbedderTrap: ProtectionContext {
  let deviceMemory: EmbedderPlatform
  let itses: EmbedderITSes
  private let linearBase: UInt64

  init(_ platform: EmbedderPlatform, _ itses: EmbedderITSes, linearBase: UInt64) {
    deviceMemory = platform
    self.itses = itses
    self.linearBase = linearBase
  }

  private var machine: EmbedderITSMachine {
    EmbedderITSMachine(deviceMemory, linearBase: linearBase)
  }

  @inline(never)
  func readITS(_ number: UInt8, _ access: Access) -> ReadEffect {
    itses.withLock(number) { its in
      guard let effect = its.mediation?.read(access, machine: machine) else {
        return its.isForwarded
          ? Forwarder.read(access, through: deviceMemory) : .refused(.noHandler)
      }
      logNews(&its, number)
      return effect
    }
  }

  @inline(never)
  func writeITS(_ number: UInt8, _ access: Access, _ value: UInt64) -> WriteEffect {
    itses.withLock(number) { its in
      guard let effect = its.mediation?.write(access, value, machine: machine) else {
        return its.isForwarded
          ? Forwarder.write(access, value, through: deviceMemory) : .refused(.noHandler)
      }
      logNews(&its, number)
      return effect
    }
  }

  // An embedder's Redistributors are its own.
  func readRedistributor(_ number: Int, _ access: Access) -> ReadEffect { .refused(.noHandler) }
  func writeRedistributor(_ number: Int, _ access: Access, _ value: UInt64) -> WriteEffect {
    .refused(.noHandler)
  }
  // So are its SMMUs.
  func readSMMU(_ number: UInt8, _ access: Access) -> ReadEffect { .refused(.noHandler) }
  func writeSMMU(_ number: UInt8, _ access: Access, _ value: UInt64) -> WriteEffect {
    .refused(.noHandler)
  }

  @inline(__always)
  private func logNews(_ its: inout EmbedderITS, _ number: UInt8) {
    if its.mediation?.hasNews == true { log(&its, number) }
  }

  @inline(never)
  private func log(_ its: inout EmbedderITS, _ number: UInt8) {
    if let refusal = its.mediation?.takeRefusal() ?? nil {
      var line = LogLine()
      ITSNews.write(refusal, of: number, to: &line)
      deviceMemory.log(PORTCULLIS_LOG_WARNING, line)
    }
    guard its.mediation?.isBroken == true else { return }
    var line = LogLine()
    ITSNews.writeBreakdown(of: number, to: &line)
    deviceMemory.log(PORTCULLIS_LOG_ERROR, line)
  }
}
