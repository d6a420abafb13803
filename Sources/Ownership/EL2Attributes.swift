// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What EL2 may do with a page of its own: nothing is both writable and executable.
public enum EL2Attributes: Sendable {
  /// Memory, readable and executable.
  case code
  /// Memory, readable.
  case readOnlyData
  /// Memory, readable and writable.
  case data
  /// Device-nGnRnE, readable and writable.
  case device

  // Leaves of the EL2 regime with E2H = 0 (Arm ARM DDI 0487, D8.3.1 and D8.4.1): XN [54], AF [10],
  // SH [9:8], AP[2] read-only [7], AP[1] RES1 with one privilege level [6], AttrIndx [4:2].
  var bits: UInt64 {
    let common: UInt64 = 1 << 10 | 1 << 6
    let executeNever: UInt64 = 1 << 54
    let readOnly: UInt64 = 1 << 7
    let normal: UInt64 = 0b11 << 8 | 0 << 2
    let device: UInt64 = 1 << 2
    return switch self {
    case .code: common | normal | readOnly
    case .readOnlyData: common | normal | readOnly | executeNever
    case .data: common | normal | executeNever
    case .device: common | device | executeNever
    }
  }

  /// The attributes that a leaf says; nil where it says others than these.
  init?(entry: UInt64) {
    switch entry & (0b111 << 52 | 0xffc) {
    case Self.code.bits: self = .code
    case Self.readOnlyData.bits: self = .readOnlyData
    case Self.data.bits: self = .data
    case Self.device.bits: self = .device
    default: return nil
    }
  }
}
