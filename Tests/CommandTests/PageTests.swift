import Foundation
import Testing

/// The page's server from outside: a recorder with `--http`, and `serve` beside one.
@Suite(.timeLimit(.minutes(2)))
struct PageTests {
    private let folder = Folder()
    private var store: String { folder.file("s.sqlite") }

    @Test(
        "a recorder serves its page, the report as JSON, metrics and how it does; wrong questions are told what works")
    func answers() async throws {
        let unit = try await SimulatedUnit()
        let recorder = try unit.recorder(store, "--http", "127.0.0.1:0")
        let page = try await Served(recorder)
        try await recorder.line("Bar  subscribed")
        try await eventually { try page.get("/healthz").status == 200 }
        let report = try page.get("/api/report?since=1h&processor=Bar")
        #expect(report.status == 200 && report.head.contains("Content-Type: application/json"))
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(report.body.utf8)) as? [String: Any])
        #expect(object["version"] as? Int == 1 && (object["processors"] as? [Any])?.count == 1)
        let html = try page.get("/")
        #expect(html.status == 200 && html.body.contains("<section id=\"live\"") && html.body.hasSuffix("</html>\n"))
        #expect(html.head.contains("Content-Security-Policy: default-src 'none'"))
        // A window that has ended does not go on.
        #expect(try !page.get("/?since=1h&until=1s").body.contains("id=\"live\""))
        let sections = try page.get("/sections?since=1h")
        #expect(sections.body.contains("id=\"timeline\"") && !sections.body.contains("<head>"))
        // Without a window the page has none of the time before there was a recorder; the report's is 24 hours.
        #expect(!html.body.contains("(1d 0h)") && sections.body.contains("(1h 0m)"))
        let whole = try page.get("/api/report").body
        #expect(whole.contains("\"window_seconds\": 86400"))
        for script in ["live", "meters", "sections"] {
            let answer = try page.get("/\(script).js")
            #expect(answer.head.contains("Content-Type: text/javascript") && answer.body.contains("function "))
        }

        let head = try page.get("/api/report", method: "HEAD")
        #expect(head.status == 200 && head.body.isEmpty)
        let wrong = try page.get("/?since=25%3A00")
        #expect(wrong.status == 400 && wrong.body.contains("These work: 16:30"))
        #expect(try page.get("/api/report?processor=Nobody").body == "there is no processor 'Nobody' in this store\n")
        #expect(try page.get("/nothing").status == 404)
        // What nobody knows is not passed over: the answer would be another window's.
        let mistyped = try page.get("/api/report?sinc=16%3A30")
        #expect(mistyped.status == 400 && mistyped.body.contains("there is no 'sinc' to ask for"))
        #expect(try page.get("/../../etc/passwd").status == 404)
        #expect(try page.get("/", method: "POST", "Content-Length: 3").status == 405)
        #expect(try page.get("/", host: "evil.example").status == 421)
        #expect(try page.get("/events", "Origin: https://evil.example").status == 403)
        #expect(try page.ask("nonsense\r\n\r\n").status == 400)

        recorder.send(SIGTERM)
        #expect(try await recorder.end().status == 0)
        #expect(throws: (any Error).self) { try page.get("/healthz") }
        try await unit.stop()
    }

    @Test("the configuration file says where the page is; a flag goes before it")
    func configured() async throws {
        let unit = try await SimulatedUnit()
        let file = folder.file("venue.toml")
        func write(port: Int) throws {
            try """
            meter_port = \(unit.meterPort)
            [http]
            listen = "127.0.0.1:\(port)"
            hosts = ["atlas.example.org"]
            [[processor]]
            host = "127.0.0.1"
            port = \(unit.port)
            """.write(toFile: file, atomically: true, encoding: .utf8)
        }
        try write(port: 9)
        let recorder = try Running(["run", "--config", file, "--store", store, "--http", "127.0.0.1:0"])
        let page = try await Served(recorder)
        try await eventually { try page.get("/healthz", host: "atlas.example.org").status == 200 }
        recorder.send(SIGTERM)
        #expect(try await recorder.end().status == 0)
        try write(port: page.port)
        let again = try Running(["run", "--config", file, "--store", store])
        #expect(try await Served(again).port == page.port)
        again.send(SIGTERM)
        #expect(try await again.end().status == 0)
        let open = try await Program.run("run", "--config", file, "--store", store, "--http", "0.0.0.0:\(page.port)")
        #expect(open.status == 64 && open.errors.contains("guard it with --http-token-file FILE"))
        try await unit.stop()
    }

    @Test("a reader hears the meters, each link's change, and that the recorder has gone and is back")
    func events() async throws {
        var unit = try await SimulatedUnit()
        var recorder = try unit.recorder(store)
        try await recorder.line("Bar  subscribed")
        let serve = try Running(["serve", "--store", store, "--http", "127.0.0.1:0"])
        let page = try await Served(serve)
        let events = try Events(page)
        let bystander = try Events(page, "/events?processor=Nobody")
        try await eventually { events.text.contains("event: levels") && events.text.contains("\"ZoneMeter_0\"") }
        try await unit.stop()
        let down = #""link":"control","state":"down","cause":"closed""#
        try await eventually { events.text.contains(down) && bystander.text.contains(down) }
        #expect(!bystander.text.contains("event: levels"))
        // One that stands still is not up, and is again when it goes on.
        recorder.send(SIGSTOP)
        try await eventually { events.text.contains(#""state":"unknown","cause":"recorder_stalled""#) }
        #expect(try page.get("/healthz").body.hasPrefix("the recorder stands still"))
        #expect(try page.get("/metrics").body.contains("\natlas_recorder_up 0\n"))
        // Who asks it for its feed now gets no answer, and can be stopped all the same.
        let late = try Running(["serve", "--store", store, "--http", "127.0.0.1:0"])
        #expect(try await Served(late).get("/healthz").status == 503)
        late.send(SIGTERM)
        #expect(try await late.end().status == 0)
        recorder.send(SIGCONT)
        try await eventually { try page.get("/healthz").status == 200 }
        recorder.send(SIGKILL)
        try await eventually { events.text.contains(#""state":"unknown","cause":"recorder_stopped""#) }
        #expect(try page.get("/healthz").status == 503)
        #expect(try page.get("/metrics").body.contains("\natlas_recorder_up 0\n"))
        _ = try await recorder.end()
        let before = events.text.utf8.count
        unit = try await SimulatedUnit(meterPort: unit.meterPort)
        recorder = try unit.recorder(store)
        try await eventually {
            let new = events.text.utf8.dropFirst(before)
            let text = String(decoding: new, as: UTF8.self)
            return text.contains(#"{"state":"recording"}"#) && text.contains("event: levels")
        }
        #expect(try page.get("/healthz").body == "recording\n")
        serve.send(SIGTERM)
        #expect(try await serve.end().status == 0)
        recorder.send(SIGTERM)
        _ = try await recorder.end()
        try await unit.stop()
    }

    @Test("requests that never end, lines without end and many connections keep nobody from being answered")
    func hostile() async throws {
        let unit = try await SimulatedUnit()
        let recorder = try unit.recorder(store, "--http", "127.0.0.1:0")
        let page = try await Served(recorder)
        try await recorder.line("Bar  subscribed")
        var open: [Served.Connection] = []
        for number in 0..<400 {
            let connection = try Served.Connection(page.port)
            connection.send(number % 2 == 0 ? "GET / HT" : "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            open.append(connection)  // never reads
        }
        // A head without end is cut.
        let endless = try Served.Connection(page.port)
        endless.send("GET / HTTP/1.1\r\nHost: localhost\r\n")
        let chunk = "X-Filler: " + String(repeating: "a", count: 16_384) + "\r\n"
        var sent = 0
        while endless.send(chunk), sent < 4_000 { sent += 1 }
        #expect(sent < 4_000)
        let address = try page.get("/" + String(repeating: "a", count: 10_000))
        #expect(address.status == 400 || address.status == 414)
        #expect(try page.get("/healthz").status == 200)
        #expect(try page.get("/events").status == 503)
        open = []
        // Their places are free again.
        try await eventually {
            let reader = try Served.Connection(page.port)
            reader.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return reader.read()?.hasPrefix("HTTP/1.1 200") == true
        }
        recorder.send(SIGTERM)
        #expect(try await recorder.end().status == 0)
        #expect(try await sql(store, "SELECT count(*) FROM sample_losses") == "0")
        try await unit.stop()
    }

    @Test("an address of others needs a token, which a file holds that others may not read")
    func token() async throws {
        let unit = try await SimulatedUnit()
        let recorder = try unit.recorder(store)
        try await recorder.line("Bar  subscribed")
        let open = try await Program.run("serve", "--store", store, "--http", "0.0.0.0:0")
        #expect(open.status == 64 && open.errors.contains("guard it with --http-token-file"), "\(open.errors)")
        let file = folder.file("token")
        try "0123456789abcdef\n".write(toFile: file, atomically: true, encoding: .utf8)
        chmod(file, 0o644)
        let loose = try await Program.run(
            "serve", "--store", store, "--http", "0.0.0.0:0", "--http-token-file", file)
        #expect(loose.status == 1 && loose.errors.contains("chmod o= "), "\(loose.errors)")
        chmod(file, 0o640)
        let serve = try Running(["serve", "--store", store, "--http", "0.0.0.0:0", "--http-token-file", file])
        try await serve.line("page at http://0.0.0.0:")
        let page = Served(port: serve.number(after: "page at http://0.0.0.0:") ?? 0)
        #expect(try page.get("/").status == 401)
        #expect(try page.get("/", "Authorization: Bearer 0123456789abcdef").status == 200)
        let signedIn = try page.get("/?token=0123456789abcdef&since=1h")
        #expect(signedIn.status == 303 && signedIn.head.contains("Location: /?since=1h"))
        #expect(signedIn.head.contains("Set-Cookie: atlas_token=0123456789abcdef; Path=/; HttpOnly; SameSite=Lax"))
        let mistaken = try page.get("/events", "Cookie: atlas_token=fedcba9876543210")
        #expect(mistaken.status == 401 && mistaken.body.contains("this is not the token"))
        for program in [serve, recorder] {
            program.send(SIGTERM)
            #expect(try await program.end().status == 0)
        }
        try await unit.stop()
    }

    @Test("a port that somebody has: serve says so and ends, a recorder says so and records")
    func portInUse() async throws {
        let other = try Running(
            [
                "-u", "-c",
                "import socket,signal\ns=socket.create_server(('127.0.0.1',0))\nprint('port',s.getsockname()[1])\nsignal.pause()",
            ],
            executable: "/usr/bin/env", before: ["python3"])
        try await other.line("port ")
        let address = "127.0.0.1:\(other.number(after: "port ") ?? 0)"
        let unit = try await SimulatedUnit()
        let recorder = try unit.recorder(store, "--http", address)
        try await recorder.line("Bar  subscribed")
        try await eventually { recorder.log.contains("Recording goes on without the page") }
        let serve = try await Program.run("serve", "--store", store, "--http", address)
        #expect(serve.status == 1 && serve.errors.contains("EADDRINUSE") && serve.errors.contains("ss -ltnp"))
        recorder.send(SIGTERM)
        #expect(try await recorder.end().status == 0)
        other.send(SIGKILL)
        _ = try await other.end()
        try await unit.stop()
    }

    @Test("a store that is not there yet is said at once; one that is none ends serve")
    func missingStore() async throws {
        let serve = try Running(["serve", "--store", store, "--http", "127.0.0.1:0"])
        let page = try await Served(serve)
        #expect(serve.log.contains("The page says the same until a recorder has made it."), "\(serve.log)")
        let answer = try page.get("/")
        #expect(answer.status == 503 && answer.body.contains("there is no such file") && answer.body.contains("<form"))
        // An open page comes by itself; what nobody can answer is not asked again and again.
        let again = "http-equiv=\"refresh\" content=\"5\""
        #expect(answer.body.contains(again) && answer.body.contains("asks again every 5 s"))
        #expect(try !page.get("/?since=25:00").body.contains(again))
        #expect(try page.get("/healthz").status == 503)
        let unit = try await SimulatedUnit()
        let recorder = try unit.recorder(store)
        try await recorder.line("Bar  meters up")
        try await eventually { try page.get("/").status == 200 && page.get("/healthz").status == 200 }
        let none = folder.file("none.sqlite")
        try "a shopping list, of which nobody would say that it is a store".write(
            toFile: none, atomically: true, encoding: .utf8)
        let refused = try await Program.run("serve", "--store", none, "--http", "127.0.0.1:0")
        #expect(refused.status == 1 && refused.output.isEmpty, "\(refused.errors)")
        for program in [serve, recorder] {
            program.send(SIGTERM)
            #expect(try await program.end().status == 0)
        }
        try await unit.stop()
    }

    @Test("a token that cannot be used keeps no recorder from recording, and the page comes when it can")
    func tokenLater() async throws {
        let unit = try await SimulatedUnit()
        let file = folder.file("token")
        let recorder = try unit.recorder(store, "--http", "127.0.0.1:0", "--http-token-file", file)
        try await recorder.line("Bar  meters up")
        try await eventually { recorder.log.contains("openssl rand -hex 16") }
        #expect(recorder.log.contains("Recording goes on without the page"))
        try "0123456789abcdef".write(toFile: file, atomically: true, encoding: .utf8)
        chmod(file, 0o600)
        #expect(try await Served(recorder).get("/").status == 401)
        recorder.send(SIGTERM)
        #expect(try await recorder.end().status == 0)
        try await unit.stop()
    }
}
