// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Comparison
@testable import ITS
@testable import SimulatedHardware

/// What words held before they changed, to go back step by step.
struct Journal {
  var words: [(address: UInt64, old: UInt64)] = []
  var tables: [(address: UInt64, old: UInt64)] = []
}

extension World {
  /// A place to go back to: cheap, for what memory holds is kept as a journal.
  package struct Mark {
    let words: Int
    fileprivate let tables: Int
    fileprivate let services: [MediatedService.State]
    fileprivate let hardware: [SimulatedITS.State]
    fileprivate let redistributors: [SimulatedRedistributor.State]
    fileprivate let pages: (ownership: [UInt8], claims: [UInt8], reached: [Bool])
    fileprivate let comparison: BoardComparison?
    let memory: MemorySums
  }

  /// Marks the state as it is; `memory` is the sums over memory.
  package func mark(_ memory: MemorySums) -> Mark {
    Mark(
      words: journal?.words.count ?? 0, tables: journal?.tables.count ?? 0,
      services: services.map(\.state), hardware: gic.services.map(\.state),
      redistributors: gic.redistributors.map(\.state), pages: pages.small,
      comparison: comparison, memory: memory)
  }

  /// Goes back to a mark; the sums over memory there.
  package func goBack(to mark: Mark) -> MemorySums {
    guard var kept = journal else { return mark.memory }
    journal = nil
    while kept.words.count > mark.words {
      let (address, old) = kept.words.removeLast()
      gic.memory.store(.double, old, at: address, by: .nonCoherentDevice)
    }
    while kept.tables.count > mark.tables {
      let (address, old) = kept.tables.removeLast()
      pages.restore(old, at: address)
    }
    journal = kept
    for (service, state) in zip(services, mark.services) { service.state = state }
    for (service, state) in zip(gic.services, mark.hardware) { service.state = state }
    for (redistributor, state) in zip(gic.redistributors, mark.redistributors) {
      redistributor.state = state
    }
    pages.small = mark.pages
    comparison = mark.comparison
    return mark.memory
  }
}
