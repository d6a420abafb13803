// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Worlds as they are after set-up, to go back to.
nonisolated(unsafe) private var kept: [UInt64: (World, World.State)] = [:]

private func world(_ number: UInt64) throws -> World {
  if let (world, state) = kept[number] {
    world.state = state
    return world
  }
  // A full ledger takes more steps than an input has bytes.
  var setup = WorldSetup(number: number)
  if setup.arenaPages == WorldSetup.manyPages { setup = WorldSetup(number: number + 256) }
  // Beside the specification a life takes several times as long.
  setup.isCompared = number % 4 == 0
  let world = try World(setup)
  kept[number] = (world, world.state)
  return world
}

/// The most bytes of choices that are a life: a trace may be longer.
private let longestLife = 8192

/// The first byte chooses the world, all others what happens in it.
///
/// Ends the process where anything is wrong.
public func exercise(_ bytes: UnsafeBufferPointer<UInt8>) throws {
  guard let first = bytes.first else { return }
  let world = try world(UInt64(first))
  let choices = bytes.dropFirst().prefix(longestLife)
  var host = HostileHost(world, ByteChoices(UnsafeBufferPointer(rebasing: choices)))
  while !host.choices.isSpent {
    host.step()
    if let violation = world.check(walks: false) { fatalError(violation) }
  }
  if let violation = world.check(walks: true) { fatalError(violation) }
}
