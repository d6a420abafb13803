// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Boards
public import ITS

extension ITSSetup {
  /// Describes the set-up of an ITS with these `traits`.
  public init(
    frame: VirtualAddress, arena: PageRange, traits: ITSTraits, policy: ITSPolicy, cpus: UInt64
  ) {
    self.init(
      frame: frame, arena: arena,
      addressLimit: traits.addressLimit,
      isNonCoherent: traits.contains(.nonCoherent), policy: policy, cpus: cpus)
  }
}
