// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards

/// The entries of `msi-parent`: phandles of MSI controllers, each with as many cells as the controller says.
struct MSISpecifiers {
  private let value: BlobBytes
  private var start = 0
  /// Why the list breaks off; nil where it doesn't.
  private(set) var complaint: DMADiagnostic.Reason?

  init(_ value: BlobBytes) { self.value = value }

  /// An entry.
  struct Entry {
    /// The index of the MSI controller.
    let controller: Int
    /// The first cell; nil where there is none.
    let deviceID: UInt32?
  }

  /// The next entry; nil at the end, and where the list breaks off.
  mutating func next(
    _ controllers: borrowing DMATopology.MSIControllers, _ blob: DeviceTreeBlob
  ) -> Entry? {
    // A value without any byte is a list that breaks off at once.
    guard complaint == nil, start == 0 || start < value.count else { return nil }
    guard let phandle = blob.word(value, at: start) else { return fail(.badLength(value.count)) }
    guard let index = Self.controller(phandle, controllers) else {
      return fail(.noMSIController(phandle))
    }
    // The older form is the phandle alone, whatever cells the MSI controller has.
    let cells = value.count == 4 ? 0 : controllers[index].cells
    start += 4
    guard value.count - start >= 4 * cells else { return fail(.badLength(value.count)) }
    let deviceID = cells > 0 ? blob.word(value, at: start) : nil
    start += 4 * cells
    return Entry(controller: index, deviceID: deviceID)
  }

  private mutating func fail(_ reason: DMADiagnostic.Reason) -> Entry? {
    complaint = reason
    return nil
  }

  /// The index of the MSI controller that `phandle` names.
  static func controller(
    _ phandle: UInt32, _ controllers: borrowing DMATopology.MSIControllers
  ) -> Int? {
    for index in controllers.indices where controllers[index].phandle == phandle { return index }
    return nil
  }
}
