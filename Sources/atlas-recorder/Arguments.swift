import Glibc

/// The command line, without the program's name. Swift looks for it beside the environment, and finds nothing there when a
/// preloaded library (libfaketime is one) has set a variable before and so moved the environment: the kernel knows it still.
enum Arguments {
    static var all: [String] {
        let bytes = kernel()
        guard bytes.last == 0 else { return Array(CommandLine.arguments.dropFirst()) }
        return bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false).dropFirst()
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// proc(5), /proc/pid/cmdline: each argument ends with a zero byte. Empty where there is no /proc.
    private static func kernel() -> [UInt8] {
        let descriptor = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
        }
    }
}
