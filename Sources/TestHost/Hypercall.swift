// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// x0 to x4 of a call's answer, or that the instruction itself is undefined here.
struct CallResult {
  let x0: UInt64
  let x1: UInt64
  let x2: UInt64
  let x3: UInt64
  let x4: UInt64
  let undefined: Bool

  fileprivate init(x0: UInt64) {
    let cpu = currentCPU()
    self.x0 = x0
    x1 = el1_record(cpu, UInt64(EL1_WORD_RESULT) + 1)
    x2 = el1_record(cpu, UInt64(EL1_WORD_RESULT) + 2)
    x3 = el1_record(cpu, UInt64(EL1_WORD_RESULT) + 3)
    x4 = el1_record(cpu, UInt64(EL1_WORD_RESULT) + 4)
    undefined = el1_record(cpu, UInt64(EL1_WORD_COUNT)) != 0
  }
}

/// The instruction that makes a call of the SMC Calling Convention (Arm DEN 0028).
enum Conduit {
  case hvc
  case smc

  func call(_ x0: UInt64, _ x1: UInt64 = 0, _ x2: UInt64 = 0, _ x3: UInt64 = 0) -> CallResult {
    switch self {
    case .hvc: CallResult(x0: el1_hvc(x0, x1, x2, x3))
    case .smc: CallResult(x0: el1_smc(x0, x1, x2, x3))
    }
  }
}

/// SMCCC's NOT_SUPPORTED, as 64 bits.
let notSupported = UInt64(bitPattern: -1)

/// What the hypervisor tells of itself, by vendor-specific calls of its own.
enum Hypercall {
  /// Fast, 64-bit, vendor-specific hypervisor service, function "PC".
  static let function: UInt64 = 0xc600_5043
  /// What reads the trace.
  static let trace: UInt64 = 0x300

  /// What reads a count.
  private static let statistic: UInt64 = 0x301

  // Written once, before another CPU is on; false at first, for the host has no initialised data.
  nonisolated(unsafe) private static var linksLibrary = false
  /// Whether the hypervisor embeds the library through its C interface.
  static var isEmbedded: Bool { unsafe linksLibrary }

  /// Reads from the boot arguments what there is: with `testhost.embedded` the library, which does not count all.
  static func begin(_ tree: FlatTree) {
    unsafe linksLibrary = tree.bootArgumentsHold("testhost.embedded")
  }

  /// The count with this number; nil where there is none.
  static func count(_ number: UInt64) -> UInt64? {
    let result = Conduit.hvc.call(function, statistic, number)
    return !result.undefined && result.x0 == 0 ? result.x1 : nil
  }

  /// Accesses that a device has refused: the tenth of their reasons.
  static var refusedByDevices: UInt64 { count(16 + 9) ?? 0 }

  /// A call of the same service that doesn't exist.
  static let unknownFunction: UInt64 = 0xc600_50ff

  static let apiVersion: UInt64 = 1

  /// Selector 0: the hypervisor itself.
  struct Information {
    let apiVersion: UInt64
    let memoryBase: UInt64
    let memorySize: UInt64
    let protectedRegions: UInt64
    /// What it has beside that.
    let furtherBase: UInt64
    let furtherSize: UInt64

    /// The first address behind EL2's memory, what adjoins its image included.
    var memoryEnd: UInt64 {
      let end = memoryBase &+ memorySize
      return furtherBase == end ? end &+ furtherSize : end
    }
  }

  /// Asks for it; nil where no hypervisor answers.
  @inline(never)
  static func information() -> Information? {
    let result = Conduit.hvc.call(function, 0)
    guard !result.undefined, result.x0 == 0 else { return nil }
    let further = Conduit.hvc.call(function, 2)
    guard further.x0 == 0 else { return nil }
    return Information(
      apiVersion: result.x1, memoryBase: result.x2, memorySize: result.x3,
      protectedRegions: result.x4, furtherBase: further.x1, furtherSize: further.x2)
  }

  /// Selector 1: what EL2 read from an ITS at boot.
  struct ITS {
    let typer: UInt64
    let iidr: UInt64
    let pidr2: UInt64
    let controlFrame: UInt64
  }

  /// Asks for the ITS of an index; nil where no hypervisor answers or it has no such ITS.
  @inline(never)
  static func its(_ index: UInt64) -> ITS? {
    let result = Conduit.hvc.call(function, 1, index)
    guard !result.undefined, result.x0 == 0 else { return nil }
    return ITS(
      typer: result.x1, iidr: result.x2, pidr2: result.x3, controlFrame: result.x4)
  }

  /// Memory of the hypervisor that attacks aim at.
  struct Canary {
    let base: UInt64
    let size: UInt64
  }

  /// Where it is; nil where no hypervisor answers.
  @inline(never)
  static func canary() -> Canary? {
    let result = Conduit.hvc.call(function, 0x100)
    guard !result.undefined, result.x0 == 0 else { return nil }
    return Canary(base: result.x1, size: result.x2)
  }

  /// How many words of it were overwritten since the last such call; all ones where no hypervisor
  /// answers.
  @inline(never)
  static func overwrittenCanaryWords() -> UInt64 {
    let result = Conduit.hvc.call(function, 0x101)
    guard !result.undefined, result.x0 == 0 else { return .max }
    return result.x1
  }
}
