// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards

extension Report {
  /// The version of the JSON that `write(to:)` writes.
  public static let schema: UInt64 = 1

  /// Writes the report as one element of the `files` of the JSON text.
  public func write(to json: inout JSONWriter) {
    json.beginObject()
    json.member("file", file)
    json.member("source", source.rawValue)
    json.member("model", model)
    json.list("compatible", compatible) { $0.string($1) }
    json.key("pageSize")
    json.number(granule.bytes)
    json.list("regions", regions) { json, region in
      json.beginObject()
      json.member("kind", region.kind)
      json.member("node", region.node)
      json.members(region.range)
      json.key("protected")
      json.beginObject()
      json.members(region.protected)
      json.key("pages")
      json.number(region.protected.size / granule.bytes)
      json.endObject()
      json.address("translater", region.translater?.rawValue)
      json.endObject()
    }
    json.list("unused", unused) { json, registers in
      json.beginObject()
      json.member("kind", registers.kind)
      json.member("node", registers.node)
      json.members(registers.range)
      json.endObject()
    }
    json.list("redistributors", redistributors) { json, region in
      json.beginObject()
      json.member("node", region.node)
      json.members(region.range)
      json.address("stride", region.stride)
      json.endObject()
    }
    json.list("iommus", iommus) { json, iommu in
      json.beginObject()
      json.member("kind", iommu.kind)
      json.member("node", iommu.node)
      json.members(iommu.range)
      json.endObject()
    }
    json.list("dma", dma) { json, master in
      json.beginObject()
      json.member("node", master.node)
      json.member("evidence", master.evidence.name)
      json.member("iommu", master.iommu)
      json.member("kind", master.kind?.name)
      json.list("streams", master.streams) { $0.streams($1) }
      json.list("msi", master.msi) { $0.string($1) }
      json.key("confined")
      json.boolean(master.isConfined)
      json.member("reason", master.confinement.name)
      json.endObject()
    }
    json.list("memory", memory) { json, memory in
      json.beginObject()
      json.members(memory)
      json.endObject()
    }
    json.list("diagnostics", diagnostics) { json, diagnostic in
      json.beginObject()
      json.member("severity", diagnostic.severity.name)
      json.member("node", diagnostic.node)
      json.member("property", diagnostic.property)
      json.member("message", diagnostic.message)
      json.endObject()
    }
    json.member("verdict", verdict.name)
    json.endObject()
  }
}

extension JSONWriter {
  /// Begins the text that holds the reports; each is then written as an element.
  public mutating func beginReports() {
    beginObject()
    key("schema")
    number(Report.schema)
    key("files")
    beginArray()
  }

  /// Ends the text that holds the reports.
  public mutating func endReports() {
    endArray()
    endObject()
    endText()
  }

  fileprivate mutating func member(_ name: StaticString, _ value: String?) {
    key(name)
    if let value { string(value) } else { null() }
  }

  fileprivate mutating func address(_ name: StaticString, _ value: UInt64?) {
    key(name)
    if let value { hexadecimal(value) } else { null() }
  }

  fileprivate mutating func members(_ range: AddressRange) {
    address("base", range.base.rawValue)
    address("size", range.size)
  }

  fileprivate mutating func streams(_ streams: Report.Streams) {
    beginObject()
    address("base", streams.base.map(UInt64.init))
    key("count")
    number(streams.count)
    address("requester", streams.requester.map(UInt64.init))
    address("mask", streams.mask.map(UInt64.init))
    address("ignored", streams.ignored == 0 ? nil : UInt64(streams.ignored))
    endObject()
  }

  fileprivate mutating func list<Element>(
    _ name: StaticString, _ elements: [Element], _ write: (inout JSONWriter, Element) -> Void
  ) {
    key(name)
    beginArray()
    for element in elements { write(&self, element) }
    endArray()
  }
}
