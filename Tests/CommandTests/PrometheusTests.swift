import Foundation
import Testing

/// The metrics, read by those who read them: Prometheus and its promtool.
@Suite(.timeLimit(.minutes(2)))
struct PrometheusTests {
    @Test("promtool finds nothing to complain of, and Prometheus scrapes them in OpenMetrics")
    func scraped() async throws {
        let folder = Folder()
        let unit = try await SimulatedUnit()
        let recorder = try Running([
            "run", "--processor", "Bar \"Ñ\\\"=127.0.0.1:\(unit.port)", "--meter-port", "\(unit.meterPort)",
            "--keep-alive", "1", "--store", folder.file("s.sqlite"), "--http", "127.0.0.1:0",
        ])
        let page = try await Served(recorder)
        try await recorder.line("subscribed")
        try await eventually { try page.get("/healthz").status == 200 }
        let plain = try page.get("/metrics")
        #expect(plain.head.contains("Content-Type: text/plain; version=0.0.4"))
        let file = folder.file("metrics.txt")
        try plain.body.write(toFile: file, atomically: true, encoding: .utf8)
        let check = try await Program.tool("sh", ["-c", "promtool check metrics < \(file)"])
        #expect(check.status == 0 && check.output.isEmpty && check.errors.isEmpty, "\(check.output)\(check.errors)")
        let open = try page.get("/metrics", "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
        #expect(open.head.contains("application/openmetrics-text; version=1.0.0") && open.body.hasSuffix("\n# EOF\n"))

        try """
        scrape_configs:
          - job_name: atlas
            scrape_interval: 1s
            static_configs: [{targets: ['127.0.0.1:\(page.port)']}]
        """.write(toFile: folder.file("prometheus.yml"), atomically: true, encoding: .utf8)
        let port = freeTCPPort()
        let prometheus = try Running(
            [
                "--config.file=\(folder.file("prometheus.yml"))", "--storage.tsdb.path=\(folder.file("tsdb"))",
                "--web.listen-address=127.0.0.1:\(port)",
            ], executable: "/usr/bin/env", before: ["prometheus"])
        func value(_ query: String) -> Double? {
            let target = "/api/v1/query?query=" + query.addingPercentEncoding(withAllowedCharacters: .alphanumerics)!
            guard let reply = try? Served(port: port).get(target),
                let object = try? JSONSerialization.jsonObject(with: Data(reply.body.utf8)) as? [String: Any],
                let data = object["data"] as? [String: Any], let first = (data["result"] as? [[String: Any]])?.first,
                let pair = first["value"] as? [Any], let text = pair.last as? String
            else { return nil }
            return Double(text)
        }
        try await eventually { (value("atlas_samples_stored_total") ?? 0) > 100 }
        #expect(value("up") == 1)
        #expect(value(#"atlas_link_state{processor="Bar \"Ñ\\\"",link="meters",state="up"}"#) == 1)
        #expect(value(#"atlas_socket_errors_total{code="EADDRINUSE"}"#) == 0)
        try await eventually {
            (value(#"rate(atlas_link_state_seconds_total{link="meters",state="up"}[10s])"#) ?? 0) > 0.5
        }
        try await unit.stop()
        try await eventually { value(#"atlas_link_state{link="control",state="down"}"#) == 1 }
        for program in [prometheus, recorder] {
            program.send(SIGTERM)
            _ = try await program.end()
        }
    }
}
