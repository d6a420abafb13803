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
  /// The command line makes no sense, for this reason.
  case misuse(String)

  /// What `inspect` was asked to do.
  struct Inspect {
    /// Whether to write JSON instead of a table.
    var json = false
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
    while true {
      let item = unsafe options_next(CommandLine.argc, CommandLine.unsafeArgv)
      // Each text is an element of `argv` or static, and so outlives the request.
      switch unsafe item.kind {
      case .json: inspect.json = true
      case .help: return .help
      case .version: return .version
      case .page_size:
        guard let text = unsafe item.text else { continue }
        let size = unsafe String(cString: text)
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
        guard command == "inspect" else { return .misuse("unknown command \(quoted: command)") }
        guard !inspect.files.isEmpty else { return .misuse("no file") }
        return .inspect(inspect)
      }
    }
  }
}
