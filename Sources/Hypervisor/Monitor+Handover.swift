// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import DeviceTree
internal import ITS
internal import Synchronization

// The calls by which a host that is still trusted hands its live ITSes over, and ends the trust.
extension Monitor where Machine: BoardPlatform {
  /// Takes ITS `number` over by the descriptor at `descriptor`; 0, or why not.
  func handOver(number: UInt64, descriptor: UInt64) -> Int64 {
    let count = state.shared.identities.count
    guard number < UInt64(count) else { return HypervisorService.invalidParameter }
    // Once, and only while the host is trusted.
    return handOver(
      UInt8(truncatingIfNeeded: number), descriptor: PhysicalAddress(descriptor))
      ?? HypervisorService.denied
  }

  /// Ends the trust.
  ///
  /// An ITS that is disabled is mediated from now on; a live one that was not handed over can't be, and
  /// the board is switched off.
  func finaliseHandover() -> Int64 {
    guard state.shared.trustsHost.exchange(false, ordering: .acquiringAndReleasing) else {
      return HypervisorService.denied
    }
    for index in state.shared.identities.indices {
      let number = UInt8(truncatingIfNeeded: index)
      let danger: StaticString
      switch endTrust(in: number) {
      case .mediated: continue
      case .live: danger = "a live ITS was not handed over"
      case .failed(let error): danger = error.text
      }
      var line = LogLine("switched off: ")
      line.append(danger)
      line.append(", number ")
      line.append(decimal: UInt64(number))
      end(line)
      return HypervisorService.denied
    }
    return 0
  }
}
