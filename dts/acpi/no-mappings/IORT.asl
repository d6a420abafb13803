/* SPDX-FileCopyrightText: 2026 The Portcullis Authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* A root complex that is mapped nowhere. */

                        Signature : "IORT"    [IO Remapping Table]
                     Table Length : 0000006C
                         Revision : 00
                         Checksum : 2E
                           Oem ID : "PCULIS"
                     Oem Table ID : "MADEUP  "
                     Oem Revision : 00000001
                  Asl Compiler ID : "INTL"
            Asl Compiler Revision : 20200925

                       Node Count : 00000002
                      Node Offset : 00000030
                         Reserved : 00000000

                             Type : 00
                           Length : 0018
                         Revision : 00
                         Reserved : 00000000
                    Mapping Count : 00000000
                   Mapping Offset : 00000000

                         ItsCount : 00000001
                      Identifiers : 00000000

                             Type : 02
                           Length : 0024
                         Revision : 01
                         Reserved : 00000000
                    Mapping Count : 00000000
                   Mapping Offset : 00000000

                Memory Properties : [IORT Memory Access Properties]
                  Cache Coherency : 00000001
            Hints (decoded below) : 00
                        Transient : 0
                   Write Allocate : 0
                    Read Allocate : 0
                         Override : 0
                         Reserved : 0000
     Memory Flags (decoded below) : 03
                        Coherency : 1
                 Device Attribute : 1
                    ATS Attribute : 00000000
               PCI Segment Number : 00000000
                Memory Size Limit : 40
                         Reserved : 000000
