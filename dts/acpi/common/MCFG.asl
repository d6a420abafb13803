/* SPDX-FileCopyrightText: 2026 The Portcullis Authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What the other folders have where they do not say otherwise: two CPUs, an ITS, a segment of PCI. */

                        Signature : "MCFG"    [Memory Mapped Configuration table]
                     Table Length : 0000003C
                         Revision : 01
                         Checksum : E5
                           Oem ID : "PCULIS"
                     Oem Table ID : "MADEUP  "
                     Oem Revision : 00000001
                  Asl Compiler ID : "INTL"
            Asl Compiler Revision : 20200925

                         Reserved : 0000000000000000

                     Base Address : 0000004010000000
             Segment Group Number : 0000
                 Start Bus Number : 00
                   End Bus Number : FF
                         Reserved : 00000000
