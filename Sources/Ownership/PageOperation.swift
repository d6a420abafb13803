// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The operations that change the state of a page, as the edges of the state machine.
enum PageOperation {
  case donate
  case giveBack
  case share
  case unshare
  case lend
  case recall

  /// The one state that the operation starts from.
  var from: PageState {
    switch self {
    case .donate, .share: .owned
    case .giveBack, .lend: .none
    case .unshare: .sharedOwned
    case .recall: .sharedBorrowed
    }
  }

  /// The state that the operation ends in.
  var to: PageState {
    switch self {
    case .giveBack, .unshare: .owned
    case .donate, .recall: .none
    case .share: .sharedOwned
    case .lend: .sharedBorrowed
    }
  }

  var hostLoses: Bool { from.isHostAccessible && !to.isHostAccessible }
  var hostGains: Bool { !from.isHostAccessible && to.isHostAccessible }
  var hypervisorLoses: Bool { from.isHypervisorAccessible && !to.isHypervisorAccessible }
  var hypervisorGains: Bool { !from.isHypervisorAccessible && to.isHypervisorAccessible }
}
