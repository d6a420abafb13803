# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# `make help` lists the targets, and these variables for the command line:
#   V=1               show the commands
#   QEMU=new          the boards' QEMU is one with SMMUv3 stage 2 (9.1), from the backports where needed
#   MEDIATE=off       `run`: the unmediated test image, on which the listed attacks must succeed
#   CHECK=1           `run`, `linux`, `test-linux`, `test-linux-brief`: the checked image, in which the specification
#                     goes along with ITSes and Redistributors, and ends it all where EL2 does what is not permitted
#   FUZZ_SECONDS=600  `fuzz`, `fuzz-acpi`, `fuzz-its`, `fuzz-smmu`: how long
#   SOAK_STEPS=100000000  `soak-its`, `soak-smmu`: how many (`soak-iommu`: 10000000); SOAK_SEED=1: the first
#                     world, also of `soak-spec`, `soak-spec-brief`
#   SPEC_SECONDS=600  `soak-spec`: how long; SPEC_LEAST=100: how often each rule must be reached; SPEC_LINES=99: per cent of
#                     the specification's lines that must be run
#   LOG=FILE          `table-log`: checks this log, and boots nothing
#   DEPTH=1           `exhaustive`: steps deeper than `exhaustive-brief`; each is three to five times the states
#   MUTANTS="NAME …"  `mutants`: these alone, of those in Tests/Runners/mutants/defects.py
#   KERNEL=6.12       `linux`: which of Debian's kernels (6.1), or `newest`; also GIC=4, CPUS=4, PROCESSOR=max
#   ACPI=off          `linux-efi`: a board that a device tree describes
#   FULL=1            `test-linux`, `hostile-linux`: the whole matrix; `bench-linux`: more repeats
#   MINUTES=30        `soak`: how long; also KERNEL, GIC, CPUS (4), PROCESSOR as for `linux`, BARE=1
#                     for the same without Portcullis, and PROVOKE=1: the control, which must fail
#   STEPS="unit run"  `test`, `test-all`: these steps and what they need; STEPS=left: what has not passed
#                     on this commit
#   FROM=run          `test`, `test-all`: this step and those below it in CONTRIBUTING's table
#   COVERAGE=95       least line coverage of each room of the core, per cent
#   PREFIX=/usr/local  `install`: where to; below DESTDIR, if that is given
SWIFT ?= swift
QEMU ?= qemu-system-aarch64
PYTHON ?= python3
V ?= 0
MEDIATE ?= on
CHECK ?=
FUZZ_SECONDS ?= 600
SOAK_STEPS ?= 100000000
SPEC_SECONDS ?= 600
SPEC_LEAST ?= 100
SPEC_LINES ?= 99
SOAK_SEED ?= 1
COVERAGE ?= 95
DEPTH ?= 1
MUTANTS ?=
STEPS ?=
FROM ?=
KERNEL ?= 6.1
GIC ?= 3
CPUS ?= 2
PROCESSOR ?= cortex-a76
ACPI ?= on
FULL ?=
MINUTES ?= 30
BARE ?=
PROVOKE ?=
PREFIX ?= /usr/local
DESTDIR ?=

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL: # one package manager, and every step uses all processors by itself
.SUFFIXES:
.SECONDARY: # the test host's image is wanted for itself
.DEFAULT_GOAL := build

ifeq ($(filter 0,$(V)),)
Q :=
else
Q := @
MAKEFLAGS += --no-print-directory
endif

# Swift's own crash handler would get in the way of the sanitizers and of libFuzzer.
export SWIFT_BACKTRACE := enable=no

CORE := Architecture GIC SMMU Trace Boards DeviceTree ACPI UEFI Ownership Traps ITS Redistributor IOMMU SMMUDriver VirtualSMMU Hypervisor
DOCUMENTED := $(CORE) Inspection

# The tools that come with the compiler, wherever it is installed.
TOOLCHAIN = $(shell $(SWIFT) -print-target-info | sed -n 's,.*"runtimeResourcePath": "\(.*\)/lib/swift".*,\1/bin,p')
OBJCOPY = $(TOOLCHAIN)/llvm-objcopy

IMAGES := .build/images
# What is booted where there is a choice.
EL2 := $(IMAGES)/el2$(if $(filter 1,$(CHECK)),-checked)
RESULTS := .build/results
LIBFDT := .build/libfdt-arm64
LIBFDT_A := $(LIBFDT)/usr/lib/aarch64-linux-gnu/libfdt.a

NATIVE := --build-system native
# All that is bare metal is built in one place and by the same options, so that it shares the modules below.
# From the root: one image is built from a copy of the sources.
METAL_SCRATCH := .build-metal
METAL_TOOLSET := metal
METAL = $(NATIVE) -c release --triple aarch64-none-none-elf --toolset CShims/toolsets/$(METAL_TOOLSET).json \
  -Xcc -I$(CURDIR)/$(LIBFDT)/usr/include -Xcc -I$(CURDIR)/CShims/Runtime/libc -Xcc -I$(CURDIR)/$(IMAGES)
METAL_RELEASE = $(METAL_SCRATCH)/aarch64-none-none-elf/release
# What decides whether an image is up to date. A folder is newer than what was deleted from it.
ALL_SOURCES := Package.swift Makefile $(shell find Sources CShims)
# Steps of a gate that run side by side take the images as the step before them has left them.
METAL_SOURCES := $(if $(PORTCULLIS_BUILT),,$(ALL_SOURCES))

PACKAGES_BUILD := libfdt-dev
PACKAGES_RUN := $(PACKAGES_BUILD) qemu-system-arm u-boot-qemu python3 device-tree-compiler
# UEFI for the board, what writes a USB stick, and a compiler of ACPI tables.
PACKAGES_EFI := $(PACKAGES_RUN) qemu-efi-aarch64 mtools acpica-tools
# A renderer of SVG, with the font that is the widest of those in common use; a model checker, which compiles with gcc; what
# finds names in the runners that are not defined.
PACKAGES_TEST := $(PACKAGES_EFI) binutils-aarch64-linux-gnu librsvg2-bin fonts-dejavu-core gcc g++ pkg-config spin pyflakes3
PACKAGES_EMBEDDED := $(PACKAGES_BUILD) python3 binutils-aarch64-linux-gnu
PACKAGES_BENCH := $(PACKAGES_RUN) valgrind

# The runners are one package: `$(RUN).FOLDER.MODULE` starts one.
export PYTHONPATH := Tests
export PYTHONDONTWRITEBYTECODE := 1
RUN := $(PYTHON) -m Runners
ATTACKS := Tests/Runners/board/attacks.txt

# A QEMU of which the SMMUv3 has stage 2, beside the machine's own.
NEW_QEMU := .build/qemu
ifeq ($(QEMU),new)
override QEMU := $(NEW_QEMU)/qemu-system-aarch64
setup-run: setup-qemu
endif

##@ Build

.PHONY: build
build: cli images ## the command line tool and the bare-metal images (default)

.PHONY: cli
cli: setup-build ## the command line tool for this machine
	$(Q)$(SWIFT) build $(NATIVE) -c release --product portcullis

.PHONY: images
images: $(IMAGES)/el2.img $(IMAGES)/el2-unmediated.img ## all bare-metal images, in .build/images
	$(Q)$(RUN).images.registers --tools $(TOOLCHAIN) $(IMAGES)/el2.elf

.PHONY: embedded
embedded: setup-embedded $(IMAGES)/libportcullis.a ## the core as a bare-metal static library, libportcullis.a; checks how it links
	$(Q)$(RUN).images.archive --tools $(TOOLCHAIN) --results $(RESULTS)/embedded.json \
	  $(IMAGES)/libportcullis.a CShims/Embedder/include/portcullis.h

# pkg-config finds the rest from where this file is, so that the folder may be moved.
define PKG_CONFIG_FILE
prefix=$${pcfiledir}/../..
libdir=$${prefix}/lib/portcullis
includedir=$${prefix}/include

Name: Portcullis
Description: Confines a host at EL1 from the GIC ITS and Redistributors; for hypervisors on AArch64 without an OS
Version: $(VERSION)
Cflags: -I$${includedir}
Libs: -L$${libdir} -lportcullis
Libs.private: -lfdt
endef
VERSION = $(shell sed -n 's/.*static let version = "\(.*\)".*/\1/p' Sources/portcullis/Program.swift)
INSTALL := install -D -m 644
INTO = $(DESTDIR)$(PREFIX)

# The archive is for bare metal: it lies in a folder of its own, where no linker looks by itself.
.PHONY: install
install: export PORTCULLIS_PC = $(PKG_CONFIG_FILE)
install: cli $(IMAGES)/libportcullis.a ## installs headers, library, pkg-config file, CLI, manual (PREFIX=/usr/local, DESTDIR)
	$(Q)$(INSTALL) -t "$(INTO)/include" CShims/Embedder/include/portcullis.h CShims/Embedder/include/portcullis_hypercalls.h \
	  CShims/Embedder/aarch64/portcullis_aarch64.h
	$(Q)$(INSTALL) -t "$(INTO)/lib/portcullis" $(IMAGES)/libportcullis.a
	$(Q)$(INSTALL) /dev/null "$(INTO)/lib/pkgconfig/portcullis.pc"
	$(Q)printf '%s\n' "$$PORTCULLIS_PC" > "$(INTO)/lib/pkgconfig/portcullis.pc"
	$(Q)$(INSTALL) -m 755 -t "$(INTO)/bin" "$$($(SWIFT) build $(NATIVE) -c release --show-bin-path)/portcullis"
	$(Q)$(INSTALL) -t "$(INTO)/share/man/man1" Sources/portcullis/portcullis.1
	$(Q)$(INSTALL) Sources/portcullis/completions/portcullis.bash "$(INTO)/share/bash-completion/completions/portcullis"
	$(Q)$(INSTALL) -t "$(INTO)/share/zsh/site-functions" Sources/portcullis/completions/_portcullis
	$(Q)$(INSTALL) -t "$(INTO)/share/doc/portcullis" LICENSE
	$(Q)$(INSTALL) -t "$(INTO)/share/doc/portcullis/examples" Tests/CAPI/Example.c

# What is edited while it is built is newer than what comes of it. It appears whole.
define begin-metal
	$(Q)mkdir -p $(@D) $(METAL_SCRATCH)
	$(Q)touch $@.begun
endef
define take-metal
	$(Q)cp $(METAL_RELEASE)/$(1) $@.new
	$(Q)touch -r $@.begun $@.new
	$(Q)mv $@.new $@
	$(Q)rm $@.begun
endef

# Builds product $(1) with the condition $(2), $(3) being further options.
build-metal = PORTCULLIS_METAL=$(2) $(SWIFT) build $(METAL) --scratch-path $(METAL_SCRATCH) --product $(1) $(3)

# What others link is compiled apart: it leaves x18 to its embedder, signs return addresses and has landing pads.
# One object, of which the functions of portcullis.h are the only global symbols; the rest that they need is in it,
# and nothing else is. Without groups: another library in Swift may have some of the same names.
# A check that fails calls a function that the embedder may have. The image has the instruction in its place, which needs
# no frame.
PANICS := $(addprefix -Xswiftc ,-Xfrontend -trap-function -Xfrontend portcullis_panic)
$(IMAGES)/libportcullis.a: private METAL_SCRATCH := .build-embedded
$(IMAGES)/libportcullis.a: $(METAL_SOURCES) | setup-build setup-libfdt
	$(begin-metal)
	$(Q)$(call build-metal,PortcullisCore,MEDIATE_ON,-Xcc -ffixed-x18 -Xcc -mbranch-protection=standard $(PANICS))
	$(Q)$(TOOLCHAIN)/ld.lld -r --gc-sections --force-group-allocation \
	  $$($(TOOLCHAIN)/llvm-nm --quiet --defined-only --format=just-symbols $(METAL_RELEASE)/libPortcullisCore.a \
	    | sed -n 's/^portcullis_[a-z_]*$$/-u &/p') \
	  $(METAL_RELEASE)/libPortcullisCore.a -o $(METAL_RELEASE)/whole.o
	$(Q)$(OBJCOPY) --wildcard --keep-global-symbol='portcullis_*' --strip-debug --strip-unneeded \
	  --remove-section=.comment --remove-section='.swift*' --remove-section=.llvm_addrsig \
	  --remove-section=.linker-options $(METAL_RELEASE)/whole.o $(METAL_RELEASE)/portcullis.o
	$(Q)rm -f $(METAL_RELEASE)/libportcullis.a
	$(Q)$(TOOLCHAIN)/llvm-ar rcsD $(METAL_RELEASE)/libportcullis.a $(METAL_RELEASE)/portcullis.o
	$(call take-metal,libportcullis.a)

# Links product $(1) with the linker script $(2), which SwiftPM does not know as an input: the executable of
# before is deleted to have it linked again. Other arguments as above, but for METAL_SCRATCH.
define link-metal
	$(begin-metal)
	$(Q)rm -f $(METAL_RELEASE)/$(1)
	$(Q)$(call build-metal,$(1),$(3),-Xlinker -T -Xlinker $(2) $(4))
	$(call take-metal,$(1))
endef

# The EL2 image embeds the test host with .incbin, which no dependency file tells: the object that holds it is
# deleted. It is linked twice: by the relocations of the first time the code that runs at boot alone is put behind
# all other, where the image unmaps it.
LINK_EL2 = -Xlinker $(CURDIR)/$(LIBFDT_A) -Xlinker --emit-relocs
define begin-el2
	$(Q)mkdir -p $(METAL_SCRATCH)
	$(Q)find $(METAL_SCRATCH) -path '*/CEL2Boot.build/*.o' -delete
endef
define link-el2
	$(begin-el2)
	$(call link-metal,EL2Image,CShims/EL2Boot/el2.ld,$(1),$(LINK_EL2) $(2))
	$(Q)$(RUN).images.resident --tools $(TOOLCHAIN) order $@ $(METAL_SCRATCH)/resident.txt
	$(call link-metal,EL2Image,CShims/EL2Boot/el2.ld,$(1),$(LINK_EL2) \
	  -Xlinker --no-warn-symbol-ordering -Xlinker --symbol-ordering-file=$(CURDIR)/$(METAL_SCRATCH)/resident.txt $(2))
	$(Q)$(RUN).images.resident --tools $(TOOLCHAIN) check $@ || { rm $@; false; }
endef

$(IMAGES)/testhost.elf: $(METAL_SOURCES) | setup-build setup-libfdt
	$(call link-metal,TestHost,CShims/EL1Boot/testhost.ld,MEDIATE_ON)

$(IMAGES)/el2.elf: $(METAL_SOURCES) $(IMAGES)/testhost.img | setup-build setup-libfdt
	$(call link-el2,MEDIATE_ON)

$(IMAGES)/el2-unmediated.elf: $(METAL_SOURCES) $(IMAGES)/testhost.img | setup-build setup-libfdt
	$(call link-el2,MEDIATE_OFF)

$(IMAGES)/el2-forwarding.elf: $(METAL_SOURCES) $(IMAGES)/testhost.img | setup-build setup-libfdt
	$(call link-el2,MEDIATE_FORWARDING)

# The image with a known defect put back, from a copy of the sources: it takes a command that it has checked
# from the host's memory once more.
DOUBLE_FETCH := .build-mutants/double-fetch

$(IMAGES)/el2-double-fetch.elf: private METAL_SCRATCH := .build-mutants/metal
$(IMAGES)/el2-double-fetch.elf: $(ALL_SOURCES) $(wildcard Tests/Runners/mutants/*.py) $(IMAGES)/testhost.img | setup-build setup-libfdt
	$(Q)$(RUN).mutants.tree double-fetch $(DOUBLE_FETCH)
	$(call link-el2,MEDIATE_ON,--package-path $(DOUBLE_FETCH))

# The image in which the specification goes along: it has a heap and larger stacks, uses the vector registers, and
# keeps the code of its start-up.
CHECKED = -Xcc -DEL2_CHECKED -Xlinker --wrap=el2_host_abort -Xlinker --wrap=el2_host_trap \
  -Xlinker $(TOOLCHAIN)/../lib/swift/embedded/aarch64-none-none-elf/libswiftUnicodeDataTables.a

$(IMAGES)/el2-checked.elf: private METAL_SCRATCH := .build-checked
$(IMAGES)/el2-checked.elf: private METAL_TOOLSET := checked
$(IMAGES)/el2-checked.elf: $(METAL_SOURCES) $(if $(METAL_SOURCES),$(wildcard $(addprefix Tests/,$(addsuffix /*.swift,Specification Observing Comparison CheckedMonitor)))) $(IMAGES)/testhost.img | setup-build setup-libfdt
	$(begin-el2)
	$(call link-metal,EL2Image,CShims/EL2Boot/el2.ld,CHECKED,$(LINK_EL2) $(CHECKED))

# The example of an embedder, as one would build it, and its control, in which the library is not called.
HARNESS := Tests/Harness
HARNESS_CFLAGS := --target=aarch64-none-elf -std=gnu11 -O2 -Wall -Wextra -Wno-unused-parameter -Werror -ffreestanding \
  -fno-pic -mgeneral-regs-only -mstrict-align -mno-outline-atomics -mbranch-protection=standard \
  -ICShims/Embedder/include -ICShims/Embedder/aarch64 -ICShims/Runtime/include -ICShims/Runtime/libc -I$(LIBFDT)/usr/include
HARNESS_SOURCES := $(addprefix $(HARNESS)/,entry.S main.c cpu.c guest.c stack.c translation.c) CShims/Runtime/runtime.c

# Links the harness with MEDIATE as $(1).
define link-harness
	$(Q)mkdir -p $(@D)/$(basename $(@F)).build
	$(Q)for source in $(HARNESS_SOURCES); do \
	  $(TOOLCHAIN)/clang $(HARNESS_CFLAGS) -DMEDIATE=$(1) -c $$source -o $(@D)/$(basename $(@F)).build/$$(basename $$source).o; done
	$(Q)$(TOOLCHAIN)/clang -E -P -x c $(HARNESS)/harness.ld -o $(@D)/$(basename $(@F)).build/harness.ld
	$(Q)$(TOOLCHAIN)/ld.lld -T $(@D)/$(basename $(@F)).build/harness.ld -Map=$(basename $@).map $(@D)/$(basename $(@F)).build/*.o \
	  $(IMAGES)/libportcullis.a $(LIBFDT_A) -o $@.new
	$(Q)mv $@.new $@
endef

$(IMAGES)/harness.elf: $(wildcard $(HARNESS)/*.[chS] $(HARNESS)/*.ld CShims/Embedder/aarch64/*.h) $(IMAGES)/libportcullis.a
	$(call link-harness,1)

$(IMAGES)/harness-unmediated.elf: $(wildcard $(HARNESS)/*.[chS] $(HARNESS)/*.ld CShims/Embedder/aarch64/*.h) $(IMAGES)/libportcullis.a
	$(call link-harness,0)

# Of a program that has little of the library a map, for its size; what the embedder has to supply stays undefined.
$(IMAGES)/least.map: $(HARNESS)/least.c $(IMAGES)/libportcullis.a
	$(Q)$(TOOLCHAIN)/clang $(HARNESS_CFLAGS) -c $< -o $(@D)/least.o
	$(Q)$(TOOLCHAIN)/ld.lld --gc-sections --unresolved-symbols=ignore-all -u begin -u serve -e begin -Map=$@ $(@D)/least.o \
	  $(IMAGES)/libportcullis.a -o $(@D)/least.elf

$(IMAGES)/%.img: $(IMAGES)/%.elf
	$(Q)$(OBJCOPY) -O binary $< $@.new
	$(Q)mv $@.new $@

##@ Run

.PHONY: run
run: setup-run setup-qemu ## boots every board and every form, and runs the host's tests (MEDIATE=off: the control)
ifeq ($(MEDIATE),off)
run: $(IMAGES)/el2-unmediated.img
	$(Q)$(RUN).board.run --qemu $(QEMU) --expect-failures $(ATTACKS) $<
else
run: $(EL2).img $(EL2).elf $(IMAGES)/testhost.img
	$(Q)$(RUN).board.run --qemu $(QEMU) --smmu-qemu $(NEW_QEMU)/qemu-system-aarch64 \
	  --results $(RESULTS)/run$(if $(filter 1,$(CHECK)),-checked).json $(if $(filter 1,$(CHECK)),--checked) \
	  --elf $(EL2).elf --payload $(IMAGES)/testhost.img $<
endif

.PHONY: run-harness
run-harness: setup-run setup-linux $(IMAGES)/harness.elf $(IMAGES)/harness-unmediated.elf $(IMAGES)/testhost.img ## boots the example of an embedder with the host's tests, the control, and a Debian kernel
	$(Q)$(RUN).harness.run --qemu $(QEMU) --results $(RESULTS)/run-harness.json \
	  --attacks $(ATTACKS) \
	  --linux $(LINUX) --tools $(TOOLCHAIN) \
	  $(IMAGES)/harness.elf $(IMAGES)/harness-unmediated.elf $(IMAGES)/testhost.img

.PHONY: attacks
attacks: setup-run $(IMAGES)/el2-unmediated.img $(IMAGES)/el2.img ## tables: each attack, without and with mediation (QEMU=new: those of devices too)
	$(Q)$(RUN).board.attacks --qemu $(QEMU) --results $(RESULTS)/attacks.json \
	  $(IMAGES)/el2-unmediated.img $(IMAGES)/el2.img

# On a QEMU whose SMMUv3 has stage 2, whichever the others run on.
.PHONY: test-iommu
test-iommu: setup-run setup-qemu $(addprefix $(IMAGES)/,el2-unmediated.img el2.img harness.elf harness-unmediated.elf testhost.img) ## boards with an SMMUv3: DMA of the host's devices, with the controls
	$(Q)$(RUN).board.iommu --qemu $(NEW_QEMU)/qemu-system-aarch64 --results $(RESULTS)/test-iommu.json \
	  $(IMAGES)/el2-unmediated.img $(IMAGES)/el2.img $(IMAGES)/harness.elf $(IMAGES)/harness-unmediated.elf \
	  $(IMAGES)/testhost.img

.PHONY: trace
trace: setup-run cli $(IMAGES)/el2.img $(IMAGES)/harness.elf ## records a host's life on every board, prints it, and runs it again
	$(Q)$(RUN).board.trace --qemu $(QEMU) --results $(RESULTS)/trace.json \
	  "$$($(SWIFT) build $(NATIVE) -c release --show-bin-path)/portcullis" $(IMAGES)/el2.img \
	  $(IMAGES)/harness.elf $(IMAGES)/testhost.img

LINUX := .build/linux

.PHONY: linux
linux: setup-run setup-linux $(EL2).img ## an unmodified Debian kernel at EL1, with a shell (KERNEL=6.1|6.12|newest)
	$(Q)$(RUN).linux.shell --tools $(TOOLCHAIN) --qemu $(QEMU) --kernel $(KERNEL) --gic $(GIC) --cpus $(CPUS) \
	  --processor $(PROCESSOR) $(LINUX) $(EL2).img

.PHONY: run-efi
run-efi: setup-efi setup-qemu setup-loaders $(IMAGES)/el2.img ## starts the image in UEFI's shell, which must work as before, by a boot entry and by GRUB; again, and where it has to refuse
	$(Q)$(RUN).efi.start --qemu $(QEMU) --smmu-qemu $(NEW_QEMU)/qemu-system-aarch64 --logs .build/efi/logs-start \
	  --results $(RESULTS)/run-efi.json $(LINUX) $(IMAGES)/el2.img

.PHONY: linux-efi
linux-efi: setup-efi setup-linux $(EL2).img ## UEFI with a USB stick: Esc for its shell, else Portcullis and Debian's kernel (ACPI=off: by a device tree)
	$(Q)$(RUN).efi.terminal --tools $(TOOLCHAIN) --qemu $(QEMU) --kernel $(KERNEL) --gic $(GIC) --cpus $(CPUS) \
	  --processor $(PROCESSOR) $(if $(filter off,$(ACPI)),--tree) $(LINUX) $(EL2).img

.PHONY: debug
debug: setup-run $(IMAGES)/el2.img ## the board, halted at the first instruction for gdb
	@echo "gdb-multiarch -ex 'target remote :1234' $(IMAGES)/el2.elf"
	$(Q)$(RUN).board.run --qemu $(QEMU) --debug $(IMAGES)/el2.img

.PHONY: bench
bench: setup-bench setup-qemu $(addprefix $(IMAGES)/,el2.img el2-forwarding.img el2-unmediated.img harness.elf testhost.img least.map) ## instructions of traps and commands, table pages, stacks, sizes
	$(Q)$(RUN).bench.board --qemu $(QEMU) --smmu-qemu $(NEW_QEMU)/qemu-system-aarch64 --tools $(TOOLCHAIN) \
	  --forwarding $(IMAGES)/el2-forwarding.img --unmediated $(IMAGES)/el2-unmediated.img \
	  --harness $(IMAGES)/harness.elf --host $(IMAGES)/testhost.img --least $(IMAGES)/least.map \
	  $(IMAGES)/el2.elf $(IMAGES)/el2.img
	@# Valgrind does not read the debug information of this compiler.
	$(Q)$(SWIFT) build $(NATIVE) -c release --product ITSBench --scratch-path .build-bench -Xlinker --strip-debug
	$(Q)$(RUN).bench.its .build-bench/release/ITSBench
	$(Q)$(SWIFT) build $(NATIVE) -c release --product IOMMUBench --scratch-path .build-bench
	$(Q).build-bench/release/IOMMUBench

.PHONY: figures
figures: ## the figures of bench, written into the article about them
	@mkdir -p $(RESULTS); echo "bench: its output is in $(RESULTS)/bench.txt"
	$(Q)$(MAKE) --no-print-directory bench > $(RESULTS)/bench.txt
	$(Q)$(RUN).bench.figures Sources/Hypervisor/Hypervisor.docc/Figures.md < $(RESULTS)/bench.txt

.PHONY: bench-linux
bench-linux: setup-run setup-linux $(IMAGES)/el2.img ## instructions of a Linux: boot, disks, network, MSIs, bare and through Portcullis (FULL=1: more repeats)
	$(Q)$(RUN).bench.linux --tools $(TOOLCHAIN) --qemu $(QEMU) $(if $(FULL),--full) \
	  $(LINUX) $(IMAGES)/el2.elf $(IMAGES)/el2.img

##@ Test

GATE := $(RUN).gate.run --make "$(MAKE)" --results $(RESULTS) \
  --from "$(FROM)" --steps "$(STEPS)"

.PHONY: test
test: setup-python ## what a change must pass (STEPS="unit run", STEPS=left, FROM=run)
	$(Q)$(GATE) test

.PHONY: test-all
test-all: setup-python ## also sanitizers, more machines, fuzzers, soaks, mutants (STEPS, FROM)
	$(Q)$(GATE) test-all

# The unit tests and the C program share what is compiled for them.
UNIT := $(NATIVE) --enable-code-coverage

.PHONY: unit
unit: setup-test ## the unit tests, with coverage
	$(Q)$(RUN).gate.unit --results $(RESULTS)/unit.json -- \
	  $(SWIFT) test $(UNIT) --disable-xctest

# gold, the default linker, prints a line for every symbol that AddressSanitizer keeps local.
.PHONY: unit-address
unit-address: setup-test ## the unit tests under AddressSanitizer
	$(Q)LSAN_OPTIONS=suppressions=$(CURDIR)/Tests/Runners/gate/leaks.txt \
	  $(RUN).gate.unit --results $(RESULTS)/unit-address.json -- $(SWIFT) test $(NATIVE) --disable-xctest \
	  --sanitize address -Xswiftc -use-ld=lld --scratch-path .build-address

.PHONY: unit-thread
unit-thread: setup-test ## the unit tests under ThreadSanitizer
	$(Q)$(RUN).gate.unit --results $(RESULTS)/unit-thread.json -- $(SWIFT) test $(NATIVE) --disable-xctest \
	  --sanitize thread --scratch-path .build-thread

.PHONY: capi
capi: setup-test ## the C program against portcullis.h, linked with the library of this machine
	$(Q)$(SWIFT) build $(UNIT) --product PortcullisCore
	$(Q)$(RUN).gate.count --results $(RESULTS)/capi.json -- \
	  Tests/CAPI/run.sh $(TOOLCHAIN)/swiftc $(TOOLCHAIN)/clang \
	  "$$($(SWIFT) build $(NATIVE) --show-bin-path)/libPortcullisCore.a" .build/capi

.PHONY: test-install
test-install: setup-test setup-libfdt ## installs into a temporary folder, and compiles the example and runs the CLI there
	$(Q)$(RUN).gate.count --title "tests of make install" --results $(RESULTS)/test-install.json -- \
	  Tests/Install/install.sh "$(firstword $(MAKE))" $(TOOLCHAIN)

.PHONY: example
example: setup-test ## compiles the documentation's example of an embedder with gcc and clang, as C11 and C++17 (part of capi)
	$(Q)Tests/CAPI/example.sh Tests/CAPI/Example.c -ICShims/Embedder/include gcc $(TOOLCHAIN)/clang

# The program is the one that the unit tests were built with.
.PHONY: pictures
pictures: setup-test ## renders what `inspect --svg` draws; no text may be cut or overlapped
	$(Q)$(SWIFT) build $(UNIT) --product portcullis
	$(Q)$(RUN).picture.run --qemu $(QEMU) --results $(RESULTS)/pictures.json \
	  "$$($(SWIFT) build $(UNIT) --show-bin-path)/portcullis"

.PHONY: test-linux
test-linux: setup-run setup-linux setup-newest $(EL2).img ## Debian's kernels, bare and through Portcullis (FULL=1: the whole matrix)
	$(Q)$(RUN).linux.run --tools $(TOOLCHAIN) --qemu $(QEMU) $(if $(FULL),--full) --logs $(LINUX)/logs \
	  --results $(RESULTS)/test-linux.json $(LINUX) $(EL2).img

# Two machines, of which each kernel has one.
.PHONY: test-linux-brief
test-linux-brief: setup-run setup-qemu setup-linux $(EL2).img ## each of Debian's kernels once, bare and through Portcullis, one with a nested SMMU
	$(Q)$(RUN).linux.run --tools $(TOOLCHAIN) --qemu $(QEMU) --smmu-qemu $(NEW_QEMU)/qemu-system-aarch64 \
	  --brief --logs $(LINUX)/logs-brief --results $(RESULTS)/test-linux-brief.json $(LINUX) $(EL2).img

.PHONY: test-iommu-linux
test-iommu-linux: setup-run setup-qemu setup-linux $(IMAGES)/el2.img ## Debian's kernels with all devices behind an SMMUv3 that EL2 owns, and with devices that may reach nothing
	$(Q)$(RUN).linux.run --tools $(TOOLCHAIN) --qemu $(NEW_QEMU)/qemu-system-aarch64 --smmu \
	  --logs $(LINUX)/logs-iommu --results $(RESULTS)/test-iommu-linux.json $(LINUX) $(IMAGES)/el2.img

.PHONY: test-efi
test-efi: setup-efi setup-qemu setup-linux setup-loaders $(EL2).img ## Debian's kernels by UEFI, by ACPI and by device tree, bare and through Portcullis
	$(Q)$(RUN).efi.run --tools $(TOOLCHAIN) --qemu $(QEMU) --smmu-qemu $(NEW_QEMU)/qemu-system-aarch64 \
	  --logs .build/efi/logs --results $(RESULTS)/test-efi.json $(LINUX) $(EL2).img

.PHONY: test-efi-brief
test-efi-brief: setup-efi setup-qemu setup-linux $(EL2).img ## two of these machines
	$(Q)$(RUN).efi.run --tools $(TOOLCHAIN) --qemu $(QEMU) --smmu-qemu $(NEW_QEMU)/qemu-system-aarch64 --brief \
	  --logs .build/efi/logs-brief --results $(RESULTS)/test-efi-brief.json $(LINUX) $(EL2).img

.PHONY: hostile-efi
hostile-efi: setup-efi setup-linux $(IMAGES)/el2.img ## attacks from a Debian kernel that UEFI has started, with their controls
	$(Q)$(RUN).efi.hostile --tools $(TOOLCHAIN) --qemu $(QEMU) --logs .build/efi/logs-hostile \
	  --results $(RESULTS)/hostile-efi.json $(LINUX) $(IMAGES)/el2.img

# The program is the one that the unit tests were built with.
.PHONY: test-acpi
test-acpi: setup-test setup-qemu ## `inspect` on ACPI tables: of QEMU's machines, as by their device trees; made ones; hostile ones
	$(Q)$(SWIFT) build $(UNIT) --product portcullis
	$(Q)$(RUN).acpi.run --qemu $(QEMU) --smmu-qemu $(NEW_QEMU)/qemu-system-aarch64 --results $(RESULTS)/test-acpi.json \
	  "$$($(SWIFT) build $(UNIT) --show-bin-path)/portcullis"

.PHONY: bench-dma
bench-dma: setup-run setup-qemu setup-linux $(IMAGES)/el2.img ## throughput of virtio's DMA with the mirror of pages' owners and without
	$(Q)$(RUN).bench.throughput --tools $(TOOLCHAIN) --qemu $(NEW_QEMU)/qemu-system-aarch64 \
	  $(LINUX) $(IMAGES)/el2.img

.PHONY: hostile-linux
hostile-linux: setup-run setup-linux $(IMAGES)/el2-unmediated.img $(IMAGES)/el2.img $(IMAGES)/el2-double-fetch.img ## attacks from a Debian kernel, without and with mediation (FULL=1: both kernels, both GICs)
	$(Q)$(RUN).linux.hostile --tools $(TOOLCHAIN) --qemu $(QEMU) $(if $(FULL),--full) --logs $(LINUX)/logs-hostile \
	  --results $(RESULTS)/hostile-linux.json $(LINUX) $(IMAGES)/el2-unmediated.img $(IMAGES)/el2.img \
	  $(IMAGES)/el2-double-fetch.img

.PHONY: hostile-linux-brief
hostile-linux-brief: setup-run setup-linux $(IMAGES)/el2-unmediated.img $(IMAGES)/el2.img ## attacks from a Debian kernel that do not ruin the machine, without and with mediation
	$(Q)$(RUN).linux.hostile --tools $(TOOLCHAIN) --qemu $(QEMU) --brief --logs $(LINUX)/logs-hostile-brief \
	  --results $(RESULTS)/hostile-linux-brief.json $(LINUX) $(IMAGES)/el2-unmediated.img $(IMAGES)/el2.img

# One CPU more or less is another soak: 4 unless they are asked for.
.PHONY: soak
soak: setup-run setup-linux $(IMAGES)/el2.img ## Debian's kernel under stress for MINUTES (30); EL2 may use no more at the end (BARE=1: without it)
	$(Q)$(RUN).linux.soak --tools $(TOOLCHAIN) --qemu $(QEMU) --kernel $(KERNEL) --gic $(GIC) \
	  --cpus $(if $(filter file,$(origin CPUS)),4,$(CPUS)) --processor $(PROCESSOR) --minutes $(MINUTES) $(if $(PROVOKE),--provoke) \
	  --log $(LINUX)/soak.log --results $(RESULTS)/soak.json $(LINUX) $(if $(BARE),,$(IMAGES)/el2.img)

.PHONY: coverage
coverage: ## line coverage of the core, from the last `make unit`
	$(Q)$(RUN).gate.coverage --least $(COVERAGE) \
	  "$$($(SWIFT) test $(UNIT) --show-codecov-path)" $(CORE)

.PHONY: lint
lint: setup-test ## formatting, licence headers, layering; the runners, and their tests
	@echo formatting
	$(Q)$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests
	@echo layering, licences
	$(Q)$(RUN).gate.lint --swift $(SWIFT)
	@echo the runners
	$(Q)pyflakes3 Tests/Runners
	$(Q)$(PYTHON) -m unittest discover --quiet --top-level-directory Tests --start-directory Tests/Runners

.PHONY: lines
lines: ## code lines by room (SINCE=REVISION: compared with it)
	$(Q)$(RUN).gate.lines $(SINCE)

.PHONY: statistics
statistics: setup-test ## writes the numbers of statistics into portcullis_hypercalls.h
	$(Q)PORTCULLIS_WRITE=1 $(SWIFT) test $(UNIT) --disable-xctest --filter StatisticTableTests

.PHONY: format
format: ## formats all Swift sources in place
	$(Q)$(SWIFT) format --in-place --recursive --parallel Package.swift Sources Tests

.PHONY: corpus
corpus: setup-test cli ## compares `inspect` with an independent reading on Debian's device trees
	$(Q)Tests/Setup/corpus.sh .build/corpus
	$(Q)$(RUN).corpus.run .build/release/portcullis .build/corpus

##@ Fuzz

.PHONY: fuzzer
fuzzer: setup-test
	$(Q)Tests/Fuzz/build.sh $(SWIFT) DeviceTree .build-fuzz

.PHONY: fuzz
fuzz: fuzzer ## fuzzes the device-tree path for FUZZ_SECONDS (600) with AddressSanitizer
	$(Q)Tests/Fuzz/run.sh .build-fuzz $(FUZZ_SECONDS) .build/corpus/dtb

.PHONY: replay
replay: fuzzer ## runs the device-tree path once over every seed
	$(Q)Tests/Fuzz/run.sh .build-fuzz 0 .build/corpus/dtb

.PHONY: fuzzer-acpi
fuzzer-acpi: setup-test
	$(Q)Tests/Fuzz/build.sh $(SWIFT) ACPI .build-fuzz-acpi

.PHONY: fuzz-acpi
fuzz-acpi: fuzzer-acpi ## fuzzes the reading of ACPI tables for FUZZ_SECONDS (600) with AddressSanitizer
	$(Q)Tests/Fuzz/ACPI/run.sh .build-fuzz-acpi $(FUZZ_SECONDS)

.PHONY: replay-acpi
replay-acpi: fuzzer-acpi ## runs the reading of ACPI tables once over every seed
	$(Q)Tests/Fuzz/ACPI/run.sh .build-fuzz-acpi 0

# What makes millions of steps is optimised, and looks into modules.
SOAK := PORTCULLIS_FUZZ=1 $(SWIFT) build $(NATIVE) -c release --scratch-path .build-soak \
  -Xswiftc -enable-testing -Xswiftc -cross-module-optimization

.PHONY: fuzz-its
fuzz-its: setup-test ## fuzzes the ITS mediation for FUZZ_SECONDS (600)
	$(Q)Tests/Fuzz/ITS/build.sh $(SWIFT) .build-fuzz-its
	$(Q)Tests/Fuzz/ITS/run.sh .build-fuzz-its $(FUZZ_SECONDS)

.PHONY: replay-its
replay-its: setup-test ## runs the ITS mediation once over every seed
	$(Q)Tests/Fuzz/ITS/build.sh $(SWIFT) .build-fuzz-its
	$(Q)Tests/Fuzz/ITS/run.sh .build-fuzz-its 0

.PHONY: soak-its
soak-its: setup-test ## SOAK_STEPS (100000000) steps of hostile hosts; tells what each command came to
	$(Q)$(SOAK) --product soak
	$(Q).build-soak/release/soak --steps $(SOAK_STEPS) --seed $(SOAK_SEED)

.PHONY: soak-spec
soak-spec: setup-test ## SPEC_SECONDS (600) of hostile hosts beside the specification; how often each rule was reached, and which lines
	$(Q)$(RUN).specification.run --swift $(SWIFT) --tools $(TOOLCHAIN) --seconds $(SPEC_SECONDS) --seed $(SOAK_SEED) \
	  --least $(SPEC_LEAST) --lines $(SPEC_LINES)

# Sets have an order by chance, which a failure must not depend on.
.PHONY: soak-spec-brief
soak-spec-brief: setup-test ## half a million of such steps with an ITS, fewer with Redistributors, SMMUs, an embedder, by PSCI and with handovers
	$(Q)for soak in soak soak-redistributor soak-smmu soak-embedder soak-psci soak-handover; do $(SOAK) --product $$soak || exit 1; done
	$(Q)export SWIFT_DETERMINISTIC_HASHING=1; cd .build-soak/release; set -x; \
	  ./soak --steps 500000 --seed $(SOAK_SEED) --check 1; \
	  ./soak-redistributor --steps 250000 --seed $(SOAK_SEED) --check 1; \
	  ./soak-smmu --steps 50000 --seed $(SOAK_SEED) --check 1; \
	  ./soak-embedder --steps 10000 --seed $(SOAK_SEED); \
	  ./soak-psci --steps 300000 --seed $(SOAK_SEED); \
	  ./soak-handover --steps 2500 --seed $(SOAK_SEED)

.PHONY: soak-smmu
soak-smmu: setup-test ## SOAK_STEPS steps of hostile hosts with a virtual SMMU; tells what was refused
	$(Q)$(SOAK) --product soak-smmu
	$(Q).build-soak/release/soak-smmu --steps $(SOAK_STEPS) --seed $(SOAK_SEED)

.PHONY: fuzz-smmu
fuzz-smmu: setup-test ## fuzzes the virtual SMMU for FUZZ_SECONDS (600)
	$(Q)Tests/Fuzz/SMMU/build.sh $(SWIFT) .build-fuzz-smmu
	$(Q)Tests/Fuzz/SMMU/run.sh .build-fuzz-smmu $(FUZZ_SECONDS)

TABLE_LOG := .build-soak-iommu/release/table-log
.PHONY: table-log
table-log: setup-test ## writes the log of tables of simulated boots to .build/table-log, and checks it (LOG=FILE: that alone)
	$(Q)PORTCULLIS_FUZZ=1 $(SWIFT) build $(NATIVE) -c release --scratch-path .build-soak-iommu \
	  --product table-log
ifdef LOG
	$(Q)$(TABLE_LOG) check $(LOG)
else
	$(Q)mkdir -p .build/table-log
	$(Q)for smmu in off owned nested; do \
	  $(TABLE_LOG) boot --smmu $$smmu .build/table-log/$$smmu.log || exit 1; \
	  $(TABLE_LOG) check .build/table-log/$$smmu.log || exit 1; done
endif

# The default is meant for a soak that is faster.
.PHONY: soak-iommu
soak-iommu: setup-test ## SOAK_STEPS (10000000) steps of pages that change owners; both tables compared after each
	$(Q)PORTCULLIS_FUZZ=1 $(SWIFT) build $(NATIVE) -c release --scratch-path .build-soak-iommu \
	  --product soak-iommu
	$(Q).build-soak-iommu/release/soak-iommu --steps $(if $(filter file,$(origin SOAK_STEPS)),10000000,$(SOAK_STEPS)) \
	  --seed $(SOAK_SEED)

# First, less deep: whether states that the search takes for one behave alike.
EXHAUSTIVE := SWIFT_DETERMINISTIC_HASHING=1 .build-soak/release/exhaustive
.PHONY: exhaustive exhaustive-brief
exhaustive: setup-test ## every interleaving of steps in small worlds, each trap compared with the specification, DEPTH (1) steps deeper
	$(Q)[[ "$(DEPTH)" =~ ^-?[0-9]+$$ ]] || { echo "DEPTH is a number of steps, not '$(DEPTH)'" >&2; exit 2; }
	$(Q)$(SOAK) --product exhaustive
	$(Q)$(EXHAUSTIVE) --check 1 --deeper -2
	$(Q)$(EXHAUSTIVE) --deeper $(DEPTH)
exhaustive-brief: setup-test ## the same for a million states; what is taken for one state behaves alike
	$(Q)$(SOAK) --product exhaustive
	$(Q)$(EXHAUSTIVE) --check 1 --deeper -3
	$(Q)$(EXHAUSTIVE)

.PHONY: mutants
mutants: setup-test ## puts known defects back, each of which must be caught; tells by the specification or by which suite (MUTANTS: these alone)
	$(Q)$(RUN).mutants.run --swift $(SWIFT) --results $(RESULTS)/mutants.json $(MUTANTS)

.PHONY: models
models: setup-test ## spin searches all states of Tests/Models, without and with known defects
	$(Q)$(RUN).models.run --results $(RESULTS)/models.json

##@ Other

.PHONY: docs
docs: setup-build ## the reference of all rooms, in .build/docs
	$(Q)Tests/Runners/gate/docs.sh $(SWIFT) $(TOOLCHAIN)/docc .build/docs $(DOCUMENTED)

.PHONY: setup fetch
setup: setup-test fetch ## installs and fetches all that build, run and test need
fetch: setup-libfdt setup-linux setup-qemu setup-loaders ## fetches what is not installed: libfdt, kernels and boot loaders for arm64, a second QEMU

.PHONY: setup-python setup-build setup-embedded setup-run setup-efi setup-test setup-bench setup-libfdt setup-linux setup-newest setup-qemu setup-loaders
# What runs the gate; the rest is a step of it.
setup-python:
	@Tests/Setup/packages.sh python3
setup-build:
	@Tests/Setup/packages.sh $(PACKAGES_BUILD)
setup-run:
	@Tests/Setup/packages.sh $(PACKAGES_RUN)
setup-efi:
	@Tests/Setup/packages.sh $(PACKAGES_EFI)
setup-embedded:
	@Tests/Setup/packages.sh $(PACKAGES_EMBEDDED)
setup-bench:
	@Tests/Setup/packages.sh $(PACKAGES_BENCH)
setup-test: ## installs the Debian packages that the tests need
	@Tests/Setup/packages.sh $(PACKAGES_TEST)
setup-libfdt:
	@Tests/Setup/libfdt.sh $(LIBFDT)
setup-linux:
	@Tests/Setup/linux.sh $(LINUX) 6.1 6.12 $(filter newest,$(KERNEL))
setup-newest:
	@Tests/Setup/linux.sh $(LINUX) newest
setup-loaders:
	@Tests/Setup/unpack.sh arm64 grub-efi-arm64-bin $(LINUX)/grub
	@Tests/Setup/unpack.sh arm64 systemd-boot-efi $(LINUX)/systemd-boot
setup-qemu:
	@Tests/Setup/qemu.sh $(NEW_QEMU)

.PHONY: clean
clean: ## removes everything that was built or fetched
	$(Q)rm -rf .build .build-*

.PHONY: help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^#   / { variables = variables "\n  " substr($$0, 5) } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  %-19s %s\n", $$1, $$2 } \
	  END { print "\nVariables" variables }' $(firstword $(MAKEFILE_LIST))
