import Foundation
import Testing

@Suite(.timeLimit(.minutes(1)))
struct UsageTests {
    @Test("run with nothing to record says how to name a processor and offers the simulation")
    func nothingToRecord() async throws {
        let result = try await Program.run("run")
        #expect(result.status == 64)
        #expect(result.errors.contains("--processor 'Main Bar=192.168.5.101'"))
        #expect(result.errors.contains("run --simulate"))
    }

    @Test(
        "wrong usage exits with 64 and says what works",
        arguments: [
            (["run", "--processor", "A=10.0.0.1", "--processor", "A=10.0.0.2"], "another processor is called 'A'"),
            (["run", "--processor", "A=10.0.0.1", "--processor", "B=10.0.0.1:99"], "has the same host"),
            (["run", "--processor", "=10.0.0.1"], "the name before '=' is empty"),
            (["run", "--processor", "10.0.0"], "is no IPv4 address"),
            (["run", "--processor", "10.0.0.1:0"], "from 1 to 65535"),
            (["run", "--processor", "10.0.0.1:99999"], "from 1 to 65535"),
            (["run", "--processor", "fe80::1"], "the units speak IPv4"),
            (["run", "--processor", "10.0.0.1", "--simulate"], "not both"),
            (["run", "--processor", "10.0.0.1", "--keep-alive", "301"], "1 to 300"),
            (["run", "--simulate", "--for", "soon"], "--for"),
            (["report", "--since", "half past four"], "16:30"),
            (["report", "--since", "16:30", "--until", "2001-01-01"], "--until"),
            (["report", "--since", "16:30", "--split", "2001-01-01"], "does not lie inside the window"),
            (["report", "--split", "half past four"], "--split"),
            (["report", "--show-sql", "--since", "noon"], "--since"),
            (["report", "nonsense"], "There are"),
            (["report", "--fail-on", "eaddrinuse"], "EADDRINUSE"),
            (["report", "--format", "pdf"], "markdown"),
            (["simulate", "--shape", "round"], "tick, single"),
            (["simulate", "--fault", "at noon wedge"], "noon"),
            (["simulate", "--fault", "at 1s recall scene 99"], "RecallScene_99"),
            (["frobnicate"], "There is no command 'frobnicate'. There are run, report, "),
            (["reprt"], "Did you mean 'report'?"),
            (["report", "outage"], "Did you mean 'outages'?"),
        ])
    func wrongUsage(arguments: [String], says: String) async throws {
        let result = try await Running(arguments).end()
        #expect(result.status == 64, "\(result.errors)")
        #expect(result.errors.contains(says), "\(result.errors)")
    }

    @Test(
        "help names every flag of the contract",
        arguments: ["run", "report", "watch", "ports", "doctor", "config", "simulate"])
    func help(command: String) async throws {
        let result = try await Program.run(command, "--help")
        #expect(result.status == 0)
        let flags = [
            "run": [
                "--processor", "--store", "--meter-port", "--keep-alive", "--for", "--simulate", "--standby",
                "--no-relay", "--config",
            ],
            "config": ["check"],
            "report": ["--since", "--until", "--split", "--processor", "--format", "--show-sql", "--list", "--store"],
            "watch": ["--processor", "--store", "q or Ctrl-C", "a line a second"],
            "ports": ["--port", "--control-port", "--format"],
            "doctor": ["--store", "--processor", "--meter-port", "--format"],
            "simulate": [
                "--units", "--address", "--rate", "--shape", "--fault", "--meter-port", "--for", "dropConnections",
                "recall KIND N", "gain ZONE DB", "mute ZONE on|off", "renumber ZONE", "set PARAMETER VALUE",
            ],
        ]
        for flag in flags[command]! { #expect(result.output.contains(flag), "\(flag)") }
    }

    @Test("the reports can be listed, and their SQL read")
    func listAndSQL() async throws {
        let list = try await Program.run("report", "--list")
        #expect(list.status == 0)
        for name in ["summary", "outages", "errors", "losses", "balance", "events", "changes", "hours", "levels"] {
            #expect(list.output.contains(name))
        }
        let sql = try await Program.run("report", "outages", "--show-sql")
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
            path: "../../reports/outages.sql")
        #expect(sql.output.contains("CROSS JOIN outages o"))
        #expect(try sql.output.contains(String(contentsOf: file, encoding: .utf8)))
        #expect(sql.output.contains(".parameter set :processor NULL\n"))
    }
}
