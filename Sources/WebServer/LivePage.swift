import Reporting
import WebAssets

/// What the server adds to the report's page: the choice of a window, and the meters.
struct LivePage {
    private let query: [String: String]
    private let isPast: Bool
    /// Whether it may have an answer in a moment.
    private let retries: Bool

    /// `isPast`: a window that has ended, which does not go on. `retries`: it is asked for again every 5 s.
    init(_ query: [String: String], isPast: Bool, retries: Bool = false) {
        (self.query, self.isPast, self.retries) = (query, isPast, retries)
    }

    var additions: ReportPage.Additions {
        ReportPage.Additions(
            head: """
                \(HTML(markup: retries ? "<meta http-equiv=\"refresh\" content=\"5\">" : ""))
                <link rel="icon" href="data:,">
                <style>
                \(HTML(markup: asset("live.css")))</style>
                <script type="module" src="/live.js"></script>

                """,
            top: form, live: isPast ? "" : meters)
    }

    /// Where there is no report: why, and the way to another question.
    func document(_ words: String) -> String {
        ReportPage.document(
            title: "No answer", additions,
            main:
                """
                <section id="answer"><h2>No answer</h2>
                <p>\(words)</p>
                <p>\(way)</p></section>

                """
        )
    }

    private var way: HTML {
        HTML(markup: retries ? "This page asks again every 5 s." : "<a href=\"/\">The page without a question</a>")
    }

    private func field(_ name: String, _ label: String, _ hint: String) -> HTML {
        """
        <p><label for="ask-\(name)">\(label)</label>
        <input id="ask-\(name)" name="\(name)" value="\(query[name] ?? "")" placeholder="\(hint)" autocomplete="off"></p>

        """
    }

    private var form: HTML {
        """
        <form id="ask" method="get" action="/" aria-label="Window">
        \(field("since", "Since", "16:30, yesterday"))\(field("until", "Until", "now"))\
        \(field("split", "Split", "16:30"))\(field("processor", "Processor", "all"))\
        <p><button type="submit">Show</button></p>
        </form>

        """
    }

    private var meters: HTML {
        """
        <section id="live" aria-labelledby="live-title">
        <h2 id="live-title">Meters now</h2>
        <p id="live-state" role="status">Waiting for the recorder.</p>
        <p class="bars">Bars go from -80 to 0 dB, with a notch every 20; the line is the peak, held for 1.5 s. \
        <span><span class="mark high"></span> above -12 dB,</span> <span><span class="mark clip"></span> above -3 dB.</span></p>

        <noscript><p>The meters move by a script, which this browser does not run. All else on this page is here.</p></noscript>
        <div id="live-units"></div>
        </section>

        """
    }
}
