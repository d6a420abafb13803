// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import SimulatedHardware
import Simulation

/// Writes the log of tables of a simulated boot, or checks one.
///
///     table-log boot [--smmu off|owned|nested] [--cpus N] FILE
///     table-log check FILE
///
/// The file of `boot` is checked while it is written. The status is 1 where a rule is broken or a line is none.
@main
struct TableLogProgram {
  static func main() throws {
    var arguments = CommandLine.arguments.dropFirst()
    switch arguments.popFirst() {
    case "boot": try boot(arguments)
    case "check" where arguments.count == 1: check(arguments[arguments.startIndex])
    default: usage()
    }
  }

  private static func boot(_ arguments: ArraySlice<String>) throws {
    var options = BoardOptions()
    var file: String?
    var iterator = arguments.makeIterator()
    while let argument = iterator.next() {
      switch argument {
      case "--smmu":
        guard let policy = iterator.next(), ["off", "owned", "nested"].contains(policy) else {
          usage()
        }
        options.hasSMMU = true
        options.bootArguments = "portcullis.smmu=\(policy)"
      case "--cpus":
        guard let count = iterator.next().flatMap(Int.init), 1...8 ~= count else { usage() }
        options.processors = count
      default:
        guard file == nil, !argument.hasPrefix("-") else { usage() }
        file = argument
      }
    }
    guard let file else { usage() }
    var checker = TableChecker()
    var text = ""
    var count = 0
    let board = try BoardHardware(options) { record in
      checker.take(record)
      text += record.text + "\n"
      count += 1
    }
    let hasStarted = board.start() != nil
    do {
      try text.write(toFile: file, atomically: true, encoding: .utf8)
    } catch {
      fail("\(file) cannot be written: \(error.localizedDescription)")
    }
    guard hasStarted else { fail("the board does not start:\n\(board.console)") }
    end(checker, count, of: file)
  }

  private static func check(_ file: String) {
    var checker = TableChecker()
    var count = 0
    let text: String
    do {
      text = try String(contentsOfFile: file, encoding: .utf8)
    } catch {
      fail("\(file) cannot be read: \(error.localizedDescription)")
    }
    for line in text.split(separator: "\n") {
      count += 1
      guard let record = TableRecord(line) else { fail("\(file):\(count): no event: \(line)") }
      checker.take(record)
    }
    end(checker, count, of: file)
  }

  private static func end(_ checker: TableChecker, _ count: Int, of file: String) {
    for fault in checker.faults { print("\(file): \(fault)") }
    print("\(file): \(count) events, \(checker.faults.count) faults")
    if !checker.faults.isEmpty { exit(1) }
  }

  private static func fail(_ reason: String) -> Never {
    FileHandle.standardError.write(Data((reason + "\n").utf8))
    exit(1)
  }

  private static func usage() -> Never {
    fail(
      "usage: table-log boot [--smmu off|owned|nested] [--cpus N] FILE\n       table-log check FILE"
    )
  }
}
