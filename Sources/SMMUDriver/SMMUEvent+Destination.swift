// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import SMMU

extension SMMUEvent {
  /// Whether the event is about what the host has said, its stream table or a stage 1, and not about EL2's
  /// stage 2 or a device that misbehaves.
  ///
  /// A stream without an entry and an entry that is not valid are among them: for a stream with a device, EL2's own
  /// table has those only where the host has said nothing, or nothing that is permitted.
  var isForHost: Bool {
    switch type {
    case .badStream, .badEntry, .streamDisabled, .badSubstream, .contextFetch, .badContext: true
    case .walkAbort, .translation, .addressSize, .accessFlag, .permission: !isStage2
    case .unsupportedTransaction, .entryFetch, .badTranslationRequest, .translatedForbidden,
      .cacheConflict, .configurationConflict, .pageRequest, .machineFetch, nil:
      false
    }
  }
}
