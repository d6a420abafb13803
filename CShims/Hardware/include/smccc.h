// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/* The SMC Calling Convention (Arm DEN 0028), as the caller of the firmware. */
#pragma once

#include <stdint.h>

/* The results of a call, x0 to x3. */
typedef struct pc_smccc_result {
    uint64_t x0, x1, x2, x3;
} pc_smccc_result;

#define PC_CALL(name, instruction)                                                             \
    static inline pc_smccc_result pc_##name(uint64_t function, uint64_t a1, uint64_t a2,       \
                                            uint64_t a3) {                                     \
        register uint64_t x0 __asm__("x0") = function;                                         \
        register uint64_t x1 __asm__("x1") = a1;                                               \
        register uint64_t x2 __asm__("x2") = a2;                                               \
        register uint64_t x3 __asm__("x3") = a3;                                               \
        __asm__ volatile(instruction                                                           \
                         : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)                              \
                         :                                                                     \
                         : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",     \
                           "x14", "x15", "x16", "x17", "memory");                              \
        return (pc_smccc_result){x0, x1, x2, x3};                                              \
    }

/* By SMC, and, from below EL2, by HVC. */
PC_CALL(smc, "smc #0")
PC_CALL(hvc, "hvc #0")
