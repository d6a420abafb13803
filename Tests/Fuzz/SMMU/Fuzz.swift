// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import SMMUFuzzWorld

// swift-format-ignore: AlwaysUseLowerCamelCase
/// libFuzzer's entry: all bytes are the life of a host.
@c(LLVMFuzzerTestOneInput)
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  do {
    try exerciseSMMU(UnsafeBufferPointer(start: start, count: count))
  } catch {
    fatalError("no world: \(error)")
  }
  return 0
}
