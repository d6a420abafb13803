// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Traps

/// The devices that answer for protected regions: the one place that names them all.
public enum ProtectedDevice<Memory: DeviceMemory & TrapContext & Sendable>: TrapDevice {
  /// The hardware itself: what the region permits is carried out on it.
  case forwarded
  /// An embedder's function.
  case callback(RegionCallback)

  /// Whether nothing stands between the host and the hardware.
  public var forwardsAll: Bool {
    switch self {
    case .forwarded: true
    case .callback: false
    }
  }

  /// Answers a load.
  public func read(_ access: Access, context: Memory) -> ReadEffect {
    switch self {
    case .forwarded: Forwarder.read(access, through: context)
    case .callback(let callback): callback.read(access)
    }
  }

  /// Answers a store.
  public func write(_ access: Access, _ value: UInt64, context: Memory) -> WriteEffect {
    switch self {
    case .forwarded: Forwarder.write(access, value, through: context)
    case .callback(let callback): callback.write(access, value)
    }
  }
}
