// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import Hypervisor
internal import Traps

/// The embedder's table of operations, called.
///
/// A leaf: it calls through the pointers of a copy that lives in the state. `check` has found every
/// pointer but those of `log` and `cpu_index`; a missing one is answered as a refusal all the same.
@safe struct EmbedderPlatform: @unchecked Sendable {
  // The header asks that all of the table may be called on any CPU: hence Sendable.
  private let operations: UnsafePointer<portcullis_ops>

  /// Takes a table that outlives this value and never changes.
  @unsafe init(_ operations: UnsafePointer<portcullis_ops>) { unsafe self.operations = operations }

  /// Whether every operation that must be there is.
  static func isComplete(_ table: portcullis_ops) -> Bool {
    unsafe table.host_prepare != nil && table.host_commit != nil && table.host_abort != nil
      && table.el2_prepare != nil && table.el2_commit != nil && table.el2_abort != nil
      && table.el2_unmap != nil && table.device_read != nil && table.device_write != nil
      && table.order_accesses != nil && table.host_share != nil && table.host_unshare != nil
      && table.host_read != nil && table.host_write != nil
      && table.clean != nil && table.publish != nil && table.register_read != nil
      && table.register_write != nil
  }

  /// Whether the operations of a handover are there.
  static func canTakeOver(_ table: portcullis_ops) -> Bool {
    unsafe table.host_donate != nil && table.host_give_back != nil
  }

  // MARK: The host's stage 2

  func prepareHost(_ change: portcullis_change, _ ranges: Span<PageRange>) -> Bool {
    let table = unsafe operations.pointee
    var list = PageList(ranges)
    return unsafe withUnsafePointer(to: &list.pages) { pages in
      unsafe pages.withMemoryRebound(to: portcullis_pages.self, capacity: PageList.capacity) {
        unsafe table.host_prepare?(table.context, change, $0, list.count) == 0
      }
    }
  }

  func commitHost(_ change: portcullis_change, _ range: PageRange) {
    let table = unsafe operations.pointee
    var pages = portcullis_pages(range)
    unsafe table.host_commit?(table.context, change, &pages)
  }

  func abortHost(_ change: portcullis_change, _ ranges: Span<PageRange>) {
    let table = unsafe operations.pointee
    var list = PageList(ranges)
    unsafe withUnsafePointer(to: &list.pages) { pages in
      unsafe pages.withMemoryRebound(to: portcullis_pages.self, capacity: PageList.capacity) {
        unsafe table.host_abort?(table.context, change, $0, list.count)
      }
    }
  }

  // MARK: EL2's translation

  func prepareEL2(_ ranges: Span<PageRange>) -> Bool {
    let table = unsafe operations.pointee
    var list = PageList(ranges)
    return unsafe withUnsafePointer(to: &list.pages) { pages in
      unsafe pages.withMemoryRebound(to: portcullis_pages.self, capacity: PageList.capacity) {
        unsafe table.el2_prepare?(table.context, $0, list.count) == 0
      }
    }
  }

  func commitEL2(_ range: PageRange) -> VirtualAddress {
    let table = unsafe operations.pointee
    var pages = portcullis_pages(range)
    // No page begins at the last address, which the registry refuses.
    return VirtualAddress(unsafe table.el2_commit?(table.context, &pages) ?? UInt64.max)
  }

  func abortEL2(_ ranges: Span<PageRange>) {
    let table = unsafe operations.pointee
    var list = PageList(ranges)
    unsafe withUnsafePointer(to: &list.pages) { pages in
      unsafe pages.withMemoryRebound(to: portcullis_pages.self, capacity: PageList.capacity) {
        unsafe table.el2_abort?(table.context, $0, list.count)
      }
    }
  }

  func unmapEL2(_ range: PageRange, at address: VirtualAddress) {
    let table = unsafe operations.pointee
    var pages = portcullis_pages(range)
    unsafe table.el2_unmap?(table.context, &pages, address.rawValue)
  }

  /// Runs `body` with device registers that stay with the host mapped for as long; nil where the
  /// embedder doesn't.
  func withMapped<Result>(
    _ range: AddressRange, _ granule: Granule, _ body: (VirtualAddress) -> Result
  ) -> Result? {
    let mask = granule.bytes - 1
    let first = range.base.rawValue & ~mask
    let (last, overflow) = range.last.rawValue.addingReportingOverflow(granule.bytes)
    guard !overflow,
      let pages = PageRange(
        first: PageFrameNumber(first >> PageFrameNumber.shift),
        count: ((last & ~mask) - first) >> PageFrameNumber.shift)
    else { return nil }
    var list = FixedList<1, PageRange>(filler: pages)
    _ = list.append(pages)
    guard prepareEL2(list.span) else { return nil }
    let address = commitEL2(pages)
    defer { unmapEL2(pages, at: address) }
    // An address of no use is one that the registers don't fit behind.
    guard address.isAligned(to: PageFrameNumber.size),
      address.advanced(by: pages.count << PageFrameNumber.shift) != nil
    else { return nil }
    return body(VirtualAddress(address.rawValue + (range.base.rawValue - first)))
  }

  // MARK: Memory

  func share(_ range: PageRange) -> Bool {
    let table = unsafe operations
    var pages = portcullis_pages(range)
    return unsafe table.pointee.host_share?(table.pointee.context, &pages) == 0
  }

  func unshare(_ range: PageRange) {
    let table = unsafe operations
    var pages = portcullis_pages(range)
    unsafe table.pointee.host_unshare?(table.pointee.context, &pages)
  }

  /// Loads words that the host shares; false for an abort.
  func read(_ words: inout InlineArray<4, UInt64>, count: Int, at address: VirtualAddress) -> Bool {
    let table = unsafe operations
    return unsafe withUnsafeMutablePointer(to: &words) { words in
      unsafe words.withMemoryRebound(to: UInt64.self, capacity: 4) {
        unsafe table.pointee.host_read?(table.pointee.context, address.rawValue, $0, count) == 0
      }
    }
  }

  /// Stores a word that the host shares; false for an abort.
  func write(_ word: UInt64, at address: VirtualAddress) -> Bool {
    let table = unsafe operations
    return unsafe table.pointee.host_write?(table.pointee.context, address.rawValue, word) == 0
  }

  func donate(_ range: PageRange) -> Bool {
    let table = unsafe operations
    var pages = portcullis_pages(range)
    return unsafe table.pointee.host_donate?(table.pointee.context, &pages) == 0
  }

  func giveBack(_ range: PageRange) {
    let table = unsafe operations
    var pages = portcullis_pages(range)
    unsafe table.pointee.host_give_back?(table.pointee.context, &pages)
  }

  func clean(_ address: VirtualAddress, size: UInt64) {
    let table = unsafe operations
    unsafe table.pointee.clean?(table.pointee.context, address.rawValue, size)
  }

  func publish() {
    let table = unsafe operations
    unsafe table.pointee.publish?(table.pointee.context)
  }

  // MARK: Registers

  func readRegister(_ register: portcullis_register) -> UInt64 {
    let table = unsafe operations
    return unsafe table.pointee.register_read?(table.pointee.context, register) ?? 0
  }

  func writeRegister(_ register: portcullis_register, _ value: UInt64) {
    let table = unsafe operations
    unsafe table.pointee.register_write?(table.pointee.context, register, value)
  }

  // MARK: The log

  /// The CPU that runs this, where the embedder tells.
  var cpu: UInt32? {
    let table = unsafe operations
    return unsafe table.pointee.cpu_index?(table.pointee.context)
  }

  /// Writes a line.
  func log(_ level: portcullis_log_level, _ line: borrowing LogLine) {
    let table = unsafe operations
    let text = line.text
    unsafe text.withUnsafeBytes { bytes in
      unsafe table.pointee.log?(
        table.pointee.context, level, bytes.bindMemory(to: CChar.self).baseAddress, bytes.count)
    }
  }
}

extension EmbedderPlatform: DeviceMemory {
  func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? {
    var value: UInt64 = 0
    let table = unsafe operations
    let aborted = unsafe table.pointee.device_read?(
      table.pointee.context, address.rawValue, UInt32(truncatingIfNeeded: width.bytes), &value)
    // An embedder that loads more than it was asked for doesn't hand it to the host.
    return aborted == 0 ? value & width.mask : nil
  }

  func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool {
    let table = unsafe operations
    return unsafe table.pointee.device_write?(
      table.pointee.context, address.rawValue, UInt32(truncatingIfNeeded: width.bytes),
      value & width.mask) == 0
  }

  func orderAccesses() {
    let table = unsafe operations
    unsafe table.pointee.order_accesses?(table.pointee.context)
  }
}

/// Ranges in the form of the C interface.
private struct PageList {
  static var capacity: Int { Int(PORTCULLIS_FRAME_LIMIT) }
  var pages = InlineArray<128, portcullis_pages>(repeating: portcullis_pages(base: 0, bytes: 0))
  let count: Int

  /// Takes at most as many ranges as there can be frames.
  init(_ ranges: Span<PageRange>) {
    count = min(ranges.count, Self.capacity)
    for index in 0..<count { pages[index] = portcullis_pages(ranges[index]) }
  }
}

extension portcullis_pages {
  fileprivate init(_ range: PageRange) {
    self.init(
      base: range.first.address.rawValue, bytes: range.count << PageFrameNumber.shift)
  }
}
