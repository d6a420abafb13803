/* SPDX-FileCopyrightText: 2026 The Portcullis Authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* One behind an SMMUv3, one that reaches the ITS alone, one that is mapped nowhere. */

                        Signature : "IORT"    [IO Remapping Table]
                     Table Length : 00000178
                         Revision : 00
                         Checksum : 09
                           Oem ID : "PCULIS"
                     Oem Table ID : "MADEUP  "
                     Oem Revision : 00000001
                  Asl Compiler ID : "INTL"
            Asl Compiler Revision : 20200925

                       Node Count : 00000006
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

                             Type : 04
                           Length : 0058
                         Revision : 01
                         Reserved : 00000000
                    Mapping Count : 00000001
                   Mapping Offset : 00000044

                     Base Address : 0000000009050000
            Flags (decoded below) : 00000001
                  COHACC Override : 1
                    HTTU Override : 0
           Proximity Domain Valid : 0
                         Reserved : 00000000
                    VATOS Address : 0000000000000000
                            Model : 00000000
                       Event GSIV : 0000004A
                         PRI GSIV : 0000004B
                        GERR GSIV : 0000004D
                        Sync GSIV : 0000004C
                 Proximity Domain : 00000000
          Device ID Mapping Index : 00000000

                       Input base : 00000000
                         ID Count : 00000FFF
                      Output Base : 00000000
                 Output Reference : 00000030
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
                      Device Name : "\_SB.SATA"
                          Padding : 00

                       Input base : 00000000
                         ID Count : 00000000
                      Output Base : 00000040
                 Output Reference : 00000048
            Flags (decoded below) : 00000001
                   Single Mapping : 1

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
                      Output Base : 00000080
                 Output Reference : 00000030
            Flags (decoded below) : 00000001
                   Single Mapping : 1

                             Type : 01
                           Length : 0028
                         Revision : 01
                         Reserved : 00000000
                    Mapping Count : 00000000
                   Mapping Offset : 00000000

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
                      Device Name : "\_SB.USB0"
                          Padding : 00

                             Type : 02
                           Length : 0038
                         Revision : 01
                         Reserved : 00000000
                    Mapping Count : 00000001
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
                         ID Count : 0000FFFF
                      Output Base : 00000000
                 Output Reference : 00000030
            Flags (decoded below) : 00000000
                   Single Mapping : 0
