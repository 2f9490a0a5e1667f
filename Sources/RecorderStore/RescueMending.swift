import AtlasProtocol

/// Makes a store of what was copied out of a damaged one that is sound again, and tells what is missing: rows that others
/// point to are there, a link's states have no hole, each minute's count is that of its samples, and what was counted and is
/// not found is a loss. Runs with triggers off: they are for a recorder's own changes.
///
/// `meter_minute` and `meter_hour` stay: they tell what was measured, also where the samples are gone.
struct RescueMending {
    private let target: Database
    private let outcomes: [StoreRescue.Outcome]
    private let doing = "tell what was lost"

    init(_ target: Database, _ outcomes: [StoreRescue.Outcome]) { (self.target, self.outcomes) = (target, outcomes) }

    /// Returns how many samples are lost of those that had been counted as stored.
    func run(of path: String, at now: Int64) throws(StoreError) -> Int64 {
        try nameWhatIsLost()
        try mendLinks()
        let counts = RescueCounts(target, losesLosses: isHarmed("sample_loss"), losesMinutes: isHarmed("sample_minute"))
        let (found, lost) = try counts.run()
        try keepMinutes(samplesLost: lost)
        let event = try Statement("INSERT INTO event (at_us, event, detail) VALUES (?, ?, ?)", on: target, doing: doing)
        try event.run(
            .integer(now), .text(LinkEvent.Name.storeRescued.rawValue),
            .text("from \(path): \(found) samples found, \(lost) of those that were stored are lost\(harm)"))
        return lost
    }

    /// `; not all could be read of frame, meter_label; nothing of event`
    private var harm: String {
        let missing = outcomes.filter(\.isMissing).map(\.table).joined(separator: ", ")
        let harmed = outcomes.filter { !$0.isWhole && !$0.isMissing }.map(\.table).joined(separator: ", ")
        return (harmed.isEmpty ? "" : "; not all could be read of \(harmed)")
            + (missing.isEmpty ? "" : "; nothing of \(missing)")
    }

    private func isHarmed(_ table: String) -> Bool { outcomes.contains { $0.table == table && !$0.isWhole } }

    // MARK: rows that others point to

    private func nameWhatIsLost() throws(StoreError) {
        if isHarmed("recorder_run") {
            try target.execute(
                """
                INSERT INTO recorder_run (run, started_us, ended_us, heartbeat_us, version, pid, host)
                SELECT run, min(from_us), max(coalesce(until_us, from_us)), max(coalesce(until_us, from_us)), '?', 0, '?'
                  FROM recorder_passage WHERE run NOT IN (SELECT run FROM recorder_run) GROUP BY run
                """, doing: doing)
        }
        if isHarmed("processor") { try nameProcessors() }
        if isHarmed("meter") { try nameMeters() }
        if isHarmed("socket_error") {
            try target.execute(
                "DELETE FROM socket_error_minute WHERE error_id NOT IN (SELECT id FROM socket_error)", doing: doing)
        }
    }

    /// A unit whose row is lost, and whose samples are not, gets a name to be found by.
    private func nameProcessors() throws(StoreError) {
        let pointing = [
            "meter", "frame", "latest_level", "sample_minute", "sample_hour", "sample_loss", "event", "link_state",
            "link_state_ahead", "socket_error", "meter_label", "parameter_change", "minute_coverage",
        ].map { "SELECT processor_id FROM \($0)" }.joined(separator: " UNION ")
        try target.execute(
            """
            INSERT INTO processor (id, name, host, control_port)
            SELECT processor_id, 'rescued ' || processor_id, '?', 5321 FROM (\(pointing))
             WHERE processor_id IS NOT NULL AND processor_id NOT IN (SELECT id FROM processor)
            """, doing: doing)
    }

    /// Meters whose rows are lost: those that lone samples point to by their id, of the one unit or of one that is made up,
    /// and those that a place in the frames belongs to. Which of them are one and the same nobody knows any more.
    private func nameMeters() throws(StoreError) {
        try target.execute(
            """
            CREATE TEMP TABLE lost_meter AS SELECT meter_id AS id FROM (
                SELECT meter_id FROM sample UNION SELECT meter_id FROM meter_minute UNION SELECT meter_id FROM meter_hour)
             WHERE meter_id NOT IN (SELECT id FROM meter);
            INSERT INTO processor (name, host, control_port) SELECT 'rescued meters', '?', 5321
             WHERE EXISTS (SELECT 1 FROM lost_meter) AND (SELECT count(*) FROM processor) <> 1;
            CREATE TEMP TABLE width AS SELECT processor_id, max(length(levels)) AS slots FROM frame GROUP BY processor_id;
            INSERT INTO meter (id, processor_id, slot, name)
            SELECT l.id, o.id, o.slots + row_number() OVER (ORDER BY l.id), 'rescued meter ' || l.id FROM lost_meter l,
                   (SELECT p.id, max(coalesce((SELECT slots FROM width w WHERE w.processor_id = p.id), 0),
                                     coalesce((SELECT max(slot) FROM meter m WHERE m.processor_id = p.id), 0)) AS slots
                      FROM processor p ORDER BY p.id DESC LIMIT 1) o;
            WITH RECURSIVE place(processor_id, slot, slots) AS (
                SELECT processor_id, 1, slots FROM width
                UNION ALL SELECT processor_id, slot + 1, slots FROM place WHERE slot < slots)
            INSERT INTO meter (processor_id, slot, name)
            SELECT processor_id, slot, 'rescued ' || slot FROM place p
             WHERE NOT EXISTS (SELECT 1 FROM meter m WHERE m.processor_id = p.processor_id AND m.slot = p.slot);
            """, doing: doing)
    }

    // MARK: states and minutes

    /// What a link was in a time whose rows are lost is not known.
    private func mendLinks() throws(StoreError) {
        guard isHarmed("link_state") else { return }
        let unknown = "'unknown', '\(Cause.notRecorded)'"
        let next = """
            (SELECT min(n.started_us) FROM link_state n
              WHERE n.processor_id = s.processor_id AND n.link = s.link AND n.started_us > s.started_us)
            """
        try target.execute(
            """
            UPDATE link_state AS s SET ended_us = \(next)
             WHERE \(next) IS NOT NULL AND (s.ended_us IS NULL OR s.ended_us > \(next));
            INSERT INTO link_state (processor_id, link, started_us, ended_us, state, cause)
            SELECT s.processor_id, s.link, s.ended_us, \(next), \(unknown) FROM link_state s WHERE s.ended_us < \(next);
            INSERT INTO link_state (processor_id, link, started_us, ended_us, state, cause)
            SELECT p.id, k.link, r.first_us, coalesce(s.first_us, r.last_us), \(unknown)
              FROM (SELECT min(started_us) AS first_us, max(heartbeat_us) AS last_us FROM recorder_run) r
              JOIN processor p
              JOIN (SELECT 'control' AS link UNION ALL SELECT 'meters') k
              LEFT JOIN (SELECT processor_id, link, min(started_us) AS first_us FROM link_state GROUP BY 1, 2) s
                ON s.processor_id = p.id AND s.link = k.link
             WHERE r.first_us < coalesce(s.first_us, r.last_us);
            """, doing: doing)
    }

    /// Minutes that were counted hold, and are not counted again from less. Where their own rows are lost they are not
    /// counted from there on: a report asks the samples.
    private func keepMinutes(samplesLost: Int64) throws(StoreError) {
        for (table, length) in [("meter_minute", Int64(60_000_000)), ("meter_hour", 3_600_000_000)] {
            guard let outcome = outcomes.first(where: { $0.table == table }), !outcome.isWhole else { continue }
            try Statement(
                "UPDATE minute_coverage SET until_us = max(from_us, min(until_us, ?1))", on: target, doing: doing
            ).run(.integer((outcome.firstGap ?? 0) / length * length))
        }
        guard samplesLost > 0 else { return }
        try target.execute("UPDATE minute_coverage SET fixed_us = max(fixed_us, until_us)", doing: doing)
    }
}
