// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import SMMU

/// One SMMU: its registers, what it can do, and its queues, once it has them.
struct SMMUUnit: Sendable {
  let port: SMMUPort
  let features: SMMUFeatures
  var parts: Parts?

  /// What lies in the arena.
  struct Parts: Sendable {
    var commands: SMMUCommandQueue
    var events: SMMUEventQueue
    let streams: StreamTable
    /// The streams one by one; nil where the host has no stage 1.
    var nested: NestedStreamTable?
    /// What the host has to be told; nil where it has no stage 1.
    var hostEvents: HostEventBuffer?
  }

  init(_ port: SMMUPort, _ features: SMMUFeatures) {
    self.port = port
    self.features = features
  }

  /// Writes queues and stream table into the arena; no register is touched.
  mutating func build<Memory: BusMemory>(
    _ setup: SMMUSetup, _ entry: StreamTableEntry, _ policy: StreamPolicy, _ memory: Memory
  ) throws(SMMUSetupError) {
    var arena = SMMUArena(setup.arena)
    guard let events = SMMUEventQueue(most: features.eventLog2, &arena, memory),
      let commands = SMMUCommandQueue(most: features.commandLog2, &arena, memory),
      let streams = StreamTable.make(
        entry, for: setup.streams, idBits: features.streamIDBits,
        hasTwoLevels: features.hasTwoLevelStreamTables, needsTwoLevels: policy == .nested,
        &arena, memory)
    else { throw .outOfMemory(unit: port.unit) }
    var new = Parts(commands: commands, events: events, streams: streams)
    if policy == .nested {
      guard let buffer = HostEventBuffer(&arena, memory),
        let nested = NestedStreamTable(streams, entry, setup.streams, arena, memory)
      else { throw .outOfMemory(unit: port.unit) }
      new.hostEvents = buffer
      new.nested = nested
    }
    memory.publishToDevices()
    parts = new
  }
}
