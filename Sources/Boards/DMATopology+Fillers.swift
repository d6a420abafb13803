// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// What unused slots of a topology's lists hold; never seen from outside.

extension DMATranslator {
  static var filler: DMATranslator {
    DMATranslator(
      kind: .other, node: .root, phandle: nil, cells: nil, isEnabled: false, hasRegisters: false,
      sendsMSIs: false, traits: .none, interrupts: SMMUInterrupts())
  }
}

extension MSIController {
  static var filler: MSIController {
    MSIController(node: .root, phandle: nil, cells: 0, isITS: false, isEnabled: false)
  }
}

extension DMAMaster {
  static var filler: DMAMaster { DMAMaster(node: .root, evidence: .iommus) }
}

extension DMAPath {
  static var filler: DMAPath {
    DMAPath(
      master: 0, iommu: nil, confinement: .noIOMMU, requesters: nil, streams: nil, ignoredBits: 0)
  }
}

extension IOMMUDoorbellPath {
  static var filler: IOMMUDoorbellPath { IOMMUDoorbellPath(iommu: 0, its: 0, deviceID: nil) }
}

extension DoorbellPath {
  static var filler: DoorbellPath {
    DoorbellPath(master: 0, its: 0, requesters: nil, deviceIDs: nil)
  }
}
