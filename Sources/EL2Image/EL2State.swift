// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import Ownership

/// What lives as long as the image: one value in memory that the linker script sets aside.
struct EL2State: ~Copyable {
  var pool: ImageMap.Pool
  var stage1: ImageMap.Stage1
}

extension EL2State {
  /// The one state.
  ///
  /// A leaf: the memory is reserved for it, is aligned to a page, and is large enough, which
  /// `fits` checks before the first use.
  @inline(always)
  static var shared: UnsafeMutablePointer<EL2State> {
    unsafe UnsafeMutablePointer(bitPattern: UInt(el2_state_here())).unsafelyUnwrapped
  }

  /// Whether the reserved memory is large enough.
  static var fits: Bool { MemoryLayout<EL2State>.size <= Int(el2_state_size) }
}
