// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// Ranges that are listed, then claimed all at once, in a place that is too large to be moved about.
///
/// What a ``Claim`` is for a few ranges. It can't be copied, and stays where it is: a hypervisor's stack has no room
/// for another. A list that is dropped while its ranges are held stops a debug build.
public struct ClaimList<let capacity: Int>: ~Copyable {
  /// The ranges.
  public private(set) var ranges: FixedList<capacity, PageRange>
  var addresses: FixedList<capacity, VirtualAddress>
  private let place = InPlace()
  /// Whether the ranges are held.
  public internal(set) var isHeld = false

  /// An empty list; `filler` is what unused slots hold.
  public init(filler: PageRange) {
    ranges = FixedList(filler: filler)
    addresses = FixedList(filler: VirtualAddress(0))
  }

  /// The range at `index`, which is one of the list's.
  public func range(_ index: Int) -> PageRange { ranges.span[index] }

  /// Lists a range to be claimed; false where the list is full, or its ranges are held.
  public mutating func append(_ range: PageRange) -> Bool { !isHeld && ranges.append(range) }

  /// Forgets the ranges, none of which is held.
  public mutating func removeAll() {
    guard !isHeld else { return }
    ranges.removeAll()
    addresses.removeAll()
  }

  /// Where EL2 sees the range at `index`, in the order of the list; nil while it is not held.
  public func address(_ index: Int) -> VirtualAddress? {
    isHeld && addresses.indices.contains(index) ? addresses[index] : nil
  }

  /// Ends the claim without giving anything back: the pages are the hypervisor's until reset.
  public mutating func keepForever() { isHeld = false }

  deinit { assert(!isHeld, "a list of claims was dropped") }
}

extension Ownership
where
  Memory: ~Copyable, Host: ~Copyable, Hypervisor: ~Copyable, Observer: ~Copyable
{
  /// Takes all ranges of a list from the host and maps them at EL2, as for a ``Claim``; all are of `kind`.
  ///
  /// - Throws: any `OwnershipError`; nothing has changed then.
  @inline(never)
  public mutating func donate<let capacity: Int>(
    _ list: inout ClaimList<capacity>, expecting kind: PageKind
  ) throws(OwnershipError) {
    guard !list.isHeld, !list.ranges.isEmpty else { throw .empty }
    var reservation = try plan(.donate, list.ranges.span, kind)
    commit(.donate, list.ranges.span, kind, &reservation)
    for index in list.ranges.indices {
      _ = list.addresses.append(
        hypervisor.commitMap(list.ranges.span[index], kind, &pool, &reservation))
    }
    pool.release(reservation)
    list.isHeld = true
  }

  /// Gives device registers of a list back to the host, which is as it was before they were claimed.
  ///
  /// - Throws: `nothingHeld`, `wrongKind` for memory, or a refusal; what is held is held as before then.
  @inline(never)
  public mutating func giveBackRegisters<let capacity: Int>(
    _ list: inout ClaimList<capacity>
  ) throws(OwnershipError) {
    guard list.isHeld else { throw .nothingHeld }
    var reservation = try plan(.giveBack, list.ranges.span, .mmio)
    for index in list.ranges.indices {
      hypervisor.unmap(list.ranges.span[index], at: list.addresses.span[index], &pool)
    }
    commit(.giveBack, list.ranges.span, .mmio, &reservation)
    pool.release(reservation)
    list.addresses.removeAll()
    list.isHeld = false
  }
}
