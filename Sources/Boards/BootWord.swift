// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The words that boot arguments address to the hypervisor, each with `portcullis.` in front of it.
enum BootWord: UInt8 {
  case bench, deviceids, handover, log, masters, smmu, trace, vlpi

  private static var prefix: StaticString { "portcullis." }

  private var text: StaticString {
    switch self {
    case .bench: "bench"
    case .deviceids: "deviceids"
    case .handover: "handover"
    case .log: "log"
    case .masters: "masters"
    case .smmu: "smmu"
    case .trace: "trace"
    case .vlpi: "vlpi"
    }
  }

  /// What may follow, in words for a message.
  private var values: StaticString {
    switch self {
    case .bench, .handover: ""
    case .deviceids: "=listed"
    case .log: "=error|warning|info|debug"
    case .masters: "=claim"
    case .smmu: "=owned|nested|off"
    case .trace: "[=console]"
    case .vlpi: "=checked"
    }
  }

  /// Whether `argument` is for the hypervisor, known or not.
  static func isAddressed(by argument: Span<UInt8>) -> Bool { argument.begins(with: prefix) }

  /// The word of an argument that is for the hypervisor; nil where it is not known.
  init?(of argument: Span<UInt8>) {
    let rest = argument.extracting(Self.prefix.utf8CodeUnitCount..<argument.count)
    var end = 0
    while end < rest.count, rest[end] != UInt8(ascii: "=") { end += 1 }
    let name = rest.extracting(0..<end)
    var number: UInt8 = 0
    while let word = BootWord(rawValue: number) {
      if name.isSpelled(word.text) {
        self = word
        return
      }
      number += 1
    }
    return nil
  }

  /// What follows the word in `argument`.
  @_lifetime(copy argument)
  func value(in argument: Span<UInt8>) -> Span<UInt8> {
    argument.extracting(
      (Self.prefix.utf8CodeUnitCount + text.utf8CodeUnitCount)..<argument.count)
  }

  /// Writes what is allowed in the place of `argument`, which is for the hypervisor: the values of its word, or
  /// all words.
  static func writeAllowed(
    insteadOf argument: Span<UInt8>, into sink: inout some TextSink & ~Copyable
  ) {
    sink.append(prefix)
    if let word = BootWord(of: argument) {
      sink.append(word.text)
      return sink.append(word.values)
    }
    var number: UInt8 = 0
    while let word = BootWord(rawValue: number) {
      if number > 0 { sink.append("|") }
      sink.append(word.text)
      number += 1
    }
  }
}

extension Span<UInt8> {
  /// Whether the bytes begin with `text`.
  func begins(with text: StaticString) -> Bool {
    guard count >= text.utf8CodeUnitCount else { return false }
    for index in 0..<text.utf8CodeUnitCount where self[index] != text.byte(at: index) {
      return false
    }
    return true
  }

  /// Whether the bytes are `text`.
  func isSpelled(_ text: StaticString) -> Bool {
    count == text.utf8CodeUnitCount && begins(with: text)
  }
}
