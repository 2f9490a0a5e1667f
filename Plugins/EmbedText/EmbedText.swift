import PackagePlugin

/// Compiles a folder of SQL, style sheets or scripts into its module: each such file of the target becomes a string literal.
/// Adding a migration or a report is adding a file.
@main
struct EmbedText: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        guard let target = target as? any SourceModuleTarget else { return [] }
        let inputs = [".sql", ".css", ".js"].flatMap { target.sourceFiles(withSuffix: $0).map(\.url) }
            .sorted { $0.path < $1.path }
        let output = context.pluginWorkDirectoryURL.appending(path: "\(target.moduleName)+embedded.swift")
        return [
            .buildCommand(
                displayName: "Embedding \(inputs.count) files of \(target.moduleName)",
                executable: try context.tool(named: "text-embedder").url,
                arguments: [output.path] + inputs.map(\.path), inputFiles: inputs, outputFiles: [output])
        ]
    }
}
