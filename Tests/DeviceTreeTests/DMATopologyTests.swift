// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards
import DeviceTree
import Foundation
import Testing

@Suite("Who does DMA")
struct DMATopologyTests {
  /// Two ITSes and an SMMUv3 with all that its node may say; phandles 1, 2 and 3.
  static let devices = """
    its0 { compatible = "arm,gic-v3-its"; reg = <0 0x80000 0 0x20000>; msi-controller;
      #msi-cells = <1>; phandle = <1>; };
    its1 { compatible = "arm,gic-v3-its"; reg = <0 0xa0000 0 0x20000>; msi-controller;
      #msi-cells = <1>; phandle = <2>; };
    smmu { compatible = "arm,smmu-v3"; reg = <0 0x9050000 0 0x20000>; #iommu-cells = <1>;
      interrupts = <0 74 1>, <0 75 1>, <0 77 1>, <0 79 1>;
      interrupt-names = "eventq", "priq", "cmdq-sync", "gerror"; phandle = <3>; };
    """
  static let pci = "compatible = \"pci-host-ecam-generic\"; device_type = \"pci\";"

  @Test("QEMU's virt board: PCI is behind the SMMU, fw_cfg and virtio-mmio are not")
  func virt() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "virt-\(UUID()).dtb")
    defer { try? FileManager.default.removeItem(at: file) }
    _ = try output(
      of: "qemu-system-aarch64",
      [
        "-M",
        "virt,virtualization=on,gic-version=3,iommu=smmuv3,dtb-randomness=off,dumpdtb=\(file.path)",
        "-cpu", "cortex-a76", "-m", "1G", "-nic", "none",
      ])
    let (topology, diagnostics) = try topology([UInt8](Data(contentsOf: file)))
    #expect(diagnostics.isEmpty && topology.isComplete)
    try #require(topology.iommus.count == 1)
    let smmu = topology.iommus[0]
    #expect(smmu.kind == .smmuV3 && smmu.isEnabled && smmu.hasRegisters && smmu.cells == 1)
    #expect(!smmu.sendsMSIs && smmu.traits == .none)
    // QEMU's virt board has the SMMU at SPI 74 to 77.
    #expect(smmu.interrupts.events == 106 && smmu.interrupts.pageRequests == 107)
    #expect(smmu.interrupts.commandSync == 108 && smmu.interrupts.globalError == 109)
    #expect(smmu.interrupts.combined == nil)
    // 32 virtio transports, fw_cfg and the bridge.
    #expect(topology.masters.count == 34)
    var confined = 0
    for index in topology.paths.indices where topology.paths[index].confinement == .confined {
      confined += 1
      let path = topology.paths[index]
      #expect(topology.masters[path.master].evidence == .pciHost)
      #expect(path.iommu == 0)
      #expect(path.requesters == IDRange(0, through: 0xffff))
      #expect(path.streams == IDRange(0, through: 0xffff))
    }
    #expect(confined == 1)
    try #require(topology.doorbells.count == 1)
    #expect(topology.msiControllers[topology.doorbells[0].its].isITS)
    #expect(topology.doorbells[0].deviceIDs == IDRange(0, through: 0xffff))
  }

  @Test(
    "the interrupts of an SMMU are known where they have a GIC's cells",
    arguments: [
      ("<0 74 1>, <1 3 1>", "\"eventq\", \"gerror\"", 106, 19),
      ("<0 74 1 0>, <2 5 1 0>", "\"eventq\", \"gerror\"", 106, 4101),
      ("<3 1 1>, <0 955 1>", "\"gerror\", \"eventq\"", 987, 1057),
      ("<0 988 1>, <4 3 1>", "\"eventq\", \"gerror\"", 0, 0),
      ("<74>, <75>", "\"eventq\", \"gerror\"", 0, 0),
      ("<0 74 1>", "\"eventq\", \"gerror\"", 0, 0),
      ("<0 74 1>, <0 75 1>", "\"other\", \"eventq\"", 107, 0),
    ] as [(String, String, UInt32, UInt32)])
  func interrupts(cells: String, names: String, events: UInt32, error: UInt32) throws {
    let (topology, _) = try topology(
      compile(
        """
        smmu { compatible = "arm,smmu-v3"; reg = <0 0x9050000 0 0x20000>; #iommu-cells = <1>;
          interrupts = \(cells); interrupt-names = \(names); };
        """))
    try #require(topology.iommus.count == 1)
    let found = topology.iommus[0].interrupts
    // 0 stands for none.
    let (foundEvents, foundError) = (found.events ?? 0, found.globalError ?? 0)
    #expect(foundEvents == events)
    #expect(foundError == error)
  }

  @Test("what has to be observed in driving an SMMU")
  func traits() throws {
    let (topology, _) = try topology(
      compile(
        """
        smmu { compatible = "arm,smmu-v3"; reg = <0 0x9050000 0 0x20000>; #iommu-cells = <1>;
          hisilicon,broken-prefetch-cmd; cavium,cn9900-broken-page1-regspace; msi-parent = <9>; };
        """))
    try #require(topology.iommus.count == 1)
    let smmu = topology.iommus[0]
    #expect(smmu.traits.contains(.noPrefetch) && smmu.traits.contains(.onePage))
    #expect(smmu.sendsMSIs)
    // What the SMMU writes by itself is not what a device writes.
    #expect(topology.masters.isEmpty)
  }

  @Test("an SMMUv3 whose registers cannot be read confines nobody")
  func noRegisters() throws {
    let (topology, _) = try topology(
      compile(
        """
        smmu { compatible = "arm,smmu-v3"; #iommu-cells = <1>; phandle = <3>; };
        device { iommus = <3 1>; };
        """))
    try #require(topology.paths.count == 1)
    #expect(topology.paths[0].confinement == .unreadable)
    #expect(topology.paths[0].iommu == 0)
  }

  @Test("DeviceIDs by msi-map, msi-parent, and where none is told")
  func deviceIDs() throws {
    let (topology, diagnostics) = try topology(
      compile(
        """
        \(Self.devices)
        a { \(Self.pci) msi-map = <0 1 0x100 0x8>, <0x8 2 0 0xfff8>; };
        b { \(Self.pci) msi-parent = <2>; };
        c { compatible = "vendor,c"; msi-parent = <1 0x77>, <2 0x78>; };
        d { compatible = "vendor,d"; msi-parent = <1>; };
        e { \(Self.pci) msi-map-mask = <0x7>; msi-map = <0 1 0x200 0x10000>; };
        """))
    #expect(diagnostics.isEmpty)
    var found: [String] = []
    for index in topology.doorbells.indices {
      let path = topology.doorbells[index]
      found.append(
        "\(path.master) \(path.its) \(text(path.requesters)) \(text(path.deviceIDs))")
    }
    let expected = [
      "0 0 0-7 256-263", "0 1 8-65535 0-65527", "1 1 0-65535 0-65535", "2 0 - 119-119",
      "2 1 - 120-120", "3 0 - -", "4 0 0-7 512-519",
    ]
    #expect(found == expected)
  }

  @Test(
    "requesters that a map leaves out, under every mask",
    arguments: [
      ("", "<0 3 0 0x10000>", ""), ("", "<0 3 0 0xffff>", "65535-65535"),
      ("", "<1 3 0 1>", "0-0 2-65535"), ("", "<0x10 3 0 0x10>, <0 3 0 0x10>", "32-65535"),
      ("0", "<0 3 0 1>", ""), ("0xff", "<0 3 0 0x80>", "128-255"),
      ("0xff00", "<0 3 0 0x100>", "256-65280"),
      ("0xff00", "<0 3 0 1>, <0x200 3 0 0xfe00>", "256-256"),
      ("0xfffffff8", "<0 3 0 0x8>, <0x10 3 0 0xfff0>", "8-8"),
      ("", "<0 3 0 0>", "0-65535"), ("", "<0x10000 3 0 0x10>", "0-65535"),
      ("", "<0 3 0xfffffff1 0x10>", "0-65535"),
    ])
  func holes(mask: String, map: String, expected: String) throws {
    let property = mask.isEmpty ? "" : "iommu-map-mask = <\(mask)>;"
    let (topology, _) = try topology(
      compile("\(Self.devices) pci { \(Self.pci) \(property) iommu-map = \(map); };"))
    var found: [String] = []
    for index in topology.paths.indices where topology.paths[index].confinement == .notMapped {
      found.append(text(topology.paths[index].requesters))
    }
    #expect(found.joined(separator: " ") == expected)
  }

  @Test(
    "F-41: under a mask with holes a range has the requesters that the mask leaves, and no others")
  func maskWithHoles() throws {
    let (topology, diagnostics) = try topology(
      compile(
        """
        \(Self.devices) pci { \(Self.pci) iommu-map-mask = <0xff00>;
          iommu-map = <0x100 3 1 1>, <0x200 3 0x10 0x280>; };
        """))
    #expect(diagnostics.isEmpty)
    var found: [String] = []
    for index in topology.paths.indices where topology.paths[index].requesters != nil {
      let path = topology.paths[index]
      let count = path.requesters?.count(under: path.mask) ?? 0
      found.append("\(text(path.requesters)) \(text(path.streams)) \(count)")
    }
    #expect(
      found == ["256-256 1-1 1", "512-1024 16-528 3", "0-0 - 1", "1280-65280 - 251"])
  }

  @Test(
    "the numbers of a range that a mask leaves are counted",
    arguments: [
      (UInt32(0), UInt32(0xffff), UInt32.max, 0x1_0000), (0, 0xfff8, 0xfff8, 0x2000),
      (8, 8, 0xfff8, 1), (0x100, 0xff00, 0xff00, 255), (0, 0xffff_ffff, .max, 1 << 32),
    ] as [(UInt32, UInt32, UInt32, UInt64)])
  func counted(first: UInt32, last: UInt32, mask: UInt32, count: UInt64) throws {
    #expect(try #require(IDRange(first, through: last)).count(under: mask) == count)
  }

  @Test("disabled masters, and what is below a PCI host bridge, are none")
  func leftOut() throws {
    let (topology, diagnostics) = try topology(
      compile(
        """
        \(Self.devices)
        off { compatible = "virtio,mmio"; status = "disabled"; };
        bus { status = "fail"; on { compatible = "virtio,mmio"; }; };
        pci { \(Self.pci) iommu-map = <0 3 0 0x10000>;
          device { compatible = "virtio,mmio"; iommus = <9 9 9>; dma-coherent; }; };
        last { compatible = "virtio,mmio"; };
        """))
    #expect(diagnostics.isEmpty)
    try #require(topology.masters.count == 2)
    #expect(topology.masters[0].evidence == .pciHost)
    #expect(topology.masters[1].evidence == .compatible)
  }

  /// What is too many of something.
  struct Crowd: Sendable {
    var count: Int
    var name: String
    var body: String
    var reason: DMADiagnostic.Reason
  }

  static let crowds: [Crowd] = [
    Crowd(
      count: 65, name: "iommu", body: "compatible = \"arm,mmu-500\";", reason: .tooManyIOMMUs(64)),
    Crowd(count: 65, name: "msi", body: "msi-controller;", reason: .tooManyMSIControllers(64)),
    Crowd(
      count: 300, name: "device", body: "compatible = \"virtio,mmio\";",
      reason: .tooManyMasters(256)),
    Crowd(
      count: 200, name: "device", body: "iommus = <3 1>, <3 2>, <3 3>, <3 4>, <3 5>, <3 6>;",
      reason: .tooManyPaths(1024)),
    Crowd(
      count: 200, name: "device",
      body: "compatible = \"vendor,device\"; msi-parent = <1 1>, <1 2>, <1 3>;",
      reason: .tooManyDoorbells(512)),
  ]

  @Test("an IOMMU's own DeviceID is known, unless it is disabled or rings no enabled ITS")
  func iommuDoorbells() throws {
    let smmu = "compatible = \"arm,smmu-v3\"; #iommu-cells = <1>;"
    let (topology, diagnostics) = try topology(
      compile(
        """
        \(Self.devices)
        a { \(smmu) reg = <0 0x9090000 0 0x20000>; msi-parent = <1 0x10>, <2 0x11>; };
        b { \(smmu) reg = <0 0x90b0000 0 0x20000>; msi-parent = <2>; };
        c { \(smmu) reg = <0 0x90d0000 0 0x20000>; msi-parent = <1 0x12>; status = "disabled"; };
        d { \(smmu) reg = <0 0x90f0000 0 0x20000>; msi-parent = <9 0x13>; };
        e { \(smmu) reg = <0 0x9110000 0 0x20000>; msi-parent = <1 0x14>, <2>; };
        """))
    #expect(diagnostics.map(\.reason) == [.noMSIController(9), .badLength(12)])
    #expect(topology.doorbells.isEmpty)
    #expect(topology.iommuDoorbells.map(\.iommu) == [1, 1, 2, 5])
    #expect(topology.iommuDoorbells.map(\.its) == [0, 1, 1, 0])
    #expect(topology.iommuDoorbells.map(\.deviceID) == [0x10, 0x11, nil, 0x14])
  }

  @Test("a full list is reported once, and the topology is then not complete", arguments: crowds)
  func overflow(crowd: Crowd) throws {
    for overflows in [true, false] {
      let count = overflows ? crowd.count : crowd.count / 2
      let nodes = (0..<count).map { "\(crowd.name)@\($0) { \(crowd.body) };" }
      let (topology, diagnostics) = try topology(compile(Self.devices + nodes.joined()))
      #expect(topology.isComplete == !overflows)
      #expect(diagnostics.count == (overflows ? 1 : 0))
      if overflows { #expect(diagnostics.first?.reason == crowd.reason) }
    }
  }

  @Test("a property full of nonsense is reported once", arguments: ["iommu-map", "msi-map"])
  func repeated(property: String) throws {
    let entries = (0..<500).map { "<0x20000 3 0 \($0 + 1)>, <\($0) 9 0 1>" }
    let (topology, diagnostics) = try topology(
      compile("pci { \(Self.pci) \(property) = \(entries.joined(separator: ", ")); };"))
    #expect(diagnostics.count == 1)
    #expect(topology.masters.count == 1 && topology.isComplete)
    for index in topology.paths.indices {
      #expect(topology.paths[index].confinement != .confined)
    }
  }

  @Test("linux,phandle names a node like phandle")
  func linuxPhandle() throws {
    let (topology, diagnostics) = try topology(
      compile(
        """
        smmu { compatible = "arm,smmu-v3"; reg = <0 0x9050000 0 0x20000>; #iommu-cells = <1>;
          linux,phandle = <7>; };
        device { iommus = <7 1>; };
        """))
    #expect(diagnostics.isEmpty)
    try #require(topology.paths.count == 1)
    #expect(topology.paths[0].confinement == .confined)
  }

  static let reasons: [DMADiagnostic.Reason] = [
    .missing, .badLength(3), .badValue(2), .badEntry(1), .overlap(1), .noIOMMU(7),
    .noMSIController(7), .tooManyIOMMUs(64), .tooManyMSIControllers(64), .tooManyMasters(256),
    .tooManyPaths(1024), .tooManyDoorbells(512),
  ]

  @Test("every reason has words", arguments: reasons)
  func messages(reason: DMADiagnostic.Reason) {
    var text = Text()
    DMADiagnostic(node: .root, property: nil, reason: reason).writeMessage(into: &text)
    #expect(text.string.count > 8 && !text.string.hasSuffix("."))
  }

  private func text(_ range: IDRange?) -> String {
    range.map { "\($0.first)-\($0.last)" } ?? "-"
  }

  private func topology(_ bytes: [UInt8]) throws -> (FoundTopology, [DMADiagnostic]) {
    let blob = try DeviceTreeBlob(checking: bytes.span)
    var sink = Collector()
    let board = Board.read(blob, granule: .kib4, reporting: &sink)
    var found = DMACollector()
    let topology = DMATopology(reading: blob, of: board, reporting: &found)
    return (FoundTopology(topology), found.all)
  }
}

struct DMACollector: DMADiagnosticSink {
  var all: [DMADiagnostic] = []
  mutating func report(_ diagnostic: DMADiagnostic) { all.append(diagnostic) }
}

/// The lists of a topology as arrays, which tests may copy: the compiler takes minutes over copies of
/// the topology itself.
struct FoundTopology {
  var iommus: [DMATranslator]
  var msiControllers: [MSIController]
  var masters: [DMAMaster]
  var paths: [DMAPath]
  var doorbells: [DoorbellPath]
  var iommuDoorbells: [IOMMUDoorbellPath]
  var isComplete: Bool

  init(_ topology: borrowing DMATopology) {
    iommus = Array(topology.iommus)
    msiControllers = Array(topology.msiControllers)
    masters = Array(topology.masters)
    paths = Array(topology.paths)
    doorbells = Array(topology.doorbells)
    iommuDoorbells = Array(topology.iommuDoorbells)
    isComplete = topology.isComplete
  }
}

extension Array {
  /// The elements of a list, in their order.
  fileprivate init<let capacity: Int>(_ list: FixedList<capacity, Element>) {
    self = list.indices.map { list[$0] }
  }
}
