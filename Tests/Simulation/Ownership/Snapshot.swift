// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Ownership

/// Everything that can be seen of an ownership, over frames of interest.
package struct Snapshot: Equatable {
  package struct EL2Entry: Equatable {
    package let address: PhysicalAddress
    package let attributes: EL2Attributes
  }

  /// What stage 2 says of a page, without the size of the block it says it with.
  package struct HostEntry: Equatable {
    package let address: PhysicalAddress?
    package let kind: PageKind?
    package let owner: PageOwner?
  }

  package let records: [PageRecord]
  package let host: [HostEntry]
  package let linear: [EL2Entry?]
  package let window: [EL2Entry?]
  package let free: UInt64
}

package func hostEntry(_ subject: borrowing Subject, _ number: UInt64) -> Snapshot.HostEntry {
  let address = IntermediatePhysicalAddress(number << 12)
  switch subject.host.walk.lookup(address, in: SimulatedMemory(machine: subject.observer.machine)) {
  case .mapped(let address, let kind, _): return .init(address: address, kind: kind, owner: nil)
  case .claimed(let owner): return .init(address: nil, kind: nil, owner: owner)
  case .changing, .unmapped: return .init(address: nil, kind: nil, owner: nil)
  }
}

package func el2Entry(_ subject: borrowing Subject, _ address: UInt64) -> Snapshot.EL2Entry? {
  let found = subject.hypervisor.lookup(
    VirtualAddress(address), in: SimulatedMemory(machine: subject.observer.machine))
  return found.map { Snapshot.EL2Entry(address: $0.0, attributes: $0.1) }
}

package func snapshot(_ subject: borrowing Subject, _ frames: [UInt64], windowPages: UInt64 = 40)
  -> Snapshot
{
  var records: [PageRecord] = []
  var host: [Snapshot.HostEntry] = []
  var linear: [Snapshot.EL2Entry?] = []
  var window: [Snapshot.EL2Entry?] = []
  for number in frames {
    records.append(subject.pageRecord(of: frame(number)))
    host.append(hostEntry(subject, number))
    linear.append(el2Entry(subject, SmallBoard.linear.rawValue + number << 12))
  }
  for page in 0..<windowPages {
    window.append(el2Entry(subject, SmallBoard.window.rawValue + page << 12))
  }
  return Snapshot(
    records: records, host: host, linear: linear, window: window, free: subject.freeTablePages)
}
