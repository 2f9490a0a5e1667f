import AtlasProtocol
import Testing

@testable import RecorderStore

/// A store that is pruned: what goes, what stays, and what the rest then says.
@Suite(.timeLimit(.minutes(2)))
struct RetentionTests: PruningBench {
    let folder = TemporaryFolder()

    @Test("what is older than its time goes, to the minute; what is younger stays, and the store says what went")
    func boundaries() async throws {
        let recording = try await busy(minutes: 30)
        let cut = start + 20 * minute
        let counts = try lines(
            folder.store,
            "SELECT count(*) FROM frame WHERE at_us < \(cut) UNION ALL SELECT count(*) FROM sample WHERE at_us < \(cut)"
        )
        let kept = try integer(
            folder.store,
            "SELECT (SELECT count(*) FROM frame WHERE at_us >= \(cut)) + (SELECT count(*) FROM sample WHERE at_us >= \(cut))"
        )
        let retention = Retention(samples: 10 * minute, minutes: nil, events: nil, size: nil)
        try await recording.writer.pruneAll(retention, at: start + 30 * minute + 1)
        #expect(try integer(folder.store, "SELECT min(at_us) FROM frame") >= cut)
        #expect(
            try integer(folder.store, "SELECT (SELECT count(*) FROM frame) + (SELECT count(*) FROM sample)") == kept)
        let removed = counts.compactMap { Int64($0) }.reduce(0, +)
        #expect(removed > 1_000)
        #expect(
            try lines(
                folder.store, "SELECT kind, kept_from_us, removed, reason, round(keep_days * 1440) FROM retention")
                == ["samples|\(cut)|\(removed)|age|10.0", "minutes||0||", "events||0||"])
        #expect(try lines(folder.store, "SELECT event FROM connection_events WHERE event = 'pruned'") == ["pruned"])
        try expectSound()
    }

    @Test("minutes and hours are the same after their samples went, and what is counted again stays right")
    func minutesStay() async throws {
        let recording = try await busy(minutes: 150)
        let columns = "processor, meter, start_us, samples, low_db, mean_db, high_db, silent_seconds, seconds"
        let end = start + 150 * minute
        try expectMinutes(folder.store, until: end - minute, "before")
        let minutes = try lines(folder.store, "SELECT \(columns) FROM meter_minutes")
        let hours = try lines(folder.store, "SELECT \(columns) FROM meter_hours")
        let report = try levels(folder.store, start, end)
        try await recording.writer.pruneAll(
            Retention(samples: 30 * minute, minutes: nil, events: nil, size: nil), at: end)
        #expect(try lines(folder.store, "SELECT \(columns) FROM meter_minutes") == minutes)
        #expect(try lines(folder.store, "SELECT \(columns) FROM meter_hours") == hours)
        #expect(try levels(folder.store, start, end) == report)
        // The meters were down for a moment, as is learnt now: from there on the minutes are counted again.
        try await recording.commit(
            [.change(processor: recording.id, link: .meters, state: .down(.taken), since: end - 40 * minute)], at: end)
        while try await recording.writer.countMinutes() {}
        let cut = end - 30 * minute
        #expect(
            try lines(folder.store, "SELECT \(columns) FROM meter_minutes WHERE start_us < \(cut)")
                == minutes.filter { (Int64($0.split(separator: "|")[2]) ?? 0) < cut })
        try expectSound()
    }

    @Test("minutes go by the hour with their hours and counts; samples that are kept longer still answer")
    func minutesGo() async throws {
        let recording = try await busy(minutes: 200)
        let end = start + 200 * minute
        let cut = (end - 60 * minute) / hour * hour
        let report = try levels(folder.store, cut - 30 * minute, cut)
        try await recording.writer.pruneAll(Retention(samples: nil, minutes: hour, events: nil, size: nil), at: end)
        #expect(try integer(folder.store, "SELECT min(start_us) FROM meter_minute") == cut)
        #expect(try integer(folder.store, "SELECT min(start_us) FROM meter_hour") == cut)
        #expect(try integer(folder.store, "SELECT min(start_us) FROM sample_minute") == cut)
        #expect(try integer(folder.store, "SELECT min(start_us) FROM sample_hour") < cut)
        for (key, tally) in try levels(folder.store, cut - 30 * minute, cut) {
            #expect(tally.agrees(with: report[key]!, within: 1e-6), "\(key): \(tally), not \(report[key]!)")
        }
        try expectSound()
    }

    @Test("events go with all that belongs to them; the state at the cut, last values, names and the last run stay")
    func eventsGo() async throws {
        try await liveThroughDays()
        let recording = try await Recording(folder.store, at: start + 10 * Retention.day)
        try await recording.writer.pruneAll(
            Retention(samples: nil, minutes: nil, events: 5 * Retention.day, size: nil), at: start + 10 * Retention.day)
        let cut = (start + 5 * Retention.day) / Retention.day * Retention.day
        for (table, column) in [
            ("event", "at_us"), ("sample_loss", "until_us"), ("socket_error", "last_us"), ("sample_hour", "start_us"),
        ] {
            #expect(try integer(folder.store, "SELECT min(\(column)) FROM \(table)") >= cut, "\(table)")
        }
        #expect(
            try integer(
                folder.store,
                "SELECT count(*) FROM socket_error_minute WHERE error_id NOT IN (SELECT id FROM socket_error)") == 0)
        #expect(try integer(folder.store, "SELECT count(*) FROM socket_error") > 0)
        #expect(try integer(folder.store, "SELECT min(from_us) FROM recorder_passage") >= cut)
        // Each link's first row holds the cut.
        #expect(
            try lines(
                folder.store,
                "SELECT count(*), sum(started_us <= \(cut)), min(ended_us > \(cut)) FROM (SELECT min(started_us) AS started_us, ended_us FROM link_state GROUP BY processor_id, link)"
            )
                == ["2|2|1"])
        #expect(try lines(folder.store, "SELECT value FROM parameter_changes WHERE parameter = 'ZoneMute_0'") == ["1"])
        #expect(try integer(folder.store, "SELECT count(*) FROM recorder_runs") > 4)
        #expect(try integer(folder.store, "SELECT count(*) FROM recorder_runs") < 11)
        try expectSound()
    }

    @Test("what is deleted of the links' states sets no minute back")
    func noRecount() async throws {
        try await liveThroughDays()
        let recording = try await Recording(folder.store, at: start + 10 * Retention.day)
        while try await recording.writer.countMinutes() {}
        let counted = try integer(folder.store, "SELECT min(until_us) FROM minute_coverage")
        try await recording.writer.pruneAll(
            Retention(samples: nil, minutes: nil, events: 5 * Retention.day, size: nil), at: start + 10 * Retention.day)
        #expect(try integer(folder.store, "SELECT min(until_us) FROM minute_coverage") == counted)
    }

    @Test("a store that says no size, no age: nothing is deleted, and nothing is said")
    func nothing() async throws {
        let recording = try await busy(minutes: 10)
        let before = try await recording.writer.contents().filter { !$0.hasPrefix("retained") }
        try await recording.writer.pruneAll(.none, at: start + 9_000 * Retention.day)
        #expect(try await recording.writer.contents().filter { !$0.hasPrefix("retained") } == before)
    }

    @Test("a recorder that begins goes on with what the one before it had begun to delete")
    func goesOn() async throws {
        var recording: Recording? = try await busy(minutes: 30)
        let retention = Retention(samples: 10 * minute, minutes: nil, events: nil, size: nil)
        let left = try await recording!.writer.prune(retention, at: start + 30 * minute, steps: 4)
        #expect(left > 0, "all of it went in four steps")
        recording = nil
        await waitUntilFree(folder.store)
        let next = try await Recording(folder.store, at: start + 31 * minute)
        // The clock tells nothing yet: what was decided goes on, nothing new is.
        await next.writer.retain(retention, lived: 0)
        var steps = 0
        while try await next.writer.pruned(at: start + 31 * minute, lived: 0) == .more { steps += 1 }
        #expect(steps > 1)
        #expect(try integer(folder.store, "SELECT min(at_us) FROM frame") >= start + 20 * minute)
        #expect(try integer(folder.store, "SELECT min(at_us) FROM frame") < start + 21 * minute)
        try expectSound()
    }

    @Test("a clock that was ahead and is set back takes its cuts with it: what comes is kept, and counted")
    func setBack() async throws {
        let recording = try await busy(minutes: 30)
        try await recording.writer.pruneAll(
            Retention(samples: minute, minutes: nil, events: nil, size: nil), at: start + 30 * minute)
        #expect(try integer(folder.store, "SELECT max(fixed_us) FROM minute_coverage") > start + 20 * minute)
        await recording.writer.clockSet(by: -20 * minute, lived: 0)
        _ = try await recording.writer.pruned(at: start + 10 * minute, lived: 0)
        #expect(try integer(folder.store, "SELECT max(fixed_us) FROM minute_coverage") == start + 10 * minute)
        #expect(try integer(folder.store, "SELECT max(kept_from_us) FROM retention") == start + 10 * minute)
    }

    @Test(
        "a clock that is behind for a moment costs no minute whose samples are gone, nor does it forget that they are",
        arguments: [false, true], [false, true])
    func behind(backByRun: Bool, forthByRun: Bool) async throws {
        var recording: Recording? = try await busy(minutes: 150)
        let end = start + 150 * minute
        let behind = end - 3 * 365 * Retention.day
        let retention = Retention(samples: 30 * minute, minutes: nil, events: nil, size: nil)
        try await recording!.writer.pruneAll(retention, at: end)
        let columns = "processor, meter, start_us, samples, low_db, mean_db, high_db, silent_seconds, seconds"
        let minutesSQL = "SELECT \(columns) FROM meter_minutes WHERE start_us < \(end - minute)"
        let hoursSQL = "SELECT \(columns) FROM meter_hours WHERE start_us < \(end / hour * hour)"
        let cutsSQL =
            "SELECT kept_from_us FROM retention UNION ALL SELECT fixed_us FROM minute_coverage UNION ALL SELECT from_us FROM minute_coverage"
        let (minutes, hours) = (try lines(folder.store, minutesSQL), try lines(folder.store, hoursSQL))
        let cuts = try lines(folder.store, cutsSQL)
        #expect(minutes.count > 140 * 12 && hours.count > 12)
        func setClock(to now: Int64, from before: Int64, byRun: Bool) async throws {
            if byRun {
                try await recording!.writer.finish([], at: before)
                recording = nil
                await waitUntilFree(folder.store)
                recording = try await Recording(folder.store, at: now)
            } else {
                try await recording!.commit([.clockSet(at: now, by: now - before)], at: now)
            }
        }
        try await setClock(to: behind, from: end, byRun: backByRun)
        try await recording!.writer.prune(retention, at: behind + second, steps: 3)
        try await recording!.commit([], at: behind + 2 * second)
        _ = try await recording!.writer.countMinutes()
        try await setClock(to: end + 10 * second, from: behind + 2 * second, byRun: forthByRun)
        try await recording!.commit([], at: end + 20 * second)
        while try await recording!.writer.countMinutes() {}
        #expect(try lines(folder.store, minutesSQL) == minutes)
        #expect(try lines(folder.store, hoursSQL) == hours)
        #expect(try lines(folder.store, cutsSQL) == cuts)
    }

    @Test("what a person prunes for once is not taken for what the recorder was told; what it was told stays")
    func once() async throws {
        var recording: Recording? = try await busy(minutes: 30)
        let now = start + 31 * minute
        try await recording!.writer.finish([], at: now)
        recording = nil
        await waitUntilFree(folder.store)
        func prune(keeping samples: Int64) throws {
            let retention = Retention(samples: samples, minutes: nil, events: nil, size: nil)
            let pruning = try StorePruning(folder.store, retention, holder: "test", at: now)
            while try pruning.step(elapsed: { 0 }) {}
            _ = try pruning.finish()
        }
        try prune(keeping: 20 * minute)
        #expect(try StorePruning.told(folder.store) == nil)
        #expect(
            try lines(folder.store, "SELECT keep_days, removed > 0 FROM retention WHERE kind = 'samples'") == ["|1"])
        await waitUntilFree(folder.store)
        recording = try await Recording(folder.store, at: now)
        let told = Retention(samples: 7 * Retention.day, minutes: nil, events: nil, size: nil)
        try await recording!.writer.prune(told, at: now, steps: 1)
        try await recording!.writer.finish([], at: now)
        recording = nil
        await waitUntilFree(folder.store)
        try prune(keeping: 10 * minute)
        #expect(try StorePruning.told(folder.store) == told)
        #expect(try lines(folder.store, "SELECT keep_days FROM retention WHERE kind = 'samples'") == ["7.0"])
    }

    @Test("a reader's moment stays as it is while what it reads is deleted")
    func reader() async throws {
        let recording = try await busy(minutes: 30)
        let reader = try StoreReader(path: folder.store)
        let before = try reader.query("SELECT count(*), sum(at_us) FROM frame")
        try await recording.writer.pruneAll(
            Retention(samples: minute, minutes: nil, events: nil, size: nil), at: start + 30 * minute)
        #expect(try integer(folder.store, "SELECT count(*) FROM frame") < 1_000)
        #expect(try reader.query("SELECT count(*), sum(at_us) FROM frame") == before)
    }

    @Test("who holds the store holds up no step: it is refused at once, and the next one goes on")
    func held() async throws {
        let recording = try await busy(minutes: 30)
        let other = try Database(path: folder.store, mode: .readWrite)
        try other.execute("BEGIN IMMEDIATE", doing: "hold it")
        let retention = Retention(samples: minute, minutes: nil, events: nil, size: nil)
        await #expect { try await recording.writer.pruneAll(retention, at: start + 30 * minute) } throws: {
            ($0 as? StoreError)?.kind == .busy
        }
        try other.execute("ROLLBACK", doing: "let go")
        try await recording.writer.pruneAll(retention, at: start + 30 * minute)
        #expect(try integer(folder.store, "SELECT count(*) FROM frame") < 1_000)
    }

    @Test("levels of a window that cuts a minute whose samples are gone count that minute whole")
    func cutMinute() async throws {
        let recording = try await busy(minutes: 30)
        try await recording.writer.pruneAll(
            Retention(samples: 10 * minute, minutes: nil, events: nil, size: nil), at: start + 30 * minute)
        let whole = try levels(folder.store, start + 5 * minute, start + 7 * minute)
        let cut = try levels(folder.store, start + 5 * minute + 20 * second, start + 7 * minute - 10 * second)
        #expect(cut == whole)
        #expect(cut.values.allSatisfy { $0.known == 2 * minute })
    }

    @Test("rescue does not count as lost what retention removed")
    func rescued() async throws {
        let recording = try await busy(minutes: 130)
        try await recording.writer.pruneAll(
            Retention(samples: 10 * minute, minutes: hour, events: nil, size: nil), at: start + 130 * minute)
        let copy = folder.path + "/rescued.sqlite"
        let result = try StoreRescue.copy(folder.store, to: copy, at: start + 131 * minute)
        #expect(result.samplesLost == 0)
        #expect(
            try lines(copy, "SELECT kind, kept_from_us, removed FROM retention")
                == lines(folder.store, "SELECT kind, kept_from_us, removed FROM retention"))
        try expectSound(path: copy)
    }
}
