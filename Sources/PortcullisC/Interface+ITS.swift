// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import Hypervisor
internal import ITS

// The functions of portcullis.h that concern the mediation of ITSes. Leaves, as in Interface.swift.

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_pool_size(_ itsCount: Int) -> Int {
  itsCount * Int(truncatingIfNeeded: ITSSetup.recommendedArenaSize)
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_its_counters(
  _ state: OpaquePointer!, _ index: Int,
  _ counters: UnsafeMutablePointer<portcullis_its_counters>!
) -> portcullis_status {
  guard let state = unsafe state, let counters = unsafe counters else {
    return PORTCULLIS_ERROR_ARGUMENT
  }
  guard unsafe counters.pointee.size >= MemoryLayout<portcullis_its_counters>.size else {
    return PORTCULLIS_ERROR_STRUCT_SIZE
  }
  let gate = unsafe StateMemory.state(state)
  let number: UInt8
  do throws(EmbedderError) {
    number = try unsafe gate.pointee.number(index)
  } catch {
    return error.status
  }
  guard let now = unsafe gate.pointee.counters(of: number) else { return PORTCULLIS_ERROR_ORDER }
  var told = unsafe counters.pointee
  told.accepted = now.counters.accepted
  told.ignored = now.counters.ignored
  told.doorbells = now.counters.doorbells
  told.publications = now.counters.publications
  told.broken = now.isBroken ? 1 : 0
  // The header gives the reasons the numbers that they have in the core.
  unsafe withUnsafeMutableBytes(of: &told.refused_for) { bytes in
    for reason in 0..<CommandRefusalReason.count {
      unsafe bytes.storeBytes(
        of: now.counters.refused[reason], toByteOffset: reason * 8, as: UInt64.self)
    }
  }
  unsafe counters.pointee = told
  return PORTCULLIS_OK
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_read_statistic(
  _ state: OpaquePointer!, _ number: UInt64, _ value: UnsafeMutablePointer<UInt64>!
) -> portcullis_status {
  guard let state = unsafe state, let value = unsafe value else { return PORTCULLIS_ERROR_ARGUMENT }
  let gate = unsafe StateMemory.state(state)
  guard unsafe gate.pointee.phase == .claimed else { return PORTCULLIS_ERROR_ORDER }
  guard let number = StatisticNumber(number),
    let figure = unsafe gate.pointee.monitor.value(number)
  else { return PORTCULLIS_ERROR_INDEX }
  unsafe value.pointee = figure
  return PORTCULLIS_OK
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_hand_over(
  _ state: OpaquePointer!, _ index: Int, _ descriptor: UInt64,
  _ reason: UnsafeMutablePointer<Int64>!
) -> portcullis_status {
  guard let state = unsafe state else { return PORTCULLIS_ERROR_ARGUMENT }
  let gate = unsafe StateMemory.state(state)
  do throws(EmbedderError) {
    let number = try unsafe gate.pointee.number(index)
    guard
      let code = unsafe gate.pointee.monitor.handOver(
        number, descriptor: PhysicalAddress(descriptor))
    else { return PORTCULLIS_ERROR_ORDER }
    if code == 0 { return PORTCULLIS_OK }
    if let reason = unsafe reason { unsafe reason.pointee = code }
    return PORTCULLIS_ERROR_HANDOVER
  } catch {
    return error.status
  }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_finalise(_ state: OpaquePointer!) -> portcullis_status {
  guard let state = unsafe state else { return PORTCULLIS_ERROR_ARGUMENT }
  let gate = unsafe StateMemory.state(state)
  guard unsafe gate.pointee.phase == .claimed else { return PORTCULLIS_ERROR_ORDER }
  var status = PORTCULLIS_OK
  for number in 0..<UInt8(truncatingIfNeeded: unsafe gate.pointee.itsCount) {
    do throws(EmbedderError) {
      try unsafe gate.pointee.mediation.finalise(number)
    } catch {
      // The trust ends for the others, too.
      status = error.status
    }
  }
  return status
}
