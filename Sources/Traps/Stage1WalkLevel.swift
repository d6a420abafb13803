// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The level at which the host's stage-1 walk for `address` read a descriptor from a page that
/// stage 2 refuses, as far as the registers tell it; -1 to 3.
///
/// ESR_EL2 gives the level of the *stage-2* look-up that failed, which says nothing of the stage-1
/// walk, whose level ESR_EL1 must report. What is known is the page of the descriptor and where the
/// walk started. A descriptor in the page that TTBRn_EL1 and the address select was read at the
/// initial level. Any other was read below it; to tell which, EL2 would have to follow tables that
/// the host may rewrite meanwhile, for a number that software only prints. The last level is
/// reported then: exact for the page tables proper, and for all tables of a two-level walk.
///
/// Source: Arm ARM DDI 0487, D8.2 (initial look-up level, table alignment), TCR_EL1, TTBR0_EL1.
/// All inputs are the host's: every value gives a level, none traps.
func stage1WalkLevel(
  address: UInt64, descriptorPage: UInt64, tcr: UInt64, ttbr0: UInt64, ttbr1: UInt64
) -> Int {
  let isUpper = address.bit(55)
  let base = isUpper ? ttbr1 : ttbr0
  let is52Bit = tcr.bit(59)  // TCR_EL1.DS

  // log2 of the granule; the two fields encode the same sizes differently.
  let granule: UInt64
  if isUpper {
    granule =
      switch tcr >> 30 & 3 {
      case 1: 14
      case 3: 16
      default: 12
      }
  } else {
    granule =
      switch tcr >> 14 & 3 {
      case 1: 16
      case 2: 14
      default: 12
      }
  }
  // 12 is the smallest TxSZ (52-bit addresses), 48 the largest (FEAT_TTST): others fault at stage 1.
  let size = min(max(isUpper ? tcr >> 16 & 0x3f : tcr & 0x3f, 12), 48)
  let inputBits = 64 - size
  let bitsPerLevel = granule - 3
  // At least one level, since 16 input bits can be no more than one 64 KiB page.
  let levels =
    inputBits > granule ? (inputBits - granule + bitsPerLevel - 1) / bitsPerLevel : 1
  let initial = 4 - Int(levels)
  guard initial < 3 else { return 3 }

  // The entry of the first table that translates the address.
  let shift = granule + bitsPerLevel * (levels - 1)
  let index = (address & (UInt64.max >> size)) >> shift
  // Bits [47:1] of the base; with 52-bit addresses bits [51:48] stand in [5:2].
  var table = base & 0x0000_ffff_ffff_ffc0
  if is52Bit || granule == 16 { table |= (base >> 2 & 0xf) << 48 }
  // Table bases are aligned to the table, so that this sum does not carry for a valid base.
  let descriptor = table &+ index &* 8
  return descriptor & ~0xfff == descriptorPage ? initial : 3
}
