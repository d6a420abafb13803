// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
public import Traps

/// A device behind a C function: what an embedder answers for a region with.
///
/// A leaf: the one place of this module that calls through a pointer. The context is kept as integer
/// bits and handed back as a pointer; nothing here follows it.
@safe public struct RegionCallback: Sendable {
  /// The function: context, offset from the base of the region, width in bytes, flags, value; not
  /// zero refuses the access.
  public typealias Function =
    @convention(c) @Sendable (
      _ context: UnsafeMutableRawPointer?, _ offset: UInt64, _ width: UInt32, _ flags: UInt32,
      _ value: UnsafeMutablePointer<UInt64>?
    ) -> Int32

  /// The access is a store.
  public static var write: UInt32 { 1 << 0 }
  /// The host's instruction has acquire or release semantics.
  public static var ordered: UInt32 { 1 << 1 }

  private let function: Function
  private let context: UInt

  /// Takes the function and the bits of its context.
  ///
  /// Unsafe because the caller vouches that the function may be called on any CPU with this context
  /// as long as the value is in use.
  @unsafe public init(_ function: @escaping Function, context: UInt) {
    unsafe self.function = function
    self.context = context
  }

  /// Answers a load.
  @inline(never)
  public func read(_ access: Access) -> ReadEffect {
    var value: UInt64 = 0
    guard call(access, flags: 0, &value) else { return .refused(.device) }
    return .value(value)
  }

  /// Answers a store.
  @inline(never)
  public func write(_ access: Access, _ value: UInt64) -> WriteEffect {
    var value = value
    return call(access, flags: Self.write, &value) ? .done : .refused(.device)
  }

  private func call(_ access: Access, flags: UInt32, _ value: inout UInt64) -> Bool {
    let flags = access.isOrdered ? flags | Self.ordered : flags
    // What `init` asks for holds; `value` is valid during the call.
    return unsafe function(
      UnsafeMutableRawPointer(bitPattern: context), access.distance,
      UInt32(truncatingIfNeeded: access.width.bytes), flags, &value) == 0
  }
}
