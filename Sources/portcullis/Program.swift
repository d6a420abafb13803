// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Glibc
import Inspection

/// The program: a request in, reports out.
enum Program {
  static let version = "0.1.0"

  static let usage = "usage: portcullis inspect [--json] [--page-size 4k|16k|64k] [--] FILE...\n"

  static let help =
    usage + """

      Tells what of a board Portcullis would protect, from its flattened device tree.
      FILE is a device tree blob; - is standard input.

        --json            write JSON instead of a table
        --page-size SIZE  the page size in use: 4k (the default), 16k or 64k
        --help            print this and exit
        --version         print the version and exit

      Exit status: 0 fine, 1 a file was refused, 64 wrong usage, 65 a file isn't a device
      tree, 66 a file can't be opened, 74 the output can't be written. Of several files all
      are inspected, and the greatest of their statuses is returned.

      """

  /// Runs the program; the result is its exit status.
  static func run() -> CInt {
    let status: ExitStatus
    switch Request.fromCommandLine() {
    case .help: status = printed(help)
    case .version: status = printed("portcullis \(version)\n")
    case .inspect(let request): status = inspect(request)
    case .misuse(let reason):
      _ = Output.error.write("portcullis: \(reason)\n\(usage)")
      status = .usage
    }
    return status.rawValue
  }

  /// Inspects every file, each as soon as it has been read.
  private static func inspect(_ request: Request.Inspect) -> ExitStatus {
    var status = ExitStatus.fine
    var json = JSONWriter()
    if request.json { json.beginReports() }
    for (index, input) in request.files.enumerated() {
      let report = report(on: input, granule: request.granule)
      status = max(status, report.status)
      let output: ExitStatus
      if request.json {
        report.write(to: &json)
        output = printed(json.takeBytes())
      } else {
        output = printed((index > 0 ? "\n" : "") + report.table)
      }
      // The table first, so that on a terminal what is wrong stands below what it is about.
      for line in report.errorLines { _ = Output.error.write(line + "\n") }
      guard output == .fine else { return output }
    }
    if request.json {
      json.endReports()
      status = max(status, printed(json.takeBytes()))
    }
    return status
  }

  private static func report(on input: Input, granule: Granule) -> Report {
    do throws(Input.Failure) {
      return Report(on: try input.read(), file: input.name, granule: granule)
    } catch {
      switch error {
      case .system(let number):
        return .unreadable(input.name, granule: granule, reason: describe(number))
      }
    }
  }

  private static func printed(_ text: String) -> ExitStatus { printed(Array(text.utf8)) }

  /// Writes to standard output and says so if that can't be done.
  private static func printed(_ bytes: [UInt8]) -> ExitStatus {
    let error = Output.standard.write(bytes)
    if error == 0 { return .fine }
    // A reader that went away isn't worth a word; it comes to this where the parent ignores SIGPIPE.
    if error != EPIPE {
      _ = Output.error.write("portcullis: standard output: \(describe(error))\n")
    }
    return .cannotWrite
  }

  /// The system's words for an `errno`.
  private static func describe(_ number: CInt) -> String {
    // strerror's text is static or per thread, and there is one thread.
    guard let text = unsafe strerror(number) else { return "error \(number)" }
    return unsafe String(cString: text)
  }
}
