// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// QEMU's educational PCI device: it copies between memory and a buffer of its own, to whatever address it is told,
/// a tenth of a second after it was told, and it sends one MSI (QEMU, docs/specs/edu).
struct EduDevice {
  private enum Offset {
    static let raise: UInt64 = 0x60
    static let acknowledge: UInt64 = 0x64
    static let source: UInt64 = 0x80
    static let destination: UInt64 = 0x88
    static let count: UInt64 = 0x90
    static let command: UInt64 = 0x98
  }
  /// Where the device sees its buffer.
  private static let buffer: UInt64 = 0x4_0000
  /// What a buffer holds before memory is read into it: nothing that anybody else has written.
  static let mark: UInt64 = 0x0bad_5eed_0bad_5eed

  let function: PCIFunction
  private let registers: UInt64
  /// Own memory by which words come to the buffer and from it.
  private let bounce: UInt64

  var stream: UInt32 { function.requester }

  /// The device of this index, ready to be told; nil where there is none.
  init?(_ index: UInt64) {
    guard let function = PCIFunction.find(vendor: 0x1234, device: 0x11e8, index: index) else {
      return nil
    }
    self.function = function
    registers = Board.deviceWindow + index << 20
    bounce = Arena.spare + 0x8000 + index * 0x100
    function.enable(at: registers)
  }

  /// Has it begin to read memory into its buffer.
  func beginReading(_ address: UInt64, count: UInt64) {
    begin(from: address, to: Self.buffer, count, command: 0b001)
  }

  /// Has it begin to write its buffer to memory.
  func beginWriting(_ address: UInt64, count: UInt64) {
    begin(from: Self.buffer, to: address, count, command: 0b011)
  }

  private func begin(from source: UInt64, to destination: UInt64, _ count: UInt64, command: UInt64)
  {
    el1_barrier()
    store64(registers + Offset.source, source)
    store64(registers + Offset.destination, destination)
    store64(registers + Offset.count, count)
    store64(registers + Offset.command, command)
  }

  /// Whether it has begun and not ended.
  var isBusy: Bool { load64(registers + Offset.command) & 1 == 1 }

  /// Waits for the end; false where there is none for two seconds.
  @discardableResult
  func wait() -> Bool {
    let isDone = Patience.wait(
      hundredths: 200, meanwhile: { _ = el1_take_interrupts(Patience.hundredth) },
      until: { !isBusy })
    if isDone { el1_barrier() }
    return isDone
  }

  /// Fills the start of the buffer with a word, over and over.
  func fill(_ word: UInt64, count: UInt64 = 8) {
    for offset in stride(from: 0, to: count, by: 8) { el1_store64(bounce + offset % 0x100, word) }
    for offset in stride(from: 0, to: count, by: 0x100) {
      el1_barrier()
      begin(
        from: bounce, to: Self.buffer + offset, min(count - offset, 0x100), command: 0b001)
      wait()
    }
  }

  /// The word at the start of the buffer.
  var word: UInt64 {
    el1_store64(bounce, 0)
    beginWriting(bounce, count: 8)
    wait()
    return el1_load64(bounce)
  }

  /// Writes the low `count` bytes of a word to memory.
  func write(_ word: UInt64, to address: UInt64, count: UInt64 = 8) {
    fill(word)
    beginWriting(address, count: count)
    wait()
  }

  /// Reads `count` bytes of memory; the others of the word are the mark's.
  func read(_ address: UInt64, count: UInt64 = 8) -> UInt64 {
    fill(Self.mark)
    beginReading(address, count: count)
    wait()
    return word
  }

  /// Raises its interrupt.
  func raise() { store32(registers + Offset.raise, 1) }
  func acknowledge() { store32(registers + Offset.acknowledge, 1) }
}
