// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The events of an SMMUv3, by the number in bits [7:0] of a record (IHI 0070, 7.3).
public enum SMMUEventType: UInt8, Hashable, Sendable {
  /// F_UUT. The transaction is of a kind that the SMMU does not support.
  case unsupportedTransaction = 0x01
  /// C_BAD_STREAMID. The StreamID is beyond the stream table.
  case badStream = 0x02
  /// F_STE_FETCH. Reading a stream table entry was aborted.
  case entryFetch = 0x03
  /// C_BAD_STE. A stream table entry is invalid or illegal.
  case badEntry = 0x04
  /// F_BAD_ATS_TREQ. A translation request of a stream that has no ATS.
  case badTranslationRequest = 0x05
  /// F_STREAM_DISABLED. A transaction without a SubstreamID where S1DSS forbids it.
  case streamDisabled = 0x06
  /// F_TRANSL_FORBIDDEN. A transaction says that it is translated, and may not.
  case translatedForbidden = 0x07
  /// C_BAD_SUBSTREAMID. The SubstreamID is beyond the table of contexts.
  case badSubstream = 0x08
  /// F_CD_FETCH. Reading a context descriptor was aborted.
  case contextFetch = 0x09
  /// C_BAD_CD. A context descriptor is invalid or illegal.
  case badContext = 0x0a
  /// F_WALK_EABT. A walk of a translation table was aborted.
  case walkAbort = 0x0b
  /// F_TRANSLATION. The address has no translation.
  case translation = 0x10
  /// F_ADDR_SIZE. An address is too large.
  case addressSize = 0x11
  /// F_ACCESS. The Access flag is clear.
  case accessFlag = 0x12
  /// F_PERMISSION. The translation forbids the access.
  case permission = 0x13
  /// F_TLB_CONFLICT. The TLB holds two translations.
  case cacheConflict = 0x20
  /// F_CFG_CONFLICT. The cache of configurations holds two entries.
  case configurationConflict = 0x21
  /// E_PAGE_REQUEST. A hint that a page will be needed.
  case pageRequest = 0x24
  /// F_VMS_FETCH. Reading the structure of a virtual machine was aborted.
  case machineFetch = 0x25

  /// The name in the specification.
  public var name: StaticString {
    switch self {
    case .unsupportedTransaction: "F_UUT"
    case .badStream: "C_BAD_STREAMID"
    case .entryFetch: "F_STE_FETCH"
    case .badEntry: "C_BAD_STE"
    case .badTranslationRequest: "F_BAD_ATS_TREQ"
    case .streamDisabled: "F_STREAM_DISABLED"
    case .translatedForbidden: "F_TRANSL_FORBIDDEN"
    case .badSubstream: "C_BAD_SUBSTREAMID"
    case .contextFetch: "F_CD_FETCH"
    case .badContext: "C_BAD_CD"
    case .walkAbort: "F_WALK_EABT"
    case .translation: "F_TRANSLATION"
    case .addressSize: "F_ADDR_SIZE"
    case .accessFlag: "F_ACCESS"
    case .permission: "F_PERMISSION"
    case .cacheConflict: "F_TLB_CONFLICT"
    case .configurationConflict: "F_CFG_CONFLICT"
    case .pageRequest: "E_PAGE_REQUEST"
    case .machineFetch: "F_VMS_FETCH"
    }
  }

  /// Whether a record of this type carries the address that the device used.
  public var hasInputAddress: Bool {
    switch self {
    case .unsupportedTransaction, .badTranslationRequest, .translatedForbidden, .walkAbort,
      .translation,
      .addressSize, .accessFlag, .permission, .cacheConflict, .pageRequest:
      true
    default: false
    }
  }

  /// Whether a record of this type carries the address that the SMMU failed to read.
  public var hasFetchAddress: Bool {
    switch self {
    case .entryFetch, .contextFetch, .walkAbort, .machineFetch: true
    default: false
    }
  }

  /// Whether a record of this type tells stage, class and direction of the access.
  public var hasAccess: Bool {
    switch self {
    case .walkAbort, .translation, .addressSize, .accessFlag, .permission: true
    default: false
    }
  }
}
