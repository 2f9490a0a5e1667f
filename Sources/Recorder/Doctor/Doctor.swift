import AtlasProtocol
import Diagnosis
import Glibc
import RecorderStore
import WallTime

/// Looks at everything that a recorder needs, and says of each what was found, what it means and what to do. Disturbs
/// nobody: where a recorder runs, its own word in the store is taken, no socket is bound on the meters' port, and no
/// second connection to a unit is opened.
package struct Doctor: Sendable {
    /// Seconds that `PRAGMA quick_check` may take.
    static let checkLimit: Int64 = 10
    /// A recorder writes its heartbeat at least each second; after this long without one it does not record.
    static let heartbeatLimit: Int64 = 5_000_000

    let store: String
    /// As named on the command line or in a configuration file; empty: those of the store.
    let processors: [ProcessorSpec]
    /// As named on the command line; nil: the recorder's.
    private let namedPort: UInt16?
    /// The port that is looked at.
    private(set) var meterPort: UInt16
    /// Of this program.
    let version: String
    let now: Int64

    /// `configuredPort`: of the configuration file; a running recorder knows better.
    package init(
        store: String, processors: [ProcessorSpec], meterPort: UInt16?, configuredPort: UInt16? = nil, version: String
    ) {
        (self.store, self.processors, self.namedPort, self.version) = (store, processors, meterPort, version)
        self.meterPort = meterPort ?? configuredPort ?? Program.usualMeterPort
        now = HostClocks.system.wall()
    }

    /// Takes some seconds where units or a large store are slow to answer.
    package func examine() async -> Examination {
        DescriptorLimit.raise()
        let file = StoreExamination(path: store)
        var content = StoreContent(file)
        var recorder = RecorderState(file.lock, content.run, now: now)
        if recorder == .unseen {
            let before = content.run?.heartbeat
            try? await Task.sleep(for: .milliseconds(1_500))
            content = StoreContent(file)
            recorder = content.run?.heartbeat == before ? .absent : .runs(.init(content.run))
        }
        var doctor = self
        doctor.meterPort = namedPort ?? recorder.meterPort ?? meterPort
        return await doctor.examine(file, content, recorder)
    }

    private func examine(
        _ file: StoreExamination, _ content: StoreContent, _ recorder: RecorderState
    ) async -> Examination {
        let controlPorts = Set((processors + content.processors.map(\.spec)).map(\.controlPort))
        let picture = try? PortLook.look(
            port: meterPort, controlPort: ProcessorSpec.defaultPort, others: controlPorts)
        var findings = [sqlite(), storeFile(file, content), integrity(file), rights(file)].compactMap { $0 }
        findings += writers(file, recorder)
        findings.append(self.recorder(recorder, content, picture))
        findings.append(receiveBuffer(recorder, content))
        findings.append(port(picture, recorder, content))
        findings += await units(content, recorder, picture)
        findings += [disk(file), clock()]
        return Examination(at: now, host: HostName.text, store: file.path, findings: findings)
    }
}

/// What the store says, as far as it can be read.
struct StoreContent {
    private(set) var run: LastRun?
    private(set) var processors: [ProcessorState] = []
    private(set) var holder: String?
    private(set) var drops: Int64 = 0
    /// Why it could not be read; nil also where there is none.
    private(set) var error: StoreError?

    init(_ file: StoreExamination) {
        guard case .success(.store) = file.finding else { return }
        do throws(StoreError) {
            let reader = try StoreReader(path: file.path)
            run = try reader.lastRun()
            processors = try reader.processorStates()
            holder = try reader.lastHolder()
            drops = try reader.kernelDrops(since: HostClocks.system.wall() - 86_400_000_000)
        } catch {
            self.error = error
        }
    }
}

/// Whether somebody records into this store.
enum RecorderState: Equatable {
    case runs(Holder)
    /// It has the lock, and no run of its own yet.
    case begins(Holder)
    /// It has the lock and writes no heartbeat.
    case hangs(Holder, seconds: Int64)
    /// A heartbeat of just now and no lock: killed a moment ago, or in another container, whose locks are not seen here.
    /// The next heartbeat tells.
    case unseen
    case absent

    struct Holder: Equatable {
        let words: String
        let pid: Int32?
        /// How many stand by.
        let waiting: Int

        init(words: String?, _ run: LastRun?, waiting: Int) {
            self.words = words ?? run.map { "pid \($0.pid) on \($0.host)" } ?? "a recorder"
            (pid, self.waiting) = (Self.pid(in: words) ?? run?.pid, waiting)
        }
        /// `pid 2211 since …`
        static func pid(in words: String?) -> Int32? {
            guard let fields = words?.split(separator: " "), fields.count > 1, fields[0] == "pid" else { return nil }
            return Int32(fields[1])
        }
        init(_ run: LastRun?) { self.init(words: nil, run, waiting: 0) }
    }

    init(_ lock: StoreLock.State, _ run: LastRun?, now: Int64) {
        let age = run.flatMap { $0.ended == nil ? abs(now - $0.heartbeat) : nil }
        let isFresh = age.map { $0 <= Doctor.heartbeatLimit } ?? false
        guard case .held(let words, let waiting) = lock else {
            self = isFresh ? .unseen : .absent
            return
        }
        let holder = Holder(words: words, run, waiting: waiting)
        // A run that is ended, or another's, is the one before: this one has not begun its own yet.
        guard let age, holder.pid == run?.pid else {
            self = .begins(holder)
            return
        }
        self = isFresh ? .runs(holder) : .hangs(holder, seconds: age / 1_000_000)
    }

    var isThere: Bool { self != .absent }
    var pid: Int32? {
        switch self {
        case .runs(let holder), .begins(let holder), .hangs(let holder, _): holder.pid
        case .unseen, .absent: nil
        }
    }
    /// As its command line has it; nil where there is none, or its process is not seen from here.
    var meterPort: UInt16? { pid.map { ProcFiles.program($0) }.flatMap { $0.isRecorder ? $0.meterPort : nil } }
}
