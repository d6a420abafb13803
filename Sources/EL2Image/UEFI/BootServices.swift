// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import CHardware
internal import CUEFI
internal import Hypervisor
internal import UEFI

/// Pages that the firmware has given to the application.
struct FirmwarePages {
  let base: UInt64
  let size: UInt64
}

/// The firmware's services, for the application that it has started.
///
/// A leaf: every call goes through a table of the firmware's, whose pointers live as long as the application.
@safe struct BootServices {
  private let system: UnsafeMutablePointer<efi_system_table>
  private let handle: UnsafeMutableRawPointer?

  static var success: UInt64 { efi_success }
  static var loadError: UInt64 { efi_load_error }
  static var unsupported: UInt64 { efi_unsupported }
  static var alreadyStarted: UInt64 { efi_already_started }

  /// A configuration table.
  enum Table {
    case deviceTree, acpi, portcullis

    fileprivate var name: efi_table {
      switch self {
      case .deviceTree: EFI_TABLE_DEVICE_TREE
      case .acpi: EFI_TABLE_ACPI
      case .portcullis: EFI_TABLE_PORTCULLIS
      }
    }
  }

  /// What memory is for.
  enum Use {
    /// Kept out of every operating system's reach.
    case reserved
    /// Free for an operating system that has read what is there.
    case reclaimable
  }

  /// The services of `system`, the firmware's table, for the application with this handle.
  @unsafe init(_ system: UnsafeMutableRawPointer, application handle: UnsafeMutableRawPointer?) {
    unsafe self.system = system.assumingMemoryBound(to: efi_system_table.self)
    unsafe self.handle = handle
  }

  /// Prints a line.
  func say(_ line: consuming LogLine) {
    line.end()
    let text = line.whole
    unsafe text.withUnsafeBufferPointer {
      unsafe efi_print(system, $0.baseAddress, $0.count)
    }
  }

  /// Prints `count` bytes of ASCII at an address.
  func print(_ text: UInt64, _ count: UInt64) {
    unsafe efi_print(system, UnsafePointer(bitPattern: UInt(text)), Int(count))
  }

  /// Where a configuration table is; nil where the firmware has none.
  func table(_ table: Table) -> UInt64? {
    let address = unsafe efi_find_table(system, table.name)
    return address == 0 ? nil : address
  }

  /// Has a configuration table be the one at an address.
  func install(_ table: Table, _ address: UInt64) {
    unsafe efi_install_table(system, table.name, address)
  }

  /// Whole pages that end below `limit`; nil where there are none.
  ///
  /// - Parameter alignment: a power of two, a page at least.
  func allocate(
    _ use: Use, _ size: UInt64, alignment: UInt64 = 0x1000, below limit: UInt64
  ) -> FirmwarePages? {
    let pages = (size + 0xfff) >> 12
    let slack = alignment >> 12 - 1
    let type = UInt32(use == .reserved ? EFI_RESERVED_MEMORY : EFI_ACPI_RECLAIM_MEMORY)
    let found = unsafe efi_allocate(system, type, pages + slack, limit - 1)
    guard found != 0 else { return nil }
    let base = (found + alignment - 1) & ~(alignment - 1)
    let before = (base - found) >> 12
    unsafe efi_free(system, found, before)
    unsafe efi_free(system, base + pages << 12, slack - before)
    return FirmwarePages(base: base, size: pages << 12)
  }

  /// Bytes of the application's own memory.
  @_lifetime(borrow self)
  func bytes(_ address: UInt64, _ count: UInt64) -> Span<UInt8> {
    let bytes = unsafe UnsafeBufferPointer<UInt8>(
      start: UnsafePointer(bitPattern: UInt(address)), count: Int(count))
    return unsafe _overrideLifetime(bytes.span, borrowing: self)
  }

  /// Bytes of the application's own memory, to be written.
  @_lifetime(borrow self)
  func mutableBytes(_ address: UInt64, _ count: UInt64) -> MutableSpan<UInt8> {
    let bytes = unsafe UnsafeMutableBufferPointer<UInt8>(
      start: UnsafeMutablePointer(bitPattern: UInt(address)), count: Int(count))
    return unsafe _overrideLifetime(bytes.mutableSpan, borrowing: self)
  }

  /// Gives pages back.
  func free(_ pages: FirmwarePages) { unsafe efi_free(system, pages.base, pages.size >> 12) }

  /// The memory map, into memory with so much room; nil where it is too large.
  func memoryMap(into buffer: UInt64, room: UInt64) -> (size: UInt64, descriptorSize: UInt64)? {
    var descriptorSize: UInt64 = 0
    let size = unsafe efi_memory_map(system, buffer, room, &descriptorSize)
    return size == 0 || descriptorSize == 0 ? nil : (size, descriptorSize)
  }

  /// Leaves the options in memory with so much room, as ASCII, and returns how many bytes there are.
  ///
  /// They are those of who started the application, else those of the file portcullis.cfg beside it.
  func options(into buffer: UInt64, room: UInt64) -> UInt64 {
    guard let image = unsafe efi_image(system, handle) else { return 0 }
    let text = unsafe image.pointee.options
    let bytes = unsafe UnsafeBufferPointer<UInt8>(
      start: text?.assumingMemoryBound(to: UInt8.self),
      count: text == nil ? 0 : Int(min(image.pointee.options_size, 0x2000)))
    var count: UInt64 = 0
    let isAddressed = unsafe LoadOptions(bytes.span).forEach { byte in
      guard count < room - 1 else { return }
      pc_store8(buffer &+ count, byte)
      count += 1
    }
    if isAddressed { return count }
    let size = unsafe efi_read_options(system, image, buffer, room - 1)
    // UEFI's shell writes files as options are: characters of 16 bits, with a mark in front.
    guard size >= 2, pc_load8(buffer) == 0xff, pc_load8(buffer &+ 1) == 0xfe else { return size }
    count = 0
    // Each byte is stored in front of the characters that are not read yet.
    _ = LoadOptions(self.bytes(buffer &+ 2, size - 2)).forEach { byte in
      pc_store8(buffer &+ count, byte)
      count += 1
    }
    return count
  }
}
