// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import FuzzWorld

// swift-format-ignore: AlwaysUseLowerCamelCase
/// libFuzzer's entry.
@c(LLVMFuzzerTestOneInput)
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  do {
    try exercise(UnsafeBufferPointer(start: start, count: count))
  } catch {
    fatalError("no world: \(error)")
  }
  return 0
}
