// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * mark NAME [PROGRAM [ARGUMENT]...]: passes the address `mark`, where a debugger may have set a breakpoint,
 * and goes on as PROGRAM if there is one. Needs no C library, and makes no system call before the mark: as
 * the first program it marks the first moment of user space.
 */
#include <stdint.h>

enum { EXIT = 93, EXECVE = 221 };

static long call(long number, unsigned long a, unsigned long b, unsigned long c) {
    register long x8 __asm__("x8") = number;
    register unsigned long x0 __asm__("x0") = a;
    register unsigned long x1 __asm__("x1") = b;
    register unsigned long x2 __asm__("x2") = c;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return (long)x0;
}

/*
 * At `mark`: x0 = address of the name, x1 = the clock, x2 = its counts in a second. The instruction there does
 * nothing, so that the debugger can go on to the next one.
 */
void pass(const char *name);
__asm__("    .text\n"
        "    .global pass, mark\n"
        "pass:\n"
        "    mrs x1, cntvct_el0\n"
        "    mrs x2, cntfrq_el0\n"
        "mark:\n"
        "    nop\n"
        "    ret\n");

/* What the kernel leaves on the stack: a count, as many arguments, 0, the environment, 0. */
_Noreturn void start(unsigned long *stack) {
    unsigned long count = stack[0];
    unsigned long *arguments = stack + 1;

    if (count >= 2)
        pass((const char *)arguments[1]);
    if (count >= 3)
        call(EXECVE, arguments[2], (unsigned long)(arguments + 2), (unsigned long)(arguments + count + 1));
    for (;;)
        call(EXIT, count == 2 ? 0 : 1, 0, 0);
}
__asm__("    .text\n"
        "    .global _start\n"
        "_start:\n"
        "    mov x0, sp\n"
        "    b start\n");
