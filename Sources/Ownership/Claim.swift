// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// Pages and where EL2 sees them.
public struct MappedPages: Hashable, Sendable {
  /// The pages.
  public let pages: PageRange
  /// The address of the first of them in EL2's translation.
  public let address: VirtualAddress
}

/// Pages that were donated to the hypervisor: the right to use them, as a value.
///
/// It can't be copied, so that pages can't be given back twice. It ends in `Ownership.giveBack` or in
/// `keepForever`. A claim that is dropped instead is a defect: it stops a debug build, and in a
/// release build its pages stay the hypervisor's, which is safe.
public struct Claim<let capacity: Int>: ~Copyable {
  var mapped: FixedList<capacity, MappedPages>
  /// What stands behind the pages.
  public let kind: PageKind
  var isOpen = true

  init(_ mapped: FixedList<capacity, MappedPages>, _ kind: PageKind) {
    self.mapped = mapped
    self.kind = kind
  }

  /// How many ranges the claim holds.
  public var count: Int { mapped.count }

  /// The range at `index`, in the order of the request.
  ///
  /// - Precondition: `index` is below `count`.
  public subscript(index: Int) -> MappedPages { mapped[index] }

  /// Ends the claim without giving anything back: the pages are the hypervisor's until reset.
  ///
  /// This is what becomes of the protected regions, once their addresses are in the registry.
  public consuming func keepForever() -> FixedList<capacity, MappedPages> {
    isOpen = false
    return mapped
  }

  deinit { assert(!isOpen, "a claim was dropped") }
}

/// Shared pages that can't be unshared while this value lives; it ends in `Ownership.unpin`.
///
/// A pin that is dropped instead stops a debug build; in a release build the pages stay shared.
public struct Pin<let capacity: Int>: ~Copyable {
  var mapped: FixedList<capacity, MappedPages>
  var isOpen = true

  init(_ mapped: FixedList<capacity, MappedPages>) { self.mapped = mapped }

  /// How many ranges the pin holds.
  public var count: Int { mapped.count }

  /// The range at `index`, in the order of the request.
  ///
  /// The host may write to it at any time.
  ///
  /// - Precondition: `index` is below `count`.
  public subscript(index: Int) -> MappedPages { mapped[index] }

  deinit { assert(!isOpen, "a pin was dropped") }
}
