// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Glibc
import Inspection
import Replay
import Trace

/// The program: a request in, reports out.
enum Program {
  static let version = "0.1.0"

  static let usage = """
    usage: portcullis inspect [--json] [--page-size 4k|16k|64k] [--] FILE...
           portcullis inspect --svg PICTURE [--json] [--page-size 4k|16k|64k] [--] FILE
           portcullis trace [--json|--perfetto] [--] FILE
           portcullis replay [--] FILE

    """

  static let help =
    usage + """

      inspect tells what of a board Portcullis would protect, and which devices that do
      DMA are behind an SMMU, from its flattened device tree or its ACPI tables. trace
      prints what EL2 has recorded of an ITS, and replay runs it again on a simulated board
      and compares. FILE is a device tree blob; a folder of ACPI tables, as
      /sys/firmware/acpi/tables is, or a file of one or more, where all such files are
      those of one board; or a trace: its bytes, or what a console printed with the trace
      in it. - is standard input.

        --json            write JSON instead of a table
        --svg PICTURE     draw the board as SVG into the file PICTURE, beside the table or JSON;
                          - is standard output, which then has the picture alone
        --perfetto        write trace events, which Perfetto shows as a timeline
        --page-size SIZE  the page size in use: 4k (the default), 16k or 64k
        --help            print this and exit
        --version         print the version and exit

      Exit status: 0 fine, 1 a file was refused or a trace runs differently, 64 wrong
      usage, 65 a file isn't a device tree, a table or a trace, 66 a file can't be opened,
      74 the output can't be written. Of several files all are inspected, and the greatest of
      their statuses is returned.

      """

  /// Runs the program; the result is its exit status.
  static func run() -> CInt {
    let status: ExitStatus
    switch Request.fromCommandLine() {
    case .help: status = printed(help)
    case .version: status = printed("portcullis \(version)\n")
    case .inspect(let request): status = inspect(request)
    case .trace(let input, let form): status = trace(input, form)
    case .replay(let input): status = replay(input)
    case .misuse(let reason): status = misused(reason)
    }
    return status.rawValue
  }

  private static func misused(_ reason: String) -> ExitStatus {
    _ = Output.error.write("portcullis: \(reason)\n\(usage)")
    return .usage
  }

  /// Inspects every board: a device tree, the tables in a folder, or all files that are tables.
  private static func inspect(_ request: Request.Inspect) -> ExitStatus {
    let boards: [Report]
    do throws(InspectedFiles.Mixture) {
      boards = try InspectedFiles(request.files, describe).reports(granule: request.granule)
    } catch {
      return misused(error.text)
    }
    var status = ExitStatus.fine
    var json = JSONWriter()
    if request.json { json.beginReports() }
    for (index, report) in boards.enumerated() {
      status = max(status, report.status)
      let output: ExitStatus
      if request.json {
        report.write(to: &json)
        output = printed(json.takeBytes())
      } else if let svg = request.svg, svg.isStandardOutput {
        output = printed(report.svg)
      } else {
        output = printed((index > 0 ? "\n" : "") + report.table)
      }
      // The table first, so that on a terminal what is wrong stands below what it is about.
      for line in report.errorLines { _ = Output.error.write(line + "\n") }
      guard output == .fine else { return output }
      if let svg = request.svg, !svg.isStandardOutput {
        status = max(status, drawn(report, into: svg))
      }
    }
    if request.json {
      json.endReports()
      status = max(status, printed(json.takeBytes()))
    }
    return status
  }

  /// Draws a report into a file and says so if that can't be done.
  private static func drawn(_ report: Report, into file: OutputFile) -> ExitStatus {
    let error = file.write(report.svg)
    if error == 0 { return .fine }
    complain(file.name.printable, describe(error))
    return .cannotWrite
  }

  /// Prints a trace.
  private static func trace(_ input: Input, _ form: Request.TraceForm) -> ExitStatus {
    withTrace(input) { file in
      switch form {
      case .table: printed(file.table)
      case .json: printed(file.json)
      case .traceEvents: printed(file.traceEvents)
      }
    }
  }

  /// Runs a trace again and says what came of it.
  private static func replay(_ input: Input) -> ExitStatus {
    withTrace(input) { file in
      let name = input.name.printable
      do throws(ReplayError) {
        let replay = try Replay(file.records)
        if replay.lost > 0 {
          complain(name, "warning: \(replay.lost) records were lost: what follows is left out")
        }
        if replay.handedOver > 0 {
          complain(name, "warning: \(replay.handedOver) ITSes were handed over: left out")
        }
        let output = printed(replay.summary(of: name))
        return replay.difference == nil ? output : max(output, .refused)
      } catch {
        complain(name, error.text)
        return .notTheData
      }
    }
  }

  /// Reads a trace and has `body` use it.
  private static func withTrace(
    _ input: Input, _ body: (TraceFile) -> ExitStatus
  ) -> ExitStatus {
    let name = input.name.printable
    let bytes: [UInt8]
    do throws(Input.Failure) {
      bytes = try input.read()
    } catch {
      switch error {
      case .system(let number): complain(name, describe(number))
      }
      return .cannotOpen
    }
    guard bytes.count <= Input.sizeLimit else {
      complain(name, "larger than \(Input.sizeLimit >> 20) MiB")
      return .notTheData
    }
    do throws(TraceFile.Failure) {
      return body(try TraceFile(bytes))
    } catch {
      complain(name, error.text)
      return .notTheData
    }
  }

  private static func complain(_ file: String, _ what: String) {
    _ = Output.error.write("portcullis: \(file): \(what)\n")
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
