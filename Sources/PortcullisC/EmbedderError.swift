// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import Boards
internal import Hypervisor
internal import ITS
internal import Ownership
internal import Traps

/// A status on its way through `throws`, with what it is about.
struct EmbedderError: Error {
  let status: portcullis_status
  private(set) var address: UInt64 = 0
  private(set) var its: Int32 = -1
  private(set) var node: Int32 = -1

  init(_ status: portcullis_status) { self.status = status }

  init(_ status: portcullis_status, at address: PhysicalAddress) {
    self.status = status
    self.address = address.rawValue
  }

  init(_ status: portcullis_status, at node: BoardNode) {
    self.status = status
    self.node = node.offset
  }

  /// What is wrong with an ITS, whose registers the host sees at `base`.
  init(_ status: portcullis_status, its: UInt8, at base: PhysicalAddress) {
    self.init(status, at: base)
    self.its = Int32(its)
  }

  init(_ error: OwnershipError) {
    let page: PageFrameNumber? =
      switch error {
      case .overlap(let page), .outOfRange(let page), .wrongKind(let page, _),
        .wrongState(let page, _), .pinned(let page), .tooManyPins(let page),
        .refusedByHost(let page), .refusedByHypervisor(let page), .refusedByObserver(let page):
        page
      case .empty, .poolExhausted, .tooManyRanges, .unsupportedSize, .alreadyMapped,
        .virtualAddressOutOfRange, .windowExhausted, .nothingHeld:
        nil
      }
    self.init(portcullis_status(error), at: page?.address ?? PhysicalAddress(0))
  }

  init(_ error: RegistryError) {
    let base: PhysicalAddress? =
      switch error {
      case .frozen(let base), .full(let base), .misaligned(let base), .empty(let base),
        .outOfRange(let base), .overlap(let base, _):
        base
      case .stride, .virtualAddress: nil
      }
    self.init(portcullis_status(error), at: base ?? PhysicalAddress(0))
  }

  init(_ error: RegionClaimError) {
    switch error {
    case .ownership(let error): self.init(error)
    case .registry(let error): self.init(error)
    case .silent, .stuck: self.init(portcullis_status(error))
    }
  }
}

/// Where an embedder wants to have its problems.
///
/// A leaf: the header asks that the place lives as long as the state.
@safe struct ProblemPlace {
  private let place: UnsafeMutablePointer<portcullis_problem>?

  /// Takes the place of a configuration.
  init(_ config: portcullis_config) { unsafe place = config.problem }

  /// Whether it is as large as it must be.
  var fits: Bool {
    guard let place = unsafe place else { return true }
    return unsafe place.pointee.size >= MemoryLayout<portcullis_problem>.size
  }

  /// Tells of an error, and returns its status.
  func tell(_ error: EmbedderError) -> portcullis_status {
    guard let place = unsafe place else { return error.status }
    unsafe place.pointee.status = error.status
    unsafe place.pointee.its = error.its
    unsafe place.pointee.node = error.node
    unsafe place.pointee.address = error.address
    return error.status
  }
}
