// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What the boot arguments of the board (`/chosen/bootargs`) ask of the hypervisor.
///
/// Arguments are separated by blanks; those that do not begin with `portcullis.` are the host's, and
/// one that is not known or has no known value is left out.
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

  /// `portcullis.deviceids=listed`: only DeviceIDs that the device tree gives to a device are mapped.
  public private(set) var listsDevices = false
  /// `portcullis.masters=claim`: masters that no SMMU confines are claimed, where they can be.
  public private(set) var claimsMasters = false
  /// `portcullis.smmu=owned|nested|off`: what becomes of the board's SMMUv3s.
  public private(set) var smmuPolicy = SMMUPolicy.owned

  /// The options of a board that has no arguments.
  public init() {}

  /// Reads the arguments; bytes from the first zero on are not part of them.
  public init(arguments: Span<UInt8>) {
    var start = 0
    for index in 0...arguments.count {
      let byte = index < arguments.count ? arguments[index] : 0
      guard byte == 0 || byte == 0x20 || byte == 0x0a || byte == 0x09 else { continue }
      take(arguments.extracting(start..<index))
      if byte == 0 { return }
      start = index + 1
    }
  }

  private mutating func take(_ argument: Span<UInt8>) {
    if Self.equal(argument, "portcullis.bench") { isBench = true }
    if Self.equal(argument, "portcullis.handover") { isHandover = true }
    if Self.equal(argument, "portcullis.trace") { isTraced = true }
    if Self.equal(argument, "portcullis.trace=console") { (isTraced, drainsTrace) = (true, true) }
    if Self.equal(argument, "portcullis.vlpi=checked") { checksVirtualInterrupts = true }
    if Self.equal(argument, "portcullis.deviceids=listed") { listsDevices = true }
    if Self.equal(argument, "portcullis.masters=claim") { claimsMasters = true }
    if Self.equal(argument, "portcullis.smmu=owned") { smmuPolicy = .owned }
    if Self.equal(argument, "portcullis.smmu=nested") { smmuPolicy = .nested }
    if Self.equal(argument, "portcullis.smmu=off") { smmuPolicy = .off }
    if Self.equal(argument, "portcullis.log=error") { logLevel = .error }
    if Self.equal(argument, "portcullis.log=warning") { logLevel = .warning }
    if Self.equal(argument, "portcullis.log=info") { logLevel = .info }
    if Self.equal(argument, "portcullis.log=debug") { logLevel = .debug }
  }

  private static func equal(_ argument: Span<UInt8>, _ text: StaticString) -> Bool {
    text.withUTF8Buffer { bytes in
      guard bytes.count == argument.count else { return false }
      for index in argument.indices where unsafe argument[index] != bytes[index] { return false }
      return true
    }
  }
}
