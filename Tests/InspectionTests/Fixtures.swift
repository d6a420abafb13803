// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Where files for the tests are, made once a run.
enum Fixtures {
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  /// Sources of device trees.
  static let sources = root.appending(path: "dts")

  /// A directory that goes away with the run.
  private static let scratch: URL = {
    let url = FileManager.default.temporaryDirectory
      .appending(path: "portcullis-tests-\(ProcessInfo.processInfo.processIdentifier)")
    try? FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    atexit { try? FileManager.default.removeItem(at: Fixtures.scratch) }
    return url
  }()

  /// A new empty directory.
  static func directory(_ name: String) -> URL {
    let url = scratch.appending(path: name)
    try? FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    return url
  }

  /// Every source of `dts/`, compiled by dtc.
  static let blobs: URL = {
    let url = directory("blobs")
    for sample in Sample.all {
      // The warnings of dtc are about what the samples are for.
      _ = run(
        "/usr/bin/env",
        [
          "dtc", "-q", "-I", "dts", "-O", "dtb", "-o",
          url.appending(path: sample.name + ".dtb").path,
          sources.appending(path: sample.name + ".dts").path,
        ])
    }
    return url
  }()

  /// The blobs that `hostile.py` makes.
  static let hostile: [URL] = {
    let url = directory("hostile")
    _ = run("/usr/bin/env", ["python3", sources.appending(path: "hostile.py").path, url.path])
    let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    return names.sorted().map { url.appending(path: $0) }
  }()

  /// How a program ended and what it wrote.
  struct Result {
    var status: Int32
    var exited: Bool
    var output: Data
    var errors: String
    var text: String { String(decoding: output, as: UTF8.self) }
    var errorLines: [Substring] { errors.split(separator: "\n") }
  }

  /// The bytes of a file; `Data(contentsOf:)` leaks memory where the file is empty.
  static func contents(of url: URL) throws -> Data {
    try FileHandle(forReadingFrom: url).readToEnd() ?? Data()
  }

  /// Runs a program to its end; nil where it can't be started.
  static func run(_ program: String, _ arguments: [String], input: Data = Data()) -> Result? {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.environment = [
      "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "", "LC_ALL": "C",
    ]
    // Files take any amount without anyone having to read meanwhile.
    let files = directory(UUID().uuidString)
    let names = ["in", "out", "err"].map { files.appending(path: $0) }
    for (name, content) in zip(names, [input, Data(), Data()]) {
      _ = FileManager.default.createFile(atPath: name.path, contents: content)
    }
    defer { try? FileManager.default.removeItem(at: files) }
    do {
      let handles = try (
        FileHandle(forReadingFrom: names[0]), FileHandle(forWritingTo: names[1]),
        FileHandle(forWritingTo: names[2])
      )
      (process.standardInput, process.standardOutput, process.standardError) = handles
      try process.run()
      process.waitUntilExit()
      return Result(
        status: process.terminationStatus, exited: process.terminationReason == .exit,
        output: try contents(of: names[1]),
        errors: String(decoding: try contents(of: names[2]), as: UTF8.self))
    } catch {
      return nil
    }
  }

  /// The program under test, which is built beside the tests.
  static let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appending(path: "portcullis").path

  /// Runs `portcullis`.
  static func portcullis(_ arguments: String..., input: Data = Data()) -> Result? {
    run(program, arguments, input: input)
  }
}
