// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What becomes of the SMMUv3s of a board.
public enum SMMUPolicy: Hashable, Sendable {
  /// They are EL2's own and follow the owners of pages; the host does not see them.
  ///
  /// The policy where none is named: a host whose devices reach EL2's memory is not confined. Where they
  /// can't be owned, the host is not started.
  case owned
  /// The host sees an SMMU with a stage 1, behind which stands a stage 2 that follows the owners of pages.
  ///
  /// Where the hardware has not both stages, the host is not started.
  case nested
  /// They are the host's as everything else: its devices reach whatever it tells them to.
  case off

  /// Whether EL2 drives the hardware.
  public var isOwning: Bool { self != .off }
}
