/// The last run, as the store has it. Times are microseconds since 1970 UTC.
package struct LastRun: Sendable {
    package let started: Int64
    /// nil: it has not been ended, by itself or by the next one.
    package let ended: Int64?
    package let heartbeat: Int64
    package let isClean: Bool
    package let version: String
    package let pid: Int32
    package let host: String
}

/// A unit with its links' last rows.
package struct ProcessorState: Sendable {
    package struct LinkRow: Sendable {
        package let state: String
        package let cause: String?
        package let since: Int64
    }
    package let spec: ProcessorSpec
    package let firmware: String?
    package let lastSeen: Int64?
    package let control: LinkRow?
    package let meters: LinkRow?

    /// Whether the last run records, or recorded, this unit.
    package var isConfigured: Bool { control.map { $0.cause != "not_recorded" } ?? false }
}

extension StoreReader {
    package func lastRun() throws(StoreError) -> LastRun? {
        let table = try query(
            """
            SELECT started_us, ended_us, heartbeat_us, clean, version, pid, host FROM recorder_run
             ORDER BY run DESC LIMIT 1
            """)
        guard !table.rows.isEmpty else { return nil }
        return LastRun(
            started: table.integer("started_us") ?? 0, ended: table.integer("ended_us"),
            heartbeat: table.integer("heartbeat_us") ?? 0, isClean: table.integer("clean") == 1,
            version: table.text("version") ?? "", pid: Int32(clamping: table.integer("pid") ?? 0),
            host: table.text("host") ?? "")
    }

    /// Each unit with the last row of each of its links, by name.
    package func processorStates() throws(StoreError) -> [ProcessorState] {
        let table = try query(
            """
            SELECT p.name, p.host, p.control_port, p.simulated, p.firmware, p.last_seen_us,
                   c.state AS control, c.cause AS control_cause, c.started_us AS control_us,
                   m.state AS meters, m.cause AS meters_cause, m.started_us AS meters_us
              FROM processor p
              LEFT JOIN link_state c ON c.processor_id = p.id AND c.link = 'control' AND c.started_us =
                   (SELECT max(started_us) FROM link_state WHERE processor_id = p.id AND link = 'control')
              LEFT JOIN link_state m ON m.processor_id = p.id AND m.link = 'meters' AND m.started_us =
                   (SELECT max(started_us) FROM link_state WHERE processor_id = p.id AND link = 'meters')
             ORDER BY p.name
            """)
        return table.rows.indices.map { row in
            func link(_ name: String) -> ProcessorState.LinkRow? {
                table.text(name, row).map { state in
                    ProcessorState.LinkRow(
                        state: state, cause: table.text("\(name)_cause", row),
                        since: table.integer("\(name)_us", row) ?? 0)
                }
            }
            return ProcessorState(
                spec: ProcessorSpec(
                    name: table.text("name", row) ?? "", host: table.text("host", row) ?? "",
                    controlPort: UInt16(clamping: table.integer("control_port", row) ?? 0),
                    isSimulated: table.integer("simulated", row) == 1),
                firmware: table.text("firmware", row), lastSeen: table.integer("last_seen_us", row),
                control: link("control"), meters: link("meters"))
        }
    }

    /// Datagrams that the kernel dropped because the receive buffer was full, since then.
    package func kernelDrops(since: Int64) throws(StoreError) -> Int64 {
        try query(
            """
            SELECT coalesce(sum(datagrams), 0) AS count FROM sample_loss
             WHERE reason = 'kernel_drop' AND until_us >= :since_us
            """, [":since_us": .integer(since)]
        ).integer("count") ?? 0
    }

    /// Who held the port when binding it failed the last time.
    package func lastHolder() throws(StoreError) -> String? {
        try query("SELECT holder FROM socket_error WHERE operation = 'bind' ORDER BY last_us DESC LIMIT 1").text(
            "holder")
    }
}

extension Table {
    fileprivate func integer(_ column: String, _ row: Int = 0) -> Int64? {
        if row < rows.count, case .integer(let value) = value(row, column) { value } else { nil }
    }
    fileprivate func text(_ column: String, _ row: Int = 0) -> String? {
        if row < rows.count, case .text(let value) = value(row, column) { value } else { nil }
    }
}
