// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC

/// What set-up builds before there is an ITS to mediate.
struct ITSParts {
  let frame: VirtualAddress
  let typer: GITSTyper
  let offered: GITSTyper
  let policy: ITSPolicy
  let arena: PageArena
  let ledgers: ITSLedgers
  let commit: CommitQueue
  let deviceTable: HardwareTable
  let deviceTableIndex: Int
  let collectionTable: HardwareTable?
  let rules: InlineArray<8, TableBaseRules>
  let installed: InstalledRegisters
}
