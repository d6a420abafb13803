// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The physical address bits that a value of ID_AA64MMFR0_EL1.PARange stands for
/// (Arm ARM DDI 0487, D19.2.64); nil for a value that is reserved.
func physicalAddressBits(_ range: UInt64) -> UInt64? {
  switch range {
  case 0: 32
  case 1: 36
  case 2: 40
  case 3: 42
  case 4: 44
  case 5: 48
  case 6: 52
  case 7: 56
  default: nil
  }
}
