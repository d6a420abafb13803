// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// An entry of a table of devices, collections or vPEs, in the simulation's own layout.
///
/// It has up to four doublewords; all zero is invalid.
package struct TableEntry: Hashable, Sendable {
  /// The doublewords; those that the kind of table doesn't have are zero.
  package var word0: UInt64 = 0
  /// The second one.
  package var word1: UInt64 = 0
  /// The third one.
  package var word2: UInt64 = 0
  /// The fourth one.
  package var word3: UInt64 = 0

  /// Makes an entry from its doublewords.
  package init(_ word0: UInt64 = 0, _ word1: UInt64 = 0, _ word2: UInt64 = 0, _ word3: UInt64 = 0) {
    self.word0 = word0
    self.word1 = word1
    self.word2 = word2
    self.word3 = word3
  }

  /// Bit [63] of the first doubleword.
  package var isValid: Bool { word0 >> 63 != 0 }

  /// A device: ITT_addr [51:8] and Size [4:0] of the first doubleword.
  package static func device(table: UInt64, eventIDBits: UInt64) -> TableEntry {
    TableEntry(1 << 63 | table & 0x000f_ffff_ffff_ff00 | (eventIDBits &- 1) & 0x1f)
  }
  /// The ITT of a device.
  package var translationTable: UInt64 { word0 & 0x000f_ffff_ffff_ff00 }
  /// The bits of an EventID of a device.
  package var eventIDBits: UInt64 { (word0 & 0x1f) + 1 }

  /// A collection: RDbase [51:16] of the first doubleword.
  package static func collection(target: UInt64) -> TableEntry {
    TableEntry(1 << 63 | (target & 0xf_ffff_ffff) << 16)
  }
  /// RDbase of a collection.
  package var collectionTarget: UInt64 { word0 >> 16 & 0xf_ffff_ffff }

  /// A vPE: VPT_addr [51:16] and VPT_size [4:0]; RDbase [51:16]; GICv4.1: VCONF_addr; the doorbell.
  package static func vpe(
    pendingTable: UInt64, idBits: UInt64, target: UInt64, configuration: UInt64 = 0,
    doorbell: UInt32 = 1023
  ) -> TableEntry {
    TableEntry(
      1 << 63 | pendingTable & 0x000f_ffff_ffff_0000 | (idBits &- 1) & 0x1f,
      (target & 0xf_ffff_ffff) << 16, configuration & 0x000f_ffff_ffff_0000, UInt64(doorbell))
  }
  /// The VPT of a vPE.
  package var virtualPendingTable: UInt64 { word0 & 0x000f_ffff_ffff_0000 }
  /// The bits of a vINTID of a vPE.
  package var virtualIDBits: UInt64 { (word0 & 0x1f) + 1 }
  /// RDbase of a vPE.
  package var vpeTarget: UInt64 { word1 >> 16 & 0xf_ffff_ffff }
  /// The VCONF of a vPE; zero without.
  package var virtualConfiguration: UInt64 { word2 }
  /// The default doorbell of a vPE; 1023 for none.
  package var doorbell: UInt32 { UInt32(truncatingIfNeeded: word3) }
}

/// An entry of an ITT (ITE), in the simulation's own layout: a doubleword, and a word for the doorbell.
package struct TranslationEntry: Hashable, Sendable {
  /// Valid [63], Virtual [62], ICID or vPEID [47:32], INTID [31:0].
  package var word: UInt64 = 0
  /// The doorbell of a virtual interrupt; 1023 for none.
  package var doorbell: UInt32 = 0

  /// Makes an entry from its two words.
  package init(word: UInt64 = 0, doorbell: UInt32 = 0) {
    self.word = word
    self.doorbell = doorbell
  }

  /// An event of a collection.
  package static func physical(_ interrupt: UInt32, collection: UInt16) -> TranslationEntry {
    TranslationEntry(word: 1 << 63 | UInt64(collection) << 32 | UInt64(interrupt))
  }
  /// An event of a vPE.
  package static func virtual(
    _ interrupt: UInt32, vpe: UInt16, doorbell: UInt32 = 1023
  ) -> TranslationEntry {
    TranslationEntry(
      word: 0b11 << 62 | UInt64(vpe) << 32 | UInt64(interrupt), doorbell: doorbell)
  }

  /// Whether the event is mapped.
  package var isValid: Bool { word >> 63 != 0 }
  /// Whether the interrupt is a vPE's.
  package var isVirtual: Bool { word >> 62 & 1 != 0 }
  /// ICID, or vPEID.
  package var owner: UInt16 { UInt16(truncatingIfNeeded: word >> 32) }
  /// INTID, or vINTID.
  package var interrupt: UInt32 { UInt32(truncatingIfNeeded: word) }
}
