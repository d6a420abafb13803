// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Trace

extension TraceFile {
  /// The version of the JSON that ``json`` holds.
  public static var schema: UInt64 { 1 }

  /// The trace as one JSON text.
  public var json: [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.key("schema")
    json.number(Self.schema)
    json.key("version")
    json.number(header.version)
    json.key("frequency")
    json.number(header.frequency)
    json.key("records")
    json.beginArray()
    for record in records.dropFirst() { write(record, to: &json) }
    json.endArray()
    json.endObject()
    json.endText()
    return json.takeBytes()
  }

  private func write(_ record: TraceRecord, to json: inout JSONWriter) {
    json.beginObject()
    json.key("time")
    json.number(record.time)
    json.key("cpu")
    json.number(UInt64(record.cpu))
    json.key("its")
    json.number(UInt64(record.its))
    json.key("kind")
    json.string(record.event.kind)
    json.key("text")
    json.string(record.event.text)
    json.key("outcome")
    if let outcome = record.event.outcome { json.string(outcome) } else { json.null() }
    json.key("duration")
    if case .access(let access) = record.event {
      json.number(access.duration)
    } else {
      json.null()
    }
    json.key("words")
    json.beginArray()
    let words = record.words
    for index in 2..<8 { json.hexadecimal(words[index]) }
    json.endArray()
    json.endObject()
  }
}

extension TraceFile {
  /// The trace as trace events, which Perfetto and Chrome show as a timeline: a track for each CPU with its
  /// traps, and one for each ITS with the commands and what EL2 asked of the hardware.
  public var traceEvents: [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.key("displayTimeUnit")
    json.string("ns")
    json.key("traceEvents")
    json.beginArray()
    name(&json, "process_name", "CPUs", process: 0, track: nil)
    for cpu in Set(records.dropFirst().map { UInt64($0.cpu) }).sorted() {
      name(&json, "thread_name", "CPU \(cpu)", process: 0, track: cpu)
    }
    name(&json, "process_name", "ITSes", process: 1, track: nil)
    for its in Set(records.dropFirst().map { UInt64($0.its) }).sorted() {
      name(&json, "thread_name", "ITS \(its)", process: 1, track: its)
    }
    for record in records.dropFirst() { writeEvent(record, to: &json) }
    json.endArray()
    json.endObject()
    json.endText()
    return json.takeBytes()
  }

  private func name(
    _ json: inout JSONWriter, _ what: String, _ name: String, process: UInt64, track: UInt64?
  ) {
    json.beginObject()
    json.key("ph")
    json.string("M")
    json.key("name")
    json.string(what)
    json.key("pid")
    json.number(process)
    if let track {
      json.key("tid")
      json.number(track)
    }
    json.key("args")
    json.beginObject()
    json.key("name")
    json.string(name)
    json.endObject()
    json.endObject()
  }

  private func writeEvent(_ record: TraceRecord, to json: inout JSONWriter) {
    var duration: UInt64?
    if case .access(let access) = record.event { duration = access.duration }
    json.beginObject()
    json.key("ph")
    json.string(duration == nil ? "i" : "X")
    if duration == nil {
      json.key("s")
      json.string("t")
    }
    json.key("name")
    json.string(title(of: record.event))
    json.key("cat")
    json.string(record.event.kind)
    json.key("pid")
    json.number(duration == nil ? 1 : 0)
    json.key("tid")
    json.number(duration == nil ? UInt64(record.its) : UInt64(record.cpu))
    json.key("ts")
    json.microseconds(nanoseconds(at: record.time))
    if let duration {
      json.key("dur")
      json.microseconds(nanoseconds(of: duration))
    }
    json.key("args")
    json.beginObject()
    json.key("text")
    json.string(record.event.text)
    json.key("outcome")
    if let outcome = record.event.outcome { json.string(outcome) } else { json.null() }
    json.key("cpu")
    json.number(UInt64(record.cpu))
    json.key("its")
    json.number(UInt64(record.its))
    json.endObject()
    json.endObject()
  }

  /// What stands on the bar of an event.
  private func title(of event: TraceEvent) -> String {
    switch event {
    case .access(let access): event.kind + " " + TraceEvent.register(access.offset)
    case .hardware(let register):
      (register.isWrite ? "write " : "read ") + TraceEvent.register(register.offset)
    case .command: String(event.text.prefix { $0 != " " })
    default: event.kind
    }
  }
}
