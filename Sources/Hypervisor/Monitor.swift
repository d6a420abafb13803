// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
public import Traps

/// Portcullis on one machine: what stands between the host and the devices that the host may not have.
///
/// The one composition of the mediations. An image and a library differ in the ``Platform`` alone.
public struct Monitor<Machine: Platform>: ProtectionContext {
  /// The machine.
  public let platform: Machine

  /// The monitor on a machine.
  @inline(__always)
  public init(_ platform: Machine) { self.platform = platform }

  /// The registers of the hardware.
  @inline(__always)
  public var deviceMemory: Machine.Registers { platform.registers }

  /// Has whoever owns the SMMU with this number answer a load.
  @inline(never)
  public func readSMMU(_ number: UInt8, _ access: Access) -> ReadEffect {
    platform.readSMMU(number, access)
  }

  /// Has whoever owns the SMMU with this number carry out a store.
  @inline(never)
  public func writeSMMU(_ number: UInt8, _ access: Access, _ value: UInt64) -> WriteEffect {
    platform.writeSMMU(number, access, value)
  }
}

extension Monitor where Machine: BoardPlatform {
  /// The state, once it has begun.
  @inline(__always)
  package var state: StatePlace<Machine> { platform.state }

  /// The pages of EL2.
  @inline(__always)
  var tables: Machine.Tables { platform.tables(imageBase: state.shared.layout.image.base) }
}
