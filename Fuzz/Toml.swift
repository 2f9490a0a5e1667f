@testable import Configuration

/// Any bytes as a configuration file: values or a fault within the text that steers no terminal; the same with the line ends of
/// Windows, and once more with an empty line behind it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    guard let text = try? ConfigurationFile.text(bytes) else { return 0 }
    let read = answer(text)
    if read != nil { hold(answer(text + "\n") == read, "an empty line changes it") }
    if !text.utf8.contains(UInt8(ascii: "\r")) {
        let windows = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
        hold(answer(windows) == read, "line ends of Windows change it")
    }
    return 0
}

/// nil: it is refused.
private func answer(_ text: String) -> String? {
    do throws(TOMLFault) {
        return rendered(.table(try TOMLReader.table(text)))
    } catch {
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        hold(
            lines.indices.contains(error.position.line - 1), "a fault in line \(error.position.line) of \(lines.count)")
        hold((1...lines[error.position.line - 1].count + 1).contains(error.position.column), "a fault beside its line")
        let message = SyntaxAdvice.fault(error, in: text).message
        hold(message.unicodeScalars.allSatisfy { !$0.isControl }, "a message that steers a terminal")
        return nil
    }
}

private func rendered(_ content: Value.Content) -> String {
    switch content {
    case .text(let text): Value.quoted(text)
    case .list(let items): "[" + items.map { rendered($0.content) }.joined(separator: ",") + "]"
    case .table(let table):
        "{" + table.entries.map { Value.quoted($0.key.text) + rendered($0.value.content) }.joined(separator: ",") + "}"
    case .whole, .decimal, .flag, .moment: "\(content)"
    }
}

private func hold(_ condition: Bool, _ promise: @autoclosure () -> String) {
    guard condition else { fatalError("not held: \(promise())") }
}
