// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

package import Architecture
internal import Boards
package import ITS
package import Ownership
package import UEFI

/// Why the board is switched off instead of being handed to the host.
package enum StartupError: Error {
  case tree
  case noGICv3
  case boardRefused
  case memory
  case memoryOutOfReach(PhysicalAddress)
  case translation
  case claim
  case redistributors
  case tooManyRedistributors(limit: Int)
  case tooManyFrames(limit: Int)
  case tooManyRegions(limit: Int)
  case redistributorClaim(RedistributorClaimError)
  case interruptController
  case mediation(ITSSetupError)
  case masters
  case devices
  case plan(SMMUPlanError)
  case dma(DMAProtectionError)
  case virtualSMMU
  case modules
  case noRoom
  case noRoomForEL2
  case hostTree
  case cpus
  case exposed(Exposure)
  case tables
  case offer
  case firmwareMap
  case options
  case firmware(FirmwareRefusal)
  case cpuNotOff(affinity: UInt64)

  /// What the log says about it, whole.
  var line: LogLine {
    var line = LogLine("not started: ")
    line.append(subject)
    line.append(text)
    if let limit { line.append(decimal: UInt64(limit)) }
    if case .cpuNotOff(let affinity) = self { line.append(hex: affinity) }
    if let place {
      line.append(", at ")
      line.append(hex: place.rawValue)
    }
    return line
  }

  /// What it is about, in front of that.
  private var subject: StaticString {
    switch self {
    case .mediation: "an ITS cannot be mediated: "
    case .redistributorClaim: "the Redistributors cannot be claimed: "
    case .plan, .dma, .virtualSMMU: "the SMMUs cannot be owned: "
    case .firmware: "the firmware cannot go on at EL1: "
    default: ""
    }
  }

  /// Where it is; nil where there is no such place.
  private var place: PhysicalAddress? {
    switch self {
    case .redistributorClaim(let error): error.told.base
    case .exposed(let exposure): exposure.frame.address
    case .memoryOutOfReach(let base): base
    case .firmware(.tableOutsideMemory(let table)): table
    default: nil
    }
  }

  /// What the log says about it.
  private var text: StaticString {
    switch self {
    case .tree: "no usable device tree"
    case .noGICv3: "the board has no GICv3"
    case .boardRefused: "the board cannot be protected"
    case .memory: "memory cannot be mapped"
    case .memoryOutOfReach: "there is memory that the CPU cannot address"
    case .translation: "the host's stage 2 cannot be built"
    case .claim: "registers cannot be claimed"
    case .redistributors: "the Redistributors cannot be mediated"
    case .tooManyRedistributors: "there are more Redistributors than "
    case .tooManyFrames: "there are more frames of registers to claim than "
    case .tooManyRegions: "there are more regions of registers to claim than "
    case .redistributorClaim(let error): error.told.text
    case .interruptController: "the interrupt controller cannot be mapped"
    case .mediation(let error): error.text
    case .masters: "masters that nothing confines cannot be claimed"
    case .devices: "the DeviceIDs of the board cannot be listed"
    case .plan(let error): error.text
    case .dma(let error): error.text
    case .virtualSMMU: "one does not say what it is"
    case .modules: "a boot module cannot be used"
    case .noRoom: "no room for the host"
    case .noRoomForEL2: "no room for EL2's stacks and tables"
    case .hostTree: "what describes the board to the host cannot be written"
    case .cpus: "two CPUs of the tree have one MPIDR_EL1, or it has no room for the one that runs"
    case .tables: "the tables of ACPI cannot be used"
    case .offer: "what the application hands over is not usable"
    case .firmwareMap: "the firmware's memory map cannot be read, or has too many pieces"
    case .options: "an option is not known"
    case .firmware(let refusal): refusal.text
    case .cpuNotOff: "a CPU is not off, MPIDR_EL1 "
    case .exposed(let exposure):
      switch exposure.reason {
      case .leftover: "EL2 still maps memory of the host"
      case .host: "the host reaches memory of EL2"
      case .devices: "devices reach memory of EL2"
      }
    }
  }

  /// The limit that is passed, behind that.
  private var limit: Int? {
    switch self {
    case .tooManyRedistributors(let limit), .tooManyFrames(let limit), .tooManyRegions(let limit):
      limit
    default: nil
    }
  }
}
