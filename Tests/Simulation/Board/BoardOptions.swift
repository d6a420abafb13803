// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What a simulated board is made of.
package struct BoardOptions: Sendable {
  /// How many CPUs.
  package var processors = 2
  /// How many ITSes.
  package var services = 1
  /// Whether an SMMU stands between a device and memory.
  package var hasSMMU = false
  /// The boot arguments.
  package var bootArguments = ""
  /// The pages that EL2's tables come from.
  package var poolPages: UInt64 = 1024
  /// What the root of the device tree has beside the usual, merged into that.
  package var furtherNodes = ""
  /// What stands in place of the usual device tree.
  package var tree: [UInt8]?
  /// ID_AA64MMFR0_EL1.PARange: 40 bits.
  package var physicalAddressRange: UInt64 = 2
  /// ID_AA64PFR0_EL1.GIC is not zero.
  package var hasInterruptRegisters = true

  /// Makes the usual board.
  package init() {}

  /// The source of the board's device tree.
  package var source: String {
    let cpus = (0..<processors).map {
      "cpu@\($0) { device_type = \"cpu\"; compatible = \"arm,armv8\"; reg = <\($0)>; enable-method = \"psci\"; };"
    }.joined(separator: "\n")
    let itses = (0..<services).map { index in
      let base = String(BoardHardware.its(index), radix: 16)
      return """
        its\(index): msi-controller@\(base) {
          compatible = "arm,gic-v3-its"; reg = <0 0x\(base) 0 0x20000>;
          msi-controller; #msi-cells = <1>;
        };
        """
    }.joined(separator: "\n")
    let smmu = """
      smmu: iommu@9050000 {
        compatible = "arm,smmu-v3"; reg = <0 0x9050000 0 0x20000>; #iommu-cells = <1>; dma-coherent;
      };
      ethernet@a000000 {
        compatible = "some,device"; reg = <0 0xa000000 0 0x1000>; iommus = <&smmu 8>;
      };
      """
    return """
      /dts-v1/;
      / {
        #address-cells = <2>; #size-cells = <2>;
        chosen { stdout-path = "/uart@9000000"; bootargs = "\(bootArguments)"; };
        memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0 0x20000000>; };
        psci { compatible = "arm,psci-1.0"; method = "smc"; };
        cpus { #address-cells = <1>; #size-cells = <0>; \(cpus) };
        uart@9000000 { compatible = "arm,pl011"; reg = <0 0x9000000 0 0x1000>; };
        interrupt-controller@8000000 {
          compatible = "arm,gic-v3";
          reg = <0 0x8000000 0 0x10000>, <0 0x80a0000 0 0x\(String(processors * 0x2_0000, radix: 16))>;
          interrupt-controller; #interrupt-cells = <3>;
          #address-cells = <2>; #size-cells = <2>; ranges;
          \(itses)
        };
        \(hasSMMU ? smmu : "")
      };
      / { \(furtherNodes) };
      """
  }

  /// The device tree.
  package func compiled() throws -> [UInt8] { try tree ?? compile(deviceTree: source) }
}

/// The device tree of DTS source.
package func compile(deviceTree source: String) throws -> [UInt8] {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = ["dtc", "-q", "-I", "dts", "-O", "dtb"]
  let (to, from) = (Pipe(), Pipe())
  process.standardInput = to
  process.standardOutput = from
  process.standardError = FileHandle.nullDevice
  try process.run()
  to.fileHandleForWriting.write(Data(source.utf8))
  try to.fileHandleForWriting.close()
  let bytes = [UInt8](from.fileHandleForReading.readDataToEndOfFile())
  process.waitUntilExit()
  return bytes
}
