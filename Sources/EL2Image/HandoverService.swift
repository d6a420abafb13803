// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import DeviceTree
internal import Hypervisor
internal import ITS
internal import Synchronization

/// The calls by which a host that is still trusted hands its live ITSes over, and ends the trust.
enum HandoverService {
  /// Takes ITS `number` over by the descriptor at `descriptor`; 0, or why not.
  static func handOver(_ number: UInt64, descriptor: UInt64) -> Int64 {
    let count = unsafe StateMemory.shared.pointee.identities.count
    guard number < UInt64(count) else { return HypervisorService.invalidParameter }
    let number = UInt8(truncatingIfNeeded: number)
    var held = HeldLocks()
    return unsafe StateMemory.its(number).pointee.lock.withLock(&held) { _ in
      // Once, and only while the host is trusted.
      guard unsafe StateMemory.shared.pointee.trustsHost.load(ordering: .acquiring),
        unsafe !StateMemory.its(number).pointee.isMediated
      else { return HypervisorService.denied }
      do throws(HandoverError) {
        try ITSMediation.handOver(number, descriptor: PhysicalAddress(descriptor))
      } catch {
        return error.code
      }
      var line = LogLine("ITS ")
      line.append(decimal: UInt64(number))
      line.append(" handed over")
      HostCPU.log(.info, line)
      return 0
    }
  }

  /// Ends the trust.
  ///
  /// An ITS that is disabled is mediated from now on; a live one that was not handed over can't be, and
  /// the board is switched off.
  static func finalise() -> Int64 {
    guard
      unsafe StateMemory.shared.pointee.trustsHost.exchange(false, ordering: .acquiringAndReleasing)
    else { return HypervisorService.denied }
    for index in unsafe StateMemory.shared.pointee.identities.indices {
      let number = UInt8(truncatingIfNeeded: index)
      var held = HeldLocks()
      let danger: StaticString? = unsafe StateMemory.its(number).pointee.lock.withLock(&held) { _ in
        if unsafe StateMemory.its(number).pointee.isMediated { return nil }
        guard isDisabled(number) else { return "a live ITS was not handed over" }
        do throws(ITSSetupError) {
          try ITSMediation.setUp(number)
          return nil
        } catch {
          return error.text
        }
      }
      guard let danger else { continue }
      var line = LogLine("switched off: ")
      line.append(danger)
      line.append(", number ")
      line.append(decimal: UInt64(number))
      HostCPU.lastWords(line)
      Startup.powerOff(unsafe StateMemory.shared.pointee.firmware)
    }
    return 0
  }

  private static func isDisabled(_ number: UInt8) -> Bool {
    let frame = unsafe StateMemory.its(number).pointee.setup.frame
    guard let control = MetalDeviceMemory().read(.word, at: frame) else { return false }
    return control & 1 == 0
  }
}
