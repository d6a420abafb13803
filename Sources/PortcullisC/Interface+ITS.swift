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
func portcullis_measure(
  _ state: OpaquePointer!, _ sizes: UnsafeMutablePointer<portcullis_sizes>!
) -> portcullis_status {
  guard let state = unsafe state, let sizes = unsafe sizes else { return PORTCULLIS_ERROR_ARGUMENT }
  guard unsafe sizes.pointee.size >= MemoryLayout<portcullis_sizes>.size else {
    return PORTCULLIS_ERROR_STRUCT_SIZE
  }
  let gate = unsafe StateMemory.state(state)
  guard unsafe gate.pointee.phase == .claimed, let found = unsafe gate.pointee.sizes else {
    return PORTCULLIS_ERROR_ORDER
  }
  unsafe sizes.pointee.state_bytes = found.state
  unsafe sizes.pointee.pool_bytes = found.pool
  return PORTCULLIS_OK
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
  let mediation = unsafe gate.pointee.mediation
  guard unsafe gate.pointee.phase == .claimed else {
    return mediation.problem.tell(EmbedderError(PORTCULLIS_ERROR_ORDER))
  }
  _ = unsafe gate.pointee.monitor.platform.endTrust()
  do throws(UnmediatedITS) {
    try unsafe gate.pointee.monitor.endTrust()
    return PORTCULLIS_OK
  } catch {
    return mediation.problem.tell(mediation.tell(error))
  }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_handle_call(
  _ state: OpaquePointer!, _ frame: UnsafeMutablePointer<portcullis_frame>!
) -> portcullis_answer {
  guard let state = unsafe state, let frame = unsafe frame else { return PORTCULLIS_ANSWER_NONE }
  let gate = unsafe StateMemory.state(state)
  let registers = unsafe gate.pointee.host(frame).general
  let call = SMCCC.Call(registers)
  guard call.function == HypervisorService.function, unsafe gate.pointee.phase == .claimed else {
    return PORTCULLIS_ANSWER_NONE
  }
  do throws(UnmediatedITS) {
    try unsafe gate.pointee.monitor.answerOwn(call).store(in: registers)
    return PORTCULLIS_ANSWER_GIVEN
  } catch {
    let mediation = unsafe gate.pointee.mediation
    _ = mediation.problem.tell(mediation.tell(error))
    return PORTCULLIS_ANSWER_LIVE
  }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_take_record(
  _ state: OpaquePointer!, _ record: UnsafeMutablePointer<portcullis_record>!
) -> portcullis_status {
  guard let state = unsafe state, let record = unsafe record else {
    return PORTCULLIS_ERROR_ARGUMENT
  }
  let gate = unsafe StateMemory.state(state)
  guard unsafe gate.pointee.phase == .claimed, unsafe gate.pointee.monitor.platform.records else {
    return PORTCULLIS_ERROR_ORDER
  }
  guard let words = unsafe gate.pointee.monitor.takeFirstRecord() else {
    return PORTCULLIS_ERROR_INDEX
  }
  unsafe withUnsafeMutableBytes(of: &record.pointee) { bytes in
    for index in 0..<8 {
      unsafe bytes.storeBytes(of: words[index], toByteOffset: index * 8, as: UInt64.self)
    }
  }
  return PORTCULLIS_OK
}
