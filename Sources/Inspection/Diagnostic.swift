// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Something to be said about one place of a file.
public struct Diagnostic: Equatable, Sendable {
  /// How much it weighs.
  public enum Severity: String, Sendable {
    /// The file is refused for it.
    case error
    /// Worth knowing; the file isn't refused for it.
    case warning
  }

  /// How much it weighs.
  public var severity: Severity
  /// The path of the node; nil where it is about the whole file.
  public var node: String?
  /// The name of the property; nil where it is about the whole node.
  public var property: String?
  /// What is wrong, without a full stop.
  public var message: String

  /// Makes a diagnostic.
  public init(
    _ severity: Severity, node: String? = nil, property: String? = nil, message: String
  ) {
    self.severity = severity
    self.node = node
    self.property = property
    self.message = message
  }

  /// The line that standard error gets: `portcullis: FILE: /node: property: what is wrong`.
  ///
  /// Parts that the diagnostic doesn't have are left out; a warning says that it is one.
  public func line(file: String) -> String {
    var parts = ["portcullis", file.printable]
    if let node { parts.append(node.printable) }
    if let property { parts.append(property.printable) }
    switch severity {
    case .error: parts.append(message.printable)
    case .warning: parts.append("warning: " + message.printable)
    }
    return parts.joined(separator: ": ")
  }
}
