// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// A small hypervisor that links libportcullis.a: it starts one host at EL1 and has its ITS mediated, and its devices
// confined where the board has an SMMU. It can have a second VM beside it. An example for authors of others, and what `make run-harness` boots. It is built for QEMU's
// `virt` board with up to 8 CPUs, GICv3 or GICv4, 1 GiB of memory, and at most one ITS.

#include <libfdt.h>

#include "harness.h"

// MARK: Console

// A PL011 (Arm DDI 0183). EL2 writes until the host runs, and then only to say why all ends.
void print(const char *text) {
    volatile uint32_t *uart = (volatile uint32_t *)UART_BASE;
    for (; *text; text++) {
        while (uart[6] & 1 << 5) {}  // UARTFR.TXFF
        uart[0] = (uint8_t)*text;
    }
}

static void print_digits(uint64_t value) {
    char text[17] = "";
    for (int i = 0; i < 16; i++) text[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 0xf];
    print(text);
}

void print_hex(uint64_t value) {
    print("0x");
    print_digits(value);
}

void print_decimal(uint64_t value) {
    char text[21], *digit = text + sizeof text - 1;
    *digit = 0;
    do *--digit = (char)('0' + value % 10);
    while (value /= 10);
    print(digit);
}

void harness_panic(void) {
    print("harness: unexpected exception at EL2, ESR ");
    print_hex(READ_SYSREG(esr_el2));
    print(" ELR ");
    print_hex(READ_SYSREG(elr_el2));
    print(" FAR ");
    print_hex(READ_SYSREG(far_el2));
    print("\n");
    power_off();
}

static _Noreturn void stop(const char *what, const char *why) {
    print("harness: ");
    print(what);
    print(": ");
    print(why);
    print("\n");
    power_off();
}

// In the place of the library's own.
void portcullis_panic(void) { stop("switched off", "a check of the library failed"); }

// An exception that EL2 has taken from itself; where it continues.
uint64_t own_exception(uint64_t esr, uint64_t elr) {
    const uint64_t next = portcullis_aarch64_fix_up(esr, elr);
    if (!next) harness_panic();
    return next;
}

// MARK: Operations of portcullis.h; translation.c has those that change translations

// The console is the host's once it runs, and what it provokes costs no more than a store.
static bool is_host_running;
static void log_line(void *context, enum portcullis_log_level level, const char *text, size_t length) {
    if (__atomic_load_n(&is_host_running, __ATOMIC_RELAXED)) return;
    char line[160];
    if (length >= sizeof line) length = sizeof line - 1;
    for (size_t i = 0; i < length; i++) line[i] = text[i];
    line[length] = 0;
    print("portcullis: ");
    print(line);
    print("\n");
}
static uint32_t cpu_index(void *context) {
    return (uint32_t)this_cpu()->index;
}

// MARK: Start

static _Alignas(PORTCULLIS_STATE_ALIGNMENT) unsigned char state[PORTCULLIS_STATE_SIZE];
struct portcullis *gate;
static bool is_trusted;  // the host, to hand its ITSes over

// How deep the stack has been; returns so where it is as portcullis.h says.
static uint64_t tell_stack(const char *of, uint64_t top, uint64_t most) {
    const uint64_t bytes = stack_use(top);
    print("# harness: stack of ");  // between the lines of the tests a comment
    print(of);
    print(": ");
    print_decimal(bytes);
    print("\n");
    if (bytes > most) stop("stack", "deeper than portcullis.h says");
    return bytes;
}

static bool boot_argument(const void *tree, const char *word) {
    int length = 0, chosen = fdt_path_offset(tree, "/chosen");
    const char *text = fdt_getprop(tree, chosen, "bootargs", &length);
    const int size = (int)strlen(word);
    for (int i = 0; text && i + size <= length; i++)
        if (memcmp(text + i, word, (size_t)size) == 0) return true;
    return false;
}

static struct portcullis_ops ops = {.size = sizeof ops, .log = log_line, .cpu_index = cpu_index};
static struct portcullis_config config;

// The board's SMMUs, of which all are Portcullis's.
static struct portcullis_smmus smmus = {.size = sizeof smmus};
static const struct portcullis_pages smmu_memory = {(uint64_t)harness_smmu, SMMU_BYTES};

static uint32_t smmu_policy(const void *tree) {
    if (!MEDIATE) return 0;
    stack_paint();
    enum portcullis_status status = portcullis_smmus_from_tree(tree, fdt_totalsize(tree), PAGE, &ops, &smmus);
    if (status) stop("the SMMUs", portcullis_strerror(status));
    tell_stack("SMMUs of the tree", 0, PORTCULLIS_STACK_INIT);
    if (smmus.smmu_count + smmus.beside_count == 0) return 0;
    const uint32_t nests = boot_argument(tree, "portcullis.smmu=nested") ? PORTCULLIS_POLICY_NEST_SMMUS : 0;
    if (portcullis_smmu_memory_size(smmus.smmu_count, PORTCULLIS_POLICY_OWN_SMMUS | nests, RAM_BYTES) > SMMU_BYTES)
        stop("the SMMUs", "there is too little memory for them");
    return PORTCULLIS_POLICY_OWN_SMMUS | nests;
}

static void configure(const void *tree) {
    portcullis_aarch64_operations(&ops);
    set_translation_operations(&ops);
    config = (struct portcullis_config){
        .size = sizeof config, .version = PORTCULLIS_VERSION, .page_size = PAGE, .ops = &ops,
        .tree = tree, .tree_size = fdt_totalsize(tree),
        .cpus = MAX_CPUS, .policy = (is_trusted ? PORTCULLIS_POLICY_HANDOVER : 0) | smmu_policy(tree),
        .features = READ_SYSREG(id_aa64mmfr1_el1) >> 20 & 0xf ? PORTCULLIS_FEATURE_PAN : 0,
        .linear_base = 0,  // EL2 maps memory at its physical address
        .pool = {(uint64_t)harness_pool, POOL_BYTES},
        .trace = {(uint64_t)harness_trace, boot_argument(tree, "portcullis.trace") ? TRACE_BYTES : 0},
        .clock_frequency = READ_SYSREG(cntfrq_el0),
    };
}

static void take_its(void) {
    // A program could fill the board itself, without libfdt. portcullis_init does the first two at once; of a host that
    // is trusted it does here, so that both ways are tried.
    static struct portcullis_board board = {.size = sizeof board};
    stack_paint();
    enum portcullis_status status;
    if (is_trusted) status = portcullis_init(state, sizeof state, &config, &gate);
    else status = portcullis_board_from_tree(config.tree, config.tree_size, PAGE, config.policy, &ops, &board);
    if (!status && !is_trusted) status = portcullis_init_board(state, sizeof state, &config, &board, &gate);
    if (!status && config.policy & PORTCULLIS_POLICY_OWN_SMMUS) status = portcullis_add_smmus(gate, &smmus, &smmu_memory);
    if (!status) tell_stack("init", 0, PORTCULLIS_STACK_INIT), stack_paint(), status = portcullis_claim(gate);
    if (status) stop("not started", portcullis_strerror(status));
    tell_stack("claim", 0, smmus.smmu_count ? PORTCULLIS_STACK_CLAIM_SMMUS : PORTCULLIS_STACK_CLAIM);
}

// The host's tree is the board's without the memory of the harness and of the second VM. It is the one thing that the
// harness without mediation uses the library for.
static void write_host_tree(void) {
    const struct portcullis_pages withheld[] = {
        {HARNESS_BASE, (uint64_t)(harness_end - harness_start)}, {GUEST_BASE, GUEST_BYTES},
    };
    size_t size;
    stack_paint();
    enum portcullis_status status = portcullis_write_host_tree(
        &config, withheld, guest_is_there() ? 2 : 1, (void *)HOST_TREE, HOST_TREE_BYTES, &size);
    if (status) stop("the host's device tree", portcullis_strerror(status));
    tell_stack("tree", 0, PORTCULLIS_STACK_INIT);
    // The host reads it with its MMU off, past the caches.
    clean_memory(HOST_TREE, size);
}

// A pattern in memory that attacks of the host aim at, as portcullis_hypercalls.h has it: EL2's or the second VM's.
static uint64_t canary_word(uint64_t index) { return 0x43414e4152590000 | (index << 1 & 0xfffe); }

static uint64_t mend_canary(uint64_t *first) {
    volatile uint64_t *canary = (volatile uint64_t *)harness_canary;
    uint64_t damaged = 0;
    for (uint64_t i = 0; i < CANARY_BYTES / 8; i++) {
        if (canary[i] == canary_word(i)) continue;
        if (damaged++ == 0) *first = (uint64_t)&canary[i];
        canary[i] = canary_word(i);
    }
    portcullis_aarch64_publish(NULL);
    return damaged;
}

// On the boot CPU, with the MMU on.
void harness_main(void) {
    const void *tree = (const void *)RAM_BASE;
    uint64_t first;
    if (fdt_check_header(tree)) stop("not started", "no device tree at the start of memory");
    struct cpu *cpu = &cpus[READ_SYSREG(mpidr_el1) & (MAX_CPUS - 1)];
    extern char stacks[];
    *cpu = (struct cpu){.stack_top = (uint64_t)stacks + STACK_BYTES, .index = (uint64_t)(cpu - cpus)};
    cpu_begin(cpu);
    is_trusted = boot_argument(tree, "portcullis.handover");
    if (boot_argument(tree, "harness.silent")) translation_add_silent_memory();
    configure(tree);
    if (MEDIATE) take_its();
    if (boot_argument(tree, "harness.guest") && !guest_begin()) stop("not started", "no memory for the second VM");
    mend_canary(&first);
    write_host_tree();
    print(MEDIATE ? "harness: the ITS is mediated\n" : "harness: nothing is mediated\n");
    __atomic_store_n(&is_host_running, true, __ATOMIC_RELAXED);
    stack_paint();
    enter_host(HOST_BASE, HOST_TREE, cpu);
}

// MARK: What the host asks for

// The trace, for `portcullis trace`, when the host has ended.
void write_trace(void) {
    struct portcullis_record record;
    while (gate && portcullis_take_record(gate, &record) == PORTCULLIS_OK) {
        print("portcullis: trace ");
        for (int i = 0; i < 8; i++) print_digits(record.words[i]);
        print("\n");
    }
}

// The calls that are for tests are answered here, the others by the library.
static void answer(struct portcullis_frame *frame) {
    uint64_t *x = frame->x;
    const bool has_guest = guest_is_there();
    uint64_t first = 0;
    switch (x[1]) {
    case PORTCULLIS_CALL_VERSION:  // with what attacks aim at
        x[1] = 1, x[2] = has_guest ? GUEST_BASE : HARNESS_BASE;
        x[3] = has_guest ? GUEST_BYTES : (uint64_t)(harness_end - harness_start);
        x[4] = MEDIATE ? portcullis_region_count(gate) : 0;
        break;
    case PORTCULLIS_CALL_MEMORY: x[1] = (uint64_t)harness_pool, x[2] = POOL_BYTES; break;
    case PORTCULLIS_CALL_CANARY: x[1] = has_guest ? GUEST_CANARY : (uint64_t)harness_canary, x[2] = CANARY_BYTES; break;
    case PORTCULLIS_CALL_CANARY_DAMAGE:
        x[0] = 0;
        if (has_guest) return guest_enter(frame);
        x[1] = mend_canary(&first), x[2] = first;
        break;
    case CALL_GIVE: case CALL_TAKE:
        x[0] = has_guest ? (uint64_t)guest_move(x[2], x[1] == CALL_GIVE, &x[1]) : UINT64_MAX;
        return;
    case CALL_STACK:
        // A handover needs as much as a claim.
        x[2] = is_trusted ? PORTCULLIS_STACK_CLAIM : smmus.smmu_count ? PORTCULLIS_STACK_TRAP_SMMUS : PORTCULLIS_STACK_TRAP;
        x[1] = tell_stack(is_trusted ? "handover" : "trap", cpus->stack_top, x[2]);
        break;
    default:
        switch (gate ? portcullis_handle_call(gate, frame) : PORTCULLIS_ANSWER_NONE) {
        case PORTCULLIS_ANSWER_GIVEN: return;
        case PORTCULLIS_ANSWER_LIVE: stop("switched off", portcullis_strerror(PORTCULLIS_ERROR_LIVE));
            // fall through
        case PORTCULLIS_ANSWER_NONE: x[0] = UINT64_MAX; return;  // NOT_SUPPORTED
        }
    }
    x[0] = 0;
}

static void serve_call(struct portcullis_frame *frame) {
    // The low word is the function; bit 16 of a fast call says that SVE registers hold nothing.
    uint64_t function = (uint32_t)frame->x[0];
    if (function >> 31) function &= ~(1ull << 16);
    frame->x[0] = function;
    if (function == PORTCULLIS_HYPERCALL) return answer(frame);
    if (!relay_psci(frame)) frame->x[0] = UINT64_MAX;
}

// A data or instruction abort: of a region of Portcullis, of memory that the host has lost, or of a page that another
// CPU was splitting from its block just then.
static void serve_abort(struct portcullis_frame *frame, uint64_t esr) {
    const uint64_t far = READ_SYSREG(far_el2), hpfar = READ_SYSREG(hpfar_el2);
    if (gate) switch (portcullis_handle_trap(gate, frame, esr, far, hpfar, NULL)) {
        case PORTCULLIS_TRAP_COMPLETED: case PORTCULLIS_TRAP_SKIPPED: case PORTCULLIS_TRAP_INJECTED:
        case PORTCULLIS_TRAP_UNFINISHED: return;
        default: break;
    }
    const bool is_translation = (esr & 0x3c) == 0x04;
    if (is_translation && host_reaches((hpfar & 0xffffffffff0) << 8)) return;  // the host tries again
    if (gate) portcullis_inject_abort(gate, frame, esr, far, hpfar);
    else inject_external_abort(frame, esr, far);  // without the library
}

// What came from the host, of which entry.S has saved the registers.
void host_exception(struct portcullis_frame *frame) {
    const uint64_t esr = READ_SYSREG(esr_el2);
    if (this_cpu()->is_in_guest) return guest_leave(frame, esr);
    switch (esr >> 26) {
    case 0x17: frame->elr += 4;  // SMC: ELR_EL2 is that of the instruction itself
        // fall through
    case 0x16: serve_call(frame); return;
    case 0x20: case 0x24: serve_abort(frame, esr); return;
    default: harness_panic();
    }
}
