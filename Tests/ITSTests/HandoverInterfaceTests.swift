// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Foundation
import Testing

@testable import ITS

@Suite("The C header of the handover") struct HandoverInterfaceTests {
  /// Each error with its name in the header.
  static let errors: [(String, HandoverError)] = [
    ("UNREADABLE", .unreadable(PhysicalAddress(0))), ("MALFORMED", .malformed),
    ("SILENT", .silent(offset: 0)), ("NOT_ENABLED", .notEnabled), ("BUSY", .busy),
    ("MISMATCH", .mismatch(offset: 0)), ("QUEUE_SIZE", .queueSize), ("TABLE", .table(index: 0)),
    ("FIRST_LEVEL", .firstLevelEntry(PhysicalAddress(0))), ("DEVICE", .device(0)),
    ("COLLECTION", .collection(0)),
    ("OWNERSHIP", .ownership(OwnershipErrorCode(page: PhysicalAddress(0)))),
    ("OUT_OF_MEMORY", .outOfMemory), ("REDISTRIBUTORS", .tooManyRedistributors),
    ("OVERLAP", .overlap(0)),
  ]

  /// The numbers of the header by their names.
  static func numbers() throws -> [String: Int64] {
    let header = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../CShims/Embedder/include/portcullis_hypercalls.h")
    var numbers: [String: Int64] = [:]
    for line in try String(contentsOf: header, encoding: .utf8).split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count > 2, words[0] == "#define", words[1].hasPrefix("PORTCULLIS_HANDOVER_")
      else {
        continue
      }
      numbers[String(words[1].dropFirst("PORTCULLIS_HANDOVER_".count))] =
        Int64(words[2].filter { $0 != "(" && $0 != ")" })
    }
    return numbers
  }

  @Test("Every error has the number that the header gives it, and a number of its own")
  func codes() throws {
    let numbers = try Self.numbers()
    #expect(numbers.count == Self.errors.count)
    #expect(Set(numbers.values).count == numbers.count)
    for (name, error) in Self.errors { #expect(numbers[name] == error.code, "\(name)") }
  }

  @Test("A descriptor that fits has the size that the header tells, and a larger one has none")
  func sizes() {
    // Zero for none, so that two numbers of one type are compared.
    func size(_ devices: UInt64, _ collections: UInt64) -> UInt64 {
      HandoverDescriptor.size(devices: devices, collections: collections) ?? 0
    }
    #expect(size(0, 0) == 192)
    #expect(size(3, 5) == 192 + 48 + 40)
    #expect(size(4084, 0) == 65_536 && size(4084, 1) == 0)
    #expect(size(0, 8168) == 65_536)
    for count in [4085, 1 << 32, 1 << 60, .max] as [UInt64] {
      #expect(size(count, 0) == 0)
      #expect(size(0, max(count, 8169)) == 0)
    }
  }
}
