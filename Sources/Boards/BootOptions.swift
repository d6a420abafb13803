// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What the boot arguments of the board (`/chosen/bootargs`) ask of the hypervisor.
///
/// Arguments are separated by blanks. Those that do not begin with `portcullis.` are the host's. Each that does
/// must be one of the words below: a misspelt one would leave its policy at the default without a sign.
public struct BootOptions: Equatable, Sendable {
  /// `portcullis.log=error|warning|info|debug`: the level of the log.
  public private(set) var logLevel = LogLevel.info
  /// `portcullis.bench`: print what a benchmark wants to know.
  public private(set) var isBench = false

  /// `portcullis.handover`: the host is trusted with its ITSes until it hands them over and finalises.
  public private(set) var isHandover = false
  /// `portcullis.trace`: every access to an ITS and every command is recorded.
  public private(set) var isTraced = false
  /// `portcullis.trace=console`: so it is, and the records go to the console while the host runs.
  public private(set) var drainsTrace = false

  /// `portcullis.vlpi=checked`: virtual interrupts of GICv4.0 are offered, and their commands checked.
  public private(set) var checksVirtualInterrupts = false

  /// `portcullis.deviceids=listed`: only DeviceIDs that the board's description gives to a device are mapped.
  public private(set) var listsDevices = false
  /// `portcullis.masters=claim`: masters that no SMMU confines are claimed, where they can be.
  public private(set) var claimsMasters = false
  /// `portcullis.smmu=owned|nested|off`: what becomes of the board's SMMUv3s.
  public private(set) var smmuPolicy = SMMUPolicy.owned

  /// The options of a board that has no arguments.
  public init() {}

  /// Reads the arguments; bytes from the first zero on are not part of them.
  ///
  /// - Parameter unknown: is called with the place of each argument that begins with `portcullis.` and is none of
  ///   the words above.
  public init(arguments: Span<UInt8>, unknown: (Range<Int>) -> Void = { _ in }) {
    var start = 0
    for index in 0...arguments.count {
      let byte = index < arguments.count ? arguments[index] : 0
      // A file may have lines that end with CR LF.
      guard byte == 0 || byte == 0x20 || 0x09...0x0d ~= byte else { continue }
      if !take(arguments.extracting(start..<index)) { unknown(start..<index) }
      if byte == 0 { return }
      start = index + 1
    }
  }

  /// Writes that an argument is not known, and what is allowed in its place.
  public static func write(
    unknown argument: Span<UInt8>, into sink: inout some TextSink & ~Copyable
  ) {
    // A long one is cut: the line has to hold what is allowed.
    for index in 0..<min(argument.count, 48) { sink.append(printable: argument[index]) }
    sink.append(" is not known, but ")
    BootWord.writeAllowed(insteadOf: argument, into: &sink)
  }

  /// Takes one argument; false where it is addressed to the hypervisor and not known.
  private mutating func take(_ argument: Span<UInt8>) -> Bool {
    guard BootWord.isAddressed(by: argument) else { return true }
    guard let word = BootWord(of: argument) else { return false }
    let value = word.value(in: argument)
    switch word {
    case .bench where value.isEmpty: isBench = true
    case .handover where value.isEmpty: isHandover = true
    case .trace where value.isEmpty: isTraced = true
    case .trace where value.isSpelled("=console"): (isTraced, drainsTrace) = (true, true)
    case .vlpi where value.isSpelled("=checked"): checksVirtualInterrupts = true
    case .deviceids where value.isSpelled("=listed"): listsDevices = true
    case .masters where value.isSpelled("=claim"): claimsMasters = true
    case .smmu where value.isSpelled("=owned"): smmuPolicy = .owned
    case .smmu where value.isSpelled("=nested"): smmuPolicy = .nested
    case .smmu where value.isSpelled("=off"): smmuPolicy = .off
    case .log where value.isSpelled("=error"): logLevel = .error
    case .log where value.isSpelled("=warning"): logLevel = .warning
    case .log where value.isSpelled("=info"): logLevel = .info
    case .log where value.isSpelled("=debug"): logLevel = .debug
    default: return false
    }
    return true
  }
}
