// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import Boards
internal import Hypervisor
internal import ITS

extension EmbedderMediation {
  /// What the embedder chooses.
  @safe struct Choice {
    let pool: portcullis_pages
    /// Memory for the records of a trace; of no bytes where none is kept.
    let trace: portcullis_pages
    /// Counts of the embedder's clock in a second.
    let frequency: UInt64
    /// Where problems are put.
    let problem: ProblemPlace
    let linearBase: UInt64
    let cpus: UInt64
    let policy: ITSPolicy
    /// Whether EL2 stands between the host and the Redistributors.
    let guardsRedistributors: Bool
    /// Whether the host drives its ITSes already and is trusted to hand them over.
    let isHandover: Bool
    /// What becomes of the SMMUs.
    let smmus: SMMUPolicy
    /// Tells which ITSes are left out.
    let leaveOut: (@convention(c) (UnsafeMutableRawPointer?, UInt64) -> Int32)?
  }
}

extension EmbedderMediation.Choice {
  /// What the configuration chooses; nil where a member has a value that is not allowed.
  init?(_ config: portcullis_config) {
    let (cpus, flags) = unsafe (config.cpus, config.policy)
    guard 1...4096 ~= cpus, flags < PORTCULLIS_POLICY_NEST_SMMUS << 1,
      let smmus = SMMUPolicy(flags),
      unsafe cpus == 1 || config.ops.pointee.cpu_index != nil,
      unsafe flags & PORTCULLIS_POLICY_HANDOVER == 0
        || EmbedderPlatform.canTakeOver(config.ops.pointee),
      unsafe config.trace.bytes == 0 || config.ops.pointee.clock != nil
    else { return nil }
    var policy = ITSPolicy()
    if flags & PORTCULLIS_POLICY_STALL != 0 { policy.refused = .stalls }
    if flags & PORTCULLIS_POLICY_VIRTUAL != 0 { policy.virtualInterrupts = .checked }
    unsafe self.init(
      pool: unsafe config.pool, trace: unsafe config.trace,
      frequency: unsafe config.clock_frequency, problem: unsafe ProblemPlace(config),
      linearBase: unsafe config.linear_base,
      cpus: UInt64(cpus),
      policy: policy,
      guardsRedistributors: flags & PORTCULLIS_POLICY_LEAVE_REDISTRIBUTORS == 0,
      isHandover: flags & PORTCULLIS_POLICY_HANDOVER != 0, smmus: smmus,
      leaveOut: unsafe config.leave_out)
  }

  /// Whether another VM has an ITS; asked once for each.
  func leavesOut(_ frame: AddressRange, _ platform: EmbedderPlatform) -> Bool {
    guard let leaveOut = unsafe leaveOut,
      unsafe leaveOut(platform.context, frame.base.rawValue) != 0
    else { return false }
    var line = LogLine("left out: the ITS at ")
    line.append(hex: frame.base.rawValue)
    platform.log(.info, line)
    return true
  }
}

extension SMMUPolicy {
  /// What a policy of the header says; nil for an SMMU that the host is to see and nobody owns.
  init?(_ flags: UInt32) {
    switch (flags & PORTCULLIS_POLICY_OWN_SMMUS != 0, flags & PORTCULLIS_POLICY_NEST_SMMUS != 0) {
    case (true, true): self = .nested
    case (true, false): self = .owned
    case (false, false): self = .off
    case (false, true): return nil
    }
  }
}
