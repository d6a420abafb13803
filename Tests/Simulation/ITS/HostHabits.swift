// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import GIC

/// What drivers of an ITS do each in their own way.
///
/// All of it works on hardware.
package struct HostHabits: Hashable, Sendable {
  /// How a register of 64 bits is accessed.
  package enum Access: Sendable {
    /// At once.
    case whole
    /// In two halves, the lower one first.
    case lowerFirst
    /// In two halves, the upper one first.
    case upperFirst
  }

  /// A MAPD of the same table before each MAPTI.
  package var mapsDeviceEachTime = false
  /// How registers of 64 bits are written.
  package var access = Access.whole
  /// Each GITS_BASER<n> is written twice.
  package var rewritesTables = false
  /// GITS_BASER<n> is read first, and the table has the pages that it says.
  package var looksAtTables = false
  /// SYNC is never sent.
  package var omitsSync = false
  /// GITS_CREADR is read by 64 bits, and else by 32.
  package var pollsByDoubleword = true
  /// GITS_CBASER and GITS_BASER<n> are written right behind GITS_CTLR, without a look at Quiescent.
  package var omitsQuiescent = false
  /// How far DeviceIDs are apart.
  package var deviceStride: UInt32 = 1

  /// Makes the usual ones.
  package init() {}
}

extension ITSCommand {
  /// The command as it lies in a slot of which a driver writes the fields alone, over `rest`.
  package func leaving(
    _ rest: ITSCommand, hasGICv41: Bool, targetsAreAddresses: Bool
  ) -> ITSCommand {
    guard let opcode else { return self }
    let fields = ITSCommand.fields(
      of: opcode, hasGICv41: hasGICv41, targetsAreAddresses: targetsAreAddresses)
    return ITSCommand(
      word0 | rest.word0 & ~fields.word0, word1 | rest.word1 & ~fields.word1,
      word2 | rest.word2 & ~fields.word2, word3 | rest.word3 & ~fields.word3)
  }
}
