// swift-tools-version: 6.3
// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

/// What every Swift target is held to: unsafe code is spelled out or is an error.
let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
  .enableExperimentalFeature("AddressableParameters"),
]

/// How tests, and what they alone import, are compiled.
let supporting: [SwiftSetting] = [
  .enableUpcomingFeature("MemberImportVisibility"), .enableExperimentalFeature("Lifetimes"),
]

/// One room of the house; `dependencies` may only name rooms below it.
func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// A program; its name is also its folder below `Sources`.
func program(
  _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [],
  settings: [SwiftSetting] = []
) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict + settings)
}

/// The C and assembly of one purpose, each in a folder of its own below `CShims`.
func shim(_ folder: String) -> Target {
  .target(name: "C" + folder, path: "CShims/" + folder, publicHeadersPath: "include")
}

func tests(
  _ room: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []
) -> Target {
  .testTarget(
    name: room + "Tests", dependencies: [.target(name: room)] + dependencies, exclude: exclude,
    swiftSettings: supporting)
}

/// Simulated hardware, or a whole board of it, below `Tests`.
///
/// The unit tests spend their time in it, so it is optimised, with its checks, when they are not.
func simulation(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(
    name: name, dependencies: dependencies, path: "Tests/" + name,
    swiftSettings: supporting + [
      .unsafeFlags(["-O", "-assert-config", "Debug"], .when(configuration: .debug))
    ])
}

/// What the Makefile's builds for bare metal say, for a manifest isn't told the triple (SwiftPM issue 8431).
///
/// Only these have the EL2 image. MEDIATE_OFF and MEDIATE_FORWARDING are conditions that it alone is
/// compiled with, so that all images share what is below it.
let metal = Context.environment["PORTCULLIS_METAL"]

/// How what the checked image has beside the core is compiled: into the image itself, and into no object of its own.
///
/// Two objects would both have the arrays that are known when a function is compiled, under the same names and
/// numbered each in its own order, and the linker takes the code of one and the arrays of the other.
let checked: [SwiftSetting] =
  metal == "CHECKED" ? [.unsafeFlags(["-Xfrontend", "-emit-empty-object-file"])] : []

let package = Package(
  name: "Portcullis",
  products: [
    .library(name: "PortcullisCore", type: .static, targets: ["PortcullisC"]),
    .executable(name: "portcullis", targets: ["portcullis"]),
    .executable(name: "TestHost", targets: ["TestHost"]),
  ],
  targets: [
    // Hardware.
    shim("Hardware"),  // single instructions: accessors, barriers, cache, TLB, system registers
    shim("Runtime"),  // the freestanding mem* and str* that compiler and libfdt need
    shim("Fdt"),  // libfdt behind a narrow interface of offsets
    shim("Embedder"),  // portcullis.h
    shim("Options"),  // getopt_long without its global variables
    shim("EL2Boot"),  // entry, vectors and linker script of the EL2 image
    shim("UEFI"),  // the tables and calls of UEFI that the EL2 image's application uses
    shim("EL1Boot"),  // entry, vectors and linker script of the test host

    // Vocabulary.
    room("Architecture"),
    room("GIC", ["Architecture"]),
    room("SMMU"),
    room("Trace", ["Architecture"]),
    room("Boards", ["Architecture"]),
    room("DeviceTree", ["Architecture", "Boards", "CFdt"]),
    room("ACPI", ["Architecture", "Boards"]),
    room("UEFI", ["Architecture", "Boards"]),
    // Ownership, traps.
    room("Ownership", ["Architecture"]),
    room("Traps", ["Architecture"]),
    // Devices.
    room("ITS", ["Architecture", "GIC", "Trace", "Ownership", "Traps"]),
    room("Redistributor", ["Architecture", "GIC", "Ownership", "Traps"]),
    room("IOMMU", ["Architecture", "Ownership"]),
    room("SMMUDriver", ["Architecture", "SMMU", "Ownership", "IOMMU"]),
    room("VirtualSMMU", ["Architecture", "SMMU", "SMMUDriver", "Ownership", "Traps"]),
    // Composition.
    room(
      "Hypervisor",
      [
        "Architecture", "GIC", "SMMU", "Trace", "Boards", "DeviceTree", "ACPI", "UEFI", "Ownership",
        "Traps", "ITS",
        "Redistributor", "IOMMU", "SMMUDriver", "VirtualSMMU",
      ]),
    // Interfaces and programs.
    room(
      "PortcullisC",
      [
        "Architecture", "GIC", "SMMU", "Trace", "Boards", "DeviceTree", "Ownership", "Traps", "ITS",
        "Redistributor", "IOMMU", "SMMUDriver", "VirtualSMMU", "Hypervisor", "CEmbedder",
        "CRuntime",
      ]),
    room(
      "Inspection",
      ["Architecture", "GIC", "Trace", "Boards", "DeviceTree", "ACPI", "Traps", "ITS"]),
    room(
      "Replay", ["Architecture", "GIC", "Trace", "Ownership", "Traps", "ITS", "SimulatedHardware"]),
    program(
      "portcullis", ["Architecture", "Trace", "Inspection", "Replay", "COptions"],
      exclude: ["portcullis.1", "completions"]),
    program("TestHost", ["Architecture", "GIC", "CHardware", "CEL1Boot", "CRuntime"]),

    // Hardware that carries out commands on tables in memory: an interrupt controller, and SMMUs.
    simulation("SimulatedHardware", ["Architecture", "GIC", "SMMU"]),

    // What the documentation states, as transitions of an abstract state; it knows nothing of the core.
    .target(
      name: "Specification", dependencies: ["Architecture", "GIC", "SMMU"],
      path: "Tests/Specification",
      exclude: ["README.md"],
      swiftSettings: supporting + checked + [
        .unsafeFlags(["-O", "-assert-config", "Debug"], .when(configuration: .debug))
      ]),

    // Takes note of what the core does in a trap of an ITS.
    .target(
      name: "Observing", dependencies: ["Architecture", "GIC", "Trace", "Ownership", "ITS"],
      path: "Tests/Observing", swiftSettings: supporting + checked),

    // The specification beside the core: each step of the core must be one that it permits.
    .target(
      name: "Comparison",
      dependencies: [
        "Architecture", "GIC", "SMMU", "Trace", "Ownership", "ITS", "Redistributor", "SMMUDriver",
        "VirtualSMMU", "Specification", "Observing",
      ],
      path: "Tests/Comparison", swiftSettings: supporting + checked),

    // The same beside a monitor: that of the checked image, and that of a simulated board.
    .target(
      name: "CheckedMonitor",
      dependencies: [
        "Architecture", "GIC", "Trace", "Boards", "DeviceTree", "Ownership", "ITS", "Redistributor",
        "Hypervisor", "Observing", "Comparison",
      ],
      path: "Tests/CheckedMonitor", swiftSettings: supporting + checked),

    // Boards of that hardware with rooms of the core on it, up to one on which the monitor starts up.
    simulation(
      "Simulation",
      [
        "Architecture", "GIC", "SMMU", "Trace", "Boards", "DeviceTree", "UEFI", "Ownership",
        "Traps", "ITS", "Redistributor", "IOMMU", "SMMUDriver", "VirtualSMMU", "Hypervisor",
        "SimulatedHardware", "Observing",
      ]),

    // EL2's relay of PSCI calls beside the specification.
    .target(
      name: "PSCIWalk",
      dependencies: ["Architecture", "SMMU", "Hypervisor", "SimulatedHardware", "Specification"],
      path: "Tests/Fuzz/PSCI/Walk", swiftSettings: supporting),

    // The time that a command takes through the mediation, on Linux.
    .executableTarget(
      name: "ITSBench",
      dependencies: ["Architecture", "GIC", "ITS", "Ownership", "Simulation", "Traps"],
      path: "Tests/ITSBench", swiftSettings: supporting),

    // What the devices' table takes, and what SMMUs are asked for.
    .executableTarget(
      name: "IOMMUBench",
      dependencies: [
        "Architecture", "Ownership", "SMMU", "SMMUDriver", "SimulatedHardware", "Simulation",
      ],
      path: "Tests/IOMMUBench", swiftSettings: supporting),

    tests("Architecture"),
    tests("GIC"),
    tests("SMMU"),
    tests("Trace", ["Architecture"]),
    tests("Specification", ["Architecture", "GIC", "SMMU"]),
    tests("SimulatedHardware", ["Architecture", "GIC", "SMMU"]),
    tests("Boards"),
    tests("DeviceTree"),
    tests("ACPI"),
    tests("UEFI", ["Architecture"]),
    tests("Ownership", ["Architecture", "Simulation", "SimulatedHardware"]),
    tests("Traps"),
    tests("ITS", ["Architecture", "GIC", "Ownership", "Traps", "SimulatedHardware", "Simulation"]),
    tests(
      "Redistributor",
      ["Architecture", "GIC", "Ownership", "Traps", "SimulatedHardware", "Simulation"]),
    tests("IOMMU", ["Architecture", "Ownership", "SimulatedHardware", "Simulation"]),
    tests(
      "SMMUDriver",
      ["Architecture", "SMMU", "Ownership", "IOMMU", "Simulation", "SimulatedHardware"]),
    tests(
      "VirtualSMMU",
      [
        "Architecture", "SMMU", "SMMUDriver", "Ownership", "Traps", "SimulatedHardware",
        "Simulation",
      ]),
    tests(
      "Hypervisor",
      [
        "GIC", "SMMU", "Trace", "IOMMU", "ITS", "Redistributor", "SMMUDriver", "VirtualSMMU",
        "Simulation", "SimulatedHardware", "PSCIWalk", "Observing", "CheckedMonitor", "UEFI",
      ]),
    tests("Inspection", ["Trace"]),
    tests(
      "Replay",
      [
        "Architecture", "GIC", "Ownership", "Inspection", "ITS", "SimulatedHardware", "Trace",
        "Traps", "Observing", "Comparison",
      ],
      exclude: ["Traces"]),
  ],
  swiftLanguageModes: [.v6]
)

if let metal {
  // The checked image has the specification in it, which needs a heap, and looks into modules.
  let isChecked = metal == "CHECKED"
  if isChecked { package.targets.append(shim("Heap")) }
  package.products.append(.executable(name: "EL2Image", targets: ["EL2Image"]))
  package.targets.append(
    program(
      "EL2Image",
      [
        "Architecture", "GIC", "SMMU", "Trace", "Ownership", "Traps", "ITS", "Redistributor",
        "IOMMU", "SMMUDriver", "VirtualSMMU", "Boards", "DeviceTree", "ACPI", "UEFI",
        "Hypervisor", "PortcullisC", "CHardware", "CEL2Boot", "CUEFI", "CRuntime",
      ] + (isChecked ? ["Observing", "CheckedMonitor", "CHeap"] : []),
      exclude: isChecked ? [] : ["Checked"],
      settings: metal.hasPrefix("MEDIATE_") ? [.define(metal)] : []))
}

// The programs that run the mediation of an ITS, or the mirror of page states, for millions of steps. Some
// look into modules, and so need `-enable-testing`, which the Makefile says where it builds them.
if Context.environment["PORTCULLIS_FUZZ"] != nil {
  package.targets += [
    .target(name: "SoakOptions", path: "Tests/Fuzz/Options", swiftSettings: supporting),
    .target(
      name: "FuzzWorld",
      dependencies: [
        "Architecture", "GIC", "Trace", "Ownership", "Traps", "ITS", "SimulatedHardware",
        "Observing", "Comparison",
      ],
      path: "Tests/Fuzz/ITS/World", swiftSettings: supporting),
    .executableTarget(
      name: "soak", dependencies: ["FuzzWorld", "Comparison", "SoakOptions"],
      path: "Tests/Fuzz/ITS/Soak",
      swiftSettings: supporting),
    .executableTarget(
      name: "soak-redistributor",
      dependencies: [
        "Architecture", "GIC", "Redistributor", "Traps", "Simulation", "SimulatedHardware",
        "Comparison", "SoakOptions",
      ],
      path: "Tests/Fuzz/Redistributor", swiftSettings: supporting),
    .executableTarget(
      name: "soak-handover",
      dependencies: [
        "Architecture", "GIC", "Hypervisor", "Specification", "Simulation", "SimulatedHardware",
        "SoakOptions",
      ],
      path: "Tests/Fuzz/Handover", swiftSettings: supporting),
    .executableTarget(
      name: "soak-embedder",
      dependencies: [
        "Architecture", "GIC", "SMMU", "Ownership", "ITS", "Redistributor", "Hypervisor",
        "PortcullisC", "CEmbedder", "Simulation", "SimulatedHardware", "Comparison", "SoakOptions",
      ],
      path: "Tests/Fuzz/Embedder", swiftSettings: supporting),
    .executableTarget(
      name: "soak-iommu", dependencies: ["Simulation"], path: "Tests/Fuzz/IOMMU",
      swiftSettings: supporting),
    .executableTarget(
      name: "soak-psci", dependencies: ["PSCIWalk", "SoakOptions"], path: "Tests/Fuzz/PSCI/Soak",
      swiftSettings: supporting),
    .executableTarget(
      name: "table-log", dependencies: ["Simulation", "SimulatedHardware"], path: "Tests/TableLog",
      exclude: ["TableLog.md"], swiftSettings: supporting),
    .executableTarget(
      name: "exhaustive",
      dependencies: [
        "FuzzWorld", "Comparison", "GIC", "ITS", "SimulatedHardware", "Architecture", "Traps",
      ],
      path: "Tests/Exhaustive", swiftSettings: supporting),
    .target(
      name: "SMMUFuzzWorld",
      dependencies: [
        "FuzzWorld", "Simulation", "Architecture", "SMMU", "SimulatedHardware", "Traps",
        "VirtualSMMU", "Comparison",
      ],
      path: "Tests/Fuzz/SMMU/World", swiftSettings: supporting),
    .executableTarget(
      name: "soak-smmu",
      dependencies: [
        "SMMUFuzzWorld", "Simulation", "FuzzWorld", "SMMUDriver", "VirtualSMMU", "Comparison",
        "SoakOptions",
      ],
      path: "Tests/Fuzz/SMMU/Soak", swiftSettings: supporting),
  ]
}
