// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
internal import Boards

/// Where tables are before they are copied.
public protocol ACPIMemory: ~Copyable, ~Escapable {
  /// The byte at an address; nil where nothing may be read.
  func byte(at address: PhysicalAddress) -> UInt8?
}

/// A table that was copied.
public struct GatheredTable: Hashable, Sendable {
  /// Which one it is.
  public let signature: ACPISignature
  /// Where it was found.
  public let address: PhysicalAddress
  /// Where the root table has that address, in bytes from its start.
  public let entry: Int
  /// Where its copy begins, in bytes from the start of the copies.
  public let offset: Int
  /// How many bytes it has.
  public let count: Int
}

/// The tables that are read, copied once from where firmware has put them.
///
/// From the pointer (RSDP) the way goes to the extended root table (XSDT), or, where there is none, to the root table
/// (RSDT), and from there to each table: no table leads to another. Each byte of memory is read once, and the copy is
/// what is checked. No more is read than `entryLimit` entries, and a table for each that fits the copy.
public struct ACPIGathering: Sendable {
  /// The most entries of a root table.
  public static var entryLimit: Int { 256 }

  /// The tables that are read; at most one each.
  public private(set) var tables = FixedList<5, GatheredTable>(
    filler: GatheredTable(
      signature: .other, address: PhysicalAddress(0), entry: 0, offset: 0, count: 0))
  /// The root table.
  public private(set) var root = PhysicalAddress(0)
  /// Which root table it is: `.xsdt` or `.rsdt`.
  public private(set) var rootSignature = ACPISignature.xsdt
  /// How many bytes the copies have.
  public private(set) var count = 0

  private typealias Entries = FixedList<256, UInt64>

  /// Copies the tables that the pointer at `pointer` leads to into `copy`, which must begin at a multiple of 8.
  ///
  /// - Throws: `ACPIError`: which table is refused, where in it, and by which rule.
  @inline(never)
  public init<Memory: ACPIMemory & ~Copyable & ~Escapable>(
    from pointer: PhysicalAddress, in memory: borrowing Memory, into copy: inout MutableSpan<UInt8>
  ) throws(ACPIError) {
    try findRoot(pointer, memory)
    let entries = try entries(memory)
    let size = rootSignature == .xsdt ? 8 : 4
    for index in entries.indices where entries[index] != 0 {
      try take(
        PhysicalAddress(entries[index]), entry: ACPITables.headerSize + size * index, memory, &copy)
    }
  }

  // MARK: Memory

  private static func byte<Memory: ACPIMemory & ~Copyable & ~Escapable>(
    _ table: ACPISignature, _ base: PhysicalAddress, _ offset: Int, _ memory: borrowing Memory
  ) throws(ACPIError) -> UInt8 {
    guard let address = base.advanced(by: UInt64(offset)), let byte = memory.byte(at: address)
    else { throw ACPIError(table, at: offset, .unreadable) }
    return byte
  }

  /// The first 8 bytes of a table: its signature and its length.
  private static func head<Memory: ACPIMemory & ~Copyable & ~Escapable>(
    _ table: ACPISignature, _ base: PhysicalAddress, _ memory: borrowing Memory
  ) throws(ACPIError) -> UInt64 {
    var head: UInt64 = 0
    for index in 0..<8 {
      head |= UInt64(try byte(table, base, index, memory)) << UInt64(8 * index)
    }
    return head
  }

  // MARK: The pointer

  private mutating func findRoot<Memory: ACPIMemory & ~Copyable & ~Escapable>(
    _ pointer: PhysicalAddress, _ memory: borrowing Memory
  ) throws(ACPIError) {
    var bytes = InlineArray<36, UInt8>(repeating: 0)
    func number(_ offset: Int, _ count: Int) -> UInt64 {
      var number: UInt64 = 0
      for index in 0..<count { number |= UInt64(bytes[offset + index]) << UInt64(8 * index) }
      return number
    }
    func sum(_ count: Int) -> UInt8 {
      var sum: UInt8 = 0
      for index in 0..<count { sum &+= bytes[index] }
      return sum
    }
    for index in 0..<20 { bytes[index] = try Self.byte(.rsdp, pointer, index, memory) }
    for index in 0..<8 where bytes[index] != ACPISignature.rsdp.text.byte(at: index) {
      throw ACPIError(.rsdp, .badSignature)
    }
    guard sum(20) == 0 else { throw ACPIError(.rsdp, at: 8, .badChecksum) }
    // What is before revision 2 ends here.
    if bytes[15] >= 2 {
      for index in 20..<36 { bytes[index] = try Self.byte(.rsdp, pointer, index, memory) }
      guard number(20, 4) == 36 else { throw ACPIError(.rsdp, at: 20, .badLength(number(20, 4))) }
      guard sum(36) == 0 else { throw ACPIError(.rsdp, at: 32, .badChecksum) }
    }
    let (extended, old) = (number(24, 8), number(16, 4))
    rootSignature = extended != 0 ? .xsdt : .rsdt
    root = PhysicalAddress(extended != 0 ? extended : old)
    guard root.rawValue != 0 else { throw ACPIError(.rsdp, at: 24, .missing) }
  }

  // MARK: The root table

  private func entries<Memory: ACPIMemory & ~Copyable & ~Escapable>(
    _ memory: borrowing Memory
  ) throws(ACPIError) -> Entries {
    let head = try Self.head(rootSignature, root, memory)
    guard ACPISignature(head: UInt32(truncatingIfNeeded: head)) == rootSignature else {
      throw ACPIError(rootSignature, .badSignature)
    }
    let (length, size) = (Int(head >> 32), rootSignature == .xsdt ? 8 : 4)
    guard length >= ACPITables.headerSize, (length - ACPITables.headerSize) % size == 0 else {
      throw ACPIError(rootSignature, at: 4, .badLength(UInt64(length)))
    }
    guard length <= ACPITables.headerSize + size * Self.entryLimit else {
      throw ACPIError(rootSignature, at: 4, .tooMany(Self.entryLimit))
    }
    var sum: UInt8 = 0
    for index in 0..<8 { sum &+= UInt8(truncatingIfNeeded: head >> UInt64(8 * index)) }
    var entries = Entries(filler: 0)
    var entry: UInt64 = 0
    for offset in 8..<length {
      let byte = try Self.byte(rootSignature, root, offset, memory)
      sum &+= byte
      guard offset >= ACPITables.headerSize else { continue }
      let place = (offset - ACPITables.headerSize) % size
      entry |= UInt64(byte) << UInt64(8 * place)
      guard place == size - 1 else { continue }
      _ = entries.append(entry)
      entry = 0
    }
    guard sum == 0 else { throw ACPIError(rootSignature, at: 9, .badChecksum) }
    return entries
  }

  // MARK: Tables

  /// Copies a table that is read.
  private mutating func take<Memory: ACPIMemory & ~Copyable & ~Escapable>(
    _ address: PhysicalAddress, entry: Int, _ memory: borrowing Memory,
    _ copy: inout MutableSpan<UInt8>
  ) throws(ACPIError) {
    let head = try Self.head(.other, address, memory)
    let signature = ACPISignature(head: UInt32(truncatingIfNeeded: head))
    guard signature.isRead else { return }
    let length = Int(head >> 32)
    guard length >= ACPITables.headerSize else {
      throw ACPIError(signature, at: 4, .badLength(UInt64(length)))
    }
    for index in tables.indices {
      if tables[index].signature == signature { throw ACPIError(signature, .repeated) }
      if tables[index].overlaps(address, length) { throw ACPIError(signature, .overlap) }
    }
    let offset = ACPITables.place(after: count)
    guard offset <= copy.count, length <= copy.count - offset else {
      throw ACPIError(signature, at: 4, .noSpace)
    }
    for index in count..<offset { copy[index] = 0 }
    var sum: UInt8 = 0
    for index in 0..<length {
      let byte =
        index < 8
        ? UInt8(truncatingIfNeeded: head >> UInt64(8 * index))
        : try Self.byte(signature, address, index, memory)
      sum &+= byte
      copy[offset + index] = byte
    }
    guard sum == 0 else { throw ACPIError(signature, at: 9, .badChecksum) }
    let table = GatheredTable(
      signature: signature, address: address, entry: entry, offset: offset, count: length)
    guard tables.append(table) else { throw ACPIError(signature, .repeated) }
    count = offset + length
  }
}

extension GatheredTable {
  /// Whether it shares bytes with one of `length` bytes at `address`.
  fileprivate func overlaps(_ address: PhysicalAddress, _ length: Int) -> Bool {
    guard let own = AddressRange(base: self.address, size: UInt64(count)),
      let other = AddressRange(base: address, size: UInt64(length))
    else { return true }
    return own.overlaps(other)
  }
}
