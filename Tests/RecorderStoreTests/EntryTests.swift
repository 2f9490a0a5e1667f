import AtlasProtocol
import Testing

@testable import RecorderStore

@Suite struct EntryTests {
    private let folder = TemporaryFolder()

    private func fault(
        _ id: Int32?, _ code: String = "EADDRINUSE", _ operation: SocketFault.Operation = .bind, at seconds: Double,
        count: Int = 1, holder: String? = nil
    ) -> Entry {
        .fault(
            SocketFault(
                processor: id, socket: operation == .connect ? .tcp : .udp, operation: operation, code: code, errno: 98,
                address: nil, holder: holder, message: nil, at: start + Int64(seconds * 1e6), count: count))
    }

    private func episodes(_ entries: (Int32) -> [Entry]) async throws -> [String] {
        let recording = try await Recording(folder.store)
        try await recording.commit(entries(recording.id), at: start)
        #expect(
            try lines(folder.store, "SELECT sum(count) FROM socket_error_minutes")
                == lines(folder.store, "SELECT sum(count) FROM socket_errors"))
        return try lines(
            folder.store,
            "SELECT code, operation, count, (first_us - \(start)) / 1e6, (last_us - \(start)) / 1e6, holder FROM socket_errors"
        )
    }

    // MARK: socket errors

    @Test("the same error again is one row with a count, and keeps who holds the port")
    func oneEpisode() async throws {
        let rows = try await episodes { id in
            [fault(id, at: 0), fault(id, at: 30, holder: "node (pid 1)"), fault(id, at: 90, count: 5)]
        }
        #expect(rows == ["EADDRINUSE|bind|7|0.0|90.0|node (pid 1)"])
    }

    @Test("after 60 s without it an error is another episode", arguments: [(60.0, 1), (60.000_001, 2)])
    func pause(seconds: Double, count: Int) async throws {
        #expect(try await episodes { id in [fault(id, at: 0), fault(id, at: seconds)] }.count == count)
    }

    @Test("success ends the episodes of that socket and operation only")
    func success() async throws {
        let rows = try await episodes { id in
            [
                fault(id, at: 0), fault(id, "ECONNREFUSED", .connect, at: 0), fault(nil, at: 0),
                .recovered(processor: id, socket: .udp, operation: .bind),
                fault(id, at: 1), fault(id, "ECONNREFUSED", .connect, at: 1), fault(nil, at: 1),
            ]
        }
        #expect(
            rows == [
                "EADDRINUSE|bind|1|0.0|0.0|", "ECONNREFUSED|connect|2|0.0|1.0|", "EADDRINUSE|bind|2|0.0|1.0|",
                "EADDRINUSE|bind|1|1.0|1.0|",
            ])
    }

    @Test("several errors of one socket are open at once")
    func severalOpen() async throws {
        let rows = try await episodes { id in
            (0..<4).flatMap { second in
                [
                    fault(id, "ECONNREFUSED", .connect, at: Double(second)),
                    fault(id, "ETIMEDOUT", .connect, at: Double(second)),
                ]
            }
        }
        #expect(rows == ["ECONNREFUSED|connect|4|0.0|3.0|", "ETIMEDOUT|connect|4|0.0|3.0|"])
    }

    @Test("each minute has its own count")
    func minutes() async throws {
        _ = try await episodes { id in (0..<10).map { fault(id, at: Double($0) * 30) } }
        #expect(
            try lines(
                folder.store, "SELECT (start_us - \(start)) / 60000000, processor, count FROM socket_error_minutes")
                == (0..<5).map { "\($0)|Main Bar|2" })
    }

    @Test("a clock set back by an hour ends the episode, by a second it does not")
    func clockSetBack() async throws {
        let rows = try await episodes { id in [fault(id, at: 10), fault(id, at: 9), fault(id, at: -3_600)] }
        #expect(rows == ["EADDRINUSE|bind|2|9.0|10.0|", "EADDRINUSE|bind|1|-3600.0|-3600.0|"])
    }

    // MARK: parameters and labels

    @Test("a value that did not change is not recorded again, over a restart either")
    func unchanged() async throws {
        let values: [(String, SQLValue)] = [
            ("ZoneGain_0", .real(-3.5)), ("ZoneMute_0", .integer(1)), ("ZoneName_0", .text("Main Bar")),
            ("Empty", .text("")),
        ]
        for round in 0..<3 {
            let now = start + Int64(round) * hour
            await waitUntilFree(folder.store)
            let recording = try await Recording(folder.store, at: now)
            let entries = values.map { Entry.parameter(processor: recording.id, at: now, name: $0.0, value: $0.1) }
            try await recording.commit(entries + entries, at: now)
            try await recording.writer.finish([], at: now + second)
        }
        #expect(try integer(folder.store, "SELECT count(*) FROM parameter_changes") == 4)
        #expect(try integer(folder.store, "SELECT count(*) FROM connection_events") == 0)
    }

    @Test("a change carries the value before it and the channel's label at that time")
    func changes() async throws {
        let recording = try await Recording(folder.store)
        func set(_ name: String, _ value: SQLValue, at seconds: Int64) -> Entry {
            .parameter(processor: recording.id, at: start + seconds * second, name: name, value: value)
        }
        try await recording.commit(
            [
                set("ZoneGain_0", .real(-3), at: 0), set("ZoneName_0", .text("Bar"), at: 1),
                set("ZoneGain_0", .real(-6), at: 2), set("ZoneName_0", .text("Front Bar"), at: 3),
                set("ZoneGain_0", .text("off"), at: 4), set("SourceGain_0", .real(0), at: 5),
            ], at: start)
        #expect(
            try lines(
                folder.store,
                "SELECT (at_us - \(start)) / 1000000, parameter, label, value, previous FROM parameter_changes ORDER BY at_us"
            )
                == [
                    "0|ZoneGain_0||-3.0|", "1|ZoneName_0|Bar|Bar|", "2|ZoneGain_0|Bar|-6.0|-3.0",
                    "3|ZoneName_0|Front Bar|Front Bar|Bar", "4|ZoneGain_0|Front Bar|off|-6.0", "5|SourceGain_0||0.0|",
                ])
        #expect(
            try lines(folder.store, "SELECT event, detail FROM connection_events") == [
                "renamed|ZoneMeter_0: Bar -> Front Bar"
            ])
    }

    @Test("a sample has the label that its meter had then", arguments: [false, true])
    func labels(alone: Bool) async throws {
        let recording = try await Recording(folder.store)
        for (index, name) in ["Bar", "Front Bar", "Bar"].enumerated() {
            let now = start + Int64(index) * minute
            let entry = Entry.parameter(processor: recording.id, at: now, name: "ZoneName_1", value: .text(name))
            let meters = alone ? [UInt8(1)] : [0, 1, 2]
            recording.feed([now - 1, now, now + 1].flatMap { at in meters.map { (Meter(.zone, $0), -1.0, at) } })
            try await recording.commit([entry], at: now)
        }
        let read = try lines(folder.store, "SELECT label FROM meter_samples WHERE meter = 'ZoneMeter_1' ORDER BY at_us")
        #expect(read == ["", "Bar", "Bar", "Bar", "Front Bar", "Front Bar", "Front Bar", "Bar", "Bar"])
        #expect(
            try lines(folder.store, "SELECT DISTINCT label FROM latest_levels WHERE meter = 'ZoneMeter_1'") == ["Bar"])
    }

    @Test("a name learnt after the clock was set back counts from then on")
    func labelAfterClockSetBack() async throws {
        let recording = try await Recording(folder.store)
        for (name, at) in [("Bar", start + hour), ("Terrace", start)] {
            try await recording.commit(
                [.parameter(processor: recording.id, at: at, name: "ZoneName_1", value: .text(name))], at: at)
        }
        recording.feed([(Meter(.zone, 1), -1, start + 2 * hour)])
        try await recording.commit([], at: start + 2 * hour)
        #expect(try lines(folder.store, "SELECT label FROM meter_samples") == ["Terrace"])
    }

    @Test("the firmware and when a unit was first and last heard from are its own")
    func processor() async throws {
        let recording = try await Recording(folder.store, [mainBar, patio])
        let id = recording.id
        try await recording.commit(
            [
                .seen(processor: id, at: start + 5), .seen(processor: id, at: start + 7),
                // The last one is the newest, also where the clock was set back before it.
                .seen(processor: id, at: start + 6),
                .parameter(processor: id, at: start, name: "FirmwareVersion", value: .text("1.2.3")),
            ], at: start)
        #expect(
            try lines(
                folder.store,
                """
                SELECT p.processor, p.firmware, t.first_seen_us - \(start), t.last_seen_us - \(start)
                  FROM processors p JOIN processor t ON t.name = p.processor ORDER BY t.id
                """) == ["Main Bar|1.2.3|5|6", "Patio|||"])
    }

    @Test("a sender that makes parameters up does not fill the memory")
    func parameterLimit() async throws {
        let recording = try await Recording(folder.store)
        for batch in 0..<5 {
            try await recording.commit(
                (0..<5_000).map {
                    .parameter(processor: recording.id, at: start, name: "Made_\(batch)_\($0)", value: .integer(1))
                }, at: start)
        }
        #expect(try integer(folder.store, "SELECT count(*) FROM parameter_changes") == 5_000)
        let dropped = "SELECT sum(datagrams) FROM sample_losses WHERE reason = 'parameters_dropped'"
        #expect(try integer(folder.store, dropped) == 20_000)
    }

    // MARK: losses

    @Test("losses of one minute, unit and reason are one row; samples apart from datagrams whose samples nobody knows")
    func losses() async throws {
        let recording = try await Recording(folder.store)
        func lost(_ seconds: Int64, _ datagrams: Int, _ samples: Int?, _ reason: LossReason = .unreadable) -> Entry {
            .loss(
                Loss(
                    processor: recording.id, reason: reason, at: start + seconds * second, datagrams: datagrams,
                    samples: samples))
        }
        try await recording.commit(
            [
                lost(1, 3, nil), lost(5, 0, 2), lost(3, 1, nil), lost(61, 1, nil), lost(9, 4, nil, .kernelDrop),
                .loss(Loss(processor: nil, reason: .kernelDrop, at: start, datagrams: 7, samples: nil)), lost(30, 0, 3),
            ], at: start)
        #expect(
            try lines(
                folder.store,
                """
                SELECT processor, reason, (from_us - \(start)) / 1000000, (until_us - \(start)) / 1000000, datagrams, samples
                  FROM sample_losses ORDER BY from_us, reason
                """) == [
                    "|kernel_drop|0|0|7|", "Main Bar|unreadable|1|3|4|", "Main Bar|unreadable|5|30|0|5",
                    "Main Bar|kernel_drop|9|9|4|", "Main Bar|unreadable|61|61|1|",
                ])
    }
}
