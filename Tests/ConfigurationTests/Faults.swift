@testable import Configuration

/// What is wrong with the text of a file `f`, as `config check` says it.
func faults(_ text: String) -> [String] {
    do throws(ConfigurationFaults) {
        _ = try Settings(text: text)
        return []
    } catch {
        return error.faults.map { $0.line(file: "f") }
    }
}
