import FoundationEssentials

/// Build-time tool: writes SQL files as one Swift array of name and text, in the order given.
/// Usage: `sql-embedder OUTPUT.swift FILE.sql…`. The name is the file's, without folder and `.sql`.
@main
struct SQLEmbedder {
    static func main() throws {
        let output = CommandLine.arguments[1]
        var source = "/// Every SQL file of this folder, by name.\npackage let files: [File] = [\n"
        for path in CommandLine.arguments.dropFirst(2) {
            let sql = try String(contentsOfFile: path, encoding: .utf8)
            let name = path.split(separator: "/").last!.dropLast(".sql".count)
            let hashes = String(repeating: "#", count: 8)  // SQL holds no run of eight, so the literal stays raw
            source += "    (\"\(name)\", \(hashes)\"\"\"\n\(sql)\n\"\"\"\(hashes)),\n"
        }
        try (source + "]\n").write(toFile: output, atomically: true, encoding: .utf8)
    }
}
