// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot
import GIC

/// Stores 32 or 64 bits to a device; an abort goes unnoticed.
func store32(_ address: UInt64, _ value: UInt64) { _ = probe(EL1_STR_W, address, value: value) }
func store64(_ address: UInt64, _ value: UInt64) { _ = probe(EL1_STR_X, address, value: value) }

/// The Redistributors, and the LPIs that they deliver (IHI 0069, 12.10).
enum Redistributors {
  enum Offset {
    static let control: UInt64 = 0x0000
    static let type: UInt64 = 0x0008
    static let waker: UInt64 = 0x0014
    static let configurationBase: UInt64 = 0x0070
    static let pendingBase: UInt64 = 0x0078
    // In the SGI frame.
    static let group: UInt64 = 0x1_0080
    static let setEnable: UInt64 = 0x1_0100
  }

  /// A configuration byte: priority 0xa0 and the Enable bit.
  private static let enabled: UInt64 = 0xa1
  private static let disabled: UInt64 = 0xa0
  /// Inner shareable, write-back, as both base registers have it.
  private static let attributes: UInt64 = 7 << 7 | 1 << 10
  private static let idBitsMinusOne: UInt64 = 15

  /// The Redistributor of a CPU, by affinity level 0; nil where there is no such CPU.
  static func base(of cpu: UInt64) -> UInt64? {
    var base = Board.redistributors
    while true {
      let type = GICRTyper(rawValue: load64(base + Offset.type))
      if UInt64(type.affinity & 0xff) == cpu { return base }
      if type.isLast { return nil }
      base += type.size
    }
  }

  /// How an ITS names a CPU's Redistributor in its commands; 0 where there is no such CPU.
  static func target(of cpu: UInt64) -> UInt64 {
    guard let base = base(of: cpu) else { return 0 }
    let its = GITSTyper(rawValue: load64(Board.itsControl + Register.gitsTYPER))
    guard its.targetsAreAddresses else {
      return GICRTyper(rawValue: load64(base + Offset.type)).processorNumber
    }
    return base >> 16
  }

  /// Gives every Redistributor its tables, with all LPIs enabled, and lets this CPU take interrupts.
  static func begin() {
    let distributorControl = Board.distributor
    store32(distributorControl, load32(distributorControl) | 1 << 1 | 1 << 4)  // group 1, ARE
    for offset in 0..<Arena.page { el1_store8(Arena.configuration + offset, enabled) }
    for cpu in 0..<UInt64(EL1_CPU_LIMIT) {
      guard let base = base(of: cpu) else { continue }
      begin(at: base, pending: Arena.pending(cpu))
      store32(base + Offset.group, 0xffff_ffff)
      store32(base + Offset.setEnable, 1 << UInt64(EL1_TIMER_INTID))
    }
    el1_enable_cpu_interface()
  }

  /// Gives the Redistributor with this RD frame its tables, the pending one empty.
  static func begin(at base: UInt64, pending: UInt64) {
    store32(base + Offset.waker, load32(base + Offset.waker) & ~(1 << 1))  // ProcessorSleep
    while load32(base + Offset.waker) & 1 << 2 != 0 {}  // ChildrenAsleep
    el1_zero(pending, Arena.page)
    el1_clean(pending, Arena.page)
    store64(base + Offset.configurationBase, Arena.configuration | attributes | idBitsMinusOne)
    store64(base + Offset.pendingBase, pending | attributes | 1 << 62)  // PTZ
    publish()
    store32(base + Offset.control, load32(base + Offset.control) | 1)  // EnableLPIs
  }

  /// The CPU whose Redistributor is the last one.
  static var last: UInt64 {
    var cpu: UInt64 = 0
    while cpu + 1 < UInt64(EL1_CPU_LIMIT), base(of: cpu + 1) != nil { cpu += 1 }
    return cpu
  }

  /// Clears EnableLPIs, and waits until that has taken effect.
  static func disable(_ cpu: UInt64) {
    if let base = base(of: cpu) { disable(at: base) }
  }

  /// The same of the Redistributor with this RD frame.
  static func disable(at base: UInt64) {
    store32(base + Offset.control, load32(base + Offset.control) & ~1)
    while load32(base + Offset.control) & 1 << 3 != 0 {}  // RWP
  }

  /// Sets EnableLPIs.
  static func enable(_ cpu: UInt64) {
    guard let base = base(of: cpu) else { return }
    el1_barrier()
    store32(base + Offset.control, load32(base + Offset.control) | 1)
  }

  /// Disables all LPIs and begins anew.
  static func restart() {
    for cpu in 0...last { disable(cpu) }
    begin()
  }

  /// Writes an LPI's configuration; the Redistributor reads it when it's told so by INV or INVALL.
  static func configure(_ interrupt: UInt64, isEnabled: Bool) {
    let address = Arena.configuration + interrupt - UInt64(EL1_LPI_FIRST)
    el1_store8(address, isEnabled ? enabled : disabled)
    el1_clean(address, 1)
  }

  private static func publish() {
    el1_clean(Arena.configuration, Arena.page)
    el1_barrier()
  }
}

/// LPIs as this CPU and the others take and count them.
enum Interrupts {
  static func count(_ interrupt: UInt64, on cpu: UInt64 = currentCPU()) -> UInt64 {
    el1_interrupt_count(cpu, interrupt)
  }

  /// Takes interrupts until a condition holds; false where it doesn't after a second.
  static func take(until condition: () -> Bool) -> Bool {
    Patience.wait(meanwhile: { _ = el1_take_interrupts(Patience.hundredth) }, until: condition)
  }

  /// Takes what is pending, and what comes within a hundredth of a second.
  static func settle() {
    while el1_take_interrupts(Patience.hundredth) != 0 {}
  }
}
