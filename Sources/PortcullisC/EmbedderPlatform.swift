// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import Boards
internal import Hypervisor
internal import Traps

/// The embedder's table of operations, called.
///
/// A leaf: it calls through the pointers of a copy that lives in the state. `check` has found every
/// pointer but those of `log` and `cpu_index`; a missing one is answered as a refusal all the same.
@safe struct EmbedderPlatform: @unchecked Sendable {
  // The header asks that all of the table may be called on any CPU: hence Sendable.
  private let operations: UnsafePointer<portcullis_ops>

  /// Takes the memory of a state, which begins with a table that never changes.
  @unsafe init(_ memory: UnsafeRawPointer) {
    unsafe operations = memory.assumingMemoryBound(to: portcullis_ops.self)
  }

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

  /// Whether the operations of a handover are there, and the host's addresses those of its hardware.
  static func canTakeOver(_ table: portcullis_ops) -> Bool {
    unsafe table.host_donate != nil && table.host_give_back != nil && table.host_physical == nil
  }

  /// The context of the operations.
  var context: UnsafeMutableRawPointer? { unsafe operations.pointee.context }

  // MARK: The host's stage 2

  func prepareHost(_ change: portcullis_change, _ ranges: Span<PageRange>) -> Bool {
    let table = unsafe operations.pointee
    let (list, count) = unsafe list(ranges)
    return unsafe table.host_prepare?(table.context, change, list, count) == 0
  }

  func commitHost(_ change: portcullis_change, _ range: PageRange) {
    let table = unsafe operations.pointee
    var pages = portcullis_pages(range)
    unsafe table.host_commit?(table.context, change, &pages)
  }

  func abortHost(_ change: portcullis_change, _ ranges: Span<PageRange>) {
    let table = unsafe operations.pointee
    let (list, count) = unsafe list(ranges)
    unsafe table.host_abort?(table.context, change, list, count)
  }

  // MARK: EL2's translation

  /// Prepares ranges, `but` those that are mapped already.
  func prepareEL2(
    _ ranges: Span<PageRange>, but isMapped: (PageRange) -> Bool = { _ in false }
  ) -> Bool {
    let table = unsafe operations.pointee
    let (list, count) = unsafe list(ranges, but: isMapped)
    guard count > 0 else { return true }
    return unsafe table.el2_prepare?(table.context, list, count) == 0
  }

  func commitEL2(_ range: PageRange) -> VirtualAddress {
    let table = unsafe operations.pointee
    var pages = portcullis_pages(range)
    // No page begins at the last address, which the registry refuses.
    return VirtualAddress(unsafe table.el2_commit?(table.context, &pages) ?? UInt64.max)
  }

  func abortEL2(_ ranges: Span<PageRange>, but isMapped: (PageRange) -> Bool) {
    let table = unsafe operations.pointee
    let (list, count) = unsafe list(ranges, but: isMapped)
    guard count > 0 else { return }
    unsafe table.el2_abort?(table.context, list, count)
  }

  func unmapEL2(_ range: PageRange, at address: VirtualAddress) {
    let table = unsafe operations.pointee
    var pages = portcullis_pages(range)
    unsafe table.el2_unmap?(table.context, &pages, address.rawValue)
  }

  /// Device registers that stay with the host and that EL2 sees too.
  struct Mapping {
    /// Where EL2 sees the registers.
    let address: VirtualAddress
    fileprivate let pages: PageRange
    fileprivate let start: VirtualAddress

    /// Where EL2 sees pages of the registers; nil for others.
    func address(of range: PageRange) -> VirtualAddress? {
      guard pages.contains(range) else { return nil }
      let distance = range.first.rawValue - pages.first.rawValue
      return VirtualAddress(start.rawValue + distance << PageFrameNumber.shift)
    }

    /// What unused slots of a list hold.
    static var none: Mapping {
      Mapping(address: VirtualAddress(0), pages: .filler, start: VirtualAddress(0))
    }
  }

  /// Maps device registers that stay with the host.
  ///
  /// - Throws: `EL2_REFUSED` where the embedder doesn't, `EL2_ADDRESS` for an address of no use; nothing is mapped
  ///   then.
  func map(_ range: AddressRange, _ granule: Granule) throws(EmbedderError) -> Mapping {
    let mask = granule.bytes - 1
    let first = range.base.rawValue & ~mask
    let (last, overflow) = range.last.rawValue.addingReportingOverflow(granule.bytes)
    guard !overflow,
      let pages = PageRange(
        first: PageFrameNumber(first >> PageFrameNumber.shift),
        count: ((last & ~mask) - first) >> PageFrameNumber.shift)
    else { throw EmbedderError(PORTCULLIS_ERROR_BOARD) }
    var list = FixedList<1, PageRange>(filler: pages)
    _ = list.append(pages)
    guard prepareEL2(list.span) else {
      throw EmbedderError(PORTCULLIS_ERROR_EL2_REFUSED, at: range.base)
    }
    let start = commitEL2(pages)
    // An address of no use is one that the registers don't fit behind.
    guard start.isAligned(to: PageFrameNumber.size),
      start.advanced(by: pages.count << PageFrameNumber.shift) != nil
    else {
      unmapEL2(pages, at: start)
      throw EmbedderError(PORTCULLIS_ERROR_EL2_ADDRESS, at: range.base)
    }
    return Mapping(
      address: VirtualAddress(start.rawValue + (range.base.rawValue - first)), pages: pages,
      start: start)
  }

  /// Ends what ``map(_:_:)`` began.
  func unmap(_ mapping: Mapping) { unmapEL2(mapping.pages, at: mapping.start) }

  // MARK: Memory

  func share(_ range: PageRange) -> Bool {
    let table = unsafe operations
    var pages = portcullis_pages(range)
    return unsafe table.pointee.host_share?(table.pointee.context, &pages) == 0
  }

  /// The physical address behind one of the host's, in pages that are shared.
  func output(of address: IntermediatePhysicalAddress) -> PhysicalAddress {
    let table = unsafe operations
    guard let translate = unsafe table.pointee.host_physical else { return address.identityMapped }
    return PhysicalAddress(unsafe translate(table.pointee.context, address.rawValue))
  }

  /// What the host may do from a page on, and to how many.
  func reach(_ address: PhysicalAddress) -> (pages: UInt64, isReadable: Bool, isWritable: Bool) {
    let table = unsafe operations
    var bytes: UInt64 = 0
    let kinds =
      unsafe table.pointee.host_reach?(table.pointee.context, address.rawValue, &bytes) ?? 0
    return (
      bytes >> PageFrameNumber.shift, kinds & PORTCULLIS_KIND_READ != 0,
      kinds & PORTCULLIS_KIND_WRITE != 0
    )
  }

  /// Whether the embedder tells what the host reaches, and by physical addresses.
  var canMirror: Bool {
    let table = unsafe operations
    return unsafe table.pointee.host_reach != nil && isIdentity
  }

  /// Whether the host's addresses are physical ones.
  var isIdentity: Bool {
    let table = unsafe operations
    return unsafe table.pointee.host_physical == nil
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

  /// The clock; 0 where the embedder has none.
  var clock: UInt64 {
    let table = unsafe operations
    return unsafe table.pointee.clock?(table.pointee.context) ?? 0
  }

  // MARK: The log

  /// The CPU that runs this, where the embedder tells.
  var cpu: UInt32? {
    let table = unsafe operations
    return unsafe table.pointee.cpu_index?(table.pointee.context)
  }

  /// Writes a line.
  func log(_ level: LogLevel, _ line: borrowing LogLine) {
    let table = unsafe operations
    let level =
      switch level {
      case .error: PORTCULLIS_LOG_ERROR
      case .warning: PORTCULLIS_LOG_WARNING
      case .info, .debug: PORTCULLIS_LOG_INFO
      }
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

extension EmbedderPlatform {
  /// Ranges in the form of the C interface, in the memory of the state: one CPU at a time changes a translation.
  private func list(
    _ ranges: Span<PageRange>, but isLeftOut: (PageRange) -> Bool = { _ in false }
  ) -> (UnsafePointer<portcullis_pages>, Int) {
    let memory = unsafe UnsafeMutableRawPointer(mutating: UnsafeRawPointer(operations))
    let list = unsafe (memory + StateMemory.rangesOffset).bindMemory(
      to: portcullis_pages.self, capacity: StateMemory.rangeLimit)
    var count = 0
    // There are no more than fit: a claim has that many frames at most.
    for index in 0..<min(ranges.count, StateMemory.rangeLimit) {
      let range = ranges[index]
      if isLeftOut(range) { continue }
      unsafe list[count] = portcullis_pages(range)
      count += 1
    }
    return unsafe (UnsafePointer(list), count)
  }
}

extension portcullis_pages {
  fileprivate init(_ range: PageRange) {
    self.init(
      base: range.first.address.rawValue, bytes: range.count << PageFrameNumber.shift)
  }
}
