import FoundationEssentials

/// Build-time tool: writes text files as one Swift array of name and text, in the order given.
/// Usage: `text-embedder OUTPUT.swift FILE…`. The name is the file's, without folder and `.sql`.
@main
struct TextEmbedder {
    static func main() throws {
        let output = CommandLine.arguments[1]
        var source = "/// Every such file of this folder, by name.\npackage let files: [File] = [\n"
        for path in CommandLine.arguments.dropFirst(2) {
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let file = path.split(separator: "/").last!
            let name = file.hasSuffix(".sql") ? file.dropLast(".sql".count) : file
            let hashes = String(repeating: "#", count: 8)  // no text holds a run of eight, so the literal stays raw
            source += "    (\"\(name)\", \(hashes)\"\"\"\n\(text)\n\"\"\"\(hashes)),\n"
        }
        try (source + "]\n").write(toFile: output, atomically: true, encoding: .utf8)
    }
}
