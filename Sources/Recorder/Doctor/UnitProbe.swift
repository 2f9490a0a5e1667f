import AtlasProtocol
import CSockets
import Glibc
import Locks
import NIOCore
import NIOPosix
import RecorderStore

/// Asks units whether they answer: one short connection to each, `get KeepAlive` and `get FirmwareVersion`, and an ear on
/// UDP for the keep-alive's echo where nobody else has the port. Subscribes to nothing.
struct UnitProbe {
    enum Answer: Equatable {
        /// No connection; `detail` says what and where.
        case unreachable(Cause, detail: String)
        /// Connected, and ended by the unit before it answered.
        case ended
        /// Connected, and nothing came.
        case silent
        /// `echo` nil: not listened for.
        case answering(firmware: String?, milliseconds: Int, echo: Bool?)
    }

    /// Seconds that a unit has to answer.
    static let patience: Int64 = 3

    /// UDP port that the units send to; nil: do not bind it.
    let meterPort: UInt16?

    /// The answers, in the order of `specs`. Takes at most 5 s for the names, 5 for connecting and 3 for the answers.
    func ask(_ specs: [ProcessorSpec]) async -> [Answer] {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
        let conversations = specs.map { Conversation($0) }
        await withTaskGroup { group in
            for conversation in conversations { group.addTask { await conversation.connect(on: eventLoop) } }
        }
        // Every connection is there before the ears are: one for each local address, for all units that send there.
        let ears = Ears(at: Set(conversations.compactMap(\.local)), port: meterPort)
        for conversation in conversations { conversation.ask() }
        let deadline = ContinuousClock.now + .seconds(Self.patience)
        while ContinuousClock.now < deadline {
            for source in ears.sources() { for one in conversations { one.heard(from: source) } }
            if conversations.allSatisfy({ $0.isFinished(withEcho: ears.hear(at: $0.local)) }) { break }
            try? await Task.sleep(for: .milliseconds(10))
        }
        let answers = conversations.map { $0.answer(listened: ears.hear(at: $0.local)) }
        for conversation in conversations { await conversation.close() }
        return answers
    }
}

/// An ear for each local address; where somebody has the port, there is none.
struct Ears {
    private let ears: [IPv4Address: Ear]

    init(at locals: Set<IPv4Address>, port: UInt16?) {
        var ears: [IPv4Address: Ear] = [:]
        if let port { for local in locals { ears[local] = Ear(address: local, port: port) } }
        self.ears = ears
    }

    /// Whether what is sent to this address of ours would be noticed.
    func hear(at local: IPv4Address?) -> Bool { local.map { ears[$0] != nil } ?? false }
    func sources() -> Set<IPv4Address> { ears.values.reduce(into: []) { $0.formUnion($1.sources()) } }
}

/// A UDP socket that only notices who sends.
private final class Ear {
    private let descriptor: Int32
    private let batch: OpaquePointer

    /// nil if it cannot be bound.
    init?(address: IPv4Address, port: UInt16) {
        var buffer: Int32 = 0
        let bound = csockets_bind_udp(address.bits, port, 256 * 1024, &buffer)
        guard bound >= 0 else { return nil }
        guard let memory = csockets_batch_create(16, ReceiveLimits().slotBytes) else {
            Glibc.close(bound)
            return nil
        }
        (descriptor, batch) = (bound, memory)
    }

    deinit {
        Glibc.close(descriptor)
        csockets_batch_free(batch)
    }

    func sources() -> Set<IPv4Address> {
        let count = csockets_receive(descriptor, batch)
        guard count > 0, let datagrams = csockets_batch_datagrams(batch) else { return [] }
        return Set((0..<Int(count)).map { IPv4Address(bits: datagrams[$0].source) })
    }
}

/// One unit's connection and what came of it.
private final class Conversation: Sendable {
    private struct State {
        var channel: (any Channel)?
        var address: IPv4Address?
        var failure: UnitProbe.Answer?
        var asked: ContinuousClock.Instant?
        var answered: ContinuousClock.Instant?
        var firmware: String?
        var hasEnded = false
        var echoed = false
    }
    private let spec: ProcessorSpec
    private let state = Mutex(State())

    init(_ spec: ProcessorSpec) { self.spec = spec }

    func connect(on eventLoop: any EventLoop) async {
        do {
            let address = try await resolve(on: eventLoop)
            state.withLock { $0.address = address }
            let target = try SocketAddress(ipAddress: "\(address)", port: Int(spec.controlPort))
            let channel = try await ControlChannel.connect(to: target, on: eventLoop) { self.received($0) }.get()
            state.withLock { $0.channel = channel }
        } catch let failure as Resolver.Failure {
            fail(.unresolved, "\(spec.host): \(failure.message)")
        } catch {
            let (cause, errno) = ControlChannel.failure(error)
            fail(cause, "\(spec.host):\(spec.controlPort): \(ErrnoName.message(errno)) (\(ErrnoName.name(errno)))")
        }
    }

    private func fail(_ cause: Cause, _ detail: String) {
        state.withLock { $0.failure = .unreachable(cause, detail: detail) }
    }

    /// A name service that does not answer is not waited for.
    private func resolve(on eventLoop: any EventLoop) async throws -> IPv4Address {
        let limit = eventLoop.makePromise(of: IPv4Address.self)
        Resolver.resolve(spec.host, on: eventLoop).cascade(to: limit)
        let timer = eventLoop.scheduleTask(in: .seconds(ControlChannel.connectLimit)) {
            limit.fail(Resolver.Failure(code: "EAI_AGAIN", message: "no answer from the name service within 5 s"))
        }
        defer { timer.cancel() }
        return try await limit.futureResult.get()
    }

    /// Our own address of the connection, where the unit sends its datagrams.
    var local: IPv4Address? {
        let channel = state.withLock { $0.channel }
        return channel?.localAddress?.ipAddress.flatMap { IPv4Address($0) }
    }

    func ask() {
        let channel = state.withLock { state in
            state.asked = .now
            return state.channel
        }
        for line in [Request.keepAlive.line, Request.firmwareLine] {
            channel?.writeAndFlush(ByteBuffer(bytes: line), promise: nil)
        }
    }

    private func received(_ input: ControlChannel.Input) {
        state.withLock { state in
            switch input {
            case .line(.complete(let line)):
                guard let parsed = line.withUnsafeBufferPointer({ FallbackDecoder().decode($0) }) else { return }
                state.answered = state.answered ?? .now
                for value in parsed.message.values where value.name == "FirmwareVersion" {
                    if case .text(let text) = value.value { state.firmware = text }
                }
            case .line(.tooLong): break
            case .closed: state.hasEnded = true
            }
        }
    }

    func heard(from source: IPv4Address) {
        state.withLock { if $0.address == source { $0.echoed = true } }
    }

    /// Whether nothing more is to come.
    func isFinished(withEcho: Bool) -> Bool {
        state.withLock { state in
            if state.failure != nil || (state.hasEnded && state.answered == nil) { return true }
            return state.answered != nil && state.firmware != nil && (state.echoed || !withEcho)
        }
    }

    func close() async {
        let channel = state.withLock { $0.channel }
        try? await channel?.close()
    }

    func answer(listened: Bool) -> UnitProbe.Answer {
        state.withLock { state in
            if let failure = state.failure { return failure }
            guard let asked = state.asked, let answered = state.answered else {
                return state.hasEnded ? .ended : .silent
            }
            let milliseconds = Int(((answered - asked) / .milliseconds(1)).rounded())
            return .answering(
                firmware: state.firmware, milliseconds: max(0, milliseconds), echo: listened ? state.echoed : nil)
        }
    }
}
