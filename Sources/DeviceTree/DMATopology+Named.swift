// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards

// What masters may name: IOMMUs and MSI controllers.

extension DMATopology {
  mutating func readNamed<Sink: DMADiagnosticSink & ~Copyable>(
    _ place: DMAPlace, _ board: borrowing Board, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    let kind = DMATranslator.kind(of: place.properties[.compatible], in: blob)
    if kind != nil || place.properties[.iommuCells] != nil {
      readIOMMU(place, kind ?? .other, board, blob, &sink)
    }
    let isITS = blob.list(place.properties[.compatible], contains: "arm,gic-v3-its")
    if isITS || place.properties[.msiController] != nil || place.properties[.msiCells] != nil {
      readMSIController(place, isITS: isITS, blob, &sink)
    }
  }

  private mutating func readIOMMU<Sink: DMADiagnosticSink & ~Copyable>(
    _ place: DMAPlace, _ kind: DMATranslator.Kind, _ board: borrowing Board, _ blob: DeviceTreeBlob,
    _ sink: inout Sink
  ) {
    var hasRegisters = false
    for index in board.iommus.indices where board.iommus[index].node == place.node {
      hasRegisters = true
    }
    var cells: Int?
    if let value = place.properties[.iommuCells] {
      cells = readCells(value, place, .iommuCells, blob, &sink)
      if kind == .smmuV3, place.isEnabled, let cells, cells != 1 {
        report(place.node, .iommuCells, .badValue(UInt32(cells)), &sink)
      }
    } else if kind == .smmuV3, place.isEnabled {
      report(place.node, .iommuCells, .missing, &sink)
    }
    var traits = SMMUTraits.none
    if place.properties[.brokenPrefetch] != nil { traits.insert(.noPrefetch) }
    if place.properties[.brokenPage1] != nil { traits.insert(.onePage) }
    let iommu = DMATranslator(
      kind: kind, node: place.node, phandle: phandle(of: place, blob), cells: cells,
      isEnabled: place.isEnabled, hasRegisters: hasRegisters,
      sendsMSIs: place.properties[.msiParent] != nil, traits: traits,
      interrupts: kind == .smmuV3 ? SMMUInterrupts(place.properties, in: blob) : SMMUInterrupts())
    if !iommus.append(iommu) { reportOverflow(of: .iommus, place.node, nil, &sink) }
  }

  private mutating func readMSIController<Sink: DMADiagnosticSink & ~Copyable>(
    _ place: DMAPlace, isITS: Bool, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    var cells: Int? = 0
    if let value = place.properties[.msiCells] {
      cells = readCells(value, place, .msiCells, blob, &sink)
    }
    guard let cells else { return }
    let controller = MSIController(
      node: place.node, phandle: phandle(of: place, blob), cells: cells, isITS: isITS,
      isEnabled: place.isEnabled)
    if !msiControllers.append(controller) {
      reportOverflow(of: .msiControllers, place.node, nil, &sink)
    }
  }

  /// How many cells a specifier has; at most 16, which no binding comes near to.
  private mutating func readCells<Sink: DMADiagnosticSink & ~Copyable>(
    _ value: BlobBytes, _ place: DMAPlace, _ property: DMAPropertyName, _ blob: DeviceTreeBlob,
    _ sink: inout Sink
  ) -> Int? {
    guard value.count == 4, let cells = blob.word(value) else {
      report(place.node, property, .badLength(value.count), &sink)
      return nil
    }
    guard cells <= 16 else {
      report(place.node, property, .badValue(cells), &sink)
      return nil
    }
    return Int(cells)
  }

  private func phandle(of place: DMAPlace, _ blob: DeviceTreeBlob) -> UInt32? {
    guard let value = place.properties[.phandle] ?? place.properties[.linuxPhandle],
      value.count == 4, let phandle = blob.word(value), phandle != 0, phandle != UInt32.max
    else { return nil }
    return phandle
  }
}

extension DMATranslator {
  /// The kind of a node; nil where its `compatible` does not tell that it is an IOMMU.
  static func kind(of compatible: BlobBytes?, in blob: DeviceTreeBlob) -> Kind? {
    if blob.list(compatible, contains: "arm,smmu-v3") { return .smmuV3 }
    let older: [9 of StaticString] = [
      "arm,smmu-v1", "arm,smmu-v2", "arm,mmu-400", "arm,mmu-401", "arm,mmu-500", "qcom,smmu-v2",
      "qcom,smmu-500", "nvidia,smmu-500", "cavium,smmu-v2",
    ]
    return blob.list(compatible, containsOneOf: older.span) ? .smmuV2 : nil
  }
}

extension SMMUInterrupts {
  /// Reads `interrupts` by their names.
  init(_ properties: DMAProperties, in blob: DeviceTreeBlob) {
    self.init()
    guard let interrupts = properties[.interrupts], let names = properties[.interruptNames] else {
      return
    }
    var count = 0
    for index in 0..<names.count where blob.byte(names, index) == 0 { count += 1 }
    // Three cells, or four with a partition of CPUs: type, number, flags (GICv3's binding).
    guard count > 0, interrupts.count % (4 * count) == 0, 3...4 ~= interrupts.count / (4 * count)
    else { return }
    let size = interrupts.count / count
    var start = 0
    for entry in 0..<count {
      let name = blob.string(
        BlobBytes(offset: names.offset + start, count: names.count - start))
      start += name.count + 1
      guard let type = blob.word(interrupts, at: entry * size),
        let number = blob.word(interrupts, at: entry * size + 4),
        let interrupt = Self.identifier(type: type, number: number)
      else { continue }
      if blob.equal(name, "eventq") { events = interrupt }
      if blob.equal(name, "gerror") { globalError = interrupt }
      if blob.equal(name, "priq") { pageRequests = interrupt }
      if blob.equal(name, "cmdq-sync") { commandSync = interrupt }
      if blob.equal(name, "combined") { combined = interrupt }
    }
  }

  /// The INTID of an SPI (type 0), PPI (1), extended SPI (2) or extended PPI (3); GICv3 IHI 0069,
  /// 2.2.1.
  private static func identifier(type: UInt32, number: UInt32) -> UInt32? {
    switch (type, number) {
    case (0, 0..<988): 32 + number
    case (1, 0..<16): 16 + number
    case (2, 0..<1024): 4096 + number
    case (3, 0..<64): 1056 + number
    default: nil
    }
  }
}
