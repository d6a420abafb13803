// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
public import Ownership
public import SMMU
internal import Synchronization

/// The SMMUv3s of a board, of which all walk one table: a device reaches the same behind any of them.
///
/// ```text
///                 begin: every SMMU translates by an empty table
///        off ────────────────────────────────────────────────────▶ confining
///        ▲ │ one of them fails, on the way
///        │ ▼
///     (given back) ── one was translating for firmware,
///                     or does not take it back ──────────▶ quarantined
/// ```
///
/// There is no lock here: an SMMU's queues belong to whoever holds the ownership lock, as the mirror does
/// that calls. A lock of their own would come right behind it.
public struct SMMUGroup<Machine: SMMUMachine & ~Copyable>: ~Copyable {
  /// What devices behind the SMMUs go by.
  public enum Phase: Hashable, Sendable {
    /// What firmware left: nothing was changed, or it was given back.
    case off
    /// The table.
    case confining
    /// They abort at each SMMU that was not given back, as far as that obeys; for good.
    case quarantined
  }

  /// The most SMMUs.
  public static var capacity: Int { 16 }

  /// What devices go by.
  public internal(set) var phase = Phase.off
  /// Why ``begin(_:)`` has refused.
  public internal(set) var refusal: SMMUSetupError?
  /// What was asked of the SMMUs.
  public internal(set) var usage = SMMUUsage()
  /// The events that they have recorded.
  public internal(set) var events = SMMUEventCounts()
  /// The table, once there is one.
  public internal(set) var table: DMATable?

  /// What the host is shown.
  public let policy: StreamPolicy

  let machine: Machine
  let geometry: TranslationGeometry
  let outputSize: SMMUAddressSize
  let splitting: DMATable.Splitting
  let vmid: VMID
  private(set) var setups: FixedList<16, SMMUSetup>
  var units: FixedList<16, SMMUUnit>
  var pending = PendingInvalidation()
  var faults = FaultLog()
  // It gives the group an identity in memory, so that a borrow is its address. As a plain value the compiler
  // copied all of it to the stack at each change of a page's state.
  private let identity = Atomic(false)

  /// Looks at the SMMUs, and changes nothing.
  ///
  /// - Parameters:
  ///   - bits: the size of addresses that the host has; what an SMMU has less of all do without.
  ///   - vmid: what the SMMUs' TLBs know the table by.
  ///   - policy: what the host is shown.
  /// - Throws: why one of them can't be driven.
  public init(
    _ setups: Span<SMMUSetup>, bits: UInt64, vmid: VMID = VMID(0), policy: StreamPolicy = .owned,
    machine: consuming Machine
  ) throws(SMMUSetupError) {
    guard setups.count > 0 else { throw .noUnits }
    guard setups.count <= Self.capacity else { throw .tooManyUnits }
    var found: FixedList<16, SMMUFeatures>?
    var outputSize = SMMUAddressSize.bits48
    var splitting = DMATable.Splitting.atOnce
    for index in setups.indices {
      let port = Self.port(setups[index].frame, index)
      for earlier in 0..<index where setups[earlier].frame == port.frame {
        throw .unitTwice(unit: port.unit)
      }
      let features = try SMMUFeatures.probe(port, vmid: vmid, policy, machine)
      guard features.reaches(setups[index].arena) else {
        throw .unreachable(unit: port.unit, setups[index].arena.last.address)
      }
      var list = found ?? FixedList(filler: features)
      _ = list.append(features)
      found = list
      outputSize = min(outputSize, features.outputSize)
      if features.splitting == .broken { splitting = .broken }
    }
    guard let found,
      let geometry = TranslationGeometry(bits: max(32, min(bits, outputSize.bits)))
    else { throw .noUnits }
    self.geometry = geometry
    self.outputSize = outputSize
    self.splitting = splitting
    self.vmid = vmid
    self.policy = policy
    self.machine = machine
    // In their place: they are large.
    self.setups = FixedList(filler: setups[0])
    units = FixedList(filler: SMMUUnit(Self.port(setups[0].frame, 0), found[0]))
    for index in setups.indices {
      _ = self.setups.append(setups[index])
      _ = units.append(SMMUUnit(Self.port(setups[index].frame, index), found[index]))
    }
  }

  private static func port(_ frame: VirtualAddress, _ number: Int) -> SMMUPort {
    SMMUPort(frame: frame, unit: UInt16(truncatingIfNeeded: number))
  }

  /// How many SMMUs there are.
  public var count: Int { units.count }
}
