// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

#if defined(__aarch64__) && !defined(__linux__)

// The host that runs when the loader brought none.

	.section .payload, "a"
	.balign	4096
	.global	el2_payload_start
el2_payload_start:
	.incbin	"testhost.img"
	.global	el2_payload_end
el2_payload_end:

#endif
