// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import Ownership
internal import Redistributor

/// What the mediation of the Redistributors needs, on the CPU that runs this, of the embedder.
struct EmbedderRedistributorMachine: RedistributorMachine {
  private let keeper: EmbedderITSMachine
  private let pins: EmbedderTables

  init(_ keeper: EmbedderITSMachine, pins: EmbedderTables) {
    self.keeper = keeper
    self.pins = pins
  }

  var registers: EmbedderPlatform { keeper.registers }
  var affinity: UInt32 {
    Self.affinity(ofMPIDR: registers.readRegister(PORTCULLIS_MPIDR_EL1))
  }

  func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    try keeper.hold(pages, in: &table, memory: pins)
  }

  func release(_ slot: UInt64, of table: inout PinTable) {
    keeper.release(slot, of: &table, memory: pins)
  }
}
