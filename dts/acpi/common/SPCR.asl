/* SPDX-FileCopyrightText: 2026 The Portcullis Authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What the other folders have where they do not say otherwise: two CPUs, an ITS, a segment of PCI. */

                        Signature : "SPCR"    [Serial Port Console Redirection table]
                     Table Length : 00000051
                         Revision : 02
                         Checksum : AB
                           Oem ID : "PCULIS"
                     Oem Table ID : "MADEUP  "
                     Oem Revision : 00000001
                  Asl Compiler ID : "INTL"
            Asl Compiler Revision : 20200925

                   Interface Type : 03
                         Reserved : 000000

             Serial Port Register : [Generic Address Structure]
                         Space ID : 00 [SystemMemory]
                        Bit Width : 20
                       Bit Offset : 00
             Encoded Access Width : 03 [DWord Access:32]
                          Address : 0000000009000000

                   Interrupt Type : 08
              PCAT-compatible IRQ : 00
                        Interrupt : 00000021
                        Baud Rate : 03
                           Parity : 00
                        Stop Bits : 01
                     Flow Control : 00
                    Terminal Type : 00
                         Reserved : 00
                    PCI Device ID : FFFF
                    PCI Vendor ID : FFFF
                          PCI Bus : 00
                       PCI Device : 00
                     PCI Function : 00
                        PCI Flags : 00000000
                      PCI Segment : 00
                         Reserved : 00000000
