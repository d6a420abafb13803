/* SPDX-FileCopyrightText: 2026 The Portcullis Authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Three ITSes; one root complex sends its RIDs to two groups of them. */

                        Signature : "IORT"    [IO Remapping Table]
                     Table Length : 000000EC
                         Revision : 00
                         Checksum : 33
                           Oem ID : "PCULIS"
                     Oem Table ID : "MADEUP  "
                     Oem Revision : 00000001
                  Asl Compiler ID : "INTL"
            Asl Compiler Revision : 20200925

                       Node Count : 00000004
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

                             Type : 00
                           Length : 001C
                         Revision : 00
                         Reserved : 00000000
                    Mapping Count : 00000000
                   Mapping Offset : 00000000

                         ItsCount : 00000002
                      Identifiers : 00000001
                      Identifiers : 00000007

                             Type : 02
                           Length : 004C
                         Revision : 01
                         Reserved : 00000000
                    Mapping Count : 00000002
                   Mapping Offset : 00000024

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

                       Input base : 00000000
                         ID Count : 000000FF
                      Output Base : 00000000
                 Output Reference : 00000030
            Flags (decoded below) : 00000000
                   Single Mapping : 0

                       Input base : 00000100
                         ID Count : 0000FEFF
                      Output Base : 00000100
                 Output Reference : 00000048
            Flags (decoded below) : 00000000
                   Single Mapping : 0

                             Type : 01
                           Length : 003C
                         Revision : 01
                         Reserved : 00000000
                    Mapping Count : 00000001
                   Mapping Offset : 00000028

                       Node Flags : 00000000
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
                Memory Size Limit : 2C
                      Device Name : "\_SB.ETH0"
                          Padding : 00

                       Input base : 00000000
                         ID Count : 00000000
                      Output Base : 00000020
                 Output Reference : 00000048
            Flags (decoded below) : 00000001
                   Single Mapping : 1
