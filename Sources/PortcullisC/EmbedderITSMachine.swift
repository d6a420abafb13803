// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import ITS
internal import Ownership

/// What the mediation of an ITS needs, on the CPU that runs this, of the embedder.
struct EmbedderITSMachine: HandoverMachine, PageKeeper {
  let memory: LinearMemory
  let registers: EmbedderPlatform
  /// Asked for where it is used alone, for it is a call of the embedder.
  var cpu: UInt64 { UInt64(registers.cpu ?? 0) }
  private let pages: EmbedderPages
  private let linearBase: UInt64

  init(_ platform: EmbedderPlatform, _ pages: EmbedderPages, linearBase: UInt64) {
    // The header asks that the pool and what is shared are mapped there.
    memory = unsafe LinearMemory(base: linearBase, platform)
    registers = platform
    self.pages = pages
    self.linearBase = linearBase
  }

  func share(_ pages: PageRange) throws(OwnershipError) -> VirtualAddress {
    // Whoever gives pages away comes for the lock that is held here, and finds what this has brought about.
    guard self.pages.areHere(pages), registers.share(pages) else {
      throw .refusedByHost(pages.first)
    }
    return VirtualAddress(linearBase &+ pages.first.address.rawValue)
  }

  func unshare(_ pages: PageRange) { registers.unshare(pages) }

  func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    try hold(pages, in: &table, memory: memory)
  }

  func release(_ slot: UInt64, of table: inout PinTable) {
    release(slot, of: &table, memory: memory)
  }

  func donate(_ pages: PageRange) throws(OwnershipError) {
    try self.pages.beginDonation(pages)
    guard registers.donate(pages) else {
      self.pages.endDonation(pages)
      throw .refusedByHost(pages.first)
    }
  }

  func giveBack(_ pages: PageRange) {
    registers.giveBack(pages)
    self.pages.endDonation(pages)
  }

  func claim(_ pages: PageRange, into set: inout ClaimSet) throws(OwnershipError) {
    try donate(pages, into: &set, memory: memory)
  }

  func giveBackUntouched(_ set: inout ClaimSet) { giveBackUntouched(&set, memory: memory) }
}
