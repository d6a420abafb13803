// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards
import DeviceTree
import Foundation
import Testing

@Suite("Hostile blobs")
struct HostileBlobTests {
  static func small() throws -> [UInt8] {
    try compile(
      """
      aliases { a = "a"; }; chosen { stdout-path = "a"; };
      bus { #address-cells = <1>; #size-cells = <1>; ranges = <0 0 0x8000000 0x1000000>;
        its { compatible = "arm,gic-v3-its"; reg = <0x80000 0x20000>; }; };
      """)
  }

  @Test("every truncation is refused")
  func truncated() throws {
    let blob = try Self.small()
    for count in 0..<blob.count {
      #expect(throws: BlobError.self) { try read(Array(blob[..<count])) }
    }
  }

  @Test("no corruption of a byte crashes", arguments: [0x00, 0x01, 0x7f, 0xff] as [UInt8])
  func corrupted(value: UInt8) throws {
    let blob = try Self.small()
    var survivors = 0
    for index in blob.indices where blob[index] != value {
      var bad = blob
      bad[index] = value
      if (try? read(bad)) != nil { survivors += 1 }
    }
    #expect(survivors > 0)
  }

  @Test("padding behind a blob is ignored")
  func padded() throws {
    let blob = try Self.small()
    #expect(try read(blob + [UInt8](repeating: 0xff, count: 4096)).board.itses.count == 1)
  }

  @Test("nesting deeper than the limit is refused, not followed")
  func deep() throws {
    let blob = try compile(
      gic + String(repeating: "n { ", count: 100) + String(repeating: "}; ", count: 100))
    let (board, diagnostics, _) = try read(blob)
    #expect(board.verdict == .refused)
    #expect(diagnostics.count == 1)
  }

  @Test("a structure block that is not at a multiple of 4 is refused", arguments: [1, 2, 3])
  func misalignedStructure(by shift: UInt8) throws {
    var blob = try Self.small()
    // off_dt_struct, the third word of the header (Devicetree Specification 0.4, 5.2).
    blob[11] += shift
    #expect(throws: BlobError.self) { try read(blob) }
  }

  @Test(
    "a version without the size of the structure block is refused",
    arguments: 0...16 as ClosedRange<UInt8>)
  func oldVersion(version: UInt8) throws {
    var blob = try Self.small()
    // version and last_comp_version, the sixth and seventh word.
    blob[23] = version
    blob[27] = min(version, 16)
    #expect(throws: BlobError.self) { try read(blob) }
  }

  @Test("what the fuzzer has found is refused", arguments: try blobsFound())
  func found(file: URL) throws {
    let blob = [UInt8](try Data(contentsOf: file))
    try #require(!blob.isEmpty)
    #expect(throws: BlobError.self) { try read(blob) }
  }
}

/// The blobs that once made the fuzzer stop.
private func blobsFound() throws -> [URL] {
  let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
  let files = try FileManager.default.contentsOfDirectory(
    at: tests.appending(path: "Fuzz/DeviceTree/found"), includingPropertiesForKeys: nil)
  try #require(!files.isEmpty)
  return files
}
