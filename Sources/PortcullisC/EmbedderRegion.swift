// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import Hypervisor
internal import Traps

/// A region that is to be claimed, before it has an address at EL2.
struct EmbedderRegion: Sendable {
  let layout: RegionLayout
  let widths: AccessWidths
  let kinds: AccessKinds
  /// Who answers; nil for pages that are to be out of reach.
  let device: EmbedderDevice?

  init(
    _ layout: RegionLayout, widths: AccessWidths, kinds: AccessKinds,
    device: ProtectedDevice<EmbedderPlatform>?
  ) {
    self.layout = layout
    self.widths = widths
    self.kinds = kinds
    self.device = device.map { EmbedderDevice(device: $0, strideShift: layout.strideShift) }
  }

  /// What unused slots of a list hold: the page of address 0, which every space has.
  static var filler: EmbedderRegion {
    do throws(RegistryError) {
      let page = try RegionLayout(base: PhysicalAddress(0), pages: 1)
      return EmbedderRegion(page, widths: .none, kinds: .none, device: nil)
    } catch {
      preconditionFailure("page 0 is a page")
    }
  }
}

extension RegionLayout {
  /// The pages of the frame at `index`, below the count; nil where there is no such frame.
  func frame(_ index: UInt64) -> PageRange? {
    guard index < count else { return nil }
    return PageRange(
      first: PageFrameNumber(frameBase(index) >> PageFrameNumber.shift),
      count: frameSize >> PageFrameNumber.shift)
  }

  /// The distance in bytes from one frame to the next; 0 for a region of one frame.
  var stride: UInt64 { count > 1 ? 1 << strideShift : 0 }

  private func frameBase(_ index: UInt64) -> UInt64 { base.rawValue + index << strideShift }
}
