// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The state of one page as the host sees it.
///
/// ```text
///                donate                          lend
///      ┌────────────────────────▶ none ─────────────────────▶ sharedBorrowed
///    owned ◀──────────────────────┘ ▲                               │
///     │ ▲        giveBack           └───────────────────────────────┘
///     │ │ unshare (unpinned only)                recall
///     ▼ │
///   sharedOwned ⟲ pin, unpin
/// ```
///
/// Every other step is refused. The owner is the host in `owned` and `sharedOwned`, and the
/// hypervisor in the other two; a page that nobody ever asked about is `owned`.
public enum PageState: UInt8, Sendable {
  /// The host owns the page and nobody else may access it.
  case owned = 0
  /// The host owns the page and the hypervisor may access it, too.
  case sharedOwned = 1
  /// The hypervisor owns the page and the host may access it, too.
  case sharedBorrowed = 2
  /// The hypervisor owns the page and the host may not access it.
  case none = 3

  /// Whether the host may access a page in this state, and with it the host's devices.
  public var isHostAccessible: Bool { self != .none }
  /// Whether the hypervisor may access a page in this state.
  public var isHypervisorAccessible: Bool { self != .owned }
  /// Who owns a page in this state.
  public var owner: PageOwner {
    switch self {
    case .owned, .sharedOwned: .host
    case .sharedBorrowed, .none: .hypervisor
    }
  }
}
