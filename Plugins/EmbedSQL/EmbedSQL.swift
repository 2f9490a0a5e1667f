import PackagePlugin

/// Compiles a folder of SQL into its module: each `.sql` file of the target becomes a string literal. Adding a
/// migration or a report is adding a file.
@main
struct EmbedSQL: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        guard let target = target as? any SourceModuleTarget else { return [] }
        let inputs = target.sourceFiles(withSuffix: ".sql").map(\.url).sorted { $0.path < $1.path }
        let output = context.pluginWorkDirectoryURL.appending(path: "\(target.moduleName)+embedded.swift")
        return [
            .buildCommand(
                displayName: "Embedding \(inputs.count) SQL files of \(target.moduleName)",
                executable: try context.tool(named: "sql-embedder").url,
                arguments: [output.path] + inputs.map(\.path), inputFiles: inputs, outputFiles: [output])
        ]
    }
}
