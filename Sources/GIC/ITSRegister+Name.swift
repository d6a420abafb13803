// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

extension ITSRegister {
  /// The name of the register that begins at `offset`; nil where none does.
  public static func name(at offset: UInt64) -> StaticString? {
    switch offset {
    case control.offset: "GITS_CTLR"
    case implementer.offset: "GITS_IIDR"
    case type.offset: "GITS_TYPER"
    case mpamIdentification.offset: "GITS_MPAMIDR"
    case partition.offset: "GITS_PARTIDR"
    case affinity.offset: "GITS_MPIDR"
    case status.offset: "GITS_STATUSR"
    case unmappedMSI.offset: "GITS_UMSIR"
    case commandBase.offset: "GITS_CBASER"
    case commandWrite.offset: "GITS_CWRITER"
    case commandRead.offset: "GITS_CREADR"
    case 0x100: "GITS_BASER0"
    case 0x108: "GITS_BASER1"
    case 0x110: "GITS_BASER2"
    case 0x118: "GITS_BASER3"
    case 0x120: "GITS_BASER4"
    case 0x128: "GITS_BASER5"
    case 0x130: "GITS_BASER6"
    case 0x138: "GITS_BASER7"
    case peripheralID2: "GITS_PIDR2"
    default: nil
    }
  }
}
