// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards
internal import SMMU
public import Traps
internal import VirtualSMMU

// The SMMUs are EL2's own. What the host does to one is refused, or answered by the SMMU that it sees instead; and
// has their events read.
extension Monitor {
  /// Has an SMMU of EL2's own answer a load.
  public func readOwnedSMMU(_ number: UInt8, _ access: Access) -> ReadEffect {
    guard number < platform.virtualSMMUCount else {
      drainFaults()
      return .refused(.device)
    }
    let effect = platform.withVirtualSMMU(number) { smmu in
      let effect = smmu.read(access, machine: VirtualSMMUTrapMachine(number, platform))
      tellNews(of: number, &smmu)
      return effect
    }
    // Others are read over and over, by who waits for a command.
    if access.offset == SMMURegister.eventQueueProduced.offset { drainFaults() }
    return effect
  }

  /// Has an SMMU of EL2's own carry out a store.
  public func writeOwnedSMMU(_ number: UInt8, _ access: Access, _ value: UInt64) -> WriteEffect {
    guard number < platform.virtualSMMUCount else {
      drainFaults()
      return .refused(.device)
    }
    let effect = platform.withVirtualSMMU(number) { smmu in
      let effect = smmu.write(access, value, machine: VirtualSMMUTrapMachine(number, platform))
      tellNews(of: number, &smmu)
      return effect
    }
    drainFaults()
    return effect
  }

  /// Logs what there is to tell of a virtual SMMU, with its lock held.
  private func tellNews(of number: UInt8, _ smmu: inout MediatedSMMU) {
    guard smmu.hasNews else { return }
    if let refusal = smmu.takeRefusal() {
      var line = LogLine()
      VirtualSMMUNews.write(refusal, of: number, to: &line)
      platform.log(.warning, line)
    }
    guard smmu.isBroken else { return }
    var line = LogLine()
    VirtualSMMUNews.writeBreakdown(of: number, to: &line)
    platform.log(.error, line)
  }
}
