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
    case .silent: "does not answer"
    case .notQuiescent: "does not become quiescent"
    case .tableRefused: "does not take a table"
    case .queueRefused: "does not take a queue"
    case .noDeviceTable: "has no table of devices"
    case .outOfMemory: "the memory for queue and tables is too small"
    case .unreachable: "does not reach the memory for queue and tables"
    case .tooManyRedistributors: "a Redistributor does not answer, or there are too many"
    }
  }
}
