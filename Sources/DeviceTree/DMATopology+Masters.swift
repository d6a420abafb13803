// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards

// Masters: by what a node is known as one, and which paths it has.

extension DMATopology {
  mutating func readMaster<Sink: DMADiagnosticSink & ~Copyable>(
    _ place: DMAPlace, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    // What lies below a PCI host bridge does DMA as a requester of the bridge.
    guard place.isEnabled, !place.isPCIDevice, place.node != .root else { return }
    guard let evidence = DMAMaster.evidence(of: place, in: blob) else {
      return readIOMMUDoorbells(place, blob, &sink)
    }
    let master = masters.count
    guard masters.append(DMAMaster(node: place.node, evidence: evidence)) else {
      return reportOverflow(of: .masters, place.node, nil, &sink)
    }
    let first = paths.count
    readIOMMUs(master, place, blob, &sink)
    readIOMMUMap(master, place, blob, &sink)
    if paths.count == first {
      addPath(
        DMAPath(
          master: master, iommu: nil,
          confinement: place.properties[.iommuMap] == nil ? .noIOMMU : .notMapped,
          requesters: place.isPCIHost ? .pci : nil, streams: nil, ignoredBits: 0),
        place, nil, &sink)
    }
    readMSIParents(master, place, blob, &sink)
    readMSIMap(master, place, blob, &sink)
  }

  // MARK: IOMMUs

  /// Whether there was room.
  @discardableResult
  private mutating func addPath<Sink: DMADiagnosticSink & ~Copyable>(
    _ path: DMAPath, _ place: DMAPlace, _ property: DMAPropertyName?, _ sink: inout Sink
  ) -> Bool {
    if paths.append(path) { return true }
    reportOverflow(of: .paths, place.node, property, &sink)
    return false
  }

  /// Adds what is known of a path that the tree does not tell in a way that can be followed.
  private mutating func addUnreadable<Sink: DMADiagnosticSink & ~Copyable>(
    _ master: Int, iommu: Int? = nil, requesters: IDRange?, mask: UInt32 = .max,
    _ property: DMAPropertyName, _ reason: DMADiagnostic.Reason?, _ place: DMAPlace,
    _ sink: inout Sink
  ) {
    if let reason { report(place.node, property, reason, &sink) }
    let path = DMAPath(
      master: master, iommu: iommu, confinement: .unreadable, requesters: requesters, streams: nil,
      ignoredBits: 0, mask: mask)
    addPath(path, place, property, &sink)
  }

  func indexOfIOMMU(_ phandle: UInt32) -> Int? {
    for index in iommus.indices where iommus[index].phandle == phandle {
      return index
    }
    return nil
  }

  /// `iommus`: phandles, each with as many cells as its IOMMU says.
  private mutating func readIOMMUs<Sink: DMADiagnosticSink & ~Copyable>(
    _ master: Int, _ place: DMAPlace, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    guard let value = place.properties[.iommus] else { return }
    var start = 0
    repeat {
      guard let phandle = blob.word(value, at: start) else {
        return addUnreadable(
          master, requesters: nil, .iommus, .badLength(value.count), place, &sink)
      }
      // What an unknown one's cells are can't be known, nor then where the next one begins.
      guard let index = indexOfIOMMU(phandle) else {
        return addUnreadable(master, requesters: nil, .iommus, .noIOMMU(phandle), place, &sink)
      }
      let iommu = iommus[index]
      guard let cells = iommu.cells else {
        // That was said of the IOMMU.
        return addUnreadable(
          master, iommu: index, requesters: nil, .iommus, nil, place, &sink)
      }
      start += 4
      guard value.count - start >= 4 * cells else {
        return addUnreadable(
          master, iommu: index, requesters: nil, .iommus, .badLength(value.count), place, &sink)
      }
      let stream = cells > 0 && iommu.kind != .other ? blob.word(value, at: start) : nil
      let mask = cells == 2 && iommu.kind == .smmuV2 ? blob.word(value, at: start + 4) : nil
      let path = DMAPath(
        master: master, iommu: index, confinement: iommu.confinement, requesters: nil,
        streams: stream.flatMap { IDRange($0, count: 1) }, ignoredBits: mask ?? 0)
      guard addPath(path, place, .iommus, &sink) else { return }
      start += 4 * cells
    } while start < value.count
  }

  /// `iommu-map`, with the requesters that it leaves out.
  private mutating func readIOMMUMap<Sink: DMADiagnosticSink & ~Copyable>(
    _ master: Int, _ place: DMAPlace, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    let all: IDRange? = place.isPCIHost ? .pci : nil
    guard let value = place.properties[.iommuMap] else {
      // The bridge's own `iommus` do not speak for its devices.
      guard place.isPCIHost, place.properties[.iommus] != nil else { return }
      let path = DMAPath(
        master: master, iommu: nil, confinement: .notMapped, requesters: all, streams: nil,
        ignoredBits: 0)
      addPath(path, place, .iommus, &sink)
      return
    }
    var map: RequesterMap
    switch RequesterMap.open(value, mask: place.properties[.iommuMapMask], all, blob) {
    case .badMap(let length):
      return addUnreadable(master, requesters: all, .iommuMap, .badLength(length), place, &sink)
    case .badMask(let length):
      return addUnreadable(master, requesters: all, .iommuMapMask, .badLength(length), place, &sink)
    case .map(let opened): map = opened
    }
    let first = paths.count
    while let entry = map.next(in: blob) {
      guard let requesters = entry.requesters else {
        if map.isFirstComplaint { report(place.node, .iommuMap, .badEntry(entry.base), &sink) }
        continue
      }
      for other in first..<paths.count
      where paths[other].requesters?.overlaps(requesters) == true {
        if map.isFirstComplaint { report(place.node, .iommuMap, .overlap(entry.base), &sink) }
        break
      }
      guard let index = indexOfIOMMU(entry.phandle) else {
        let reason = DMADiagnostic.Reason.noIOMMU(entry.phandle)
        addUnreadable(
          master, requesters: requesters, mask: map.mask, .iommuMap,
          map.isFirstComplaint ? reason : nil, place, &sink)
        guard isComplete else { return }
        continue
      }
      let iommu = iommus[index]
      let path = DMAPath(
        master: master, iommu: index, confinement: iommu.confinement, requesters: requesters,
        streams: iommu.kind == .other ? nil : entry.targets, ignoredBits: 0, mask: map.mask)
      guard addPath(path, place, .iommuMap, &sink) else { return }
    }
    if place.isPCIHost { addHoles(master, mask: map.mask, from: first, place, &sink) }
  }

  /// Adds the requesters of a PCI host bridge that no entry of its map has: a walk from each range's
  /// end to the next one's begin, over the numbers that the mask leaves.
  private mutating func addHoles<Sink: DMADiagnosticSink & ~Copyable>(
    _ master: Int, mask: UInt32, from first: Int, _ place: DMAPlace, _ sink: inout Sink
  ) {
    let mapped = first..<paths.count
    var current = RequesterMap.requester(from: 0, mask: mask)
    while let requester = current {
      var covered: UInt32?
      var next: UInt32 = 0x1_0000
      for index in mapped {
        guard let range = paths[index].requesters else { continue }
        if range.first <= requester, requester <= range.last {
          covered = max(covered ?? 0, range.last)
        }
        if range.first > requester { next = min(next, range.first) }
      }
      if let covered {
        current = RequesterMap.requester(from: covered + 1, mask: mask)
        continue
      }
      let path = DMAPath(
        master: master, iommu: nil, confinement: .notMapped,
        requesters: IDRange(
          requester, through: RequesterMap.requester(upTo: next - 1, mask: mask)),
        streams: nil, ignoredBits: 0, mask: mask)
      guard addPath(path, place, .iommuMap, &sink) else { return }
      current = RequesterMap.requester(from: next, mask: mask)
    }
  }

  // MARK: MSIs

  private mutating func addDoorbell<Sink: DMADiagnosticSink & ~Copyable>(
    _ master: Int, _ index: Int, requesters: IDRange?, deviceIDs: IDRange?, _ place: DMAPlace,
    _ property: DMAPropertyName, _ sink: inout Sink
  ) -> Bool {
    let controller = msiControllers[index]
    guard controller.isITS, controller.isEnabled else { return true }
    let doorbell = DoorbellPath(
      master: master, its: index, requesters: requesters, deviceIDs: deviceIDs)
    if doorbells.append(doorbell) { return true }
    reportOverflow(of: .doorbells, place.node, property, &sink)
    return false
  }

  private func msiController(_ phandle: UInt32) -> Int? {
    MSISpecifiers.controller(phandle, msiControllers)
  }

  /// Of an IOMMU, `msi-parent` with a DeviceID: it sends its own interrupts, of events and errors.
  private mutating func readIOMMUDoorbells<Sink: DMADiagnosticSink & ~Copyable>(
    _ place: DMAPlace, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    guard let value = place.properties[.msiParent], let iommu = indexOfIOMMU(at: place.node) else {
      return
    }
    var specifiers = MSISpecifiers(value)
    while let specifier = specifiers.next(msiControllers, blob) {
      let controller = msiControllers[specifier.controller]
      guard controller.isITS, controller.isEnabled else { continue }
      let doorbell = IOMMUDoorbellPath(
        iommu: iommu, its: specifier.controller, deviceID: specifier.deviceID)
      guard iommuDoorbells.append(doorbell) else {
        return reportOverflow(of: .doorbells, place.node, .msiParent, &sink)
      }
    }
    if let complaint = specifiers.complaint { report(place.node, .msiParent, complaint, &sink) }
  }

  private func indexOfIOMMU(at node: BoardNode) -> Int? {
    for index in iommus.indices where iommus[index].node == node { return index }
    return nil
  }

  /// `msi-parent`: phandles, each with as many cells as its MSI controller says.
  private mutating func readMSIParents<Sink: DMADiagnosticSink & ~Copyable>(
    _ master: Int, _ place: DMAPlace, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    guard let value = place.properties[.msiParent] else { return }
    // A bus's requesters are the DeviceIDs themselves.
    let all: IDRange? = place.isPCIHost ? .pci : nil
    var specifiers = MSISpecifiers(value)
    while let specifier = specifiers.next(msiControllers, blob) {
      let deviceIDs = all ?? specifier.deviceID.flatMap { IDRange($0, count: 1) }
      guard
        addDoorbell(
          master, specifier.controller, requesters: all, deviceIDs: deviceIDs, place, .msiParent,
          &sink)
      else { return }
    }
    if let complaint = specifiers.complaint { report(place.node, .msiParent, complaint, &sink) }
  }

  private mutating func readMSIMap<Sink: DMADiagnosticSink & ~Copyable>(
    _ master: Int, _ place: DMAPlace, _ blob: DeviceTreeBlob, _ sink: inout Sink
  ) {
    guard let value = place.properties[.msiMap] else { return }
    let all: IDRange? = place.isPCIHost ? .pci : nil
    var map: RequesterMap
    switch RequesterMap.open(value, mask: place.properties[.msiMapMask], all, blob) {
    case .badMap(let length): return report(place.node, .msiMap, .badLength(length), &sink)
    case .badMask(let length): return report(place.node, .msiMapMask, .badLength(length), &sink)
    case .map(let opened): map = opened
    }
    while let entry = map.next(in: blob) {
      guard let requesters = entry.requesters else {
        if map.isFirstComplaint { report(place.node, .msiMap, .badEntry(entry.base), &sink) }
        continue
      }
      guard let index = msiController(entry.phandle) else {
        if map.isFirstComplaint {
          report(place.node, .msiMap, .noMSIController(entry.phandle), &sink)
        }
        continue
      }
      guard
        addDoorbell(
          master, index, requesters: requesters, deviceIDs: entry.targets, place, .msiMap, &sink)
      else { return }
    }
  }
}

extension DMAMaster {
  /// By what a node is taken for a master; nil: nothing says that it is one.
  static func evidence(of place: DMAPlace, in blob: DeviceTreeBlob) -> Evidence? {
    let properties = place.properties
    if properties[.iommus] != nil { return .iommus }
    if place.isPCIHost { return .pciHost }
    if properties[.iommuMap] != nil { return .iommuMap }
    let compatible = properties[.compatible]
    // The accesses of an IOMMU and of the GIC are not those of a device: EL2 has them in hand.
    guard DMATranslator.kind(of: compatible, in: blob) == nil, properties[.iommuCells] == nil,
      !blob.list(compatible, contains: "arm,gic-v3-its"),
      !blob.list(compatible, contains: "arm,gic-v3")
    else { return nil }
    if properties[.msiParent] != nil || properties[.msiMap] != nil { return .msi }
    if properties[.dmaCells] != nil { return .dmaController }
    let isCoherencyTold = properties[.dmaCoherent] != nil || properties[.dmaNoncoherent] != nil
    // A bus says it for the devices on it.
    let isBus =
      compatible == nil || blob.list(compatible, contains: "simple-bus")
      || blob.list(compatible, contains: "simple-mfd")
    if isCoherencyTold, !isBus { return .coherency }
    let debug: [3 of StaticString] = [
      "arm,coresight-cpu-debug", "arm,coresight-cti", "arm,coresight-cti-v8-arch",
    ]
    if blob.list(compatible, containsOneOf: debug.span) { return .debug }
    let known = knownCompatibles
    return blob.list(compatible, containsOneOf: known.span) ? .compatible : nil
  }

  /// Devices that are masters whatever else their node says.
  private static var knownCompatibles: [23 of StaticString] {
    [
      // Interfaces of virtual machines: fw_cfg's DMA reads and writes any RAM.
      "qemu,fw-cfg-mmio", "virtio,mmio",
      // Arm's DMA controllers, display controllers and GPUs.
      "arm,pl080", "arm,pl081", "arm,pl330", "arm,pl110", "arm,pl111", "arm,hdlcd", "arm,mali-400",
      "arm,mali-450", "arm,mali-bifrost", "arm,mali-valhall-csf",
      // Controllers of disks, USB and Ethernet that many vendors use.
      "generic-ahci", "snps,dwc-ahci", "generic-ehci", "generic-ohci", "generic-xhci", "snps,dwc3",
      "snps,dwmac", "cdns,macb", "cdns,gem",
      // What writes a trace to memory, and translates for it.
      "arm,coresight-tmc", "arm,coresight-catu",
    ]
  }
}
