// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture

// An ITS and a Redistributor bypass every IOMMU: what they may write to is a matter of who owns a page, and
// of why it is held. Ranges are kept, not pages, so that a step costs what it changes.

/// Whose a page is: the host's, shared with EL2 while it is held; EL2's; another VM's, which may lend it.
enum Owner: Hashable, Sendable { case host, el2, other, lent }

/// Why pages of the host are held; one use holds one range.
enum Use: Hashable, Sendable {
  /// EL2 reads commands from it.
  case stagingQueue(its: Int)
  /// An ITS writes pending bits of a vPE to it.
  case vpeTable(its: Int, TableKey)
  /// A Redistributor reads the configuration of LPIs from it.
  case configuration(Int)
  /// A Redistributor reads and writes pending bits in it.
  case pending(Int)
  /// The same for the vPE that is resident.
  case virtualConfiguration(Int), virtualPending(Int)
  /// A Redistributor had it at boot, and may still use it.
  case fromBoot(Int, PageRange)
  /// A register that all Redistributors share may still name it.
  case lingering(PageRange)
  /// EL2 reads commands for an SMMU from it.
  case smmuCommands(Int)
  /// EL2 writes events of an SMMU to it.
  case smmuEvents(Int)
}

/// Who owns which page, and what is held; a page in no range is no memory.
struct Pages: Equatable, Sendable {
  /// Memory by its owner, when the host is entered.
  var initial: [PageRange: Owner]
  /// Pages that have had another owner since.
  var moved: [PageFrameNumber: Owner] = [:]
  /// What is held.
  var holds: [Use: PageRange] = [:]
  /// Pages on their way to another VM.
  var leaving: Set<PageFrameNumber> = []
  /// Memory that the tree marks `no-map` or reserves.
  var fenced: [PageRange] = []

  /// Whose a page is; nil for what is no memory.
  func owner(of page: PageFrameNumber) -> Owner? {
    moved[page] ?? initial.first { $0.key.contains(page) }?.value
  }

  /// Whether all pages of a range are `owner`'s.
  func are(_ range: PageRange, _ owner: Owner) -> Bool {
    // The usual case, without a look at each page.
    if moved.isEmpty, let whole = initial.first(where: { $0.key.contains(range) }) {
      return whole.value == owner
    }
    return range.pages.allSatisfy { self.owner(of: $0) == owner }
  }

  /// How often a page is pinned.
  func pins(of page: PageFrameNumber) -> Int { holds.values.count { $0.contains(page) } }

  /// Whether a page of a range is held.
  func isHeld(_ range: PageRange) -> Bool { holds.values.contains { $0.overlaps(range) } }

  /// Whether a range may come into use: it is the host's own memory, and not leaving.
  func mayBeHeld(_ range: PageRange) -> Bool {
    are(range, .host) && (leaving.isEmpty || leaving.isDisjoint(with: range.pages))
  }

  /// Whether EL2 may read a range for the host, which could end in an abort.
  func mayBeRead(_ range: PageRange) -> Bool { mayBeHeld(range) && !fenced.contains { $0.overlaps(range) } }

  /// The same with another owner.
  func moving(_ range: PageRange, to owner: Owner) -> Pages {
    var result = self
    for page in range.pages { result.moved[page] = owner }
    return result
  }
}

extension PageRange {
  /// Each page.
  var pages: [PageFrameNumber] { (0..<count).map { PageFrameNumber(first.rawValue + $0) } }
  /// The bytes.
  var bytes: UInt64 { count << PageFrameNumber.shift }

  /// The pages of bytes from an address on; nil where they leave the address space.
  init?(_ base: PhysicalAddress, bytes: UInt64) {
    guard let range = AddressRange(base: base, size: bytes) else { return nil }
    self.init(covering: range)
  }
}

//             hold                     claim, nobody holds it
//    host ─────────▶ host, held      host ─────────▶ EL2
//         ◀─────────                      ◀─────────
//       the last release               give back, scrubbed
extension World {
  /// Holds a range for a use, where that is permitted: it is shared and pinned.
  func holding(_ range: PageRange, for use: Use) -> World? {
    guard pages.mayBeHeld(range) else { return nil }
    return changed { $0.pages.holds[use] = range }
  }

  /// EL2 takes pages of the host; the range is EL2's, or nothing has changed.
  func claiming(_ range: PageRange) -> [Outcome] {
    guard pages.mayBeHeld(range), !pages.isHeld(range) else {
      return ending(.pages, .refused(.claimOfPinnedIsRefused))
    }
    return ending(.pages, .done, .ownersChangeWhenDone) { $0.pages = pages.moving(range, to: .el2) }
  }

  /// `portcullis_may_give_away`: no page of the range is in use, and none comes into use from now on.
  ///
  /// Whether memory that is not EL2's is the host's is the embedder's to know.
  func leaving(_ range: PageRange) -> [Outcome] {
    if pages.isHeld(range) { return ending(.pages, .refused(.usedPagesStay)) }
    let owners = Set(range.pages.map { pages.owner(of: $0) })
    guard owners.isDisjoint(with: [nil, .el2]), pages.leaving.isDisjoint(with: range.pages) else {
      return ending(.pages, .refused(.leavingPagesStayUnused))
    }
    return ending(.pages, .done, .leavingPagesStayUnused) { $0.pages.leaving.formUnion(range.pages) }
  }

  /// The embedder's own move of pages that are leaving.
  func moving(_ range: PageRange, to owner: Owner) -> [Outcome] {
    guard pages.leaving.isSuperset(of: range.pages) else { return [] }
    return ending(.pages, .done, .ownersChangeWhenDone) { $0.pages = pages.moving(range, to: owner) }
  }

  /// `portcullis_took`: the pages are the host's again.
  func taking(back range: PageRange) -> [Outcome] {
    ending(.pages, .done, .tookEndsLeaving) {
      $0.pages = pages.moving(range, to: .host)
      $0.pages.leaving.subtract(range.pages)
    }
  }
}
