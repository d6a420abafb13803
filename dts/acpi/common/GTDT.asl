/* SPDX-FileCopyrightText: 2026 The Portcullis Authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What the other folders have where they do not say otherwise: two CPUs, an ITS, a segment of PCI. */

                        Signature : "GTDT"    [Generic Timer Description Table]
                     Table Length : 00000060
                         Revision : 02
                         Checksum : 95
                           Oem ID : "PCULIS"
                     Oem Table ID : "MADEUP  "
                     Oem Revision : 00000001
                  Asl Compiler ID : "INTL"
            Asl Compiler Revision : 20200925

            Counter Block Address : FFFFFFFFFFFFFFFF
                         Reserved : 00000000

             Secure EL1 Interrupt : 0000001D
        EL1 Flags (decoded below) : 00000000
                     Trigger Mode : 0
                         Polarity : 0
                        Always On : 0

         Non-Secure EL1 Interrupt : 0000001E
       NEL1 Flags (decoded below) : 00000004
                     Trigger Mode : 0
                         Polarity : 0
                        Always On : 1

          Virtual Timer Interrupt : 0000001B
         VT Flags (decoded below) : 00000000
                     Trigger Mode : 0
                         Polarity : 0
                        Always On : 0

         Non-Secure EL2 Interrupt : 0000001A
       NEL2 Flags (decoded below) : 00000000
                     Trigger Mode : 0
                         Polarity : 0
                        Always On : 0
       Counter Read Block Address : FFFFFFFFFFFFFFFF

             Platform Timer Count : 00000000
            Platform Timer Offset : 00000000
