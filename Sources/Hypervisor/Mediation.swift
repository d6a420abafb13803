// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// How the image stands between the host and its ITSes.
enum Mediation {
  /// The ITSes are claimed and mediated, as the image that is shipped does.
  case on
  /// The ITSes are claimed, and every access that is permitted is forwarded: what a benchmark measures
  /// the way of a trap with.
  case forwarding
  /// Nothing is claimed: the control of the attack tests.
  case off
}

// The image that is shipped has no such switch: the others are images of their own, built from the same
// sources.
#if MEDIATE_OFF
  let mediation = Mediation.off
#elseif MEDIATE_FORWARDING
  let mediation = Mediation.forwarding
#else
  let mediation = Mediation.on
#endif
