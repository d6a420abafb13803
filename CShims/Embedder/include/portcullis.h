// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// Portcullis for a hypervisor that is not written in Swift: takes the ITSes that a device tree
// describes, and regions of your own, away from the host, and answers the host's accesses to them. You
// own both translations and the exception vectors; you supply them below as a table of operations.
//
// An ITS is mediated: the host sees one with all its registers, while the hardware has a queue and
// tables in memory that you set aside (the pool), and gets no command that was not checked. It reaches
// no memory but the pool and, with PORTCULLIS_POLICY_VIRTUAL, the pending tables that host_share has
// agreed to. Its registers are forwarded to a host alone that you trust to hand it over, and until then.
//
// A Redistributor is mediated too: its tables stay the host's memory, where host_share has agreed to them, and nobody
// else's for as long as the hardware may use them. DMA of devices is confined where you have portcullis_add_smmus drive
// the SMMUs, and is your IOMMU's otherwise. Of masters that no IOMMU of the tree confines the log tells, and their
// registers are claimed where you say so.
//
//     static _Alignas(PORTCULLIS_STATE_ALIGNMENT) unsigned char memory[PORTCULLIS_STATE_SIZE];
//     struct portcullis *gate;
//     struct portcullis_config config = {
//         .size = sizeof config, .version = PORTCULLIS_VERSION, .page_size = 4096, .tree = dtb, .tree_size = dtb_size, .ops = &ops,
//         .cpus = cpu_count, .linear_base = hyp_va_of_pa_0,
//         .pool = {.base = pool, .bytes = portcullis_pool_size(its_count)},
//     };
//     struct portcullis_region region = {
//         .size = sizeof region, .base = 0x9010000, .bytes = 0x1000,
//         .widths = PORTCULLIS_WIDTH_32, .kinds = PORTCULLIS_KIND_READ,
//         .handler = PORTCULLIS_HANDLER_CALLBACK, .callback = answer, .callback_context = &rtc,
//     };
//     enum portcullis_status status = portcullis_init(memory, sizeof memory, &config, &gate);
//     if (!status) status = portcullis_add_region(gate, &region);
//     if (!status) status = portcullis_claim(gate);
//     if (status) panic(portcullis_strerror(status));
//     ...
//     // in the vector of a synchronous exception from the host, whose registers are saved in a portcullis_frame:
//     switch (portcullis_handle_trap(gate, &frame, esr, far, hpfar, NULL)) {
//     case PORTCULLIS_TRAP_COMPLETED: case PORTCULLIS_TRAP_SKIPPED: case PORTCULLIS_TRAP_INJECTED:
//     case PORTCULLIS_TRAP_UNFINISHED:
//         break;                     // return to the host
//     default: handle_it_yourself(); // not a region of Portcullis, or not an abort
//     }
//
// portcullis_aarch64.h has those of the operations that are the same in each hypervisor.
//
// Order: init, any number of add_region, at most one add_smmus, claim once with success; from then on traps.
//
// When: claim before the host runs. It disables every ITS and gives it a queue and tables of the pool,
// so that a host which drives its ITSes already would lose its interrupts. Such a host, which you
// deprivilege while it runs, hands its ITSes over instead: PORTCULLIS_POLICY_HANDOVER.
//
// Threads: one CPU, while no other is in Portcullis, calls init, init_board, add_region, add_smmus and claim; it
// publishes the claimed state to the others (a barrier and whatever releases them). From then on any CPU may call any
// other function, beside each other and beside traps; may_give_away and took have their order below. Without a state,
// and at any time: version, strerror, the sizes, board_from_tree, smmus_from_tree, write_host_tree. No function sleeps
// or allocates, none may be called from an operation, nor from the callback of a region.
//
// Locks: each ITS has a ticket spin lock in the state, in Normal cacheable memory, as has each SMMU that the host sees,
// and all Redistributors have one. A trap of one of them, its_counters, read_statistic, uncovered, measure,
// handle_call, may_give_away, hand_over and finalise hold one at a time. The trace has a lock behind all others, with
// which no operation runs. One more, behind them, guards what is known of pages, and the SMMUs: may_give_away and took
// take it, whatever calls host_share or host_donate, and with SMMUs their traps and statistics. Of the operations
// device_read, device_write, clean, publish, host_reach and log run with it, for SMMUs alone. Whatever interrupts the
// CPU meanwhile must not come back to Portcullis: mask interrupts at EL2. The lock of an ITS, an SMMU or the
// Redistributors is held while device_read, device_write, order_accesses, host_share, host_physical, host_unshare,
// host_read, host_write, clean, publish, log, cpu_index and clock run, and with a handover host_donate and
// host_give_back: a lock that they take comes after it in your order, and must not be held where you call Portcullis.
// The callback of a region and register_write run with no lock held, and so does register_read, but for
// PORTCULLIS_MPIDR_EL1. A debug build for Linux stops where locks are not taken in this order: it takes each thread
// for a CPU, so that an operation must not end on another thread than it began on, nor go on with another CPU.
//
// Time: one trap takes at most 512 commands and zeroes at most 128 KiB; what is left the host's store to
// GITS_CWRITER does by running again (PORTCULLIS_TRAP_UNFINISHED), after the interrupts that wait for it. Each wait for an
// SMMU takes at most 1,048,576 loads of a register; one that does not answer then has failed.
//
// Lifetimes: the memory of the state, of the pool, the trace and the SMMUs, the context pointers and the functions of the
// table live as long as the state is used; there is nothing to release. The table, the configuration, the board, the
// list of SMMUs and the region are copied; the tree is read only while a function has it, and must not change meanwhile.
//
// Sizes and addresses are in bytes. Structs that may grow begin with their size, which the caller
// sets to sizeof: a size smaller than the one this header declares is refused, a larger one is of a
// later header and its additional members are not looked at. So a table or a configuration from before
// ITSes were mediated is refused, not forwarded.
//
// Linking on bare metal: libportcullis.a holds one object without variables, whose global symbols are the functions
// below. Of what it needs only libfdt is not in it: fdt_check_full, fdt_first_property_offset, fdt_get_mem_rsv,
// fdt_get_name, fdt_get_property_by_offset, fdt_get_string, fdt_getprop_namelen, fdt_next_node,
// fdt_next_property_offset, fdt_num_mem_rsv and fdt_path_offset_namelen, which portcullis_init,
// portcullis_board_from_tree, portcullis_smmus_from_tree and portcullis_write_host_tree alone call; and for the last
// one fdt_add_subnode, fdt_del_node, fdt_delprop, fdt_open_into, fdt_pack and fdt_setprop_placeholder. Debian's
// libfdt.a for arm64 has them. It needs memchr, memcmp, memcpy, memmove, memset, strlen, strnlen, strrchr,
// __stack_chk_guard and __stack_chk_fail from you, and may use SIMD registers: call those four functions before the
// host runs, or save the host's. It links with lld and GNU ld, with and without --gc-sections, position independent or
// not.
//
// Code of the library names neither x18 nor a SIMD register. Its functions begin with landing pads (BTI) and sign
// their return addresses (PAC) with key A where you enable it; Debian's libfdt.a does neither.
//
// What cannot be: where a check of the library itself fails, which nothing that the host does leads to, it calls
// portcullis_panic. Its own executes BRK #1 at EL2 (ESR_EL2.EC 0x3C): have your vector stop the machine then, as for any
// exception that EL2 takes from itself. Or define the function.
//
// Stack: PORTCULLIS_STACK_INIT, PORTCULLIS_STACK_CLAIM and PORTCULLIS_STACK_TRAP; the functions that those do not name
// need 3 KiB, and 8 KiB where SMMUs were added.

#ifndef PORTCULLIS_H
#define PORTCULLIS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define PORTCULLIS_NORETURN [[noreturn]]
extern "C" {
#elif __STDC_VERSION__ >= 201112L
#define PORTCULLIS_NORETURN _Noreturn
#else
#define PORTCULLIS_NORETURN
#endif

/// The version of this interface. It grows by one with each change after which a program must be compiled anew.
#define PORTCULLIS_VERSION 1

/// Alignment of the memory for the state.
#define PORTCULLIS_STATE_ALIGNMENT 4096
/// Size of the memory for the state, for those who need it at compile time: at least what
/// portcullis_state_size returns.
#define PORTCULLIS_STATE_SIZE 0x110000
/// The most regions that are claimed, ITSes and Redistributors included. Redistributors side by side are one
/// region, or two where they have virtual LPIs.
#define PORTCULLIS_REGION_LIMIT 128
/// The most frames that ITSes and your regions have together; a region that does not repeat is one frame.
#define PORTCULLIS_FRAME_LIMIT 128
/// The most ranges of one change of a translation: frames of your regions, of ITSes and of Redistributors.
#define PORTCULLIS_CHANGE_LIMIT 1280
/// The most bytes of stack that portcullis_init, portcullis_init_board, portcullis_board_from_tree,
/// portcullis_smmus_from_tree, portcullis_add_smmus and portcullis_write_host_tree use, beside what your operations
/// need.
#define PORTCULLIS_STACK_INIT 0x1c000
/// The same of portcullis_claim, portcullis_hand_over, portcullis_finalise and portcullis_handle_call.
#define PORTCULLIS_STACK_CLAIM 0x5000
/// The same of portcullis_claim where SMMUs were added.
#define PORTCULLIS_STACK_CLAIM_SMMUS 0xc000
/// The same of portcullis_handle_trap.
#define PORTCULLIS_STACK_TRAP 0x1000
/// The same of portcullis_handle_trap, portcullis_may_give_away and portcullis_took where SMMUs were added.
#define PORTCULLIS_STACK_TRAP_SMMUS 0x3000
/// The most ITSes; a board with more is refused.
#define PORTCULLIS_ITS_LIMIT 32

/// The state of one host's gate; its contents are private.
struct portcullis;

/// What a function answers; the negative ones are errors.
enum portcullis_status {
    /// Done.
    PORTCULLIS_OK = 0,
    /// A pointer is null, an operation is missing, or a member has a value that is not allowed.
    PORTCULLIS_ERROR_ARGUMENT = -1,
    /// The size member of a struct is smaller than the struct.
    PORTCULLIS_ERROR_STRUCT_SIZE = -2,
    /// The memory for the state is too small or not aligned.
    PORTCULLIS_ERROR_MEMORY = -3,
    /// The function does not come at this point of the order.
    PORTCULLIS_ERROR_ORDER = -4,
    /// The device tree is not a valid blob of the size given.
    PORTCULLIS_ERROR_TREE = -5,
    /// The board cannot be protected; the log tells node, property and reason.
    PORTCULLIS_ERROR_BOARD = -6,
    /// A base or a size is not a multiple of the page size, or of 64 KiB for the pool.
    PORTCULLIS_ERROR_ALIGNMENT = -7,
    /// A region is empty, or it or the pool leaves the 48-bit physical address space.
    PORTCULLIS_ERROR_RANGE = -8,
    /// A region shares a page with another one.
    PORTCULLIS_ERROR_OVERLAP = -9,
    /// There are PORTCULLIS_REGION_LIMIT regions already, or it would be more frames than
    /// PORTCULLIS_FRAME_LIMIT.
    PORTCULLIS_ERROR_FULL = -10,
    /// A region lies in memory; only device registers are claimed. Or pages that are to be given away lie in none.
    PORTCULLIS_ERROR_KIND = -11,
    /// host_prepare refused.
    PORTCULLIS_ERROR_HOST_REFUSED = -12,
    /// el2_prepare refused.
    PORTCULLIS_ERROR_EL2_REFUSED = -13,
    /// The memory for the state has no room to keep track of the pages, or that of the SMMUs none for their tables: give
    /// a larger one.
    PORTCULLIS_ERROR_POOL = -14,
    /// el2_commit returned an address that is not page-aligned or wraps, or that is not as far from
    /// the first frame of its region as the frame is in physical memory.
    PORTCULLIS_ERROR_EL2_ADDRESS = -15,
    /// A claim failed after its commit and host_prepare refused to take the pages back: they stay
    /// out of the host's reach, and the state cannot be used any more.
    PORTCULLIS_ERROR_STUCK = -16,
    /// There is no region, or no ITS, with this index.
    PORTCULLIS_ERROR_INDEX = -17,
    /// The stride of a region of several frames is not a power of two or is smaller than a frame.
    PORTCULLIS_ERROR_STRIDE = -18,
    /// An ITS answers with an external abort, never becomes quiescent, or does not take a queue or
    /// tables of the pool; the log tells which, and why.
    PORTCULLIS_ERROR_ITS = -19,
    /// The pool is too small, or lies where an ITS does not reach it.
    PORTCULLIS_ERROR_ITS_POOL = -20,
    /// The Distributor or a Redistributor answers with an external abort or cannot be mapped, or there
    /// are more than 512 Redistributors.
    PORTCULLIS_ERROR_GIC = -21,
    /// A live ITS was not taken over; the host's ITS and memory are as before.
    PORTCULLIS_ERROR_HANDOVER = -22,
    /// The host's trust has ended with a live ITS that was not handed over: nobody answers for its
    /// registers any more, but it still has the host's queue and tables. The host must not go on.
    PORTCULLIS_ERROR_LIVE = -23,
    /// The header that the caller was compiled with is of another version than the library.
    PORTCULLIS_ERROR_VERSION = -24,
    /// An ITS, a Redistributor or an SMMU uses a page for the host, so that it can't be given away.
    PORTCULLIS_ERROR_HELD = -25,
    /// A page is away already or is EL2's own; or, for portcullis_took, it is not away.
    PORTCULLIS_ERROR_OWNER = -26,
    /// An SMMU can't be driven, or has not confirmed that devices have lost pages; the log tells which, and why.
    PORTCULLIS_ERROR_SMMU = -27,
};

/// The text of a status, in English, without a full stop; never null, valid for ever.
const char *portcullis_strerror(enum portcullis_status status);

// MARK: Operations

/// Whole pages of physical address space.
struct portcullis_pages {
    /// The first address, a multiple of 4 KiB.
    uint64_t base;
    /// The size, a multiple of 4 KiB, never 0.
    uint64_t bytes;
};

/// A change of what the host reaches.
enum portcullis_change {
    /// The host loses the pages.
    PORTCULLIS_REVOKE = 0,
    /// The host gets the pages back, as device registers.
    PORTCULLIS_GRANT = 1,
};

/// The host on the CPU that has trapped: what the vector saves, and what the host continues with.
struct portcullis_frame {
    uint64_t x[31];  ///< X0 to X30
    uint64_t elr;    ///< ELR_EL2
    uint64_t spsr;   ///< SPSR_EL2
};

/// A system register of the host on the CPU that has trapped.
enum portcullis_register {
    PORTCULLIS_ESR_EL1 = 0,  ///< written
    PORTCULLIS_FAR_EL1,      ///< written
    PORTCULLIS_ELR_EL1,      ///< written
    PORTCULLIS_SPSR_EL1,     ///< written
    PORTCULLIS_VBAR_EL1,     ///< read
    PORTCULLIS_SCTLR_EL1,    ///< read
    PORTCULLIS_SCTLR2_EL1,   ///< read, only with PORTCULLIS_FEATURE_DOUBLE_FAULT2
    PORTCULLIS_TCR_EL1,      ///< read
    PORTCULLIS_TTBR0_EL1,    ///< read
    PORTCULLIS_TTBR1_EL1,    ///< read
    PORTCULLIS_MPIDR_EL1,    ///< of the CPU that runs this; read
};

/// The severity of a log line.
enum portcullis_log_level {
    PORTCULLIS_LOG_ERROR = 0,    ///< what stops Portcullis
    PORTCULLIS_LOG_WARNING = 1,  ///< what was refused
    PORTCULLIS_LOG_INFO = 2,     ///< what was found and done
};

/// What the embedder does for Portcullis; `context` is the member of that name.
///
/// A change comes as one prepare with all of its ranges, at most PORTCULLIS_CHANGE_LIMIT, and then, for
/// each range in the same order, one commit, or one abort for all. A range is one frame of a region;
/// the frames of a region follow each other with rising addresses. Only prepare may fail: 0 agrees,
/// anything else refuses, and then nothing is prepared. Both translations are prepared before either is
/// committed.
struct portcullis_ops {
    /// sizeof(struct portcullis_ops).
    size_t size;
    /// Handed to every operation.
    void *context;

    /// Gets ready to change the host's stage 2, so that no commit can fail: splits, spare tables.
    int (*host_prepare)(void *context, enum portcullis_change change,
                        const struct portcullis_pages *ranges, size_t count);
    /// Changes the host's stage 2. After a revocation no CPU, and no device behind an IOMMU of yours, reaches the
    /// pages: break-before-make, TLB invalidation on all CPUs, IOMMU and barriers are part of it.
    void (*host_commit)(void *context, enum portcullis_change change,
                        const struct portcullis_pages *pages);
    /// Forgets what was prepared.
    void (*host_abort)(void *context, enum portcullis_change change,
                       const struct portcullis_pages *ranges, size_t count);

    /// Gets ready to map device registers at EL2: those of regions, and all of what the tree gives to
    /// Redistributors, for good; and those of the Distributor, which stay with the host, for as long as
    /// portcullis_claim reads them.
    int (*el2_prepare)(void *context, const struct portcullis_pages *ranges, size_t count);
    /// Maps them: Device-nGnRnE, readable, writable, never executable. Returns the virtual address
    /// of the first page, page-aligned. The frames of one region must lie at the distances that they
    /// have in physical memory, as they do in any linear map.
    uint64_t (*el2_commit)(void *context, const struct portcullis_pages *pages);
    /// Forgets what was prepared.
    void (*el2_abort)(void *context, const struct portcullis_pages *ranges, size_t count);
    /// Removes a mapping that el2_commit made, on all CPUs. Mappings of one state do not overlap. Those of several do:
    /// each maps the Redistributors, and the Distributor for a while; count them where they have one address.
    void (*el2_unmap)(void *context, const struct portcullis_pages *pages, uint64_t address);

    /// Loads `width` bytes (1, 2, 4 or 8) from an EL2 virtual address with one single-register load
    /// and stores them zero-extended in `value`. Not 0 where the device answered with an external
    /// abort, which must not end EL2; the host gets it then.
    int (*device_read)(void *context, uint64_t address, uint32_t width, uint64_t *value);
    /// Stores the low `width` bytes of `value`, else as device_read.
    int (*device_write)(void *context, uint64_t address, uint32_t width, uint64_t value);
    /// Orders all accesses of this CPU before it against all after it: DMB SY.
    void (*order_accesses)(void *context);

    /// Lets EL2 access pages of the host's memory, at linear_base plus the physical address, Normal
    /// Write-Back: 0, or anything else, and nothing changed, where a page is not memory of the host
    /// alone. The host has chosen the address, and whose a page is you know best: refuse here what is
    /// device registers, memory of EL2, lent, donated, `no-map`, or beyond your maps.
    ///
    /// Until as many calls of host_unshare the pages stay the host's: whoever asks for them, they are
    /// neither revoked nor given away. Shares nest, so count them; or ask portcullis_may_give_away before you give
    /// memory away, which counts them for you. Used for the staging queues, which
    /// EL2 reads, for a page of the tables in the host's GITS_BASER<n>, which EL2 reads and may mark while the
    /// host enables the ITS, for the tables of LPIs, which the Redistributors read and write, and for the pending
    /// tables of vPEs, which the hardware writes; the host's own access does not change. Called by
    /// portcullis_handle_trap, on all CPUs at once, portcullis_claim, portcullis_hand_over and portcullis_handle_call.
    int (*host_share)(void *context, const struct portcullis_pages *pages);
    /// Returns the physical address of a host's address, in pages that host_share has accepted. It can't fail. Null:
    /// the host's addresses of memory are physical ones.
    ///
    /// With it host_share, host_unshare, portcullis_may_give_away, portcullis_took and the memory of a board have
    /// addresses of the host, and EL2 accesses a shared page at linear_base plus its physical address. Your host_share
    /// has to refuse a range that is not contiguous in physical memory. No two pages of the host may be one. Device
    /// registers have the same address for the host as in hardware. PORTCULLIS_POLICY_HANDOVER with it is ARGUMENT.
    uint64_t (*host_physical)(void *context, uint64_t address);
    /// Tells what the host may do to a page: PORTCULLIS_KIND_*, or 0 where it is not the host's; and in `*bytes` to how
    /// many bytes from there on it may do just that, a multiple of 4 KiB. All that your stage 2 will map for it counts,
    /// device registers too. Tell of as much at once as you can: portcullis_claim asks for all of the physical address
    /// space, after it has taken the regions away. What lies in a region, in the pool, or in the memory of the trace or
    /// of the SMMUs is not the host's, whatever you say; the memory of the state, and all else that is EL2's or another
    /// VM's, is yours to leave out. Where you tell of no byte, nothing from there on is the host's. May be null without
    /// PORTCULLIS_POLICY_OWN_SMMUS.
    uint32_t (*host_reach)(void *context, uint64_t address, uint64_t *bytes);
    /// Ends one share.
    void (*host_unshare)(void *context, const struct portcullis_pages *pages);
    /// Loads `count` words of 64 bits, each once, from `address` on: EL2's address of memory that is shared. Returns
    /// 0, or another value where memory answers with an abort, which must not end your EL2: the host has chosen
    /// the address.
    int (*host_read)(void *context, uint64_t address, uint64_t *words, size_t count);
    /// Stores one 64-bit word at such an address. Returns as host_read does.
    int (*host_write)(void *context, uint64_t address, uint64_t word);

    /// Takes pages of memory of the host alone, which nobody shares, from it and devices behind IOMMUs of yours, for good:
    /// 0, or anything else and nothing changed, also where other data lie in the same page of yours. EL2
    /// accesses them as it does shared pages; their content stays, as the hardware is using it. For the
    /// queue and tables of a live ITS: called by portcullis_hand_over and portcullis_handle_call, for
    /// several ITSes on several CPUs at once. May be null without
    /// PORTCULLIS_POLICY_HANDOVER.
    int (*host_donate)(void *context, const struct portcullis_pages *pages);
    /// Gives donated pages back with their content, as the handover failed. As host_donate.
    void (*host_give_back)(void *context, const struct portcullis_pages *pages);

    /// Makes earlier stores of this CPU to `bytes` bytes from the EL2 address `address` visible to an
    /// ITS that does not look into caches, and has later loads see what was stored past the caches: DC
    /// CIVAC for every line, then DSB SY. Called for the pool and for what was donated; at every
    /// doorbell, where the ITS is such a one; and for the host's command queue, before each command,
    /// where GITS_CBASER says that the host writes it past the caches.
    void (*clean)(void *context, uint64_t address, uint64_t bytes);
    /// Makes earlier stores of this CPU visible to an ITS that looks into caches and to the walks of an SMMU, before any
    /// later store to a device or to memory: DSB ISHST.
    void (*publish)(void *context);

    /// Reads a system register.
    uint64_t (*register_read)(void *context, enum portcullis_register which);
    /// Writes a system register.
    void (*register_write)(void *context, enum portcullis_register which, uint64_t value);

    /// Takes a line of `length` bytes of UTF-8, without a line end or a terminating zero, valid during
    /// the call; may run on several CPUs at once, and a host that provokes refusals can make it run
    /// often: bound what it costs. May be null.
    void (*log)(void *context, enum portcullis_log_level level, const char *text, size_t length);
    /// The number of the CPU that runs this, below the member `cpus` of the configuration. May be null
    /// where that is 1.
    uint32_t (*cpu_index)(void *context);
    /// The time, in counts of a clock that all CPUs share. May be null where no trace is kept.
    uint64_t (*clock)(void *context);
};

// MARK: Setting up

/// FEAT_PAN is implemented.
#define PORTCULLIS_FEATURE_PAN 0x01u
/// FEAT_SSBS is implemented.
#define PORTCULLIS_FEATURE_SSBS 0x02u
/// FEAT_MTE is implemented.
#define PORTCULLIS_FEATURE_MTE 0x04u
/// FEAT_NMI is implemented.
#define PORTCULLIS_FEATURE_NMI 0x08u
/// FEAT_DoubleFault2 is implemented, and HCRX_EL2.SCTLR2En is set.
#define PORTCULLIS_FEATURE_DOUBLE_FAULT2 0x10u

/// A refused command of an ITS stalls its queue: GITS_CREADR.Stalled is set until the host writes
/// GITS_CWRITER.Retry. Without it the command is skipped, counted and logged, and the host goes on.
#define PORTCULLIS_POLICY_STALL 0x1u
/// The virtual interrupts of a GICv4.0 ITS are offered to the host, and their commands checked. Without
/// it, and on a GICv4.1, GITS_TYPER hides them and their commands are refused.
#define PORTCULLIS_POLICY_VIRTUAL 0x2u
/// The host drives its ITSes already and is trusted: portcullis_claim leaves them as they are, and the
/// host's accesses are forwarded until portcullis_hand_over for each that is enabled. portcullis_finalise
/// ends the trust.
#define PORTCULLIS_POLICY_HANDOVER 0x4u
/// The Redistributors stay with the host, which then has them write where it likes: GICR_PROPBASER,
/// GICR_PENDBASER and the tables of vPEs are yours to guard. Without it the host gets these frames as
/// mediated ones.
#define PORTCULLIS_POLICY_LEAVE_REDISTRIBUTORS 0x8u
/// The registers of masters of DMA that no IOMMU of the tree confines are taken from the host, where they share no
/// page with others: it can't program them then. Without it they are told of in the log and stay with the host.
#define PORTCULLIS_POLICY_CLAIM_MASTERS 0x10u
/// The SMMUs are Portcullis's own, by portcullis_add_smmus: devices behind them reach what the host reaches. The host does
/// not see them, and must not drive them before.
#define PORTCULLIS_POLICY_OWN_SMMUS 0x20u
/// With it the host sees each SMMU all the same, with a stage 1 of its own, where the hardware has two stages.
#define PORTCULLIS_POLICY_NEST_SMMUS 0x40u

/// What an error is about, for a program; the log has it in words.
struct portcullis_problem {
    /// sizeof(struct portcullis_problem), set by the caller.
    size_t size;
    /// What the function has returned.
    enum portcullis_status status;
    /// The index of the ITS, or -1 where it is about none.
    int32_t its;
    /// The offset of the node in the tree, as libfdt counts, or -1 where it is about none.
    int32_t node;
    /// The physical address of the page, region or register; 0 where it is about none.
    uint64_t address;
};

/// What portcullis_init, portcullis_init_board and portcullis_write_host_tree start from.
struct portcullis_config {
    /// sizeof(struct portcullis_config).
    size_t size;
    /// PORTCULLIS_VERSION.
    uint32_t version;
    /// The page size of both translations: 4096, 16384 or 65536.
    uint32_t page_size;
    /// PORTCULLIS_FEATURE_* that every CPU of the host implements.
    uint32_t features;
    /// The flattened device tree. portcullis_init_board does not look at it, nor at its size;
    /// the other two do.
    const void *tree;
    /// How many bytes may be read there: the header's total size or more.
    size_t tree_size;
    /// The operations.
    const struct portcullis_ops *ops;
    /// How many CPUs may trap: 1 to 4096.
    uint32_t cpus;
    /// PORTCULLIS_POLICY_*.
    uint32_t policy;
    /// The EL2 virtual address of physical address 0, modulo 2^64: at this distance, as in a linear map,
    /// EL2 sees the pool, the memory of the SMMUs and what was donated always, and pages of the host while they are
    /// shared.
    uint64_t linear_base;
    /// The memory of EL2 that the queues, tables and ledgers of all ITSes come from, base and size
    /// multiples of 64 KiB. Each ITS gets an equal part. You map it, Normal Write-Back, and keep it for
    /// good out of the reach of the host and of all devices but the ITSes; its content does not matter.
    /// For an ITS that reaches 32 bits of addresses it must lie below 4 GiB. Not looked at where there
    /// is no ITS.
    struct portcullis_pages pool;
    /// Whether the ITS with its control frame at this address is left out, not 0 where another VM has it; `context`
    /// is that of the operations. Portcullis does not touch an ITS that is left out, and has no index for it: keep its
    /// registers from this host. portcullis_init asks once for each ITS of the tree, those that it disables
    /// included. Null leaves none out.
    int (*leave_out)(void *context, uint64_t control_frame);
    /// Memory of EL2 for the records of a trace, multiples of 4 KiB, mapped as the pool is; of no bytes where none is
    /// kept. A record has 64 bytes. An access to an ITS makes two or more: one for itself, for each command, and for
    /// each access of EL2 to the hardware. Each ITS begins with ten and one for each Redistributor. 1 MiB has room for
    /// 16,383. What comes while it is full is lost; a record with the number of the lost follows. A trace lengthens
    /// these accesses.
    struct portcullis_pages trace;
    /// How many counts of the operation `clock` are a second; 0 where it is not known.
    uint64_t clock_frequency;
    /// Set by an error of portcullis_init, portcullis_init_board, portcullis_write_host_tree, portcullis_claim and
    /// portcullis_finalise, and where portcullis_handle_call says LIVE. ARGUMENT, STRUCT_SIZE, VERSION, success and
    /// other functions leave it as it was. May be null; lives as long as the state.
    struct portcullis_problem *problem;
};

/// The PORTCULLIS_VERSION of this library.
uint32_t portcullis_version(void);

/// The size that is recommended for the state. It is enough for 40 frames wherever they lie, or for
/// PORTCULLIS_REGION_LIMIT frames of a few MiB each close together. More memory keeps track of more. Where it does not
/// suffice portcullis_claim fails, and nothing is claimed.
size_t portcullis_state_size(void);
/// The alignment that the memory of the state needs.
size_t portcullis_state_alignment(void);

/// The size that is recommended for the pool of a board with `its_count` ITSes: 4 MiB for each. About
/// 1 MiB of it is used at once; the rest are the translation tables of some 700 devices with up to 512
/// events. A device that finds no room is refused and counted (PORTCULLIS_COMMAND_OUT_OF_MEMORY).
size_t portcullis_pool_size(size_t its_count);

/// Makes a state in `memory`: reads the tree and registers the control frame of every ITS in it, to be
/// mediated; those of ITSes that the tree disables, to be out of the host's reach. The translation frames stay
/// with the host's devices.
///
/// Several states may exist, one for each VM that has ITSes: each leaves out those of the others, and all but one
/// leave the Redistributors, with PORTCULLIS_POLICY_LEAVE_REDISTRIBUTORS, to that one.
///
/// `*state` is set where PORTCULLIS_OK is returned, and left alone otherwise. Errors: VERSION, ARGUMENT, STRUCT_SIZE,
/// MEMORY, TREE, BOARD, POOL; for the pool and the memory of the trace ALIGNMENT, RANGE, OVERLAP; for the pool
/// ITS_POOL.
enum portcullis_status portcullis_init(void *memory, size_t memory_size,
                                       const struct portcullis_config *config,
                                       struct portcullis **state);

// MARK: A board without a tree

/// The GIC, or the ITS, does not look into caches: `dma-noncoherent`.
#define PORTCULLIS_TRAIT_NOT_COHERENT 0x1u
/// It reaches 32 bits of addresses.
#define PORTCULLIS_TRAIT_32_BITS 0x2u

/// An ITS.
struct portcullis_its {
    /// All its registers, multiples of 64 KiB; the control frame is the first 64 KiB.
    struct portcullis_pages registers;
    /// PORTCULLIS_TRAIT_* beside those of the whole GIC.
    uint32_t traits;
    /// Not 0 where nobody uses it: the host loses it, and nobody answers.
    uint32_t is_unused;
};

/// Redistributors side by side, of which the last one says GICR_TYPER.Last.
struct portcullis_redistributors {
    /// All their registers, multiples of 64 KiB.
    struct portcullis_pages registers;
    /// Bytes from one to the next; 0 where GICR_TYPER tells.
    uint64_t stride;
    /// Not 0 where the host does not use this GIC: it loses all of the range.
    uint32_t is_unused;
};

/// The most ITSes of a board, used or not.
#define PORTCULLIS_BOARD_ITS_LIMIT 96
/// The most ranges of Redistributors, and of memory, of a board.
#define PORTCULLIS_BOARD_RANGE_LIMIT 64
/// The most ranges of registers of masters of a board.
#define PORTCULLIS_BOARD_MASTER_LIMIT 16

/// What Portcullis has to know of a board. All that is left out stays with the host.
struct portcullis_board {
    /// sizeof(struct portcullis_board), set by the caller.
    size_t size;
    /// The Distributor's frame of 64 KiB; 0 where there is none.
    uint64_t distributor;
    /// PORTCULLIS_TRAIT_* of the whole GIC.
    uint32_t traits;
    /// How many entries the lists have.
    uint32_t its_count, redistributors_count, memory_count, masters_count;
    /// Not 0 where every master of DMA that is not in `masters` is behind an IOMMU. portcullis_uncovered alone looks at
    /// it.
    uint32_t is_confined;
    /// The ITSes: at most PORTCULLIS_ITS_LIMIT that are used, which are the indices of functions, and 64 that are not.
    struct portcullis_its its[PORTCULLIS_BOARD_ITS_LIMIT];
    /// The Redistributors.
    struct portcullis_redistributors redistributors[PORTCULLIS_BOARD_RANGE_LIMIT];
    /// The memory, by the host's addresses.
    struct portcullis_pages memory[PORTCULLIS_BOARD_RANGE_LIMIT];
    /// The registers of masters of DMA that nothing confines, which the host loses; nobody answers for them.
    struct portcullis_pages masters[PORTCULLIS_BOARD_MASTER_LIMIT];
};

/// Fills a board by a device tree, as portcullis_init does it for itself. `page_size` and `policy` are as in the
/// configuration; of the policy PORTCULLIS_POLICY_CLAIM_MASTERS alone counts here. Of `ops` it looks at `size`,
/// `context` and `log` alone.
///
/// It needs libfdt. Errors: ARGUMENT, STRUCT_SIZE, TREE, BOARD; `board` has no meaning then.
enum portcullis_status portcullis_board_from_tree(const void *tree, size_t tree_size, uint32_t page_size,
                                                  uint32_t policy, const struct portcullis_ops *ops,
                                                  struct portcullis_board *board);

/// portcullis_init with a board in the place of a tree. The board is copied.
///
/// A program that calls none of portcullis_init, portcullis_board_from_tree, portcullis_smmus_from_tree and
/// portcullis_write_host_tree, and is linked with --gc-sections, needs no libfdt. Errors: those of portcullis_init but for
/// TREE. BOARD where a part is not aligned, is too much, or overlaps another one or memory.
enum portcullis_status portcullis_init_board(void *memory, size_t memory_size,
                                             const struct portcullis_config *config,
                                             const struct portcullis_board *board,
                                             struct portcullis **state);

// MARK: SMMUs

/// The most SMMUs.
#define PORTCULLIS_SMMU_LIMIT 16
/// The most ranges of streams of one SMMU.
#define PORTCULLIS_STREAMS_LIMIT 16
/// The most ranges of registers beside SMMUs.
#define PORTCULLIS_BESIDE_LIMIT 64

/// Streams of an SMMU, the first and the last among them.
struct portcullis_streams {
    uint32_t first, last;
};

/// An SMMUv3 that looks into caches.
struct portcullis_smmu {
    /// All its registers: two pages of 64 KiB or more.
    struct portcullis_pages registers;
    /// How many entries `streams` has.
    uint32_t streams_count;
    /// The streams whose devices reach what the host reaches; those of any other reach nothing. There is room for
    /// StreamIDs up to 131,071, and of an SMMU that the host sees up to 262,143; a claim with larger ones is SMMU.
    struct portcullis_streams streams[PORTCULLIS_STREAMS_LIMIT];
};

/// The SMMUs of a board.
struct portcullis_smmus {
    /// sizeof(struct portcullis_smmus), set by the caller.
    size_t size;
    /// How many entries the lists have.
    uint32_t smmu_count, beside_count;
    /// Not 0 where no device is behind another IOMMU. portcullis_uncovered alone looks at it.
    uint32_t is_complete;
    /// The SMMUs.
    struct portcullis_smmu smmu[PORTCULLIS_SMMU_LIMIT];
    /// Registers of what writes where it is told to, or drives an SMMU past its own registers: monitors, hardware with
    /// command queues, SMMUs that nobody uses. The host loses them; nobody answers.
    struct portcullis_pages beside[PORTCULLIS_BESIDE_LIMIT];
};

/// Fills the list by a device tree. Of `ops` it looks at `size`, `context` and `log` alone; `page_size` is as in the
/// configuration.
///
/// It needs libfdt. Errors: ARGUMENT, STRUCT_SIZE, TREE; BOARD, also where an SMMU can't be owned, of which the log tells
/// more. `smmus` has no meaning then. A tree without SMMUs is no error: `smmu_count` is 0. Where `beside_count` is not 0,
/// add the list all the same.
enum portcullis_status portcullis_smmus_from_tree(const void *tree, size_t tree_size, uint32_t page_size,
                                                  const struct portcullis_ops *ops, struct portcullis_smmus *smmus);

/// The size that is recommended for the memory of so many SMMUs, by PORTCULLIS_POLICY_* and the bytes of memory that
/// the host has: 4 MiB for tables, and a table of 4 KiB for each 2 MiB of that memory, which an SMMU takes that can't
/// split a block while devices use it (SMMU_IDR3.BBML below 2). portcullis_may_give_away or portcullis_took that finds
/// no table left returns POOL. 0 for a number or policy that can't be.
uint64_t portcullis_smmu_memory_size(size_t count, uint32_t policy, uint64_t memory_bytes);

/// Has portcullis_claim take SMMUs over, last of all: with PORTCULLIS_POLICY_OWN_SMMUS, once, between init and claim.
///
/// `memory` is for their queues and tables, and for what Portcullis knows of them: multiples of 64 KiB, within what each
/// SMMU reaches, mapped and kept as the pool is. Its content does not matter. It may be null where `smmu_count` is 0.
///
/// From the claim on devices behind the SMMUs reach what host_reach tells and the ITSes' doorbells. They lose what
/// portcullis_may_give_away or a handover takes, before the function returns OK, and reach what portcullis_took gives
/// back, where host_reach tells that the host may read and write all of it. Device registers that you take from the
/// host by yourself devices keep. Faults of devices are counted, and logged when the host comes for an SMMU or
/// statistics are read. An SMMU must not lose power: do not relay SYSTEM_SUSPEND or CPU_DEFAULT_SUSPEND.
///
/// A program that does not call it, linked with --gc-sections, has no driver of SMMUs in it.
///
/// Errors: ARGUMENT, also for a null host_reach, for addresses of the host that are not physical ones, and for a list that
/// can't be; STRUCT_SIZE; ORDER; MEMORY where it is too small; for the memory ALIGNMENT, RANGE and OVERLAP; for registers
/// those of portcullis_add_region. Nothing has changed then.
enum portcullis_status portcullis_add_smmus(struct portcullis *state, const struct portcullis_smmus *smmus,
                                            const struct portcullis_pages *memory);

// MARK: The host's device tree

/// The most ranges that are withheld from the host's tree.
#define PORTCULLIS_WITHHELD_LIMIT 16

/// Writes the device tree that the host is to get into `buffer`, whose address is a multiple of 8, and its size to
/// `*size`. It is a copy of the configuration's, except that
///
/// - all memory nodes are without `withheld`, your own memory and that of other VMs, and without the pool and the memory
///   of the trace;
/// - ITSes that `leave_out` leaves out, and by PORTCULLIS_POLICY_CLAIM_MASTERS the masters whose registers are claimed, are
///   disabled;
/// - by PORTCULLIS_POLICY_OWN_SMMUS SMMUv3s are gone, with what names them; by PORTCULLIS_POLICY_NEST_SMMUS it says no more
///   of them than the host is shown;
/// - modules of a boot loader are gone from /chosen.
///
/// Withhold the memory of portcullis_add_smmus yourself.
///
/// A buffer of the tree's size and 8 KiB more is enough. A host that reads the tree with its caches off needs it
/// cleaned to memory: that is yours. It needs libfdt and no state, and may be called before or after portcullis_init.
/// It is for a host whose addresses are physical ones. Of the configuration `features`, `cpus` and `linear_base` do not
/// matter, nor do operations but `log`.
///
/// Errors, which leave `*size` alone: ARGUMENT, STRUCT_SIZE, VERSION, TREE; BOARD, of which the log tells more; MEMORY
/// where the buffer is too small; for what is withheld ALIGNMENT, RANGE, and FULL where it is more than
/// PORTCULLIS_WITHHELD_LIMIT ranges.
enum portcullis_status portcullis_write_host_tree(const struct portcullis_config *config,
                                                  const struct portcullis_pages *withheld, size_t count, void *buffer,
                                                  size_t buffer_size, size_t *size);

// MARK: Regions

/// 8-bit accesses are permitted.
#define PORTCULLIS_WIDTH_8 0x1u
/// 16-bit accesses are permitted.
#define PORTCULLIS_WIDTH_16 0x2u
/// 32-bit accesses are permitted.
#define PORTCULLIS_WIDTH_32 0x4u
/// 64-bit accesses are permitted.
#define PORTCULLIS_WIDTH_64 0x8u
/// Loads are permitted.
#define PORTCULLIS_KIND_READ 0x1u
/// Stores are permitted.
#define PORTCULLIS_KIND_WRITE 0x2u

/// Who answers for a region.
enum portcullis_handler {
    /// Nobody: the host gets an abort for every access.
    PORTCULLIS_HANDLER_NONE = 0,
    /// The hardware, through device_read and device_write.
    PORTCULLIS_HANDLER_FORWARD = 1,
    /// The function of the region.
    PORTCULLIS_HANDLER_CALLBACK = 2,
};

/// The access is a store.
#define PORTCULLIS_ACCESS_WRITE 0x1u
/// The host's instruction has acquire (load) or release (store) semantics; the function does the
/// ordering.
#define PORTCULLIS_ACCESS_ORDERED 0x2u

/// Answers one access that the region permits: `offset` from the base of the region, a multiple of
/// `width` (1, 2, 4 or 8 bytes), `flags` of PORTCULLIS_ACCESS_*. Where the region repeats, the frame
/// is `offset / stride` and the offset in it `offset % stride`.
///
/// For a store `*value` holds what is stored, zero-extended; for a load it is 0 and is set to what
/// is loaded, of which the low `width` bytes count. 0: done. Anything else: the host gets an abort.
/// It may run on all CPUs at once.
typedef int (*portcullis_callback)(void *context, uint64_t offset, uint32_t width, uint32_t flags,
                                   uint64_t *value);

/// Device registers to be taken from the host: one frame, or equal frames at a fixed stride, such as
/// one for each CPU. What lies between the frames stays with the host.
struct portcullis_region {
    /// sizeof(struct portcullis_region).
    size_t size;
    /// The first physical address, a multiple of the page size.
    uint64_t base;
    /// The size of one frame, a multiple of the page size.
    uint64_t bytes;
    /// The distance between the bases of two frames, a power of two and at least `bytes`; not looked
    /// at where there is one frame.
    uint64_t stride;
    /// How many frames there are; 0 is 1.
    uint32_t count;
    /// PORTCULLIS_WIDTH_* that are permitted.
    uint32_t widths;
    /// PORTCULLIS_KIND_* that are permitted.
    uint32_t kinds;
    /// Who answers.
    enum portcullis_handler handler;
    /// The function, for PORTCULLIS_HANDLER_CALLBACK alone.
    portcullis_callback callback;
    /// Handed to the function.
    void *callback_context;
};

/// Registers a region; nothing is taken from the host yet.
///
/// Errors, which change nothing: ARGUMENT, STRUCT_SIZE, ORDER, ALIGNMENT, RANGE, STRIDE, OVERLAP, FULL,
/// KIND.
enum portcullis_status portcullis_add_region(struct portcullis *state,
                                             const struct portcullis_region *region);

/// Takes all registered regions and the Redistributors from the host and sets every ITS up, or none: each
/// is disabled, and has a queue and tables of the pool. With PORTCULLIS_POLICY_HANDOVER the ITSes are taken
/// and not set up. LPIs that are enabled are disabled, but with that policy; where they can't be, their
/// tables must be the host's memory.
///
/// Errors: ARGUMENT, ORDER, BOARD, HOST_REFUSED, EL2_REFUSED, POOL, EL2_ADDRESS, RANGE, KIND, OVERLAP, FULL, ITS,
/// ITS_POOL, GIC, SMMU: the host reaches everything as before, and it may be tried again; an ITS whose set-up had begun is
/// disabled and has no queue and no tables, as after a reset. After SMMU, and after POOL with SMMUs, devices behind an SMMU
/// may reach nothing until reset: where firmware had left it translating, where it does not take its registers back, and
/// where it translated already. Keep its memory then; another claim is SMMU. ORDER also where the policy has SMMUs
/// owned and none were added. STUCK: see there.
enum portcullis_status portcullis_claim(struct portcullis *state);

// What the promise at the top of this file does not cover.

/// DMA of devices behind IOMMUs, which are yours to drive. Set unless portcullis_claim has taken over SMMUs that are all.
#define PORTCULLIS_UNCOVERED_IOMMU 0x01u
/// DMA of masters that no IOMMU confines and whose registers stay with the host. Of a board without a tree it is set
/// unless `is_confined` is.
#define PORTCULLIS_UNCOVERED_MASTERS 0x02u
/// Redistributors, by PORTCULLIS_POLICY_LEAVE_REDISTRIBUTORS.
#define PORTCULLIS_UNCOVERED_REDISTRIBUTORS 0x04u
/// ITSes that `leave_out` has left out.
#define PORTCULLIS_UNCOVERED_LEFT_OUT 0x08u
/// ITSes with the host's own queue and tables: before the claim, and by PORTCULLIS_POLICY_HANDOVER until each is handed
/// over or the trust has ended. An ITS for which portcullis_finalise returned an error keeps the bit.
#define PORTCULLIS_UNCOVERED_LIVE 0x10u
/// What the hardware behind regions of yours with PORTCULLIS_HANDLER_FORWARD does.
#define PORTCULLIS_UNCOVERED_FORWARDED 0x20u

/// What Portcullis does not cover for this host, as PORTCULLIS_UNCOVERED_*: it is yours to confine, or to live with.
/// portcullis_claim logs a line for each. For a null state it is all bits.
uint32_t portcullis_uncovered(const struct portcullis *state);

/// What a state takes.
struct portcullis_sizes {
    /// sizeof(struct portcullis_sizes), set by the caller.
    size_t size;
    /// The smallest memory for a state that could make this claim, and keep track of the pages that are away now.
    uint64_t state_bytes;
    /// The smallest pool for what the ITSes use now, a multiple of 64 KiB. As each ITS gets an equal part, it is that
    /// of the busiest one times their number, and at least twice the largest table of one.
    uint64_t pool_bytes;
};

/// Measures what is in use now. Call it while the host has all its devices mapped: a pool of the size that is in use
/// right after the claim refuses each device. PORTCULLIS_STATE_SIZE and portcullis_pool_size are for boards that nobody
/// has measured.
///
/// Errors: ARGUMENT, STRUCT_SIZE; ORDER before the claim, and while an ITS is not mediated.
enum portcullis_status portcullis_measure(const struct portcullis *state, struct portcullis_sizes *sizes);

/// How many regions are registered.
size_t portcullis_region_count(const struct portcullis *state);

/// A region as it was claimed.
struct portcullis_region_info {
    /// sizeof(struct portcullis_region_info), set by the caller.
    size_t size;
    /// The first physical address.
    uint64_t base;
    /// The size of one frame.
    uint64_t bytes;
    /// The distance between the bases of two frames; 0 where there is one.
    uint64_t stride;
    /// The EL2 virtual address that el2_commit gave the first frame; 0 before the claim.
    uint64_t address;
    /// How many frames there are.
    uint32_t count;
};

/// Tells of the region at `index`: the ITSes in the order of the tree, those that it disables behind them, the
/// registers of masters that are claimed, then yours and those of SMMUs as you have added them.
///
/// Errors: ARGUMENT, STRUCT_SIZE, ORDER, INDEX.
enum portcullis_status portcullis_region_at(const struct portcullis *state, size_t index,
                                            struct portcullis_region_info *info);

// MARK: Traps

/// What became of a trap.
enum portcullis_trap {
    /// The access was answered; the frame is as after the instruction.
    PORTCULLIS_TRAP_COMPLETED = 0,
    /// Cache maintenance of a claimed page, without effect; stepped over.
    PORTCULLIS_TRAP_SKIPPED = 1,
    /// The host continues at its vector with a synchronous external abort.
    PORTCULLIS_TRAP_INJECTED = 2,
    /// No region holds the address; nothing was changed, the embedder decides.
    PORTCULLIS_TRAP_UNCLAIMED = 3,
    /// Not a data or instruction abort from a lower Exception level; nothing was changed.
    PORTCULLIS_TRAP_NOT_AN_ABORT = 4,
    /// Nothing is claimed, or a pointer is null; nothing was changed.
    PORTCULLIS_TRAP_NOT_READY = 5,
    /// A store to an ITS has work left: the frame is unchanged, so that the host runs it again once it
    /// has taken the interrupts that wait for it. Return to the host as after COMPLETED.
    PORTCULLIS_TRAP_UNFINISHED = 6,
};

/// Why an abort was injected.
enum portcullis_refusal {
    PORTCULLIS_REFUSAL_NO_SYNDROME = 0,    ///< the syndrome does not describe the access
    PORTCULLIS_REFUSAL_WIDTH,              ///< the width is not permitted
    PORTCULLIS_REFUSAL_MISALIGNED,         ///< the address is not a multiple of the width
    PORTCULLIS_REFUSAL_NOT_READABLE,       ///< loads are not permitted
    PORTCULLIS_REFUSAL_NOT_WRITABLE,       ///< stores are not permitted
    PORTCULLIS_REFUSAL_INSTRUCTION_FETCH,  ///< an instruction was fetched from the region
    PORTCULLIS_REFUSAL_TABLE_WALK,         ///< the host's stage-1 tables lie in the region
    PORTCULLIS_REFUSAL_NO_HANDLER,         ///< nobody answers for the region
    PORTCULLIS_REFUSAL_EXTERNAL_ABORT,     ///< the hardware answered with an external abort
    PORTCULLIS_REFUSAL_DEVICE,             ///< the callback refused, or the SMMU is Portcullis's own
};

/// Handles a synchronous exception that the host took to EL2.
///
/// `esr`, `far` and `hpfar` are ESR_EL2, FAR_EL2 and HPFAR_EL2 as read on entry, and so is what `frame` holds. An
/// answered access changes elr, a load one of x, an injected abort elr and spsr. `refusal` may be null; it is set
/// where an abort was injected. A fault that another CPU's change of your stage 2 explains is yours to retry.
enum portcullis_trap portcullis_handle_trap(struct portcullis *state, struct portcullis_frame *frame,
                                            uint64_t esr, uint64_t far, uint64_t hpfar,
                                            enum portcullis_refusal *refusal);

/// Has the host take the synchronous external abort that an access to nothing ends with, at its vector: for an
/// abort that portcullis_handle_trap has left to you, and for any other of a page that you keep from the host.
/// elr and spsr of `frame` are those of the vector then.
///
/// Errors: ARGUMENT, also where `esr` is that of no data or instruction abort from a lower Exception level.
enum portcullis_status portcullis_inject_abort(struct portcullis *state, struct portcullis_frame *frame,
                                               uint64_t esr, uint64_t far, uint64_t hpfar);

/// Called where a check of the library itself fails; must not return. Yours to define, in an object file that you link,
/// where BRK #1 is not what you want: the library's own is weak.
///
/// The instruction before its return address is the call, which several checks of a function may share. Any lock of the
/// library may be held, so that it may call none of its functions.
PORTCULLIS_NORETURN void portcullis_panic(void);

// MARK: Calls of the host

/// What a call of the host was.
enum portcullis_answer {
    /// No call of Portcullis: yours to answer. Nothing was changed.
    PORTCULLIS_ANSWER_NONE = 0,
    /// It was answered: x0 to x3 of the frame, and x4 where it has a fifth result.
    PORTCULLIS_ANSWER_GIVEN = 1,
    /// The host has ended the trust, and an ITS is not mediated: it is live and was not handed over, or it does not
    /// take its queue or tables. The log and `problem` say which. Nobody answers for it. The host must not go on.
    PORTCULLIS_ANSWER_LIVE = 2,
};

/// Answers an HVC or SMC of the host by the interface of portcullis_hypercalls.h: what answers, ITSes, handover,
/// statistics, trace. Offer it every HVC and SMC. To filter, compare the low word of x0 without bit 16, SMCCC's hint on
/// SVE, with PORTCULLIS_HYPERCALL. It does not change elr: behind an SMC that is yours, as ELR_EL2 is that of the SMC.
///
/// CALL_VERSION tells 0 for the place of your image. CALL_MEMORY tells the pool. The CANARY calls are NOT_SUPPORTED. To
/// a host that you do not trust CALL_HAND_OVER and CALL_FINALISE are denied, and it learns nothing that it could not
/// find out by itself, but for the pool's address and the trace. A record that it takes is gone for you, and its two
/// calls for one may meet another reader: where the trace is your evidence answer CALL_TRACE yourself.
///
/// `frame` is as in portcullis_handle_trap. Before the claim the answer is NONE.
enum portcullis_answer portcullis_handle_call(struct portcullis *state, struct portcullis_frame *frame);

// MARK: Handover

/// Takes the live ITS at `index`, in the order of the tree, over from a host that is trusted: from here on
/// it is mediated. `descriptor` is the physical address of a struct portcullis_handover in memory of the
/// host, as portcullis_hypercalls.h has it; of that nothing is taken on trust that the hardware tells. Its
/// queue and tables are donated and stay in use.
///
/// Errors: ARGUMENT, INDEX; ORDER before the claim, without PORTCULLIS_POLICY_HANDOVER, a second time,
/// and after portcullis_finalise. HANDOVER: `*reason`, where that is not null, is set to one of
/// PORTCULLIS_HANDOVER_* of portcullis_hypercalls.h; it may be tried again.
enum portcullis_status portcullis_hand_over(struct portcullis *state, size_t index,
                                            uint64_t descriptor, int64_t *reason);

/// Ends the trust in the host: ITSes that are disabled and were not handed over are set up as by a claim.
/// Done before with success, or without PORTCULLIS_POLICY_HANDOVER, it has nothing to do. After an error it may be called
/// again, once the host has disabled the ITS: it is set up then.
///
/// Errors: ARGUMENT, ORDER before the claim. LIVE, ITS, ITS_POOL, GIC, the last of several: the trust has
/// ended for all, and nobody answers for an ITS that is not mediated.
enum portcullis_status portcullis_finalise(struct portcullis *state);

// MARK: Pages that change their VM

// Memory leaves the host in this order, and in no other:
//
//     1. portcullis_may_give_away. After PORTCULLIS_OK no ITS, no Redistributor and no SMMU uses the pages for the
//        host, and none can begin to: Portcullis refuses them without a call of host_share or host_donate.
//     2. Have your own record say that they are not the host's, if it says still that they are. Take them from the
//        host's stage 2 and from devices behind IOMMUs of yours, with invalidation on all CPUs and in those.
//     3. Give them to the other VM.
//
// It comes back in the reverse order:
//
//     1. Take the pages from the other VM and its devices, with invalidation, and clear them.
//     2. Map them for the host, and have your own record say that they are the host's.
//     3. portcullis_took. From here on the host may use them for an ITS or a Redistributor.
//
// Without the first call there is a race. A host that enables LPIs on one CPU while another CPU gives the memory of
// the pending table away has the Redistributor write to the other VM.
//
// Devices behind SMMUs that were added lose pages in step 1, and reach them again in step 3. Memory that host_reach did not
// tell of at the claim comes to the host by the same three steps back.
//
// Not covered: Redistributors that are left to the host, regions of yours, and other DMA of devices.

/// Asks whether memory may leave the host, and takes note that it does. `pages` are whole pages of the configuration's
/// page_size. They are the host's by your own record. Pages that were donated for a handover are OWNER.
///
/// It may run on all CPUs at once, beside traps. It takes about 100 instructions for each 256 KiB, and looks at
/// every table that is in use. Of the memory of the state it takes 4 KiB for each 128 MiB in which a page is away,
/// and 4 KiB for each 64 GiB: with PORTCULLIS_STATE_SIZE that is enough for 128 areas of 128 MiB.
///
/// Errors, which change nothing: ARGUMENT, ALIGNMENT, RANGE; KIND where a page is not memory of the tree; OWNER; POOL;
/// ORDER before the claim, and while an ITS is forwarded, which may use any page; LIVE where nobody answers for a live
/// ITS; SMMU where one has not confirmed. HELD: `*held`, where that is not null, is the address of a page that is in
/// use. Of a command queue the host has to disable the ITS and write GITS_CBASER; of a vPE's pending table to unmap the
/// vPE; of a table of LPIs to disable them, on their own CPU; of an SMMU's queue to disable that.
enum portcullis_status portcullis_may_give_away(struct portcullis *state,
                                                const struct portcullis_pages *pages, uint64_t *held);

/// Takes note that pages which were away are the host's again; not necessarily as many as went away at once. With SMMUs
/// memory of which host_reach did not tell at the claim counts as away. After an error have the host lose it again.
///
/// Errors, which change nothing: ARGUMENT, ALIGNMENT, RANGE, OWNER, ORDER before the claim; with SMMUs KIND and POOL.
enum portcullis_status portcullis_took(struct portcullis *state, const struct portcullis_pages *pages);

// MARK: What the ITSes did

/// Why a command of the host did not reach the hardware: an index of `refused_for`.
enum portcullis_command_refusal {
    PORTCULLIS_COMMAND_RESERVED = 0,               ///< the architecture reserves the number
    PORTCULLIS_COMMAND_RESERVED_BITS,              ///< not used: a bit outside its fields is ignored
    PORTCULLIS_COMMAND_VIRTUAL,                    ///< virtual interrupts are not offered
    PORTCULLIS_COMMAND_DEVICE_OUT_OF_RANGE,        ///< the DeviceID is beyond the device table
    PORTCULLIS_COMMAND_DEVICE_NOT_MAPPED,          ///< the device is not mapped
    PORTCULLIS_COMMAND_EVENT_OUT_OF_RANGE,         ///< the EventID is beyond what the device has
    PORTCULLIS_COMMAND_INTERRUPT_OUT_OF_RANGE,     ///< the INTID is no LPI
    PORTCULLIS_COMMAND_COLLECTION_OUT_OF_RANGE,    ///< the collection is beyond the table
    PORTCULLIS_COMMAND_COLLECTION_NOT_MAPPED,      ///< the collection is not mapped
    PORTCULLIS_COMMAND_UNKNOWN_TARGET,             ///< RDbase names no Redistributor of the tree
    PORTCULLIS_COMMAND_TOO_MANY_DEVICES,           ///< the ledger of devices is full
    PORTCULLIS_COMMAND_VPE_OUT_OF_RANGE,           ///< the vPEID is beyond the table of vPEs
    PORTCULLIS_COMMAND_VPE_NOT_MAPPED,             ///< the vPE is not mapped
    PORTCULLIS_COMMAND_NOT_HOST_MEMORY,            ///< host_share refused a table
    PORTCULLIS_COMMAND_OUT_OF_MEMORY,              ///< the pool is used up
    PORTCULLIS_COMMAND_UNKNOWN_DEVICE,             ///< by a policy of the board's image alone
};
/// How many reasons there are.
#define PORTCULLIS_COMMAND_REFUSALS 16

/// Counts of one ITS since the claim; they wrap.
struct portcullis_its_counters {
    /// sizeof(struct portcullis_its_counters), set by the caller.
    size_t size;
    /// Commands of the host that were accepted.
    uint64_t accepted;
    /// Commands that were refused, by enum portcullis_command_refusal.
    uint64_t refused_for[PORTCULLIS_COMMAND_REFUSALS];
    /// Accesses to registers that did nothing: reserved, read-only or locked, and a doorbell of a queue
    /// that host_share refuses.
    uint64_t ignored;
    /// The host's doorbells: stores to GITS_CWRITER, each time that one runs.
    uint64_t doorbells;
    /// EL2's own stores to GITS_CWRITER: one for a batch.
    uint64_t publications;
    /// Not 0: the hardware answers with aborts, or is where it cannot be, and gets no further command.
    uint32_t broken;
};

/// Tells the counts of the ITS at `index`, in the order of the tree, as of one moment.
///
/// Errors: ARGUMENT, STRUCT_SIZE, INDEX, ORDER before the claim and for one that is not mediated yet.
enum portcullis_status portcullis_its_counters(struct portcullis *state, size_t index,
                                               struct portcullis_its_counters *counters);

/// Tells the figure with a number of portcullis_hypercalls.h, where each has its name: those of enum
/// portcullis_statistic are of Portcullis as a whole. To those of enum portcullis_its_statistic add
/// PORTCULLIS_STATISTIC_PAGE * (1 + N) for the ITS at index N.
///
/// 0 is told of what is yours to count: TRAPS to TICKS, REFUSED (portcullis_handle_trap sets `refusal`), LOADS, shared
/// pages, pins, the log, and SMMUs that were not added.
///
/// Errors: ARGUMENT; ORDER before the claim; INDEX for a number of nothing, and an ITS that there is none of.
enum portcullis_status portcullis_read_statistic(struct portcullis *state, uint64_t number, uint64_t *value);

/// One record of the trace, as `portcullis trace` reads it from a file: 64-bit words, little-endian.
struct portcullis_record {
    uint64_t words[8];  ///< what happened
};

/// Takes the oldest record of the trace that nobody has taken. The host takes records too, by PORTCULLIS_CALL_TRACE,
/// where you have portcullis_handle_call answer it.
///
/// Errors: ARGUMENT; ORDER before the claim, and where no trace is kept; INDEX where no record waits.
enum portcullis_status portcullis_take_record(struct portcullis *state, struct portcullis_record *record);

#ifdef __cplusplus
}
#endif

#endif
