// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Traps

/// The devices that answer for protected regions: the one place that names them all.
public enum ProtectedDevice<Memory: DeviceMemory & Sendable>: TrapDevice {
  /// The hardware itself: what the region permits is carried out on it.
  case forwarded
  /// An embedder's function.
  case callback(RegionCallback)

  /// Answers a load.
  @inline(always)
  public func read(_ access: Access, context: borrowing Memory) -> ReadEffect {
    switch self {
    case .forwarded: Forwarder.read(access, through: context)
    case .callback(let callback): callback.read(access)
    }
  }

  /// Answers a store.
  @inline(always)
  public func write(_ access: Access, _ value: UInt64, context: borrowing Memory) -> WriteEffect {
    switch self {
    case .forwarded: Forwarder.write(access, value, through: context)
    case .callback(let callback): callback.write(access, value)
    }
  }
}
