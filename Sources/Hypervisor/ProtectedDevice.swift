// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Traps

/// What a trap offers to the devices that are named here.
public protocol ProtectionContext: TrapContext {
  /// Has the mediated ITS with this number answer a load.
  func readITS(_ number: UInt8, _ access: Access) -> ReadEffect
  /// Has the mediated ITS with this number carry out a store.
  func writeITS(_ number: UInt8, _ access: Access, _ value: UInt64) -> WriteEffect
  /// Has the mediated Redistributor with this number answer a load; the offset is from its RD frame.
  func readRedistributor(_ number: Int, _ access: Access) -> ReadEffect
  /// Has the mediated Redistributor with this number carry out a store.
  func writeRedistributor(_ number: Int, _ access: Access, _ value: UInt64) -> WriteEffect
  /// Has whoever owns the SMMU with this number answer a load.
  func readSMMU(_ number: UInt8, _ access: Access) -> ReadEffect
  /// Has whoever owns the SMMU with this number carry out a store.
  func writeSMMU(_ number: UInt8, _ access: Access, _ value: UInt64) -> WriteEffect
}

/// The devices that answer for protected regions: the one place that names them all.
public enum ProtectedDevice<Context: ProtectionContext>: TrapDevice {
  /// The hardware itself: what the region permits is carried out on it.
  case forwarded
  /// An ITS between whose registers and the host EL2 stands, by its number.
  case mediatedITS(UInt8)
  /// Redistributors, one a frame of the region: the number of the first, and at which of its frames of
  /// 64 KiB those of the region begin.
  case mediatedRedistributors(first: UInt16, frame: UInt8)
  /// An SMMU of EL2's own, by its number.
  case smmu(UInt8)
  /// An embedder's function.
  case callback(RegionCallback)

  /// Answers a load.
  @inline(__always)
  public func read(_ access: Access, context: Context) -> ReadEffect {
    switch self {
    case .forwarded: Forwarder.read(access, through: context.deviceMemory)
    case .mediatedITS(let number): context.readITS(number, access)
    case .mediatedRedistributors(let first, let frame):
      Self.readRedistributor(first, frame, access, context)
    case .smmu(let number): context.readSMMU(number, access)
    case .callback(let callback): callback.read(access)
    }
  }

  /// Answers a store.
  @inline(__always)
  public func write(_ access: Access, _ value: UInt64, context: Context) -> WriteEffect {
    switch self {
    case .forwarded: Forwarder.write(access, value, through: context.deviceMemory)
    case .mediatedITS(let number): context.writeITS(number, access, value)
    case .mediatedRedistributors(let first, let frame):
      Self.writeRedistributor(first, frame, access, value, context)
    case .smmu(let number): context.writeSMMU(number, access, value)
    case .callback(let callback): callback.write(access, value)
    }
  }
}

// Rare, and kept out of the way to an ITS.
extension ProtectedDevice {
  @inline(never)
  private static func readRedistributor(
    _ first: UInt16, _ frame: UInt8, _ access: Access, _ context: Context
  ) -> ReadEffect {
    context.readRedistributor(
      Int(first) &+ Int(access.frame), access.moved(by: UInt64(frame) &* 0x1_0000))
  }

  @inline(never)
  private static func writeRedistributor(
    _ first: UInt16, _ frame: UInt8, _ access: Access, _ value: UInt64, _ context: Context
  ) -> WriteEffect {
    context.writeRedistributor(
      Int(first) &+ Int(access.frame), access.moved(by: UInt64(frame) &* 0x1_0000), value)
  }
}

extension Access {
  /// The same access with its offset counted from `distance` bytes before the frame.
  fileprivate func moved(by distance: UInt64) -> Access {
    Access(
      offset: offset &+ distance, frame: frame, distance: self.distance, address: address,
      width: width, isOrdered: isOrdered)
  }
}
