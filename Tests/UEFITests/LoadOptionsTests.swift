// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UEFI

@Suite struct LoadOptionsTests {
  private func read(_ text: String, terminated: Bool = true) -> (String, isAddressed: Bool) {
    var bytes = text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
    if terminated { bytes += [0, 0, 0x50, 0] }
    var found = ""
    let isAddressed = LoadOptions(bytes.span).forEach {
      found.append(Character(Unicode.Scalar($0)))
    }
    return (found, isAddressed)
  }

  @Test(arguments: [true, false])
  func leavesOutTheNameOfTheApplication(terminated: Bool) {
    let line = "FS0:\\EFI\\portcullis.EFI portcullis.log=debug\tportcullis.smmu=off quiet"
    let (text, isAddressed) = read(line, terminated: terminated)
    #expect(text == "portcullis.log=debug portcullis.smmu=off quiet ")
    #expect(isAddressed)
  }

  @Test func knowsWhetherItIsAddressed() {
    #expect(read("portcullis.efi quiet") == ("quiet ", false))
    #expect(read("portcullis.bench") == ("portcullis.bench ", true))
    #expect(read("xportcullis.bench portculli.s") == ("xportcullis.bench portculli.s ", false))
    #expect(read("") == ("", false))
  }

  /// A word behind the first that looks like a name is one that is meant, and not known.
  @Test func nameIsTheFirstWordAlone() {
    #expect(read("a.efi portcullis.efi") == ("portcullis.efi ", true))
  }

  @Test func otherCharactersStayUnknown() {
    #expect(read("portcullis.löß=1") == ("portcullis.l??=1 ", true))
    // Its low byte is that of a p.
    #expect(read("\u{170}ortcullis.bench") == ("?ortcullis.bench ", false))
  }

  @Test func endsWithHalfACharacter() {
    let bytes: [UInt8] = [0x61, 0, 0x62]
    var found: [UInt8] = []
    _ = LoadOptions(bytes.span).forEach { found.append($0) }
    #expect(found == [0x61, 0x20])
  }
}
