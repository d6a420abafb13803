// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import FuzzWorld

// swift-format-ignore: AlwaysUseLowerCamelCase
/// libFuzzer's entry: a trace is run again, whatever has become of its bits; all other bytes are the life of
/// a host.
@c(LLVMFuzzerTestOneInput)
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = UnsafeBufferPointer(start: start, count: count)
  if isTrace(bytes) {
    exerciseTrace(bytes)
    return 0
  }
  do {
    try exercise(bytes)
  } catch {
    fatalError("no world: \(error)")
  }
  return 0
}
