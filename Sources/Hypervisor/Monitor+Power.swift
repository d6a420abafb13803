// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import ITS
internal import Redistributor

// What EL2 stands in front of, on both sides of a loss of power.
//
// With one CPU running, or about to run; no lock is held.
extension Monitor where Machine: BoardPlatform {
  /// Has every ITS come to rest, so that a loss takes nothing with it.
  func prepareForLoss() { forEachITS { pauseITS($0) } }

  /// Looks whether every ITS and the Redistributor of this CPU are as EL2 left them, before the host runs here.
  ///
  /// What is not is switched off. Where that can't be, so is the board.
  func finishLoss() {
    forEachITS { wakeITS($0) }
    guard platform.mediation == .on else { return }
    let isSafe = platform.withRedistributors { redistributors in
      if platform.looksOn { platform.willAnswer(redistributors, isWaking: true) }
      let isSafe = redistributors.wake(machine: platform.redistributorMachine())
      if platform.looksOn { platform.hasWoken(mayRun: isSafe, redistributors) }
      return isSafe
    }
    guard !isSafe else { return }
    end(LogLine("switched off: a Redistributor woke with tables that EL2 does not hold"))
  }

  private func forEachITS(_ body: (UInt8) -> Void) {
    guard platform.mediation == .on else { return }
    for index in state.shared.identities.indices {
      body(UInt8(truncatingIfNeeded: index))
    }
  }

  /// Ends it all with a line, for there is nothing that may run; on hardware it does not return.
  package func end(_ line: consuming LogLine) {
    lastWords(line)
    platform.switchOff(by: state.diagnostics.firmware)
  }
}
