// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// A list of at most `capacity` elements, stored inline and without a heap.
///
/// It is for the few things that are counted at boot (regions, memory ranges); an append beyond the
/// capacity is refused, never a trap, because what is counted often comes from outside.
public struct FixedList<let capacity: Int, Element> {
  @usableFromInline
  var slots: InlineArray<capacity, Element>
  /// How many elements the list holds.
  public private(set) var count = 0

  /// Makes an empty list; `filler` is what unused slots hold and is never returned.
  public init(filler: Element) { slots = InlineArray(repeating: filler) }

  /// Whether the list holds nothing.
  public var isEmpty: Bool { count == 0 }
  /// Whether an append would be refused.
  public var isFull: Bool { count == capacity }
  /// The indices of the elements.
  public var indices: Range<Int> { 0..<count }

  /// Appends `element`; false, and nothing changed, where the list is full.
  public mutating func append(_ element: Element) -> Bool {
    guard count < capacity else { return false }
    slots[count] = element
    count += 1
    return true
  }

  /// Removes the last element, if there is one.
  public mutating func removeLast() -> Element? {
    guard count > 0 else { return nil }
    count -= 1
    return slots[count]
  }

  /// Removes all elements.
  public mutating func removeAll() { count = 0 }

  /// The element at `index`.
  ///
  /// - Precondition: `index` is below `count`.
  public subscript(index: Int) -> Element {
    // Not `get` and `set`: for those the optimiser copies the whole list to get at one element.
    _read {
      precondition(index < count)
      yield slots[index]
    }
    _modify {
      precondition(index < count)
      yield &slots[index]
    }
  }

  /// The elements, borrowed.
  public var span: Span<Element> {
    // Of a list of one the optimiser otherwise lends a copy, which is gone when the span is read.
    @_addressableSelf
    @_lifetime(borrow self)
    get { slots.span.extracting(0..<count) }
  }
}

extension FixedList: Sendable where Element: Sendable {}
