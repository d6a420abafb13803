// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Boards

extension Report {
  /// Something to be said about one place of a file, in words.
  public struct Diagnostic: Equatable, Sendable {
    /// How bad it is.
    public var severity: Boards.Diagnostic.Severity
    /// The path of the node; nil where it is about the whole file.
    public var node: String?
    /// The name of the property; nil where it is about the whole node.
    public var property: String?
    /// What is wrong, without a full stop.
    public var message: String
  }

  /// What standard error gets, a line each: `portcullis: FILE: /node: property: what is wrong`.
  ///
  /// Parts that a diagnostic doesn't have are left out; a warning says that it is one; notes, which
  /// are of nothing wrong, aren't there.
  public var errorLines: [String] {
    diagnostics.filter { $0.severity != .note }.map { diagnostic in
      var parts = ["portcullis", file]
      if let node = diagnostic.node { parts.append(node) }
      if let property = diagnostic.property { parts.append(property) }
      if diagnostic.severity == .warning { parts.append(diagnostic.severity.name) }
      parts.append(diagnostic.message)
      return parts.map(\.printable).joined(separator: ": ")
    }
  }
}

extension Boards.Diagnostic.Severity {
  /// The name in JSON and on standard error.
  var name: String {
    switch self {
    case .error: "error"
    case .warning: "warning"
    case .note: "note"
    }
  }
}

extension Verdict {
  /// The name in JSON and in the table.
  var name: String {
    switch self {
    case .protectable: "protectable"
    case .nothingToProtect: "nothing-to-protect"
    case .refused: "refused"
    }
  }
}
