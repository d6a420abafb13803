// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The places of Redistributors in memory that the caller sets aside, one for each number.
///
/// Not an array in the state: a board may have many, and the compiler would build all of them on the stack. A leaf: it
/// goes from a number to a place.
@safe public struct RedistributorSlots {
  /// How many places there are.
  public static var capacity: Int { 512 }
  /// The bytes of all places; they begin at a multiple of 16.
  public static var size: UInt64 {
    UInt64(capacity * MemoryLayout<MediatedRedistributor>.stride)
  }

  private let first: UnsafeMutablePointer<MediatedRedistributor>

  /// Takes ``size`` bytes that nothing else uses as long as this value lives.
  @unsafe public init(_ memory: UnsafeMutableRawPointer) {
    unsafe first = memory.bindMemory(to: MediatedRedistributor.self, capacity: Self.capacity)
  }

  /// Puts a Redistributor into its place, below the capacity.
  func put(_ redistributor: MediatedRedistributor, at number: Int) {
    precondition(number >= 0 && number < Self.capacity)
    unsafe (first + number).initialize(to: redistributor)
  }

  /// The Redistributor in a place, which was put there.
  subscript(number: Int) -> MediatedRedistributor {
    get {
      precondition(number >= 0 && number < Self.capacity)
      return unsafe first[number]
    }
    nonmutating _modify {
      precondition(number >= 0 && number < Self.capacity)
      yield unsafe &first[number]
    }
  }
}
