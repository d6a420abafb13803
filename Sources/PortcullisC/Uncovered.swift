// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import CEmbedder
internal import Boards
internal import Hypervisor

/// What Portcullis does not cover for a host, as the header has it.
struct Uncovered {
  private(set) var rawValue: UInt32

  static var iommu: Uncovered { Uncovered(rawValue: PORTCULLIS_UNCOVERED_IOMMU) }
  static var masters: Uncovered { Uncovered(rawValue: PORTCULLIS_UNCOVERED_MASTERS) }
  static var redistributors: Uncovered { Uncovered(rawValue: PORTCULLIS_UNCOVERED_REDISTRIBUTORS) }
  static var leftOut: Uncovered { Uncovered(rawValue: PORTCULLIS_UNCOVERED_LEFT_OUT) }
  static var live: Uncovered { Uncovered(rawValue: PORTCULLIS_UNCOVERED_LIVE) }
  static var forwarded: Uncovered { Uncovered(rawValue: PORTCULLIS_UNCOVERED_FORWARDED) }
  static var all: Uncovered { Uncovered(rawValue: PORTCULLIS_UNCOVERED_FORWARDED << 1 - 1) }

  /// What is known of it when a state is made.
  init(confinesMasters: Bool, leavesOut: Bool, guardsRedistributors: Bool) {
    self = .iommu
    if !confinesMasters { insert(.masters) }
    if leavesOut { insert(.leftOut) }
    if !guardsRedistributors { insert(.redistributors) }
  }

  private init(rawValue: UInt32) { self.rawValue = rawValue }

  private func contains(_ part: Uncovered) -> Bool { rawValue & part.rawValue != 0 }
  mutating func remove(_ part: Uncovered) { rawValue &= ~part.rawValue }
  mutating func insert(_ part: Uncovered) { rawValue |= part.rawValue }

  /// Logs a line for each.
  func report(_ platform: EmbedderPlatform) {
    func tell(_ part: Uncovered, _ level: LogLevel, _ text: StaticString) {
      guard contains(part) else { return }
      var line = LogLine("not covered: ")
      line.append(text)
      platform.log(level, line)
    }
    tell(.iommu, .info, "DMA of devices behind IOMMUs, which the embedder drives")
    tell(.masters, .warning, "DMA of masters that no IOMMU confines")
    tell(.redistributors, .warning, "Redistributors, which are left to the host")
    tell(.leftOut, .warning, "ITSes that are left out")
    tell(.live, .warning, "ITSes that the host has not handed over yet")
    tell(.forwarded, .info, "hardware behind regions that are forwarded")
  }
}
