// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// How EL2 stands between the host and its ITSes.
package enum Mediation: Sendable {
  /// The ITSes are claimed and mediated, as the image that is shipped does.
  case on
  /// The ITSes are claimed, and every access that is permitted is forwarded: what a benchmark measures
  /// the way of a trap with.
  case forwarding
  /// Nothing is claimed: the control of the attack tests.
  case off
}
