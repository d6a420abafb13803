// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// What the host's stage 2 says about a run of pages.
public struct HostLeaf: Hashable, Sendable {
  /// What it says.
  public enum Content: Hashable, Sendable {
    /// The host reaches the pages, by itself.
    case mapped(isReadable: Bool, isWritable: Bool)
    /// The pages belong to somebody else, or are between two owners.
    case claimed
    /// Nothing yet: the host reaches them with its first access.
    case absent
  }

  /// The pages.
  public let pages: PageRange
  /// What the table says of all of them.
  public let content: Content

  /// Makes a leaf.
  public init(_ pages: PageRange, _ content: Content) {
    self.pages = pages
    self.content = content
  }
}

/// A translation of the host that can be read from end to end, such as for a snapshot.
///
/// What can't be told apart is `claimed`: whoever reads it denies by default.
public protocol HostLeaves: ~Copyable {
  /// One more than the largest page number that the translation knows.
  var pageLimit: UInt64 { get }

  /// The run of pages that begins at `first` and that one entry of the table stands for; `first` is below
  /// the limit. All calls come with the ownership lock held.
  func leaf<Memory: TableMemory & ~Copyable>(
    from first: PageFrameNumber, in memory: borrowing Memory
  ) -> HostLeaf
}

extension Stage2Table: HostLeaves where Cache: ~Copyable {
  /// The pages of the geometry.
  public var pageLimit: UInt64 { tree.geometry.pageLimit }

  /// Reads one entry; of an entry that stands for pages below `first` too, the rest.
  public func leaf<Memory: TableMemory & ~Copyable>(
    from first: PageFrameNumber, in memory: borrowing Memory
  ) -> HostLeaf {
    let slot = tree.walk(to: first.rawValue, in: memory)
    let span: UInt64 = 1 << PageTree.shift(slot.level)
    let end = (first.rawValue & ~(span - 1)) + span
    let count = min(end, pageLimit) - first.rawValue
    let content: HostLeaf.Content =
      if Stage2Descriptor.isValid(slot.entry) {
        .mapped(
          isReadable: Stage2Descriptor.isReadable(slot.entry),
          isWritable: Stage2Descriptor.isWritable(slot.entry))
      } else if slot.entry == 0 {
        .absent
      } else {
        .claimed
      }
    // Never nil: a walk ends at an entry for at least one page.
    guard let pages = PageRange(first: first, count: count) else {
      preconditionFailure("the page is beyond the table")
    }
    return HostLeaf(pages, content)
  }
}
