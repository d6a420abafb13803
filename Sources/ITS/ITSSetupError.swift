// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// Why an ITS can't be mediated; it is disabled then, and the host does not get it.
public enum ITSSetupError: Error, Hashable, Sendable {
  /// The register at this offset answers with an external abort.
  case silent(offset: UInt64)
  /// It does not become quiescent.
  case notQuiescent
  /// GITS_BASER<n> does not take EL2's table.
  case tableRefused(index: UInt64)
  /// GITS_CBASER does not take EL2's queue.
  case queueRefused
  /// No GITS_BASER<n> is for devices.
  case noDeviceTable
  /// The arena is too small.
  case outOfMemory
  /// The arena lies where the ITS can't reach it.
  case unreachable(PhysicalAddress)
  /// There are more Redistributors than the directory holds.
  case tooManyRedistributors

  /// The reason in words, for a log.
  public var text: StaticString {
    switch self {
    case .silent: "it answers with aborts"
    case .notQuiescent: "it does not become quiescent"
    case .tableRefused: "it does not take EL2's table"
    case .queueRefused: "it does not take EL2's queue"
    case .noDeviceTable: "it has no device table"
    case .outOfMemory: "its memory is too small"
    case .unreachable: "its memory is out of its reach"
    case .tooManyRedistributors: "too many Redistributors, or a silent one"
    }
  }
}
