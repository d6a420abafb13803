// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The results as a TAP version 14 stream (testanything.org).
///
/// Nothing is stored: a line is printed when its test ends, and the plan at the end.
struct TestReport: ~Copyable {
  private(set) var count: UInt64 = 0
  private(set) var failures: UInt64 = 0

  init() {
    Console.write("TAP version 14\n")
  }

  /// Runs one test; its name is `area` and `name`.
  @inline(never)
  mutating func test(_ area: StaticString, _ name: StaticString, _ body: (inout Test) -> Void) {
    count += 1
    var test = Test(number: count, area: area, name: name)
    body(&test)
    if test.end() { failures += 1 }
  }

  /// Writes the plan, and returns the status that the machine ends with.
  consuming func finish() -> UInt64 {
    Console.write("1..")
    Console.write(decimal: count)
    Console.write("\n# ")
    Console.write(decimal: count - failures)
    Console.write(" of ")
    Console.write(decimal: count)
    Console.write(" tests passed\n")
    return failures == 0 ? 0 : 1
  }
}

/// A test in progress: it passes unless an expectation isn't met.
struct Test: ~Copyable {
  let number: UInt64
  let area: StaticString
  let name: StaticString
  /// Whether it fails already.
  private(set) var hasFailed = false
  private var skipReason: StaticString?

  init(number: UInt64, area: StaticString, name: StaticString) {
    self.number = number
    self.area = area
    self.name = name
  }

  /// Expects a value, and says both where it differs.
  @inline(never)
  mutating func expect(_ what: StaticString, _ seen: UInt64, equals expected: UInt64) {
    guard seen != expected else { return }
    openDiagnostics()
    diagnose(what)
    field("expected", expected)
    field("seen", seen)
  }

  /// Expects a value between two bounds, both included.
  @inline(never)
  mutating func expect(_ what: StaticString, _ seen: UInt64, in range: ClosedRange<UInt64>) {
    guard !range.contains(seen) else { return }
    openDiagnostics()
    diagnose(what)
    field("expectedFrom", range.lowerBound)
    field("expectedTo", range.upperBound)
    field("seen", seen)
  }

  /// Expects any value but one.
  @inline(never)
  mutating func expect(_ what: StaticString, _ seen: UInt64, differsFrom unwanted: UInt64) {
    guard seen == unwanted else { return }
    openDiagnostics()
    diagnose(what)
    field("unwanted", unwanted)
    field("seen", seen)
  }

  /// Fails, with a sentence that says why.
  @inline(never)
  mutating func fail(_ reason: StaticString) {
    openDiagnostics()
    diagnose(reason)
  }

  /// Marks the test as one that this machine can't run; it counts as passed.
  mutating func skip(_ reason: StaticString) { skipReason = reason }

  /// Ends the test; true if it failed.
  fileprivate consuming func end() -> Bool {
    if hasFailed {
      Console.write("  ...\n")
      return true
    }
    Console.write("ok ")
    title()
    if let skipReason {
      Console.write(" # SKIP ")
      Console.write(skipReason)
    }
    Console.write("\n")
    return false
  }

  @inline(never)
  private func title() {
    Console.write(decimal: number)
    Console.write(" - ")
    Console.write(area)
    Console.write(": ")
    Console.write(name)
  }

  private mutating func openDiagnostics() {
    guard !hasFailed else { return }
    hasFailed = true
    Console.write("not ok ")
    title()
    Console.write("\n  ---\n  differences:\n")
  }

  private func diagnose(_ what: StaticString) {
    Console.write("    - what: \"")
    Console.write(what)
    Console.write("\"\n")
  }

  private func field(_ key: StaticString, _ value: UInt64) {
    Console.write("      ")
    Console.write(key)
    Console.write(": ")
    Console.write(hexadecimal: value)
    Console.write("\n")
  }
}
