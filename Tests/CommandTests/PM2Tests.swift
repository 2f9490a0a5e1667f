import Foundation
import Testing

/// The ecosystem file, by Node's own reading of it, and started as PM2's fork mode starts programs.
@Suite(.timeLimit(.minutes(2)), .enabled(if: Node.isThere, "Node is not installed"))
struct PM2Tests {
    private static let file = Packaging.path("pm2/ecosystem.config.cjs")

    @Test("it is a program of its own in one instance, left alone when a restart cannot help, given time to store")
    func settings() async throws {
        #expect(try await Program.tool("node", ["--check", Self.file]).status == 0)
        let printed = try await Program.tool(
            "node", ["-e", "console.log(JSON.stringify(require('\(Self.file)').apps))"])
        let apps = try #require(JSONSerialization.jsonObject(with: Data(printed.output.utf8)) as? [[String: Any]])
        let app = try #require(apps.first)
        #expect(apps.count == 1)
        #expect(app["exec_mode"] as? String == "fork")
        #expect(app["instances"] as? Int == 1)
        #expect(app["interpreter"] as? String == "none")
        #expect(app["stop_exit_codes"] as? [Int] == [64, 75])
        #expect(try #require(app["kill_timeout"] as? Int) > 30_000, "the recorder gives itself 30 s to store")
        #expect(app["autorestart"] as? Bool == true)
        #expect(app["exp_backoff_restart_delay"] as? Int != nil)
    }

    @Test(
        "four instances as PM2 starts, stops and restarts them: one records, the rest stand by, SIGINT ends all with 0")
    func instances() async throws {
        let folder = Folder()
        let store = folder.file("s.sqlite")
        let unit = try await SimulatedUnit()
        // spawn as in PM2's fork mode: its own process group, pipes, an IPC channel.
        let script = """
            const { spawn } = require('child_process'), app = require('\(Self.file)').apps[0];
            const hosts = ['127.0.0.1:\(unit.port)', '127.0.0.98:9'];
            const args = app.args.map(a => a.replace(/192\\.168\\.5\\.\\d+/, () => hosts.shift()))
                .concat('--standby', '--meter-port', '\(unit.meterPort)', '--store', '\(store)');
            const children = [];
            let recording = 0, waiting = 0, codes = [], killed = false, stopped = false;
            const start = () => {
              const child = spawn(app.script, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe', 'ipc'] });
              children.push(child);
              child.stdout.on('data', data => {
                if (/standing by/.test(data)) waiting++;
                if (/recording 2 processors/.test(data)) { recording++; child.holder = true; }
                if (recording == 1 && waiting == 3 && !killed) { killed = true; children.find(c => c.holder).kill('SIGKILL'); }
                if (recording == 2 && waiting >= 4 && !stopped) { stopped = true; children.forEach(c => c.kill('SIGINT')); }
              });
              child.on('exit', (code, signal) => {
                if (signal == 'SIGKILL') { children.splice(children.indexOf(child), 1); return start(); }
                if (codes.push(code) == children.length) { console.log('codes', codes.join(',')); process.exit(0); }
              });
            };
            for (let i = 0; i < 4; i++) start();
            """
        let node = try Running(
            ["-e", script], executable: "/usr/bin/env", before: ["node"], environment: ["ATLAS_RECORDER": Program.path])
        let result = try await node.end()
        #expect(result.output == "codes 0,0,0,0\n", "\(result.output)\(result.errors)")
        try await unit.stop()
        let names = try await sql(
            store, "SELECT group_concat(name) FROM (SELECT processor AS name FROM processors ORDER BY 1)")
        #expect(names == "Main Bar,Patio")
        #expect(try await sql(store, "PRAGMA integrity_check") == "ok")
    }
}
