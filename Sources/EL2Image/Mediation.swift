// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Whether the image confines the host at all.
///
/// The image that is shipped has no such switch: the control of the attack tests is another image,
/// built with MEDIATE_OFF from the same sources.
#if MEDIATE_OFF
  let isMediating = false
#else
  let isMediating = true
#endif
