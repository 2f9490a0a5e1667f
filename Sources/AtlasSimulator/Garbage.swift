/// What no client should stumble over. None holds a meter value that could be taken for a sample.
enum Garbage {
    static let datagrams: [[UInt8]] = [
        Array("{\"jsonrpc\":\"2.0\",\"method\":\"update\",\"params\":[{\"param\":\"ZoneMeter_0\",\"va".utf8),
        [],
        Array("{".utf8),
        [0xFF, 0xFE, 0x00, 0x80, 0xC3, 0x28],
        Array(update("\"val\":\"loud\"").utf8),
        Array(update("\"val\":1e999").utf8),
        Array(update("\"val\":NaN").utf8),
        Array(update("\"val\":null").utf8),
        Array(update("\"name\":1").utf8),
        [UInt8](repeating: UInt8(ascii: "["), count: 20_000),
        [UInt8](repeating: 0, count: 3000),
        Array("{\"jsonrpc\":\"2.0\",\"method\":\"update\",\"params\":null}\n".utf8),
        Array("{\"jsonrpc\":\"2.0\",\"method\":\"update\",\"params\":[[],42,{}]}\n".utf8),
        Array("{\"jsonrpc\":\"2.0\",\"method\":\"update\",\"params\":[{\"param\":\"\\uD800\",\"val\":".utf8),
        Array("\n\n\r\n42\n\"text\"\n[]\n".utf8),
    ]
    /// Without the newline that follows each.
    static let lines: [[UInt8]] = datagrams.map { $0.filter { $0 != UInt8(ascii: "\n") } }

    private static func update(_ member: String) -> String {
        "{\"jsonrpc\":\"2.0\",\"method\":\"update\",\"params\":[{\"param\":\"ZoneMeter_0\",\(member)}]}\n"
    }
}
