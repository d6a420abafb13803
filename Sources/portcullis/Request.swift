// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import COptions

/// What the command line asks for.
enum Request {
  /// Print the help.
  case help
  /// Print the version.
  case version
  /// Inspect files.
  case inspect(Inspect)
  /// Print a trace.
  case trace(Input, TraceForm)
  /// Run a trace again.
  case replay(Input)
  /// The command line makes no sense, for this reason.
  case misuse(String)

  /// How a trace is printed.
  enum TraceForm {
    /// A line for each record.
    case table
    /// JSON.
    case json
    /// Trace events, for a timeline.
    case traceEvents
  }

  /// What `inspect` was asked to do.
  struct Inspect {
    /// Whether to write JSON instead of a table.
    var json = false
    /// Where to draw a picture; nil: nowhere.
    var svg: OutputFile?
    /// The page size in use.
    var granule = Granule.kib4
    /// The files, in their order.
    var files: [Input] = []
  }
}

extension Request {
  /// Reads the command line of this process; may be called once.
  static func fromCommandLine() -> Request {
    var inspect = Inspect()
    var command: String?
    // The options that were given, for the commands that have not all of them.
    var isPerfetto = false
    var hasPageSize = false
    while true {
      let item = unsafe options_next(CommandLine.argc, CommandLine.unsafeArgv)
      // Each text is an element of `argv` or static, and so outlives the request.
      switch unsafe item.kind {
      case .json: inspect.json = true
      case .perfetto: isPerfetto = true
      case .svg:
        guard let text = unsafe item.text else { continue }
        inspect.svg = unsafe OutputFile(path: text)
      case .help: return .help
      case .version: return .version
      case .page_size:
        guard let text = unsafe item.text else { continue }
        let size = unsafe String(cString: text)
        hasPageSize = true
        switch size {
        case "4k": inspect.granule = .kib4
        case "16k": inspect.granule = .kib16
        case "64k": inspect.granule = .kib64
        default: return .misuse("unknown page size \(quoted: size): 4k, 16k or 64k")
        }
      case .operand:
        guard let text = unsafe item.text else { continue }
        if command == nil {
          command = unsafe String(cString: text)
        } else {
          unsafe inspect.files.append(Input(path: text))
        }
      case .unknown:
        guard let text = unsafe item.text else { continue }
        return .misuse("unknown option \(quoted: unsafe String(cString: text))")
      case .incomplete:
        guard let text = unsafe item.text else { continue }
        return .misuse("option \(quoted: unsafe String(cString: text)) needs an argument")
      case .end:
        guard let command else { return .misuse("no command") }
        guard ["inspect", "trace", "replay"].contains(command) else {
          return .misuse("unknown command \(quoted: command)")
        }
        if isPerfetto, command != "trace" {
          return .misuse("option '--perfetto' is none of \(command)'s")
        }
        if hasPageSize, command != "inspect" {
          return .misuse("option '--page-size' is none of \(command)'s")
        }
        if inspect.svg != nil, command != "inspect" {
          return .misuse("option '--svg' is none of \(command)'s")
        }
        if inspect.json, command == "replay" {
          return .misuse("option '--json' is none of replay's")
        }
        if inspect.json, isPerfetto { return .misuse("either --json or --perfetto") }
        guard let file = inspect.files.first else { return .misuse("no file") }
        if let svg = inspect.svg {
          // The picture is of one board, and standard output holds one thing.
          guard inspect.files.count == 1 else { return .misuse("inspect --svg takes one file") }
          if inspect.json, svg.isStandardOutput { return .misuse("either --json or --svg -") }
        }
        if command == "inspect" { return .inspect(inspect) }
        guard inspect.files.count == 1 else { return .misuse("\(command) takes one file") }
        if command == "replay" { return .replay(file) }
        return .trace(file, isPerfetto ? .traceEvents : inspect.json ? .json : .table)
      }
    }
  }
}
