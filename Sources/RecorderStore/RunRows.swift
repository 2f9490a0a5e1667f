import AtlasProtocol

/// What a run says of itself.
package struct RunStart: Sendable {
    package let version: String
    package let pid: Int32
    package let host: String

    package init(version: String, pid: Int32, host: String) {
        (self.version, self.pid, self.host) = (version, pid, host)
    }
}

/// A unit as the store knows it.
package struct RegisteredProcessor: Sendable {
    package let id: Int32
    package let spec: ProcessorSpec
    package let slots: [(slot: UInt16, meter: Meter)]
    /// The meters' last values before this run, by slot; times are microseconds since 1970 UTC.
    package let latest: [UInt16: (at: Int64, level: Double)]
    /// What the unit called its meters' channels last.
    package let labels: [Meter: String]
}

/// The rows that a run begins and ends with: `recorder_run`, `processor`, and the stretches of time that nobody recorded.
struct RunRows {
    struct Open {
        let run: Int64
        var batch: Int64
        /// Whether the run before it ended without notice.
        let followsCrash: Bool
    }

    private let database: Database
    private let links: LinkRows
    private let timeline: WallTimeline
    private let heartbeat: Statement

    init(_ database: Database, _ links: LinkRows, _ timeline: WallTimeline) throws(StoreError) {
        (self.database, self.links, self.timeline) = (database, links, timeline)
        heartbeat = try Statement(
            """
            UPDATE recorder_run SET heartbeat_us = ?1, batch = ?2, started_us = min(started_us, ?1) WHERE run = ?3
            """, on: database, doing: "write the heartbeat")
    }

    /// After the clock was set back the heartbeat goes back with it: it tells whether somebody records now.
    func beat(_ run: inout Open, at now: Int64) throws(StoreError) {
        run.batch += 1
        try heartbeat.run(.integer(now), .integer(run.batch), .integer(run.run))
    }

    /// The number of the last batch that is in the store.
    func lastBatch(_ run: Open) throws(StoreError) -> Int64 {
        try database.integer("SELECT batch FROM recorder_run WHERE run = \(run.run)", doing: "look for the last commit")
    }

    func end(_ run: Open, at now: Int64) throws(StoreError) {
        try closeStates(at: now)
        try timeline.endPassage(at: now)
        try Statement(
            "UPDATE recorder_run SET ended_us = ?1, heartbeat_us = ?1, clean = 1 WHERE run = ?2",
            on: database, doing: "end the run"
        ).run(.integer(now), .integer(run.run))
    }

    func begin(
        _ start: RunStart, processors: [ProcessorSpec], at now: Int64
    ) throws(StoreError) -> (Open, [RegisteredProcessor]) {
        try refuseMixture(processors)
        let crashed = try database.integer(
            "SELECT count(*) FROM recorder_run WHERE ended_us IS NULL", doing: "look at the run before")
        try closeEarlierRuns(at: now)
        let known = try identifiers("SELECT id FROM processor")
        let registered = try rows(of: processors)
        try Statement(
            """
            INSERT INTO recorder_run (started_us, heartbeat_us, version, pid, host, max_bytes)
            VALUES (?1, ?1, ?2, ?3, ?4, (SELECT max_bytes FROM recorder_run ORDER BY run DESC LIMIT 1))
            """,
            on: database, doing: "begin a run"
        ).run(.integer(now), .text(start.version), .integer(Int64(start.pid)), .text(start.host))
        let run = try database.integer("SELECT max(run) FROM recorder_run", doing: "begin a run")
        try timeline.beginPassage(at: now)
        let configured = Set(registered.map { Int64($0.id) })
        for link in Link.allCases {
            for id in known {
                try fillGap(LinkRows.Key(id, link), until: now)
                if !configured.contains(id) { try last(id, link, .notRecorded, from: now) }
            }
            for id in configured {
                if !known.contains(id) { try coverPast(LinkRows.Key(id, link), until: now) }
                try last(id, link, .recorderStarting, from: now)
            }
        }
        try timeline.forgetAhead(until: now)
        return (Open(run: run, batch: 0, followsCrash: crashed > 0), registered)
    }

    /// Units that a run goes on with from `now` on. One that has been recorded already, in this run or before, keeps its rows.
    func register(_ processors: [ProcessorSpec], at now: Int64) throws(StoreError) -> [RegisteredProcessor] {
        let registered = try rows(of: processors)
        let state = LinkState.unknown(.recorderStarting)
        for unit in registered {
            for link in Link.allCases {
                let key = LinkRows.Key(Int64(unit.id), link)
                if let last = try links.last(of: key) {
                    guard last.ended != nil || last.cause != state.cause?.code else { continue }
                    try links.change(unit.id, link, to: state, since: now)
                } else {
                    try coverPast(key, until: now)
                    try links.add(.init(from: now, until: nil, state), to: key)
                }
            }
        }
        return registered
    }

    private func last(_ id: Int64, _ link: Link, _ cause: Cause, from now: Int64) throws(StoreError) {
        try links.add(.init(from: now, until: nil, .unknown(cause)), to: LinkRows.Key(id, link))
    }

    /// A simulation is never recorded into a venue's store.
    private func refuseMixture(_ processors: [ProcessorSpec]) throws(StoreError) {
        guard processors.contains(where: \.isSimulated) else { return }
        let real = try database.integer(
            "SELECT count(*) FROM processor WHERE NOT simulated", doing: "look for real processors")
        guard real == 0 else {
            let message = "it holds \(real == 1 ? "a real processor" : "\(real) real processors")"
            throw StoreError(.notOurs, message: message, doing: "record a simulation", path: database.path)
        }
    }

    /// A run that was killed ends at its last heartbeat, and so does what it knew.
    private func closeEarlierRuns(at now: Int64) throws(StoreError) {
        let doing = "close the run before"
        let end = try database.integer(
            "SELECT coalesce(ended_us, heartbeat_us) FROM recorder_run ORDER BY run DESC LIMIT 1", doing: doing)
        try closeStates(at: end)
        try timeline.endPassage(at: end)
        try timeline.passOver(from: end, until: now)
        // Less than a second: what the receiver and the queue held when it ended.
        try database.execute(
            """
            INSERT INTO sample_loss (reason, from_us, until_us, datagrams)
            SELECT '\(LossReason.recorderKilled.rawValue)', heartbeat_us, heartbeat_us, 0 FROM recorder_run WHERE ended_us IS NULL
            """, doing: doing)
        try database.execute(
            "UPDATE recorder_run SET ended_us = heartbeat_us, clean = 0 WHERE ended_us IS NULL", doing: doing)
        // The clock was set back since.
        var (all, latest): ([LinkRows.Key], Int64) = ([], end)
        for id in try identifiers("SELECT id FROM processor") {
            for link in Link.allCases {
                let key = LinkRows.Key(id, link)
                all.append(key)
                latest = max(latest, try links.last(of: key)?.ended ?? end)
            }
        }
        guard latest > now else { return }
        try timeline.moveAhead(all, from: now, until: latest, goesOn: false)
    }

    private func closeStates(at end: Int64) throws(StoreError) {
        try Statement(
            "UPDATE link_state SET ended_us = max(?, started_us) WHERE ended_us IS NULL", on: database,
            doing: "close the links' states"
        ).run(.integer(end))
    }

    private func rows(of processors: [ProcessorSpec]) throws(StoreError) -> [RegisteredProcessor] {
        let doing = "register the processors"
        let upsert = try Statement(
            """
            INSERT INTO processor (name, host, control_port, simulated) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (name) DO UPDATE SET host = ?2, control_port = ?3 RETURNING id
            """, on: database, doing: doing)
        let meters = try Statement("SELECT slot, name FROM meter WHERE processor_id = ?", on: database, doing: doing)
        var result: [RegisteredProcessor] = []
        for spec in processors {
            try upsert.bind(.text(spec.name), at: 1)
            try upsert.bind(.text(spec.host), at: 2)
            try upsert.bind(.integer(Int64(spec.controlPort)), at: 3)
            try upsert.bind(.integer(spec.isSimulated ? 1 : 0), at: 4)
            guard try upsert.step() else { continue }
            let id = Int32(upsert.integer(0))
            upsert.reset()
            var slots: [(slot: UInt16, meter: Meter)] = []
            try meters.bind(.integer(Int64(id)), at: 1)
            while try meters.step() {
                guard let meter = meters.text(1).flatMap({ Meter(name: $0) }) else { continue }
                slots.append((UInt16(clamping: meters.integer(0)), meter))
            }
            result.append(
                RegisteredProcessor(
                    id: id, spec: spec, slots: slots, latest: try latestLevels(of: id), labels: try labels(of: id)))
        }
        return result
    }

    private func labels(of processor: Int32) throws(StoreError) -> [Meter: String] {
        let rows = try Statement(
            "SELECT meter, label FROM meter_label WHERE processor_id = ? ORDER BY from_us", on: database,
            doing: "read the meters' labels")
        try rows.bind(.integer(Int64(processor)), at: 1)
        var labels: [Meter: String] = [:]
        while try rows.step() {
            if let meter = rows.text(0).flatMap({ Meter(name: $0) }) { labels[meter] = rows.text(1) }
        }
        return labels
    }

    private func latestLevels(of processor: Int32) throws(StoreError) -> [UInt16: (at: Int64, level: Double)] {
        let rows = try Statement(
            """
            SELECT v.key + 1, json_extract(v.value, '$[0]'), json_extract(v.value, '$[1]')
              FROM latest_level t, json_each(t.levels) v WHERE t.processor_id = ? AND v.type = 'array'
            """, on: database, doing: "read the meters' last values")
        try rows.bind(.integer(Int64(processor)), at: 1)
        var latest: [UInt16: (at: Int64, level: Double)] = [:]
        while try rows.step() { latest[UInt16(clamping: rows.integer(0))] = (rows.integer(1), rows.real(2)) }
        return latest
    }

    private func identifiers(_ sql: String) throws(StoreError) -> Set<Int64> {
        let statement = try Statement(sql, on: database)
        var ids: Set<Int64> = []
        while try statement.step() { ids.insert(statement.integer(0)) }
        return ids
    }

    /// From this link's last row until now no recorder ran.
    private func fillGap(_ key: LinkRows.Key, until now: Int64) throws(StoreError) {
        guard let end = try links.last(of: key)?.ended else {
            return try coverPast(key, until: now)
        }
        if end < now { try timeline.fill(key, from: end, until: now, .recorderStopped) }
    }

    /// Before a unit's first run nothing was recorded of it.
    private func coverPast(_ key: LinkRows.Key, until now: Int64) throws(StoreError) {
        let first = try database.integer("SELECT min(started_us) FROM recorder_run", doing: "find the first run")
        if first > 0, first < now { try links.add(.init(from: first, until: now, .unknown(.notRecorded)), to: key) }
    }
}
