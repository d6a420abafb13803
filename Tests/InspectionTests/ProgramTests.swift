// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("The program")
struct ProgramTests {
  private func file(_ sample: String) -> String {
    Fixtures.blobs.appending(path: sample + ".dtb").path
  }

  /// The files of a JSON text, checked for what every one must have.
  private func files(_ result: Fixtures.Result) throws -> [[String: Any]] {
    let text = try JSONSerialization.jsonObject(with: result.output) as? [String: Any]
    #expect(text?["schema"] as? Int == 1)
    #expect(text?.count == 2)
    let files = try #require(text?["files"] as? [[String: Any]])
    for file in files {
      #expect(
        Set(file.keys) == [
          "file", "model", "compatible", "pageSize", "regions", "redistributors", "iommus", "dma",
          "memory", "diagnostics", "verdict", "unused", "source",
        ])
    }
    return files
  }

  // MARK: Usage

  @Test(
    "Help and version go to standard output", arguments: [["--help"], ["inspect", "--help", "x"]])
  func help(arguments: [String]) throws {
    let result = try #require(Fixtures.run(Fixtures.program, arguments))
    #expect(result.status == 0)
    #expect(result.text.hasPrefix("usage: portcullis inspect"))
    #expect(result.errors.isEmpty)
  }

  @Test("The version is one line")
  func version() throws {
    let result = try #require(Fixtures.portcullis("--version"))
    #expect(result.status == 0)
    #expect(result.text.split(separator: "\n").count == 1)
    #expect(result.text.wholeMatch(of: /portcullis \d+\.\d+\.\d+\n/) != nil)
    #expect(result.errors.isEmpty)
  }

  @Test(
    "Wrong usage is told on standard error and ends with 64",
    arguments: [
      ([], "no command"), (["frob"], "unknown command 'frob'"), (["inspect"], "no file"),
      (["inspect", "--json"], "no file"), (["inspect", "--"], "no file"),
      (["inspect", "-x", "a"], "unknown option '-x'"),
      (["inspect", "--nope", "a"], "unknown option '--nope'"),
      (["inspect", "--json=yes", "a"], "unknown option '--json=yes'"),
      (["inspect", "a", "--page-size"], "option '--page-size' needs an argument"),
      (["inspect", "--page-size", "8k", "a"], "unknown page size '8k': 4k, 16k or 64k"),
      (["inspect", "--page-size=", "a"], "unknown page size '': 4k, 16k or 64k"),
      (["inspect", "a", "--svg"], "option '--svg' needs an argument"),
      (["inspect", "--svg", "x.svg"], "no file"),
      (["inspect", "--svg", "x.svg", "a", "b"], "inspect --svg takes one file"),
      (["inspect", "--svg", "-", "--json", "a"], "either --json or --svg -"),
      (["trace", "--svg", "x.svg", "a"], "option '--svg' is none of trace's"),
      (["replay", "--svg=x.svg", "a"], "option '--svg' is none of replay's"),
      (["\u{1b}[31m"], "unknown command '\\x1b[31m'"),
    ])
  func misuse(arguments: [String], reason: String) throws {
    let result = try #require(Fixtures.run(Fixtures.program, arguments))
    #expect(result.status == 64)
    #expect(result.output.isEmpty)
    #expect(result.errorLines.first == "portcullis: \(reason)")
    #expect(result.errorLines.dropFirst().first?.hasPrefix("usage: ") == true)
  }

  @Test(
    "Options may stand anywhere",
    arguments: [
      ["inspect", "--json", "--page-size", "64k", "FILE"],
      ["inspect", "FILE", "--json", "--page-size=64k"],
      ["--json", "--page-size", "64k", "inspect", "FILE"],
      ["--page-size=4k", "inspect", "--page-size=64k", "FILE", "--json"],
      ["inspect", "--page-size=64k", "--json", "--", "FILE"],
    ])
  func optionsAnywhere(arguments: [String]) throws {
    let path = file("pages-64k")
    let result = try #require(
      Fixtures.run(Fixtures.program, arguments.map { $0 == "FILE" ? path : $0 }))
    #expect(result.status == 1)
    let report = try #require(try files(result).first)
    #expect(report["pageSize"] as? Int == 0x10000)
    #expect(report["file"] as? String == path)
  }

  @Test("What follows -- is a file whatever it looks like")
  func endOfOptions() throws {
    let result = try #require(Fixtures.portcullis("inspect", "--", "--json", "--help"))
    #expect(result.status == 66)
    #expect(
      result.errorLines == [
        "portcullis: --json: No such file or directory",
        "portcullis: --help: No such file or directory",
      ])
  }

  // MARK: Exit status

  @Test("Every sample ends with the status of its verdict", arguments: Sample.all)
  func sampleStatus(sample: Sample) throws {
    let result = try #require(Fixtures.portcullis("inspect", "--json", sample.blob.path))
    let verdict = sample.verdict(pageSize: "4k")
    #expect(result.status == (verdict == "refused" ? 1 : 0))
    let report = try #require(try files(result).first)
    #expect(report["verdict"] as? String == verdict)
    for line in result.errorLines {
      #expect(line.hasPrefix("portcullis: \(sample.blob.path): "))
    }
    #expect(result.errors.isEmpty <= (verdict != "refused"))
  }

  @Test(
    "Of several files all are inspected, and the worst gives the status",
    arguments: [
      (["one-its", "no-its"], 0), (["one-its", "too-many-its", "no-its"], 1),
      (["too-many-its", "/dev/null", "one-its"], 65),
      (["/dev/null", "/nonexistent", "too-many-its"], 66),
      (["/nonexistent", "/dev/null"], 66), (["/nonexistent/x", "one-its"], 66),
    ])
  func precedence(names: [String], status: Int) throws {
    let paths = names.map { $0.hasPrefix("/") ? $0 : file($0) }
    let result = try #require(
      Fixtures.run(Fixtures.program, ["inspect", "--json"] + paths))
    #expect(result.status == Int32(status))
    #expect(try files(result).map { $0["file"] as? String } == paths)
    let table = try #require(Fixtures.run(Fixtures.program, ["inspect"] + paths))
    #expect(table.status == Int32(status))
    for path in paths { #expect(table.text.contains(path + ": ")) }
  }

  // MARK: Output

  @Test("The JSON of one ITS is the schema's, to the byte")
  func json() throws {
    let blob = try Data(contentsOf: URL(filePath: file("one-its")))
    let result = try #require(Fixtures.portcullis("inspect", "--json", "-", input: blob))
    #expect(result.status == 0)
    #expect(result.errors.isEmpty)
    let expected = """
      {
        "schema": 1,
        "files": [
          {
            "file": "-",
            "source": "device-tree",
            "model": "One ITS",
            "compatible": [
              "portcullis,one-its"
            ],
            "pageSize": 4096,
            "regions": [
              {
                "kind": "its",
                "node": "/interrupt-controller@8000000/msi-controller@8080000",
                "base": "0x8080000",
                "size": "0x20000",
                "protected": {
                  "base": "0x8080000",
                  "size": "0x10000",
                  "pages": 16
                },
                "translater": "0x8090040"
              }
            ],
            "unused": [],
            "redistributors": [
              {
                "node": "/interrupt-controller@8000000",
                "base": "0x80a0000",
                "size": "0x100000",
                "stride": null
              }
            ],
            "iommus": [],
            "dma": [],
            "memory": [
              {
                "base": "0x80000000",
                "size": "0x40000000"
              }
            ],
            "diagnostics": [],
            "verdict": "protectable"
          }
        ]
      }

      """
    #expect(result.text == expected)
  }

  @Test("The table of one ITS is aligned and complete")
  func table() throws {
    let blob = try Data(contentsOf: URL(filePath: file("one-its")))
    let result = try #require(Fixtures.portcullis("inspect", "-", input: blob))
    let node = "/interrupt-controller@8000000"
    let expected = """
      -: protectable, One ITS (portcullis,one-its), pages of 4 KiB
        KIND            BASE        SIZE     PROTECTED  PAGES  TRANSLATER  NODE
        its             0x8080000   128 KiB  0x8080000  16     0x8090040   \(node)/msi-controller@8080000
        redistributors  0x80a0000   1 MiB    -          -      -           \(node)
        memory          0x80000000  1 GiB    -          -      -           -

      """
    #expect(result.text == expected)
    #expect(result.errors.isEmpty)
  }

  @Test("The table says of each DMA master what it is behind, and how many are confined")
  func dmaTable() throws {
    let result = try #require(Fixtures.portcullis("inspect", file("dma-platform")))
    #expect(result.status == 0)
    #expect(result.text.contains("\n  DMA masters that the tree tells of: 10, confined: 2\n"))
    let lines = result.text.split(separator: "\n").map { $0.split(separator: " ") }
    let disk = try #require(lines.first { $0.first == "/disk@a010000" })
    #expect(
      disk.joined(separator: " ")
        == "/disk@a010000 /iommu@90a0000 0x880 without 0x1 - no: an IOMMU that is not driven")
    let fwCfg = try #require(lines.first { $0.first == "/fw-cfg@a050000" })
    #expect(fwCfg.joined(separator: " ") == "/fw-cfg@a050000 - - - no: behind no IOMMU")
  }

  @Test("What cannot be followed is a warning, and the file is not refused for it")
  func dmaWarnings() throws {
    let path = file("dma-broken")
    let result = try #require(Fixtures.portcullis("inspect", path))
    #expect(result.status == 0)
    #expect(
      result.errorLines.contains(
        "portcullis: \(path): /dangling@a020000: iommus: warning: no IOMMU has the phandle 0x7777"))
  }

  @Test("An error names file, node, property and reason")
  func errorFormat() throws {
    let path = file("misaligned-base")
    let result = try #require(Fixtures.portcullis("inspect", path))
    let node = "/interrupt-controller@8000000/msi-controller@8080800"
    #expect(result.errorLines.count == 1)
    #expect(result.errors.hasPrefix("portcullis: \(path): \(node): reg: "))
    #expect(result.errors.contains("0x8080800"))
  }

  @Test("Nothing that a blob says reaches the terminal raw")
  func terminal() throws {
    let blob = try #require(
      Fixtures.hostile.first { $0.lastPathComponent.contains("name-not-text") })
    for mode in [["inspect"], ["inspect", "--json"]] {
      let result = try #require(Fixtures.run(Fixtures.program, mode + [blob.path]))
      for byte in result.output + Data(result.errors.utf8) {
        #expect((0x20..<0x7f).contains(byte) || byte == 0x0a)
      }
    }
  }

  @Test("Output that can't be written ends with 74")
  func fullDisk() throws {
    let result = try #require(
      Fixtures.run(
        "/bin/sh", ["-c", "exec \"$0\" \"$@\" >/dev/full", Fixtures.program, "--version"]))
    #expect(result.status == 74)
    #expect(result.errors == "portcullis: standard output: No space left on device\n")
  }

  // MARK: Pictures

  @Test(
    "A picture is a file beside the table or JSON",
    arguments: [([], "one-its", 0), (["--json"], "too-many-its", 1)])
  func picture(options: [String], sample: String, status: Int) throws {
    let picture = Fixtures.directory("pictures").appending(path: sample + ".svg")
    // What is there is replaced, all of it.
    let before = Data(repeating: 0x78, count: 1 << 20)
    #expect(FileManager.default.createFile(atPath: picture.path, contents: before))
    let path = file(sample)
    let result = try #require(
      Fixtures.run(
        Fixtures.program, ["inspect", "--svg", picture.path] + options + [path]))
    let plain = try #require(Fixtures.run(Fixtures.program, ["inspect"] + options + [path]))
    #expect(result.status == Int32(status))
    #expect(result.status == plain.status)
    #expect(result.output == plain.output)
    #expect(result.errors == plain.errors)
    let svg = try #require(Fixtures.portcullis("inspect", "--svg=-", path))
    #expect(svg.status == Int32(status))
    #expect(svg.errors == plain.errors)
    #expect(svg.text.hasPrefix("<?xml "))
    #expect(svg.text.hasSuffix("</svg>\n"))
    #expect(try Fixtures.contents(of: picture) == svg.output)
  }

  @Test(
    "A picture that can't be written ends with 74, behind the table",
    arguments: [
      ("/dev/full", "No space left on device"),
      ("/nonexistent/x.svg", "No such file or directory"), ("/", "Is a directory"),
      ("", "No such file or directory"),
    ])
  func noPicture(path: String, reason: String) throws {
    let result = try #require(Fixtures.portcullis("inspect", "--svg", path, file("too-many-its")))
    #expect(result.status == 74)
    #expect(result.text.contains(": refused"))
    #expect(result.errorLines.last == "portcullis: \(path): \(reason)")
  }

  @Test("A reader that goes away isn't worth a word", arguments: ["", "trap '' PIPE; "])
  func brokenPipe(setup: String) throws {
    // The reader is gone before the first byte, which the delay makes sure of.
    let script = setup + "(sleep 0.2; exec \"$0\" --help) | true"
    let result = try #require(Fixtures.run("/bin/sh", ["-c", script, Fixtures.program]))
    #expect(result.errors.isEmpty)
  }

  // MARK: Hostile blobs

  @Test(
    "Each hostile blob ends as its name says, alone and without a crash",
    arguments: Fixtures.hostile)
  func hostile(blob: URL) throws {
    let result = try #require(Fixtures.portcullis("inspect", "--json", blob.path))
    try #require(result.exited)
    let report = try #require(try files(result).first)
    switch blob.lastPathComponent.prefix(while: { $0 != "-" }) {
    case "broken": #expect(result.status == 65)
    case "refused": #expect(result.status == 1)
    case "odd": #expect(result.status <= 1)
    default: Issue.record("no expectation")
    }
    #expect((report["verdict"] as? String == "refused") == (result.status != 0))
  }

  @Test("Hostile blobs are the same in every run")
  func hostileIsDeterministic() throws {
    #expect(Fixtures.hostile.count > 60)
    let again = Fixtures.directory("hostile-again")
    _ = Fixtures.run(
      "/usr/bin/env",
      ["python3", Fixtures.sources.appending(path: "hostile.py").path, again.path])
    for blob in Fixtures.hostile {
      let copy = again.appending(path: blob.lastPathComponent)
      #expect(
        try Fixtures.contents(of: blob) == Fixtures.contents(of: copy), "\(blob.lastPathComponent)")
    }
  }

  // MARK: Manual and completions

  @Test(
    "Manual and completions know every option that the help tells",
    arguments: ["portcullis.1", "completions/portcullis.bash", "completions/_portcullis"])
  func documents(path: String) throws {
    let help = try #require(Fixtures.portcullis("--help")).text
    let options = Set(help.matches(of: /--([a-z][a-z-]+)/).map { String($0.1) })
    #expect(options == ["json", "svg", "perfetto", "page-size", "help", "version"])
    let text = try String(
      contentsOf: Fixtures.root.appending(path: "Sources/portcullis/" + path), encoding: .utf8)
    for option in options {
      #expect(text.contains("--" + option) || text.contains("Fl Fl " + option), "\(option)")
    }
    for size in ["4k", "16k", "64k"] { #expect(text.contains(size)) }
  }
}

extension Bool {
  /// Whether the left implies the right.
  fileprivate static func <= (a: Bool, b: Bool) -> Bool { !a || b }
}
