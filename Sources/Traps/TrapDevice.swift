// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// What a device answers to a load.
public enum ReadEffect: Hashable, Sendable {
  /// The register's value; bits above the width are ignored.
  case value(UInt64)
  /// The host gets an abort.
  case refused(Refusal)
}

/// What a device answers to a store.
public enum WriteEffect: Hashable, Sendable {
  /// The store took effect.
  case done
  /// The store has work left: the host runs the same instruction again.
  case again
  /// The host gets an abort; nothing has changed.
  case refused(Refusal)
}

/// What a trap offers to every device.
public protocol TrapContext {
  /// The device memory of the machine.
  associatedtype Memory: DeviceMemory
  /// The registers of the hardware.
  var deviceMemory: Memory { get }
}

extension TrapContext where Self: DeviceMemory {
  /// Device memory by itself, where no device needs more.
  @inline(__always)
  public var deviceMemory: Self { self }
}

/// A device that answers for a region.
///
/// The composition closes this as one enum of the devices there are, so that dispatch is static.
/// A device is a small value, a handle; what it changes lies behind the handle or in the context and
/// has its own lock, for any CPU may be here at the same time.
public protocol TrapDevice: Sendable {
  /// What the machine offers to a device during one trap: handles to memory and to the CPU's state.
  associatedtype Context: TrapContext

  /// Answers a load.
  func read(_ access: Access, context: Context) -> ReadEffect
  /// Answers a store of `value`, which has no bits above the width.
  func write(_ access: Access, _ value: UInt64, context: Context) -> WriteEffect
}
