// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import ITS
import Ownership
import SimulatedHardware

// A host that is trusted with its ITSes hands them over, one after another.

extension ITSWorld {
  /// Whether a page was handed over with an ITS.
  func isHandedOver(_ page: PageFrameNumber, _ service: Int) -> Bool {
    handedOver[service]?.contains(page) == true
  }

  /// Hands the next ITS over by the descriptor at an address.
  package func handOver(
    _ service: Int = 0, descriptor: UInt64, setup: ITSSetup? = nil
  ) throws(HandoverError) {
    precondition(service == mediations.count, "one after another")
    let setup = setup ?? self.setup(service)
    let machine = ITSWorldMachine(self, service)
    let its = try MediatedITS.handOver(
      setup, base: PhysicalAddress(gic.services[service].base),
      descriptor: PhysicalAddress(descriptor), machine: machine
    ) { targets, typer in
      for redistributor in gic.redistributors {
        let fits = targets.add(
          PhysicalAddress(redistributor.base), redistributor.typer,
          byAddress: typer.targetsAreAddresses, memory: machine.memory)
        guard fits else { return false }
      }
      return true
    }
    mediations.append(Mediation(its, arena: setup.arena))
  }
}

extension ITSWorldMachine: HandoverMachine {
  package func claim(_ pages: PageRange, into set: inout ClaimSet) throws(OwnershipError) {
    if world.refusesClaim?() == true { throw .refusedByObserver(pages.first) }
    try world.ownership.donate(pages, into: &set)
    world.handedOver[service, default: []].append(pages)
  }

  package func giveBackUntouched(_ set: inout ClaimSet) {
    do throws(OwnershipError) {
      try world.ownership.giveBackUntouched(&set)
      world.handedOver[service] = nil
    } catch {
      fatalError("pages that were claimed just now can't be given back: \(error)")
    }
  }
}
