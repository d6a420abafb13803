// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// Prints how many instructions a forwarded access takes, from the access itself, which counts as one
/// where it does not trap, to the next instruction of the host; and how many of them are EL2's.
///
/// The first access of each kind is not the one that counts: it may fill a translation cache.
func measureAccesses() {
  el1_meter_start()
  let control = Board.itsControl
  measure("read32", control + Register.gitsTYPER, el1_meter_read32)
  measure("write32", control + Register.gitsCWRITER, el1_meter_write32)
  measure("read64", control + Register.gitsTYPER, el1_meter_read64)
  measure("write64", control + Register.gitsCWRITER, el1_meter_write64)
}

private func measure(
  _ name: StaticString, _ address: UInt64, _ access: @convention(c) (UInt64) -> el1_retired
) {
  _ = access(address)
  _ = el1_meter_nothing(address)
  let with = access(address)
  let without = el1_meter_nothing(address)
  let both = with.both &- without.both
  let host = with.el1 &- without.el1
  Console.write("bench: ")
  Console.write(name)
  Console.write("-instructions ")
  Console.write(decimal: both)
  Console.write("\nbench: ")
  Console.write(name)
  Console.write("-el2-instructions ")
  Console.write(decimal: both &- host)
  Console.write("\n")
}
