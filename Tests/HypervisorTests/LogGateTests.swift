// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Hypervisor
import Testing

@Suite struct LogGateTests {
  @Test func aBurstIsAdmittedAndThenOneAnInterval() {
    var gate = LogGate(frequency: 1600)
    let burst = (0..<100).filter { _ in gate.admits(at: 50) }
    #expect(burst.count == Int(LogGate.perSecond))
    #expect([99, 100, 101].map { gate.admits(at: $0) } == [false, true, false])
  }

  @Test func aLongQuietWhileOpensNoMoreThanOneBurst() {
    var gate = LogGate(frequency: 1600)
    for _ in 0..<100 { _ = gate.admits(at: 0) }
    let burst = (0..<100).filter { _ in gate.admits(at: 1 << 60) }
    #expect(burst.count == Int(LogGate.perSecond))
  }

  @Test func aFloodInOneSecondIsBounded() {
    var gate = LogGate(frequency: 62_500_000)
    let admitted = (0..<1_000_000).filter { gate.admits(at: UInt64($0) * 62) }
    #expect(admitted.count <= 2 * Int(LogGate.perSecond))
  }

  @Test func aCounterWithoutFrequencyDividesByNothing() {
    var gate = LogGate(frequency: 0)
    let admitted = gate.admits(at: 0)
    #expect(admitted)
  }
}
