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
  ///
  /// By `posix_spawn`, since Foundation's `Process.run` leaks memory.
  static func run(_ program: String, _ arguments: [String], input: Data = Data()) -> Result? {
    // Files take any amount without anyone having to read meanwhile.
    let files = directory(UUID().uuidString)
    let names = ["in", "out", "err"].map { files.appending(path: $0) }
    defer { try? FileManager.default.removeItem(at: files) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (descriptor, name) in zip(Int32(0)..., names) {
      let content = descriptor == 0 ? input : Data()
      guard FileManager.default.createFile(atPath: name.path, contents: content) else { return nil }
      posix_spawn_file_actions_addopen(
        &actions, descriptor, name.path, descriptor == 0 ? O_RDONLY : O_WRONLY, 0)
    }
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let settings: [String] = ["PATH=" + path, "LC_ALL=C", "LLVM_PROFILE_FILE=/dev/null"]
    var strings = ([program] + arguments).map { (text: String) in strdup(text) }
    var environment = settings.map { (text: String) in strdup(text) }
    strings.append(nil)
    environment.append(nil)
    defer { for string in strings + environment { free(string) } }
    var child: pid_t = 0
    var status: Int32 = 0
    guard posix_spawn(&child, program, &actions, nil, &strings, &environment) == 0,
      waitpid(child, &status, 0) == child,
      let output = try? contents(of: names[1]), let errors = try? contents(of: names[2])
    else { return nil }
    // As WIFEXITED, WEXITSTATUS and WTERMSIG, which are macros.
    let signal = status & 0x7f
    return Result(
      status: signal == 0 ? status >> 8 & 0xff : signal, exited: signal == 0, output: output,
      errors: String(decoding: errors, as: UTF8.self))
  }

  /// The program under test, which is built beside the tests.
  static let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appending(path: "portcullis").path

  /// Runs `portcullis`.
  static func portcullis(_ arguments: String..., input: Data = Data()) -> Result? {
    run(program, arguments, input: input)
  }
}
