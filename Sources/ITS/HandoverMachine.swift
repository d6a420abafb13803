// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Ownership

/// What the handover of a live ITS needs beyond its mediation.
public protocol HandoverMachine: ITSMachine, ~Copyable {
  /// Takes pages of the host's memory and adds them to `set`.
  ///
  /// Takes the lock of rank `ownership`. - Throws: any `OwnershipError`; nothing has changed then.
  func claim(_ pages: PageRange, into set: inout ClaimSet) throws(OwnershipError)
  /// Gives all of `set` back with its content; what can't be given back stays the hypervisor's.
  func giveBackUntouched(_ set: inout ClaimSet)
}
