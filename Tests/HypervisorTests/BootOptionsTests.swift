// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Hypervisor
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
}
