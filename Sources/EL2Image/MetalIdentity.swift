// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import CHardware
internal import Traps

extension ProcessorIdentity {
  /// What the CPU that runs this says; a register that it does not have reads as zero.
  static func ofThisCPU() -> ProcessorIdentity {
    var identity = ProcessorIdentity()
    identity.processorFeature0 = pc_read_id_aa64pfr0_el1()
    identity.processorFeature1 = pc_read_id_aa64pfr1_el1()
    identity.processorFeature2 = pc_read_id_aa64pfr2_el1()
    identity.matrixFeature0 = pc_read_id_aa64smfr0_el1()
    identity.debugFeature0 = pc_read_id_aa64dfr0_el1()
    identity.instructionSet1 = pc_read_id_aa64isar1_el1()
    identity.instructionSet2 = pc_read_id_aa64isar2_el1()
    identity.memoryModel0 = pc_read_id_aa64mmfr0_el1()
    identity.memoryModel1 = pc_read_id_aa64mmfr1_el1()
    identity.memoryModel3 = pc_read_id_aa64mmfr3_el1()
    return identity
  }
}
