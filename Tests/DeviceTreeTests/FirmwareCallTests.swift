// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards
import DeviceTree
import Testing

@Suite("Calls of firmware that a tree names")
struct FirmwareCallTests {
  /// The calls of a board with an ITS, 256 MiB of memory and a piece of it that is reserved.
  private func calls(_ source: String, keepsPower: Bool = false) throws -> Board.FirmwareCalls {
    let bytes = try compile(
      """
      memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0 0x10000000>; };
      reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;
        reserved: shmem@48000000 { reg = <0 0x48000000 0 0x1000>; no-map; }; };
      its { compatible = "arm,gic-v3-its"; reg = <0 0x80000 0 0x20000>; };
      sram@10f000 { compatible = "mmio-sram"; reg = <0 0x10f000 0 0x100>;
        #address-cells = <1>; #size-cells = <1>; ranges = <0 0 0x10f000 0x100>;
        shared: sram@0 { compatible = "arm,scmi-shmem"; reg = <0 0x100>; }; };
      inits: sram@91000 { reg = <0 0x91000 0 0x100>; };
      inmemory: sram@40000000 { reg = <0 0x3fffff00 0 0x200>; };
      two: sram@120000 { reg = <0 0x120000 0 0x100>, <0 0x130000 0 0x100>; };
      firmware { \(source) };
      """)
    let board = try read(bytes).board
    return board.whole.firmwareCalls(
      in: try DeviceTreeBlob(checking: bytes.span), keepsPower: keepsPower)
  }

  private func scmi(_ shared: String, number: String = "0x82000010", more: String = "") -> String {
    """
    scmi { compatible = "arm,scmi-smc"; arm,smc-id = <\(number)>; shmem = <\(shared)>;
      #address-cells = <1>; #size-cells = <0>; \(more) protocol@14 { reg = <0x14>; #clock-cells = <1>; }; };
    """
  }

  @Test("F-32: SCMI by SMC is relayed where its shared memory is no RAM, by exactly its number")
  func relayed() throws {
    let calls = try calls(scmi("&shared"))
    try #require(calls.count == 1)
    #expect(calls[0].number == 0x8200_0010 && calls[0].refusal == nil)
    #expect(try self.calls(scmi("&shared"), keepsPower: true)[0].refusal == .power)
  }

  @Test(
    "F-32: It is not where firmware would reach what EL2 protects, or the number is another's",
    arguments: [
      ("&reserved", "0x82000010", .unknownMemory), ("&two", "0x82000010", .unknownMemory),
      ("0x1234", "0x82000010", .unknownMemory), ("&shared &shared", "0x82000010", .unknownMemory),
      ("&inmemory", "0x82000010", .hostMemory), ("&inits", "0x82000010", .protectedRegisters),
      // PSCI, a standard service, a yielding call, the SVE hint, and a trusted OS.
      ("&shared", "0x84000003", .number), ("&shared", "0xc4000020", .number),
      ("&shared", "0x02000010", .number), ("&shared", "0x82010010", .number),
      ("&shared", "0xb2000010", .number), ("&shared", "0x82000010 0", .number),
    ] as [(String, String, FirmwareCall.Refusal)])
  func refused(shared: String, number: String, reason: FirmwareCall.Refusal) throws {
    let calls = try calls(scmi(shared, number: number))
    try #require(calls.count == 1)
    #expect(calls[0].refusal == reason)
  }

  @Test("F-32: A protocol with a channel of its own, and kinds with arguments, are not relayed")
  func otherKinds() throws {
    let own = try calls(
      scmi("&shared", more: "protocol@13 { reg = <0x13>; shmem = <&inmemory>; };"))
    #expect(own.count == 1 && own[0].refusal == .unknownMemory)
    for kind in ["arm,scmi-smc-param", "qcom,scmi-smc", "arm,scmi"] {
      let other = try calls(
        "scmi { compatible = \"\(kind)\"; arm,smc-id = <0x82000010>; shmem = <&shared>; };")
      #expect(other.isEmpty)
    }
    let disabled = try calls(scmi("&shared", more: "status = \"disabled\";"))
    #expect(disabled.isEmpty)
  }

  @Test("F-32: At most four calls are looked at")
  func many() throws {
    let nodes = (0..<6).map {
      "scmi\($0) { compatible = \"arm,scmi-smc\"; arm,smc-id = <0x8200001\($0)>; shmem = <&shared>; };"
    }
    let calls = try calls(nodes.joined(separator: "\n"))
    #expect(calls.count == 4)
    for index in calls.indices { #expect(calls[index].number == 0x8200_0010 + UInt32(index)) }
  }
}
