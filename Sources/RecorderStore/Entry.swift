import AtlasProtocol

/// Something to be written besides samples. Times are microseconds since 1970 UTC.
package enum Entry: Sendable {
    /// `processor` nil: of the recorder itself.
    case event(Event)
    case change(processor: Int32, link: Link, state: LinkState, since: Int64)
    /// The wall clock was set by so many microseconds and shows `at` now. Later entries carry the new time.
    case clockSet(at: Int64, by: Int64)
    /// Nobody recorded: the recorder was held up, or the host slept.
    case paused(from: Int64, until: Int64, Cause)
    case fault(SocketFault)
    /// The operation worked: its open episodes end.
    case recovered(
        processor: Int32?, socket: SocketFault.Socket, operation: SocketFault.Operation, address: String? = nil)
    case parameter(processor: Int32, at: Int64, name: String, value: SQLValue, told: Telling = .changed)
    /// The unit was heard from.
    case seen(processor: Int32, at: Int64)
    case loss(Loss)

    /// Whether it is committed at once and synced to the disk; the rest waits for the next commit of samples.
    package var isUrgent: Bool {
        switch self {
        case .event, .change, .clockSet, .paused, .fault, .recovered: true
        case .parameter, .seen, .loss: false
        }
    }

    package struct Event: Sendable {
        package let processor: Int32?
        package let at: Int64
        package let link: Link?
        package let name: LinkEvent.Name
        package let cause: Cause?
        package let detail: String?

        package init(
            processor: Int32?, at: Int64, link: Link?, name: LinkEvent.Name, cause: Cause? = nil, detail: String? = nil
        ) {
            (self.processor, self.at, self.link) = (processor, at, link)
            (self.name, self.cause, self.detail) = (name, cause, detail)
        }
    }
}

extension [Entry] {
    /// Changes of parameters that may wait: only these can be made up by a sender without end.
    static let parameterLimit = 50_000

    /// The same, for a store that refuses for long: of when a unit was heard from the first and the last, of changes of
    /// parameters beyond the limit how many there were, losses summed up, of a socket's error two entries a minute.
    func condensed(limit: Int = parameterLimit) -> [Entry] {
        var (kept, shed): ([Entry], [Loss]) = ([], [])
        var heard: [Int32: (first: Int, last: Int?)] = [:]
        var faults: [EpisodeLedger.Key: (fault: SocketFault, place: Int, isSum: Bool)] = [:]
        var room = limit
        for entry in self {
            switch entry {
            case .loss(let loss):
                shed.merge(loss)
                continue
            case .parameter(let processor, let at, _, _, _):
                room -= 1
                if room < 0 {
                    shed.merge(
                        Loss(processor: processor, reason: .parametersDropped, at: at, datagrams: 1, samples: nil))
                    continue
                }
            case .seen(let processor, _):
                if let last = heard[processor]?.last {
                    kept[last] = entry
                    continue
                }
                heard[processor] = heard[processor].map { ($0.first, kept.count) } ?? (kept.count, nil)
            case .fault(let fault):
                let (key, before) = (EpisodeLedger.Key(fault), faults[EpisodeLedger.Key(fault)])
                let isSameMinute = before?.fault.at.startOfMinute == fault.at.startOfMinute
                if let before, isSameMinute, before.isSum {
                    let sum = before.fault.followed(by: fault)
                    kept[before.place] = .fault(sum)
                    faults[key] = (sum, before.place, true)
                    continue
                }
                // The first of a minute stays by itself: an episode may begin with it.
                faults[key] = (fault, kept.count, isSameMinute)
            case .recovered, .clockSet: faults = [:]  // what follows is another episode, or another time
            case .event, .change, .paused: break
            }
            kept.append(entry)
        }
        return kept + shed.map { .loss($0) }
    }
}

/// One or more failures of a socket call, or datagrams that no configured unit sent.
package struct SocketFault: Sendable {
    package enum Socket: String, Sendable { case tcp, udp }
    package enum Operation: String, Sendable { case bind, connect, send, recv }

    package let processor: Int32?
    package let socket: Socket
    package let operation: Operation
    /// The errno's name, `EADDRINUSE`.
    package let code: String
    package let errno: Int32?
    package let address: String?
    /// Who holds the port, `node (pid 2211)`.
    package let holder: String?
    package let message: String?
    package let at: Int64
    package let count: Int

    package init(
        processor: Int32?, socket: Socket, operation: Operation, code: String, errno: Int32?, address: String?,
        holder: String? = nil, message: String?, at: Int64, count: Int = 1
    ) {
        (self.processor, self.socket, self.operation) = (processor, socket, operation)
        (self.code, self.errno, self.address) = (code, errno, address)
        (self.holder, self.message, self.at, self.count) = (holder, message, at, count)
    }

    /// Both as one, at the time of the later.
    fileprivate func followed(by later: SocketFault) -> SocketFault {
        SocketFault(
            processor: processor, socket: socket, operation: operation, code: code, errno: later.errno ?? errno,
            address: later.address ?? address, holder: later.holder ?? holder, message: later.message ?? message,
            at: max(at, later.at), count: count + later.count)
    }
}
