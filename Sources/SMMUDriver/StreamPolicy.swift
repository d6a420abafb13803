// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What the host is shown of the SMMUs.
public enum StreamPolicy: Hashable, Sendable {
  /// Nothing: every stream that may reach anything has stage 2 alone.
  case owned
  /// An SMMU with a stage 1, behind which stage 2 stands.
  case nested
}
