// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Boards

/// The options that a boot manager or a shell hands to an application: a text of 16-bit characters (UEFI 2.10,
/// section 9.1).
///
/// A shell puts the name by which the application was called in front.
public struct LoadOptions: ~Escapable {
  private let bytes: Span<UInt8>

  /// Takes the bytes of the options.
  @_lifetime(copy bytes)
  public init(_ bytes: Span<UInt8>) { self.bytes = bytes }

  private func character(_ index: Int) -> UInt8? {
    guard bytes.count - 2 * index >= 2 else { return nil }
    let (low, high) = (bytes[2 * index], bytes[2 * index + 1])
    // What no option consists of stays something that none does.
    if high != 0 || low >= 0x7f { return 0x3f }
    return low == 0 ? nil : low
  }

  /// Hands the text to `body`, byte by byte, as ASCII and without the name of the application.
  ///
  /// - Returns: whether there is a word that is meant for the hypervisor.
  public func forEach(_ body: (UInt8) -> Void) -> Bool {
    let prefix: StaticString = "portcullis."
    var isAddressed = false
    var start = 0
    while character(start) != nil {
      var end = start
      var matched = 0
      while let byte = character(end), !Self.isBlank(byte) {
        if end - start == matched, matched < prefix.utf8CodeUnitCount,
          byte == prefix.byte(at: matched)
        {
          matched += 1
        }
        end += 1
      }
      if start > 0 || !isName(start..<end) {
        if matched == prefix.utf8CodeUnitCount { isAddressed = true }
        for index in start..<end { if let byte = character(index) { body(byte) } }
        body(0x20)
      }
      while let byte = character(end), Self.isBlank(byte) { end += 1 }
      start = end
    }
    return isAddressed
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || 0x09...0x0d ~= byte }

  /// Whether a word ends as the name of an application does.
  private func isName(_ word: Range<Int>) -> Bool {
    let suffix: StaticString = ".efi"
    let count = suffix.utf8CodeUnitCount
    guard word.count >= count else { return false }
    for index in 0..<count {
      // Letters in either case.
      guard let byte = character(word.upperBound - count + index),
        byte | 0x20 == suffix.byte(at: index) | 0x20
      else { return false }
    }
    return true
  }
}
