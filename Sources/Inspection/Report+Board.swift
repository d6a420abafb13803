// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

extension Report {
  /// Makes the report on the bytes of `file`.
  public init(on bytes: [UInt8], file: String, granule: Granule) {
    self.init(file: file, granule: granule, failing: .notADeviceTree, "not yet")
  }
}
