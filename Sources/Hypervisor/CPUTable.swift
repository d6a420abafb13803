// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards
internal import Synchronization

/// Where a host CPU stands, as this side knows it.
///
/// ```
///            CPU_ON relayed                enters EL2, takes its order
///     off ───────────────────▶ starting ─────────────────────────────▶ on
///      ▲                           │                                    │
///      │       firmware refused    │                                    │
///      ├───────────────────────────┘                                    │
///      │                     CPU_OFF relayed                            │
///      └────────────────────────────────────────────────────────────────┘
///                (and back to on, where firmware refuses CPU_OFF)
///
///        CPU_SUSPEND to a power-down state, SYSTEM_SUSPEND relayed
///     on ────────────────────────────────────────────────────────▶ suspended
///      ▲                                                               │
///      └───────────────────────────────────────────────────────────────┘
///         enters EL2, takes its order; or firmware returns from the call
/// ```
public enum CPUState: Equatable, Sendable {
  /// Not running host code.
  case off
  /// Firmware was asked to start it; `entry` is where the host wants it, `context` its x0.
  case starting(entry: UInt64, context: UInt64)
  /// Running the host.
  case on
  /// Firmware was asked to take its power; `entry` is where the host wants it to wake, `context` its x0.
  case suspended(entry: UInt64, context: UInt64)
}

/// The CPUs of the machine, numbered as the device tree lists them.
///
/// Guarded by the lock of rank `psci`.
public struct CPUTable: ~Copyable {
  /// The largest number of CPUs, as a board has.
  public static var capacity: Int { Board.CPUs.capacity }

  struct Entry {
    var affinity: UInt64
    var state: CPUState
    /// Whether firmware has been asked to start it, and has neither refused nor started it.
    ///
    /// Its own CPU_OFF may fail meanwhile, and then its state is `on`. If it went off now, and firmware started it
    /// after all, it would find no order.
    var isBeingStarted = false
  }

  private var entries = Board.CPUList<Entry>(filler: Entry(affinity: 0, state: .off))

  // It gives the table an identity in memory, so that a borrow is its address. As a plain value the compiler copied
  // all entries to the stack at each call.
  private let identity = Atomic(false)

  /// MPIDR_EL1's affinity fields: Aff3 in bits 39 to 32, Aff2 to Aff0 in bits 23 to 0.
  public static let affinityMask: UInt64 = 0xff_00ff_ffff

  /// An empty table.
  public init() {}

  /// The CPUs of a board; the one that runs this, whose MPIDR_EL1 is `own`, is on, and first.
  ///
  /// Nil where two have one MPIDR_EL1, or there is no room for the one that runs.
  init?(_ board: borrowing Board, own: UInt64) {
    let own = own & Self.affinityMask
    guard add(affinity: own, state: .on) else { return nil }
    for index in board.cpus.indices where board.cpus[index] != own {
      guard add(affinity: board.cpus[index], state: .off) else { return nil }
    }
  }

  /// How many CPUs the table holds.
  public var count: Int { entries.count }

  /// Adds a CPU by its affinity; false where the table is full or has that CPU already.
  public mutating func add(affinity: UInt64, state: CPUState) -> Bool {
    let fields = affinity & Self.affinityMask
    guard index(of: fields) == nil else { return false }
    return entries.append(Entry(affinity: fields, state: state))
  }

  /// The number of the CPU with this affinity; bits outside the affinity fields must be zero.
  public func index(of affinity: UInt64) -> Int? {
    for index in entries.indices where entries[index].affinity == affinity { return index }
    return nil
  }

  /// Whether a CPU beside `cpu` is not off.
  func hasOther(than cpu: Int) -> Bool {
    for index in entries.indices where index != cpu && entries[index].state != .off { return true }
    return false
  }

  /// Whether a start of CPU `index`, which must be below `count`, is under way.
  func isBeingStarted(_ index: Int) -> Bool { entries[index].isBeingStarted }

  /// Notes whether a start of CPU `index` is under way.
  mutating func setBeingStarted(_ index: Int, _ isBeingStarted: Bool) {
    entries[index].isBeingStarted = isBeingStarted
  }

  /// The state of CPU `index`, which must be below `count`.
  public subscript(index: Int) -> CPUState {
    get { entries[index].state }
    set { entries[index].state = newValue }
  }
}
