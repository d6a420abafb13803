/* SPDX-FileCopyrightText: 2026 The Portcullis Authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Three ITSes; one root complex sends its RIDs to two groups of them. */

                        Signature : "APIC"    [Multiple APIC Description Table (MADT)]
                     Table Length : 00000130
                         Revision : 05
                         Checksum : 10
                           Oem ID : "PCULIS"
                     Oem Table ID : "MADEUP  "
                     Oem Revision : 00000001
                  Asl Compiler ID : "INTL"
            Asl Compiler Revision : 20200925

               Local Apic Address : 00000000
            Flags (decoded below) : 00000000
              PC-AT Compatibility : 0

                    Subtable Type : 0C [Generic Interrupt Distributor]
                           Length : 18
                         Reserved : 0000
            Local GIC Hardware ID : 00000000
                     Base Address : 0000000008000000
                   Interrupt Base : 00000000
                          Version : 03
                         Reserved : 000000

                    Subtable Type : 0B [Generic Interrupt Controller]
                           Length : 50
                         Reserved : 0000
             CPU Interface Number : 00000000
                    Processor UID : 00000000
            Flags (decoded below) : 00000001
                Processor Enabled : 1
Performance Interrupt Trigger Mode : 0
Virtual GIC Interrupt Trigger Mode : 0
         Parking Protocol Version : 00000000
            Performance Interrupt : 00000017
                   Parked Address : 0000000000000000
                     Base Address : 0000000000000000
         Virtual GIC Base Address : 0000000000000000
      Hypervisor GIC Base Address : 0000000000000000
            Virtual GIC Interrupt : 00000019
       Redistributor Base Address : 0000000000000000
                        ARM MPIDR : 0000000000000000
                 Efficiency Class : 00
                         Reserved : 00
           SPE Overflow Interrupt : 0000

                    Subtable Type : 0B [Generic Interrupt Controller]
                           Length : 50
                         Reserved : 0000
             CPU Interface Number : 00000001
                    Processor UID : 00000001
            Flags (decoded below) : 00000001
                Processor Enabled : 1
Performance Interrupt Trigger Mode : 0
Virtual GIC Interrupt Trigger Mode : 0
         Parking Protocol Version : 00000000
            Performance Interrupt : 00000017
                   Parked Address : 0000000000000000
                     Base Address : 0000000000000000
         Virtual GIC Base Address : 0000000000000000
      Hypervisor GIC Base Address : 0000000000000000
            Virtual GIC Interrupt : 00000019
       Redistributor Base Address : 0000000000000000
                        ARM MPIDR : 0000000000000001
                 Efficiency Class : 00
                         Reserved : 00
           SPE Overflow Interrupt : 0000

                    Subtable Type : 0E [Generic Interrupt Redistributor]
                           Length : 10
                         Reserved : 0000
                     Base Address : 00000000080A0000
                           Length : 00040000

                    Subtable Type : 0F [Generic Interrupt Translator]
                           Length : 14
                         Reserved : 0000
                   Translation ID : 00000000
                     Base Address : 0000000008080000
                         Reserved : 00000000

                    Subtable Type : 0F [Generic Interrupt Translator]
                           Length : 14
                         Reserved : 0000
                   Translation ID : 00000001
                     Base Address : 0000000009200000
                         Reserved : 00000000

                    Subtable Type : 0F [Generic Interrupt Translator]
                           Length : 14
                         Reserved : 0000
                   Translation ID : 00000007
                     Base Address : 0000000009240000
                         Reserved : 00000000
