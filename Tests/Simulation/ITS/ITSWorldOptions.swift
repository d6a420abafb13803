// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import ITS
import SimulatedHardware

/// What the board of an `ITSWorld` is made of.
package struct ITSWorldOptions: Sendable {
  /// The ITSes.
  package var services: [ITSConfiguration]
  /// Memory of the host beside that of each board, whole pages.
  package var furtherMemory: PageRange?
  /// How many processors, each with its Redistributor.
  package var processors = 2
  /// What the mediation permits.
  package var policy = ITSWorldPolicy()
  /// The pages of each ITS's arena, a multiple of sixteen.
  package var arenaPages: UInt64 = 1024
  /// Whether EL2 stands between; without, the host programs the ITS itself: the control of an attack.
  package var isMediated = true
  /// Whether the host is trusted with the ITSes until it hands each over.
  package var isHandover = false
  /// Whether the device tree says that the ITSes don't look into caches.
  package var isNonCoherent = false
  /// Whether CPU stores stay in a cache until they are cleaned.
  package var hasCache = false
  /// Whether CPUs keep what they have loaded.
  package var keepsLoads = false
  /// Whether CPU stores are seen by no device before a barrier.
  package var hasStoreBuffer = false
  /// The address above the last that EL2 lets the ITS have.
  package var addressLimit: UInt64 = 1 << 40

  /// Makes the options of a board with the ITSes given.
  package init(_ services: [ITSConfiguration] = [ITSConfiguration()]) { self.services = services }
}

/// The policy of the mediation, with what tests change.
package struct ITSWorldPolicy: Sendable {
  /// Whether a refused command stalls the queue instead of being skipped.
  package var stalls = false
  /// Whether virtual interrupts are offered, and their commands checked.
  package var checksVirtualInterrupts = false
  /// The most commands that one trap takes; nil for the usual.
  package var commandsPerTrap: UInt64?
  /// The most bytes that one trap zeroes; nil for the usual.
  package var bytesPerTrap: UInt64?
  /// The DeviceIDs that may be mapped.
  package var devices = PermittedDevices.all
  /// One more than the largest INTID.
  package var interruptLimit: UInt64 = 1 << 16
  /// One more than the largest address of a table that Redistributors may be told of.
  package var addressLimit: UInt64 = 1 << 52

  /// Makes the usual one.
  package init() {}
}
