// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import Boards
internal import Hypervisor
internal import Ownership

/// The embedder, who keeps the ledger of pages, asked with the lock of one device held.
struct EmbedderPageAuthority: PageAuthority, PageKeeper {
  private let machine: EmbedderMachine
  /// What is held: it tells where the table of pins is.
  private let rank: LockRank

  init(of machine: EmbedderMachine, holding rank: LockRank) {
    self.machine = machine
    self.rank = rank
  }

  private var platform: EmbedderPlatform { machine.registers }

  func share(_ pages: PageRange) throws(OwnershipError) -> VirtualAddress {
    // Whoever gives pages away comes for the lock that is held here, and finds what this has brought about.
    guard machine.pages.areHere(pages), platform.share(pages) else {
      throw .refusedByHost(pages.first)
    }
    let first = platform.output(of: IntermediatePhysicalAddress(pages.first.address.rawValue))
    guard let physical = PageRange(first: PageFrameNumber(containing: first), count: pages.count),
      !machine.isOwn(physical)
    else {
      platform.unshare(pages)
      throw .refusedByHost(pages.first)
    }
    return machine.memory.address(of: first)
  }

  func unshare(_ pages: PageRange) { platform.unshare(pages) }

  func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    rank == .redistributor
      ? try hold(pages, in: &table, memory: machine.pins)
      : try hold(pages, in: &table, memory: machine.memory)
  }

  func release(_ slot: UInt64, of table: inout PinTable) {
    if rank == .redistributor {
      release(slot, of: &table, memory: machine.pins)
    } else {
      release(slot, of: &table, memory: machine.memory)
    }
  }

  func donate(_ pages: PageRange) throws(OwnershipError) {
    try machine.pages.beginDonation(pages)
    guard platform.donate(pages) else {
      machine.pages.endDonation(pages)
      throw .refusedByHost(pages.first)
    }
    let answer = machine.pages.whileLocked { machine.askSMMUs(.revoke(pages)) }
    if case .refused(let error) = answer {
      platform.giveBack(pages)
      machine.pages.endDonation(pages)
      throw error
    }
  }

  func giveBack(_ pages: PageRange) {
    platform.giveBack(pages)
    if case .refused = machine.pages.whileLocked({ machine.askSMMUs(.grant(pages)) }) {
      // They are the host's all the same, whose devices have lost them.
      var line = LogLine("no memory for tables: devices do not reach what the host has back, from ")
      line.append(hex: pages.first.address.rawValue)
      platform.log(.warning, line)
    }
    machine.pages.endDonation(pages)
  }

  func claim(_ pages: PageRange, into set: inout ClaimSet) throws(OwnershipError) {
    try donate(pages, into: &set, memory: machine.memory)
  }

  func giveBackUntouched(_ set: inout ClaimSet) -> Bool {
    giveBackUntouched(&set, memory: machine.memory)
    return true
  }
}
