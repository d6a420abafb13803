// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import CEmbedder
internal import Hypervisor
internal import ITS
internal import Ownership
internal import Traps

extension portcullis_status {
  /// What the C interface says for an error of the ownership of pages.
  init(_ error: OwnershipError) {
    self =
      switch error {
      case .empty, .outOfRange, .unsupportedSize: PORTCULLIS_ERROR_RANGE
      case .overlap, .wrongState, .pinned, .tooManyPins, .alreadyMapped: PORTCULLIS_ERROR_OVERLAP
      case .wrongKind: PORTCULLIS_ERROR_KIND
      case .poolExhausted: PORTCULLIS_ERROR_POOL
      case .refusedByHost: PORTCULLIS_ERROR_HOST_REFUSED
      case .refusedByObserver: PORTCULLIS_ERROR_SMMU
      case .refusedByHypervisor, .windowExhausted: PORTCULLIS_ERROR_EL2_REFUSED
      case .virtualAddressOutOfRange: PORTCULLIS_ERROR_EL2_ADDRESS
      case .tooManyRanges: PORTCULLIS_ERROR_FULL
      case .nothingHeld: PORTCULLIS_ERROR_ORDER
      }
  }

  /// What the C interface says where pages are not given away, or not taken back.
  init(moving error: OwnershipError) {
    if case .wrongState = error { self = PORTCULLIS_ERROR_OWNER } else { self.init(error) }
  }

  /// What the C interface says for an error of the registry.
  init(_ error: RegistryError) {
    self =
      switch error {
      case .frozen: PORTCULLIS_ERROR_ORDER
      case .full: PORTCULLIS_ERROR_FULL
      case .misaligned: PORTCULLIS_ERROR_ALIGNMENT
      case .empty, .outOfRange: PORTCULLIS_ERROR_RANGE
      case .stride: PORTCULLIS_ERROR_STRIDE
      case .virtualAddress: PORTCULLIS_ERROR_EL2_ADDRESS
      case .overlap: PORTCULLIS_ERROR_OVERLAP
      }
  }

  /// What the C interface says for a failed claim.
  init(_ error: RegionClaimError) {
    self =
      switch error {
      case .ownership(let error): portcullis_status(error)
      case .registry(let error): portcullis_status(error)
      case .silent: PORTCULLIS_ERROR_BOARD
      case .stuck: PORTCULLIS_ERROR_STUCK
      }
  }

  /// What the C interface says for an ITS that can't be mediated.
  init(_ error: ITSSetupError) {
    self =
      switch error {
      case .silent, .notQuiescent, .tableRefused, .queueRefused, .noDeviceTable:
        PORTCULLIS_ERROR_ITS
      case .outOfMemory, .unreachable: PORTCULLIS_ERROR_ITS_POOL
      case .tooManyRedistributors: PORTCULLIS_ERROR_GIC
      }
  }
}
