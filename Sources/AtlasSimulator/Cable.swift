import Glibc
import NIOCore

/// Pulls the cable of one TCP socket: a socket filter makes the kernel drop every segment that comes in, before TCP
/// sees it. So nothing is acknowledged, and a listener answers no SYN. Needs no right.
enum Cable {
    /// `struct sock_fprog` of linux/filter.h.
    private struct Program {
        var length: UInt16 = 1
        var instructions: UInt
    }
    /// `BPF_RET | BPF_K, 0`: keep 0 bytes. Lives as long as the process.
    private static let dropEverything: UInt = {
        let instruction = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
        instruction.initialize(to: 6)
        return UInt(bitPattern: instruction)
    }()

    static func unplug(_ channel: any Channel) {
        set(channel, SO_ATTACH_FILTER, to: Program(instructions: dropEverything))
    }

    /// A connection whose other end has gone meanwhile is found out by TCP keep-alive within seconds.
    static func plug(_ channel: any Channel) {
        set(channel, SO_DETACH_FILTER, to: CInt(0))
        guard channel.remoteAddress != nil else { return }
        set(channel, SO_KEEPALIVE, to: CInt(1))
        for option in [TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT] {
            set(channel, option, level: .tcp, to: option == TCP_KEEPCNT ? CInt(3) : CInt(1))
        }
    }

    private static func set(
        _ channel: any Channel, _ option: CInt, level: NIOBSDSocket.OptionLevel = .socket, to value: some Sendable
    ) {
        // Fails only on a socket that has just been closed, where there is nothing left to pull.
        _ = (channel as? any SocketOptionProvider)?
            .unsafeSetSocketOption(level: level, name: NIOBSDSocket.Option(rawValue: option), value: value)
    }
}
