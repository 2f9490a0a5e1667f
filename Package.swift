// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "atlas-recorder",
    products: [.executable(name: "atlas-recorder", targets: ["atlas-recorder"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // The C edges: SQLite, and the pages of system calls that plain `import Glibc` lacks.
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .target(name: "CSockets"),
        // A terminal that is left as it was found, whatever ends the program.
        .target(name: "CTerminal"),

        // SQL, style sheets, scripts: every file becomes a string literal of the module (Plugins/EmbedText).
        .executableTarget(name: "text-embedder"),
        .plugin(name: "EmbedText", capability: .buildTool(), dependencies: ["text-embedder"]),
        .target(name: "Migrations", path: "Migrations", plugins: ["EmbedText"]),
        .target(name: "Reports", path: "reports", plugins: ["EmbedText"]),
        .target(name: "WebAssets", plugins: ["EmbedText"]),

        .target(name: "Locks"),
        .target(name: "AtlasProtocol"),
        .target(name: "WallTime"),
        // What was seen of the host, and what follows from it. No sockets, no files.
        .target(name: "Diagnosis", dependencies: ["AtlasProtocol"]),
        .target(name: "RecorderStore", dependencies: ["AtlasProtocol", "CSQLite", "CSockets", "Locks", "Migrations"]),
        // The file that an operator writes, and what is wrong with it.
        .target(name: "Configuration", dependencies: ["AtlasProtocol", "RecorderStore", "Reporting"]),
        .target(
            name: "Recorder",
            dependencies: [
                "AtlasProtocol", "CSockets", "Diagnosis", "Locks", "RecorderStore", "WallTime",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .target(
            name: "Reporting",
            dependencies: ["AtlasProtocol", "Diagnosis", "RecorderStore", "Reports", "WallTime", "WebAssets"]),
        // The live view: lines and keys in, screens out. No terminal, no clock.
        .target(
            name: "Watching", dependencies: ["AtlasProtocol", "Recorder", "RecorderStore", "Reporting", "WallTime"]),
        .target(
            name: "WebServer",
            dependencies: [
                "AtlasProtocol", "Configuration", "Recorder", "RecorderStore", "Reporting", "WebAssets",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        .target(
            name: "AtlasSimulator",
            dependencies: [
                "AtlasProtocol",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        .executableTarget(
            name: "atlas-recorder",
            dependencies: [
                "AtlasProtocol", "AtlasSimulator", "CSockets", "CTerminal", "Configuration", "Diagnosis", "Locks",
                "Recorder", "RecorderStore", "Reporting", "WallTime", "Watching", "WebServer",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]),

        // Benchmarks/retention/run
        .executableTarget(
            name: "retention-bench", dependencies: ["AtlasProtocol", "RecorderStore"], path: "Benchmarks/retention",
            exclude: ["run"]),

        // Faults under SQLite: system calls and allocations that fail.
        .target(name: "CFaults", dependencies: ["CSQLite"], path: "Tests/CFaults"),
        .testTarget(name: "AtlasProtocolTests", dependencies: ["AtlasProtocol"]),
        .testTarget(
            name: "RecorderStoreTests", dependencies: ["AtlasProtocol", "CFaults", "CSQLite", "Locks", "RecorderStore"]),
        .testTarget(
            name: "RecorderTests",
            dependencies: [
                "AtlasProtocol", "AtlasSimulator", "CSockets", "Diagnosis", "Locks", "Recorder", "RecorderStore",
                "WallTime",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .testTarget(name: "ConfigurationTests", dependencies: ["AtlasProtocol", "Configuration", "RecorderStore"]),
        .testTarget(
            name: "WebServerTests",
            dependencies: ["Recorder", "WebServer", .product(name: "NIOCore", package: "swift-nio")]),
        .testTarget(name: "WatchingTests", dependencies: ["Recorder", "Reporting", "WallTime", "Watching"]),
        .testTarget(name: "CommandTests", dependencies: ["atlas-recorder"], exclude: ["Browser"]),
        .testTarget(
            name: "ReportingTests", dependencies: ["AtlasProtocol", "Diagnosis", "Reporting", "WallTime"],
            exclude: ["Golden"]),
        .testTarget(
            name: "AtlasSimulatorTests",
            dependencies: [
                "AtlasSimulator",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
