// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder

// The functions of portcullis.h that concern pages which change their VM. Leaves, as in Interface.swift.

extension EmbedderState {
  /// The pages that the C interface names.
  fileprivate func range(_ pages: portcullis_pages) throws(EmbedderError) -> PageRange {
    guard pages.base % granule.bytes == 0, pages.bytes % granule.bytes == 0 else {
      throw EmbedderError(PORTCULLIS_ERROR_ALIGNMENT)
    }
    guard
      let range = PageRange(
        first: PageFrameNumber(containing: PhysicalAddress(pages.base)),
        count: pages.bytes >> PageFrameNumber.shift), range.last.address.rawValue >> 48 == 0
    else { throw EmbedderError(PORTCULLIS_ERROR_RANGE) }
    return range
  }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_may_give_away(
  _ state: OpaquePointer!, _ pages: UnsafePointer<portcullis_pages>!,
  _ held: UnsafeMutablePointer<UInt64>!
) -> portcullis_status {
  guard let state = unsafe state, let pages = unsafe pages else { return PORTCULLIS_ERROR_ARGUMENT }
  let gate = unsafe StateMemory.state(state)
  do throws(EmbedderError) {
    let answer = try unsafe gate.pointee.giveAway(gate.pointee.range(pages.pointee))
    if let page = answer.held, let held = unsafe held {
      unsafe held.pointee = page.address.rawValue
    }
    return answer.status
  } catch {
    return error.status
  }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_took(
  _ state: OpaquePointer!, _ pages: UnsafePointer<portcullis_pages>!
) -> portcullis_status {
  guard let state = unsafe state, let pages = unsafe pages else { return PORTCULLIS_ERROR_ARGUMENT }
  let gate = unsafe StateMemory.state(state)
  do throws(EmbedderError) {
    return try unsafe gate.pointee.takeBack(gate.pointee.range(pages.pointee))
  } catch {
    return error.status
  }
}
