// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

package import Architecture
package import GIC
internal import ITS
package import Ownership
package import Trace

/// A ``ITSTrapMachine`` that records what happens to one ITS.
///
/// The mediation is specialised for it once more: with the other machine there is nothing to ask and
/// nothing to skip.
package struct RecordingITSMachine<Machine: Platform>: ITSMachine {
  private let platform: Machine
  private let machine: ITSTrapMachine<Machine>
  /// The number of the ITS.
  var number: UInt8 { machine.number }

  /// Memory that EL2 has mapped.
  package var memory: Machine.Memory { machine.memory }
  /// The registers of the hardware.
  package var registers: Machine.Registers { machine.registers }
  /// The number of the CPU.
  package var cpu: UInt64 { machine.cpu }

  init(_ number: UInt8, _ platform: Machine) {
    self.platform = platform
    machine = ITSTrapMachine(number, platform)
  }

  package func count(_ command: ITSCommand) { machine.count(command) }

  package func shareAndPin(_ pages: PageRange) throws(OwnershipError) -> Pin<1> {
    try machine.shareAndPin(pages)
  }

  package func unpinAndUnshare(_ pin: consuming Pin<1>) { machine.unpinAndUnshare(pin) }

  package func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    try machine.hold(pages, in: &table)
  }

  package func release(_ slot: UInt64, of table: inout PinTable) {
    machine.release(slot, of: &table)
  }

  @inline(never)
  package func record(_ event: TraceEvent) { Monitor(platform).record(event, its: number) }
}
