// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A member that gives the value that holds it an identity in memory: a borrow of it is its address then.
///
/// Without one the optimiser takes a large value apart, and copies all of it to the stack for a look at one element.
public struct InPlace: ~Copyable, Sendable {
  // An atomic can't be taken from where it is.
  private let atomic = Atomic(false)

  /// Makes one.
  public init() {}
}
