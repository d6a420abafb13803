// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Boards
import Testing

@Suite("Boot arguments")
struct BootOptionsTests {
  private func options(_ text: String) -> BootOptions {
    BootOptions(arguments: Array(text.utf8).span)
  }

  @Test(
    "The level of the log is the last that was named",
    arguments: [
      ("", LogLevel.info), ("portcullis.log=debug", .debug),
      ("quiet portcullis.log=error x", .error),
      ("portcullis.log=error portcullis.log=warning", .warning), ("portcullis.log=loud", .info),
      ("xportcullis.log=debug", .info), ("portcullis.log=debugx", .info),
      ("portcullis.log=debug\0portcullis.log=error", .debug), ("portcullis.log=debu", .info),
    ])
  func level(text: String, expected: LogLevel) {
    #expect(options(text).logLevel == expected)
  }

  @Test("The trace is asked for by a word of its own")
  func trace() {
    #expect(options("portcullis.trace portcullis.log=error").isTraced)
    #expect(!options("portcullis.trace").drainsTrace)
    let console = options("portcullis.trace=console")
    #expect(console.isTraced && console.drainsTrace)
    #expect(!options("portcullis.trace=on").isTraced)
    #expect(!options("").isTraced)
  }

  @Test("The benchmark is asked for by a word of its own")
  func bench() {
    #expect(options("a portcullis.bench b").isBench)
    #expect(options("portcullis.bench\n").isBench)
    #expect(options("quiet\r\nportcullis.bench\r\n").isBench)
    #expect(!options("portcullis.benchmark").isBench)
    #expect(!options("").isBench)
  }

  @Test(
    "SMMUs are owned unless the last word about them says otherwise",
    arguments: [
      ("", SMMUPolicy.owned), ("portcullis.smmu=off", .off), ("portcullis.smmu=no", .owned),
      ("portcullis.smmu=off portcullis.smmu=owned", .owned), ("portcullis.smmu=offx", .owned),
      ("quiet portcullis.smmu=owned portcullis.smmu=off x", .off),
      ("portcullis.smmu=nested", .nested), ("portcullis.smmu=nest", .owned),
      ("portcullis.smmu=nested portcullis.smmu=owned", .owned),
    ])
  func smmus(text: String, expected: SMMUPolicy) {
    #expect(options(text).smmuPolicy == expected)
  }

  @Test("A handover and checked virtual interrupts are asked for by words of their own")
  func policies() {
    #expect(options("portcullis.handover").isHandover)
    #expect(!options("portcullis.handover=1 handover").isHandover)
    #expect(options("a portcullis.vlpi=checked").checksVirtualInterrupts)
    #expect(!options("portcullis.vlpi=off portcullis.vlpi").checksVirtualInterrupts)
    #expect(options("portcullis.deviceids=listed x").listsDevices)
    #expect(!options("portcullis.deviceids portcullis.deviceids=any").listsDevices)
    #expect(options("x portcullis.masters=claim").claimsMasters)
    #expect(!options("portcullis.masters portcullis.masters=report").claimsMasters)
    #expect(!options("").listsDevices && !options("").claimsMasters)
    #expect(!options("").isHandover && !options("").checksVirtualInterrupts)
  }

  @Test(
    "F-46: an argument for the hypervisor that is not known is refused with what is allowed",
    arguments: [
      ("portcullis.masters=claime", "portcullis.masters=claim"),
      ("portcullis.masters", "portcullis.masters=claim"),
      ("portcullis.smmu=nestd", "portcullis.smmu=owned|nested|off"),
      ("portcullis.log=loud", "portcullis.log=error|warning|info|debug"),
      ("portcullis.trace=on", "portcullis.trace[=console]"),
      ("portcullis.bench=1", "portcullis.bench"), ("portcullis.handover=", "portcullis.handover"),
      ("portcullis.vlpi=off", "portcullis.vlpi=checked"),
      ("portcullis.deviceids=any", "portcullis.deviceids=listed"),
      (
        "portcullis.benchmark",
        "portcullis.bench|deviceids|handover|log|masters|smmu|trace|vlpi"
      ),
      ("portcullis.", "portcullis.bench|deviceids|handover|log|masters|smmu|trace|vlpi"),
      ("portcullis.=", "portcullis.bench|deviceids|handover|log|masters|smmu|trace|vlpi"),
    ])
  func unknown(argument: String, allowed: String) throws {
    let (board, _, lines) = try read(
      compile("chosen { bootargs = \"quiet \(argument) portcullis.log=debug\"; };"))
    #expect(board.verdict == .refused)
    #expect(lines == ["/chosen: bootargs: \(argument) is not known, but \(allowed)"])
    #expect(board.options.logLevel == .debug)
  }

  @Test("F-46: each unknown argument is told of, cut where it is long, and made printable")
  func severalUnknown() throws {
    let long = String(repeating: "x", count: 100)
    let (_, _, lines) = try read(
      compile("chosen { bootargs = \"portcullis.a\u{1b} portcullis.\(long)\tportcullis.b\"; };"))
    #expect(lines.count == 3)
    #expect(lines[0].contains(": portcullis.a? is"))
    #expect(lines[1].contains(": portcullis.\(long.prefix(37)) is"))
    // A line of the log holds 190 bytes, with "portcullis: device tree: " in front.
    #expect(lines.allSatisfy { $0.utf8.count <= 165 })
  }

  @Test(
    "What is known, and what is the host's, is not refused",
    arguments: [
      "portcullis.log=error portcullis.bench portcullis.trace portcullis.trace=console",
      "portcullis.vlpi=checked portcullis.handover portcullis.deviceids=listed",
      "portcullis.masters=claim portcullis.smmu=owned portcullis.smmu=nested portcullis.smmu=off",
      "portcullis portcullisx.y xportcullis.y=portcullis.z earlycon root=/dev/portcullis.0", "",
    ])
  func known(arguments: String) throws {
    let (board, _, lines) = try read(compile("chosen { bootargs = \"\(arguments)\"; };"))
    #expect(board.verdict == .nothingToProtect && lines.isEmpty)
  }
}
