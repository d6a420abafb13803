// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import VirtualSMMU

/// Where the state is kept, in memory that the machine sets aside.
///
///     0          what the code before the MMU hands on
///     0x1000     log and trace
///     0x4000     the rest
///
/// A leaf: it gives names to parts of that memory. Before a part is begun it is zero, as the machine has set it
/// aside.
@safe package struct StatePlace<Machine: BoardPlatform>: @unchecked Sendable {
  private static var diagnosticsOffset: Int { 0x1000 }
  private static var sharedOffset: Int { 0x4000 }

  /// Whether `size` bytes are enough; looked at before the first use.
  package static func fits(_ size: Int) -> Bool {
    MemoryLayout<EarlyState<Machine>>.size <= diagnosticsOffset
      && MemoryLayout<Diagnostics<Machine>>.size <= sharedOffset - diagnosticsOffset
      && MemoryLayout<HypervisorState<Machine>>.size <= size - sharedOffset
  }

  // What changes lies behind a lock: hence Sendable.
  private let memory: UnsafeMutableRawPointer

  /// Takes memory aligned to a page, zeros, which nothing else uses as long as this value lives.
  @inline(__always)
  @unsafe package init(_ memory: UnsafeMutableRawPointer) { unsafe self.memory = memory }

  @inline(__always)
  private var earlyPlace: UnsafeMutablePointer<EarlyState<Machine>> {
    unsafe memory.assumingMemoryBound(to: EarlyState<Machine>.self)
  }

  @inline(__always)
  private var diagnosticsPlace: UnsafeMutablePointer<Diagnostics<Machine>> {
    unsafe (memory + Self.diagnosticsOffset)
      .assumingMemoryBound(to: Diagnostics<Machine>.self)
  }

  @inline(__always)
  private var sharedPlace: UnsafeMutablePointer<HypervisorState<Machine>> {
    unsafe (memory + Self.sharedOffset).assumingMemoryBound(to: HypervisorState<Machine>.self)
  }

  /// Leaves what the code behind the MMU takes.
  package func begin(_ early: consuming EarlyState<Machine>) {
    unsafe earlyPlace.initialize(to: early)
  }

  /// Takes it, once.
  func takeEarly() -> EarlyState<Machine> { unsafe earlyPlace.move() }

  /// Begins the log.
  func begin(_ log: consuming Log<Machine.Output>, firmware: Machine.BoardFirmware) {
    unsafe diagnosticsPlace.initialize(to: Diagnostics(log, firmware: firmware))
  }

  /// Begins the rest.
  func begin(_ state: consuming HypervisorState<Machine>) {
    unsafe sharedPlace.initialize(to: state)
  }

  /// Log and trace, once they have begun.
  @inline(__always)
  package var diagnostics: Diagnostics<Machine> {
    unsafeAddress { unsafe UnsafePointer(diagnosticsPlace) }
    nonmutating unsafeMutableAddress { unsafe diagnosticsPlace }
  }

  /// The rest, once it has begun.
  @inline(__always)
  package var shared: HypervisorState<Machine> {
    unsafeAddress { unsafe UnsafePointer(sharedPlace) }
    nonmutating unsafeMutableAddress { unsafe sharedPlace }
  }
}

/// The SMMUs as the host sees them, in memory that the machine sets aside: `stride` bytes each, the upper half of them
/// pins.
///
/// A leaf: it goes from a number to a place.
@safe public struct VirtualSMMUPlaces: @unchecked Sendable {
  struct State: ~Copyable {
    let lock = SpinLock(.smmu)
    /// With `lock` held.
    var smmu: MediatedSMMU
  }

  /// The bytes of a place.
  public static var stride: UInt64 { 0x1000 }
  /// How far the pins lie behind its beginning.
  static var ledgerOffset: UInt64 { stride / 2 }
  /// Whether a place is large enough; looked at before the first is used.
  public static var fit: Bool {
    MemoryLayout<State>.size <= Int(ledgerOffset)
      && MediatedSMMU.ledgerSize <= stride - ledgerOffset
  }

  // What changes lies behind a lock: hence Sendable.
  private let first: UnsafeMutableRawPointer

  /// Takes ``stride`` bytes for each SMMU, aligned to 16, which nothing else uses as long as this value lives.
  @inline(__always)
  @unsafe public init(_ first: UnsafeMutableRawPointer) { unsafe self.first = first }

  private func state(_ number: UInt8) -> UnsafeMutablePointer<State> {
    unsafe (first + Int(number) * Int(Self.stride)).assumingMemoryBound(to: State.self)
  }

  /// Fills the place of an SMMU.
  func put(_ number: UInt8, _ smmu: consuming MediatedSMMU) {
    unsafe state(number).initialize(to: State(smmu: smmu))
  }

  /// Runs `body` with an SMMU that was put into its place, and its lock held.
  func withLock<Result: ~Copyable>(
    _ number: UInt8, on cpu: some LockHolder, _ body: (inout MediatedSMMU) -> Result
  ) -> Result {
    unsafe state(number).pointee.lock.withLock(on: cpu) {
      unsafe body(&state(number).pointee.smmu)
    }
  }
}
