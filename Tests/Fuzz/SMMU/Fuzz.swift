// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import SMMUFuzzWorld

// swift-format-ignore: AlwaysUseLowerCamelCase
/// libFuzzer's entry before the first life: at the end, what all of them came to is printed.
@c(LLVMFuzzerInitialize)
public func fuzzInitialize(
  _ count: UnsafeMutablePointer<CInt>?, _ arguments: UnsafeMutableRawPointer?
) -> CInt {
  atexit {
    print(exercisedSMMULines.joined(separator: "\n"))
    fflush(nil)
  }
  return 0
}

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
