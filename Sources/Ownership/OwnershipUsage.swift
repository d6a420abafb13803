// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// How much of what the hypervisor has set aside for owners and translations is in use now.
public struct OwnershipUsage: Hashable, Sendable {
  /// Pages of the pool that are tables.
  public let tables: UInt64
  /// Pages of the pool that are neither tables nor reserved.
  public let freeTables: UInt64
  /// Pages that were taken from the host and not given back.
  public let claimed: UInt64
  /// Pages that the host shares with the hypervisor.
  public let shared: UInt64
  /// Pins of pages: one that two hold counts twice.
  public let pins: UInt64
}

/// How many pages are away from where they were at the start.
struct PageCounts: Sendable {
  var claimed: UInt64 = 0
  var shared: UInt64 = 0
  var pins: UInt64 = 0

  /// Notes an operation on so many pages.
  mutating func count(_ operation: PageOperation, _ pages: UInt64) {
    switch operation {
    case .donate: claimed &+= pages
    case .giveBack: claimed &-= pages
    case .share: shared &+= pages
    case .unshare: shared &-= pages
    case .lend, .recall: break
    }
  }
}
