// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import FuzzWorld
import SMMU
import Simulation
import SimulatedHardware
import VirtualSMMU

/// A world by its number: what its hardware has, and how late it does things.
package func makeNestedWorld(_ number: UInt64) throws -> NestedWorld {
  var choices = RandomChoices(seed: number)
  var configuration = NestedWorld.configuration
  switch choices.next(4) {
  case 0: configuration.invalidation = .immediate
  case 1: configuration.invalidation = .atSync
  default: configuration.invalidation = .anyOrder(seed: number)
  }
  configuration.commandQueueLog2 = 2 + choices.next(7)
  configuration.eventQueueLog2 = choices.next(8)
  configuration.combinesStages = choices.next(4) != 0
  configuration.prefetchesEntries = choices.next(2) == 0
  configuration.hasRangeInvalidation = choices.next(2) == 0
  configuration.breakBeforeMake = choices.next(2) == 0 ? .level2 : .required
  configuration.commandsFetchedAhead = Int(choices.next(4))
  configuration.stallModel = choices.next(2) == 0 ? .terminateOnly : .stallOrTerminate
  configuration.hasATS = choices.next(4) != 0
  var policy = VirtualSMMUPolicy()
  policy.commandsPerTrap = 1 + choices.next(64)
  policy.entriesPerTrap = 2 + choices.next(63)
  policy.eventsPerTrap = 1 + choices.next(64)
  // In some there is no room for the entries of all streams; the least has room for one or two groups of them.
  let arenaSize = [11 << 12, 1 << 16, 1 << 18, 1 << 18][Int(choices.next(4))] as UInt64
  // In some, the streams between two ranges may reach nothing.
  let streams =
    choices.next(4) == 0
    ? [StreamID(0)...StreamID(5), StreamID(7)...StreamID(0x1ff)] : [StreamID(0)...StreamID(.max)]
  return try NestedWorld(configuration, policy: policy, arenaSize: arenaSize, streams: streams)
}

/// What is wrong in a world, nil for nothing; `walks` looks at everything.
///
/// What a comparison has found comes first; the rest is checked only with `hasOwnChecks`.
package func violation<Source>(
  _ host: HostileSMMUHost<Source>, walks: Bool, _ comparison: NestedComparison? = nil,
  hasOwnChecks: Bool = true
) -> String? {
  let world = host.world
  if walks { comparison?.walk() }
  if let divergence = comparison?.divergence { return divergence }
  guard hasOwnChecks else { return nil }
  if let wrong = host.wrongAnswer { return wrong }
  if let first = world.violations.first { return first }
  if let first = world.smmu.faults.first { return "the SMMU was misused: \(first)" }
  if let fault = world.smmu.memory.tableLog?.faults.first { return fault.description }
  if world.held > 2 { return "\(world.held) pages are held between two traps" }
  if world.mediated.isBroken, !host.hasFailed { return "an SMMU that works was given up" }
  if world.smmu.activeErrors.rawValue != 0, !host.hasFailed {
    return "EL2's own queue has stopped: \(world.smmu.activeErrors)"
  }
  if walks, world.isCanaryTouched { return "the canary is dead" }
  return nil
}

/// What all lives of ``exerciseSMMU(_:)`` came to; one thread has them all.
nonisolated(unsafe) private var tally = SMMUTally()

/// What all lives of ``exerciseSMMU(_:)`` came to, a line each.
public var exercisedSMMULines: [String] {
  var lines = tally.lines
  lines.append("\(tally.steps) steps in \(tally.lives) lives")
  if !tally.missing.isEmpty { lines.append("NEVER: " + tally.missing.joined(separator: "; ")) }
  return lines
}

/// The first byte chooses the world and whether it is compared, all others what happens in it.
///
/// Ends the process where anything is wrong.
public func exerciseSMMU(_ bytes: UnsafeBufferPointer<UInt8>) throws {
  guard let first = bytes.first else { return }
  let world = try makeNestedWorld(UInt64(first))
  // What is compared takes longer: it is for every fourth.
  let comparison = first % 4 == 3 ? NestedComparison(world) : nil
  let choices = bytes.dropFirst().prefix(8192)
  var host = HostileSMMUHost(world, ByteChoices(UnsafeBufferPointer(rebasing: choices)))
  while !host.choices.isSpent {
    host.step()
    if let violation = violation(host, walks: false, comparison) { fatalError(violation) }
  }
  if let violation = violation(host, walks: true, comparison) { fatalError(violation) }
  tally.add(host)
}
