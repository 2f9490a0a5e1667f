import RecorderStore

/// What `--fail-on` asks for: an errno's name, a cause, `any`, or `unrecorded`.
package enum FailCondition: Equatable, Sendable {
    case code(String)
    case any
    case unrecorded

    /// Why an argument is no condition.
    package struct Failure: Error, CustomStringConvertible, Equatable {
        package let argument: String
        package var description: String {
            "--fail-on '\(argument)': there is no such error or cause. Use an errno's name (EADDRINUSE), any, unrecorded, "
                + "or one of \(FailCondition.causes.joined(separator: ", "))."
        }
    }

    /// The closed list of causes (docs/reference.md).
    static let causes = [
        "refused", "timeout", "unreachable", "unresolved", "reset", "closed", "silent", "wedged", "not_enabled",
        "address_gone", "taken",
        "not_arriving", "control_down", "recorder_stopped", "recorder_starting", "recorder_stalled", "clock_step",
        "host_asleep", "not_recorded",
    ]
    /// Codes of socket errors that are no errno.
    private static let codes = ["UNKNOWN_SENDER", "EOF"]

    /// errno(3), `EAI_…` of getaddrinfo(3), or `E42`, as a number without a name is written. A name that is mistyped would
    /// never be found: that is no proof.
    private static func isErrno(_ argument: String) -> Bool {
        if argument.hasPrefix("EAI_") { return argument.utf8.count > 4 }
        if argument.first == "E", let number = Int32(argument.dropFirst()) { return number > 0 }
        return errnoNames.contains(argument)
    }

    private static let errnoNames: Set<String> = [
        "EPERM", "ENOENT", "ESRCH", "EINTR", "EIO", "ENXIO", "EBADF", "EAGAIN", "ENOMEM", "EACCES", "EFAULT", "EBUSY",
        "EEXIST", "ENODEV", "EINVAL", "ENFILE", "EMFILE", "EFBIG", "ENOSPC", "EROFS", "EPIPE", "EPROTO", "EBADMSG",
        "EOVERFLOW", "ENOTSOCK", "EDESTADDRREQ", "EMSGSIZE", "EPROTOTYPE", "ENOPROTOOPT", "EPROTONOSUPPORT",
        "EOPNOTSUPP", "EPFNOSUPPORT", "EAFNOSUPPORT", "EADDRINUSE", "EADDRNOTAVAIL", "ENETDOWN", "ENETUNREACH",
        "ENETRESET", "ECONNABORTED", "ECONNRESET", "ENOBUFS", "EISCONN", "ENOTCONN", "ESHUTDOWN", "ETIMEDOUT",
        "ECONNREFUSED", "EHOSTDOWN", "EHOSTUNREACH", "EALREADY", "EINPROGRESS", "ESTALE", "EDQUOT", "ECANCELED",
    ]

    package init(argument: String) throws(Failure) {
        switch argument {
        case "any": self = .any
        case "unrecorded": self = .unrecorded
        case _ where Self.isErrno(argument) || Self.causes.contains(argument) || Self.codes.contains(argument):
            self = .code(argument)
        default: throw Failure(argument: argument)
        }
    }
}

/// The answer to `--fail-on`. "None found" in time that was not recorded is no proof.
package enum Verdict: Equatable, Sendable {
    /// What was found, in words.
    case found(String)
    /// Nothing of the window was recorded.
    case couldNotTell
    /// Not found, but errors of that time were lost, as these words say.
    case lost(String)
    /// Not found; so many microseconds of the window were not recorded.
    case notFound(unrecorded: Int64)
}

extension Summary {
    /// Whether any of the conditions is true in the window. `causes` are those of the links' states in it.
    package func verdict(on conditions: [FailCondition], causes: Set<String>) -> Verdict {
        let missing = max(0, window - recorded)
        for condition in conditions {
            switch condition {
            case .code(let code):
                let count = errors.reduce(0) { $0 + ($1.code == code ? $1.count : 0) }
                if count > 0 { return .found("\(code), \(count == 1 ? "once" : "\(count) times")") }
                if causes.contains(code) { return .found("\(code), as the cause of a link's state") }
            case .any:
                if let error = errors.first(where: { $0.count > 0 }) { return .found(error.code) }
                if let outage = outages.first {
                    return .found("an outage of \(outage.processor), \(outage.link): \(outage.cause)")
                }
            case .unrecorded:
                if missing > 0 { return .found("\(Length.text(missing)) of the window were not recorded") }
            }
        }
        if recorded == 0 { return .couldNotTell }
        if let errorsLost, conditions.contains(where: { $0 != .unrecorded }) { return .lost(errorsLost.loss) }
        return .notFound(unrecorded: missing)
    }
}
