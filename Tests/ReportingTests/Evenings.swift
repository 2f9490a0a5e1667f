@testable import RecorderStore

/// Fixed stores for the pages that are compared as a whole.
extension HandMadeStore {
    /// Errors that are one episode, at these seconds.
    func episode(
        _ code: String, at seconds: [Double], processor: String = "1", holder: String = "NULL",
        socket: String = "'udp', 'bind'", message: String = "NULL"
    ) throws {
        let times = seconds.map { HandMadeStore.at($0) }
        try run(
            """
            INSERT INTO socket_error (processor_id, socket, operation, code, holder, message, first_us, last_us, count)
            VALUES (\(processor), \(socket), '\(code)', \(holder), \(message), \(times.min()!), \(times.max()!), \(times.count))
            """)
        for time in times {
            try run(
                """
                INSERT INTO socket_error_minute
                SELECT \(time / 60_000_000 * 60_000_000), max(id), 1 FROM socket_error WHERE true
                ON CONFLICT DO UPDATE SET count = count + 1
                """)
        }
    }

    func losses(
        _ rows: [(processor: String, reason: String, from: Double, until: Double, datagrams: Int, samples: String)]
    )
        throws
    {
        for row in rows {
            try run(
                """
                INSERT INTO sample_loss (processor_id, reason, from_us, until_us, datagrams, samples)
                VALUES (\(row.processor), '\(row.reason)', \(Self.at(row.from)), \(Self.at(row.until)), \(row.datagrams), \(row.samples))
                """)
        }
    }

    /// So many values in each whole minute of the time.
    func samples(_ count: Int, from: Double, to: Double, processor: Int = 1) throws {
        for minute in Int(from) / 60..<Int(to) / 60 {
            try run(
                "INSERT INTO sample_minute (start_us, processor_id, stored, duplicate) VALUES (\(Self.begin + Int64(minute) * 60_000_000), \(processor), \(count), 0)"
            )
        }
    }

    /// Four hours of one unit. For two of them a program takes the port again and again; at 7220 s that is mended. One
    /// refusal is left, and half an hour of the second part was not recorded.
    static func mended() throws -> HandMadeStore {
        let store = try HandMadeStore(ended: 10_800)
        try store.addRun(12_600, 14_400)
        try store.states([
            ("unknown:recorder_starting", 1.5), ("up", 3_598.5), ("down:refused", 20), ("down:timeout", 6.25),
            ("up", 7_173.75), ("unknown:recorder_stopped", 1_800), ("up", 1_800),
        ])
        var meters: [(String, Double?)] = [("unknown:recorder_starting", 2)]
        for _ in 0..<12 { meters += [("up", 538), ("down:EADDRINUSE", 60)] }
        meters += [("up", 10_800 - 7_178), ("unknown:recorder_stopped", 1_800), ("up", 1_800)]
        try store.states(meters, link: "meters")
        for round in 0..<12 {
            let begin = Double(round) * 598 + 540
            try store.episode(
                "EADDRINUSE", at: (0..<30).map { begin + Double($0) * 2 }, holder: "'node (pid \(2_211 + round))'",
                message: "'Address already in use'")
        }
        try store.episode("ECONNREFUSED", at: [3_600, 3_605, 3_610], socket: "'tcp', 'connect'")
        try store.episode("ECONNREFUSED", at: [7_200, 7_215, 7_235, 7_250], socket: "'tcp', 'connect'")
        try store.losses([
            ("1", "queue_full", 7_202, 7_252, 0, "380"), ("NULL", "kernel_drop", 900, 900, 17, "NULL"),
            ("1", "queue_full", 1_000, 1_020, 0, "76"),
        ])
        try store.samples(2_280, from: 0, to: 7_200)
        try store.samples(2_300, from: 7_260, to: 10_800)
        try store.samples(2_280, from: 12_600, to: 14_400)
        return store
    }

    /// A recorder that has said nothing since 100, and has not ended.
    static func silent() throws -> HandMadeStore {
        let store = try HandMadeStore(ended: nil)
        try store.states([("up", nil)])
        try store.states([("up", nil)], link: "meters")
        try store.run("UPDATE recorder_run SET heartbeat_us = \(at(100))")
        // What the view says of such a run, however long ago it was.
        guard
            case .text(let view)? = try store.rows("SELECT sql FROM sqlite_schema WHERE name = 'recorder_runs'").first?[
                0]
        else { preconditionFailure("no view recorder_runs") }
        try store.run(
            "DROP VIEW recorder_runs; " + view.replacing("WHEN 0 THEN heartbeat_us", with: "WHEN 1 THEN heartbeat_us"))
        return store
    }

    /// Three units with names that are hard to write; the second was never heard from.
    static func threeUnits() throws -> HandMadeStore {
        let store = try HandMadeStore(["Main Bar", "O''Brien | *Pub* and Grill, Terrace", "東京"], ended: nil)
        try store.run("UPDATE processor SET control_port = 5322 WHERE id = 3")
        for processor in [1, 3] {
            try store.states([("up", 300), ("down:wedged", 12.5), ("up", nil)], processor: processor)
            try store.states([("up", nil)], link: "meters", processor: processor)
        }
        try store.states([("down:unreachable", nil)], processor: 2)
        try store.states([("down:control_down", nil)], link: "meters", processor: 2)
        try store.episode(
            "EHOSTUNREACH", at: (0..<240).map { Double($0) * 5 }, processor: "2", socket: "'tcp', 'connect'")
        return store
    }
}
