// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Foundation
import Hypervisor
import Simulation
import SimulatedHardware
import Testing

/// Who stands between a device and memory.
enum Devices: String, CaseIterable, CustomTestStringConvertible {
  case unconfined, owned, nested
  var testDescription: String { rawValue }

  var options: BoardOptions {
    var options = BoardOptions()
    options.hasSMMU = self != .unconfined
    if self == .nested { options.bootArguments = "portcullis.smmu=nested" }
    return options
  }
}

extension BoardHardware {
  /// What is wrong on a board that has started; empty where EL2 has all that is its own, of which one page in
  /// `step` is looked at.
  func violations(step: Int = 1) -> [String] {
    var found = faults
    func refuse(_ range: Range<UInt64>, _ what: String) {
      let pages = stride(from: range.lowerBound, to: range.upperBound, by: 4096 * step)
      let byHost = pages.count { hostAddress($0) != nil }
      if byHost > 0 { found.append("the host reaches \(byHost) pages of \(what)") }
      guard let smmu else { return }
      let byDevice = pages.count { smmu.write(8, $0, 1) == .completed(0) }
      if byDevice > 0 { found.append("a device reaches \(byDevice) pages of \(what)") }
    }
    let image = Self.image.base.rawValue
    refuse(image..<image + Self.image.size, "the image")
    let own = call(.own(2))
    if own.x0 != 0 || own.x2 == 0 { found.append("EL2 has no memory beside its image") }
    refuse(own.x1..<own.x1 + own.x2, "EL2's memory")
    for index in 0..<options.services {
      refuse(Self.its(index)..<Self.its(index) + 0x1_0000, "an ITS")
    }
    for number in 0..<options.processors {
      let frame = 0x80a_0000 + UInt64(number) * 0x2_0000
      refuse(frame..<frame + 0x1_0000, "the RD frame of a Redistributor")
    }
    if let smmu { refuse(smmu.base..<smmu.base + 0x2_0000, "the SMMU") }
    if el2(VirtualLayout.linear(PhysicalAddress(Self.treeBase))) != nil {
      found.append("EL2 still maps the tree")
    }
    return found
  }

  /// The figure that the host reads.
  func statistic(_ statistic: Statistic) -> UInt64 {
    call(.own(0x301, statistic.rawValue)).x1
  }

  /// The number behind a text in the log.
  func number(behind text: String) -> UInt64? {
    guard let range = console.range(of: text) else { return nil }
    return UInt64(console[range.upperBound...].prefix { $0.isNumber })
  }
}

extension SMCCC.Call {
  /// A call of Portcullis itself.
  static func own(_ request: UInt64, _ argument: UInt64 = 0, _ second: UInt64 = 0) -> SMCCC.Call {
    SMCCC.Call(HypervisorService.function, request, argument, second)
  }
}

@Suite("The start-up, whole")
struct StartupTests {
  @Test("The host is started, confined", arguments: Devices.allCases)
  func starts(_ devices: Devices) throws {
    let board = try BoardHardware(devices.options)
    let start = try #require(board.start(), "\(board.console)")
    #expect(board.violations().isEmpty)
    #expect(!board.isOff)
    // Where it begins there is the image's host, and its tree is one.
    #expect(board.load(.double, start.entry.rawValue) == .value(0xd503_201f_d503_201f))
    #expect(board.load(.word, start.argument) == .value(0xedfe_0dd0))
    // What is nobody's but its own it reaches.
    #expect(board.hostAddress(0x4800_0000) == 0x4800_0000)
    #expect(board.hostAddress(0x900_0000) == 0x900_0000)
    #expect(board.hostAddress(0x800_0000) == 0x800_0000)
    #expect(board.console.contains("portcullis: ITS at 0x8080000 claimed"))
    if let smmu = board.smmu, devices == .owned {
      #expect(smmu.write(8, 0x4800_0000, 1) == .completed(0))
    }
  }

  @Test(
    "What a tree says wrongly of masters is told by node and property, and how much is too much to tell"
  )
  func diagnostics() throws {
    var options = Devices.owned.options
    options.furtherNodes = (0..<20).map {
      "dma@b0\($0 + 10)000 { compatible = \"some,device\"; reg = <0 0xb0\($0 + 10)000 0 0x1000>; iommus = <99 8>; };"
    }.joined(separator: "\n")
    let board = try BoardHardware(options)
    _ = board.start()
    #expect(board.console.contains("portcullis: device tree: /dma@b010000: iommus: "))
    #expect(board.number(behind: "further diagnostics of DMA: ") != nil)
  }

  @Test("Without the start-up all of it is reached")
  func control() throws {
    let board = try BoardHardware(Devices.owned.options)
    #expect(board.hostAddress(BoardHardware.image.base.rawValue) != nil)
    #expect(board.hostAddress(BoardHardware.its(0)) != nil)
    let smmu = try #require(board.smmu)
    #expect(smmu.write(8, BoardHardware.image.base.rawValue, 1) == .completed(0))
  }

  /// A board that is not started, and what the log says of it.
  struct Refusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Nil where no console is opened.
    let text: String?
    let change: @Sendable (inout BoardOptions) -> Void

    init(
      _ name: String, _ text: String?, _ change: @escaping @Sendable (inout BoardOptions) -> Void
    ) {
      testDescription = name
      self.text = text
      self.change = change
    }
  }

  static let refusals = [
    Refusal("no interrupt registers", "the board has no GICv3") {
      $0.hasInterruptRegisters = false
    },
    Refusal("two CPUs with one number", "two CPUs of the tree have one MPIDR_EL1") {
      $0.furtherNodes = """
        cpus { cpu@7 { device_type = "cpu"; compatible = "arm,armv8"; reg = <1>; enable-method = "psci"; }; };
        """
    },
    Refusal("memory out of reach", "memory that the CPU cannot address, at 0x10000000000") {
      $0.furtherNodes = """
        memory@10000000000 { device_type = "memory"; reg = <0x100 0 0 0x200000>; };
        """
    },
    Refusal("a console in the image", nil) {
      $0.furtherNodes = """
        chosen { stdout-path = "/uart@40300000"; };
        uart@40300000 { compatible = "arm,pl011"; reg = <0 0x40300000 0 0x1000>; };
        """
    },
    Refusal("an option that nobody knows", "the board cannot be protected") {
      $0.bootArguments = "portcullis.smmu=none"
    },
    Refusal("an SMMU that looks into no caches", "one does not look into caches") {
      $0.hasSMMU = true
      $0.furtherNodes = "iommu@9050000 { /delete-property/ dma-coherent; };"
    },
    Refusal("a Redistributor too many", "the Redistributors cannot be claimed") {
      $0.furtherNodes = """
        interrupt-controller@8000000 {
          reg = <0 0x8000000 0 0x10000>, <0 0x8400000 0 0x40000>;
        };
        """
    },
    Refusal("an ITS that is not there", "registers cannot be claimed") {
      $0.furtherNodes = """
        interrupt-controller@8000000 { msi-controller@21000000 {
          compatible = "arm,gic-v3-its"; reg = <0 0x21000000 0 0x20000>;
          msi-controller; #msi-cells = <1>;
        }; };
        """
    },
    Refusal("no room for the host", "no room for EL2's stacks and tables") {
      $0.furtherNodes =
        "reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;"
        + " most@40c00000 { no-map; reg = <0 0x40c00000 0 0x1f400000>; }; };"
    },
  ]

  @Test(
    "A board that can't be protected is switched off, and the log says why", arguments: refusals)
  func refuses(_ refusal: Refusal) throws {
    var options = BoardOptions()
    refusal.change(&options)
    let board = try BoardHardware(options)
    #expect(board.start() == nil)
    #expect(board.isOff && board.calls.last?.function == PSCI.systemOff)
    #expect(board.faults.isEmpty)
    guard let text = refusal.text else { return #expect(board.console.isEmpty) }
    #expect(board.console.contains("portcullis: not started: "))
    #expect(board.console.contains(text), "\(board.console)")
  }

  @Test("What is no tree is not read", arguments: [[], [0xd0, 0x0d, 0xfe, 0xed, 0, 0, 0, 72]])
  func noTree(_ bytes: [UInt8]) throws {
    var options = BoardOptions()
    options.tree = bytes
    let board = try BoardHardware(options)
    // Nobody has said how to switch it off, or where a console is.
    #expect(board.start() == nil)
    #expect(board.isOff && board.calls.isEmpty && board.console.isEmpty && board.faults.isEmpty)
  }

  // MARK: A fault at each step

  @Test("With any number of pages too few the board is switched off", arguments: Devices.allCases)
  func noPages(_ devices: Devices) throws {
    var options = devices.options
    options.tree = try options.compiled()
    let board = try BoardHardware(options)
    #expect(board.start() != nil)
    let needed = try #require(board.number(behind: "table pages used "))
    var tried = 0
    for pages in 1..<needed {
      options.poolPages = pages
      // The code before the MMU refuses the first of them.
      guard let board = try? BoardHardware(options) else { continue }
      tried += 1
      #expect(board.start() == nil, "\(pages) pages")
      #expect(board.isOff && board.faults.isEmpty, "\(pages) pages: \(board.faults)")
    }
    #expect(tried > 20)
    options.poolPages = needed
    let exact = try BoardHardware(options)
    #expect(exact.start() != nil)
    #expect(exact.violations().isEmpty)
  }

  // Nested: the others do less of the same.
  @Test("Whichever access to a register is answered with an abort, no host runs unconfined")
  func aborts() throws {
    var options = Devices.nested.options
    options.tree = try options.compiled()
    let board = try BoardHardware(options)
    #expect(board.start() != nil)
    var refused = 0
    for access in 0..<board.registerAccesses {
      let board = try BoardHardware(options)
      board.abortedAccess = access
      if board.start() == nil {
        refused += 1
        #expect(board.isOff && board.faults.isEmpty, "access \(access)")
      } else {
        #expect(board.violations(step: 32).isEmpty, "access \(access)")
      }
    }
    // Most are of no use to a host without them.
    #expect(refused > board.registerAccesses / 2)
  }
}
