// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

extension SimulatedITS {
  /// What firmware does with an ITS whose power comes back.
  package enum Firmware: CaseIterable, Hashable, Sendable {
    /// Nothing: the registers are those of a reset.
    case leaves
    /// It writes GITS_CBASER, GITS_CWRITER and GITS_BASER<n> as they were, and leaves the ITS disabled.
    case restores
  }

  /// Loses its power and gets it back.
  ///
  /// Gone is what it kept of its tables, but for what `isWrittenBack` says has reached memory before: an
  /// ITS that is not Quiescent may write an entry back at any time, or never.
  package func losePower(
    _ firmware: Firmware = .leaves, isWrittenBack: () -> Bool = { false }
  ) {
    let written = state.entries.filter { !$0.value.isDirty || isWrittenBack() }
    state.entries = written
    writeBackEntries()
    gic.memory.tableLog?.append(.its(base, .quiescent))
    let old = state
    state = State(tableBases: Array(repeating: 0, count: 8))
    for (number, table) in configuration.tables.enumerated() {
      state.tableBases[number] = fixedBits(of: table)
    }
    // What is in memory, and how its commands end.
    state.deviceCollections = old.deviceCollections
    state.collectionTarget = old.collectionTarget
    state.collectionTargets = old.collectionTargets
    state.commandsToStall = old.commandsToStall
    state.commandsToHang = old.commandsToHang
    state.isUnpowered = true
    guard firmware == .restores else { return }
    state.commandBase = old.commandBase
    state.writePointer = old.writePointer
    state.tableBases = old.tableBases
  }
}
