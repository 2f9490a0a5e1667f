import RecorderStore
import WallTime
import WebAssets

/// The summary as a page for a browser: one file, no script, nothing from elsewhere. What it shows is read once, by `init`.
package struct ReportPage: Sendable {
    let question: Question
    /// Microseconds since 1970 UTC; nil: the window is not split.
    let split: Int64?
    /// Of the whole window.
    let summary: Summary
    let halves: SplitSummary?
    let strips: [StateStrip]
    /// nil: of so many units there are none.
    let trends: [MeterTrend]?

    var axis: TimeAxis { TimeAxis(since: question.since, until: question.until) }

    /// Asks the store. `split` lies inside the window. Throws `StoreError` where the store cannot be read.
    package init(_ store: StoreReader, _ question: Question, split: Int64?) throws(StoreError) {
        (self.question, self.split) = (question, split)
        summary = try Summary(store, question, latestOutages: Limit.outages)
        if let split { halves = try SplitSummary(store, question, split: split) } else { halves = nil }
        let listed = halves.map(\.listedByName) ?? summary.listedByName
        strips = try StateStrip.all(in: store, question, processors: listed, most: Limit.parts)
        guard listed == nil else {
            trends = nil
            return
        }
        let meters = try store.query(
            """
            SELECT count(*) AS count FROM meter m JOIN processor p ON p.id = m.processor_id
             WHERE :processor IS NULL OR p.name = :processor
            """, question.parameters)
        let columns = Limit.columns(meters: Row(table: meters, row: 0).integer("count") ?? 0)
        trends = try MeterTrend.all(in: store, question, columns: columns)
    }

    /// The reports that its pictures come from; the figures come from those of the summary.
    static let sources = ["states", "trend", "changes"]

    /// How much a page holds, so that its length does not depend on how much went wrong.
    enum Limit {
        /// Rows of a table.
        static let outages = 200, openRows = 12, errors = 100, losses = 50, states = 50
        /// Rectangles of all the strips.
        static let parts = 3_000
        /// Columns of time in the picture of a meter. So few that a day has hours are read from the hours: the minutes of
        /// many units take long.
        static func columns(meters: Int64) -> Int { meters <= 64 ? 240 : meters <= 160 ? 120 : 48 }
        /// Rows of the table behind it.
        static func rows(meters: Int) -> Int64 { meters <= 64 ? 48 : 12 }
    }

    /// What a server that keeps the page alive adds to it.
    package struct Additions: Sendable {
        /// At the end of `<head>`. Where there is something, the server's own header says what may be loaded.
        package var head: HTML
        /// In `<main>`, before the report's sections.
        package var top: HTML
        /// A section of its own behind the answer, with the id `live`.
        package var live: HTML

        package init(head: HTML = "", top: HTML = "", live: HTML = "") {
            (self.head, self.top, self.live) = (head, top, live)
        }
    }

    /// The whole file.
    package func document(_ additions: Additions = Additions()) -> String {
        var places = parts.map { (id: $0.id, title: $0.title) }
        if additions.live != "" { places.insert(("live", "Meters now"), at: 1) }
        let links = places.map { HTML("<li><a href=\"#\($0.id)\">\($0.title)</a></li>\n") }
        let navigation: HTML = "<nav aria-label=\"Sections\"><ul>\n\(links)</ul></nav>\n"
        return Self.document(
            title: title, additions, navigation: navigation,
            main: Self.markup(parts.prefix(1)) + additions.live + Self.markup(parts.dropFirst()))
    }

    /// The page's own name, with the answer in it: what a tab shows.
    package var title: String {
        let names = summary.processors.map(\.processor)
        let unit = names.count == 1 ? names[0] : "\(names.count) processors"
        return "\(headline) - \(unit), \(LocalTime.text(question.until).prefix(16))"
    }

    /// What is inside `<main>`: a `<section id="…">` for each part. The ids stay what they are.
    package var sections: String { Self.markup(parts[...]).markup }

    private static func markup(_ parts: ArraySlice<Part>) -> HTML {
        parts.map { part -> HTML in
            """
            <section id="\(part.id)" aria-labelledby="\(part.id)-title">
            <h2 id="\(part.id)-title">\(part.heading)</h2>
            \(part.content)</section>

            """
        }.joined()
    }

    struct Part {
        /// What the list of sections calls it, and its heading.
        let id, title, heading: String
        let content: HTML

        init(_ id: String, _ title: String, heading: String? = nil, _ content: HTML) {
            (self.id, self.title, self.heading, self.content) = (id, title, heading ?? title, content)
        }
    }

    private var parts: [Part] {
        [Part("answer", "Answer", heading: headline, answer)]
            + (halves.map { [Part("split", "Before and after", comparison($0))] } ?? [])
            + [
                Part("timeline", "Timeline", timeline), Part("outages", "Outages", outages),
                Part("errors", "Errors", errors), Part("levels", "Levels", levels),
                Part("recorded", "What was recorded", recorded),
                Part("sql", "How to get each figure", reproduction),
            ]
    }

    /// A page around any content.
    package static func document(
        title: String, _ additions: Additions = Additions(), navigation: HTML = "", main: HTML
    ) -> String {
        // No script, no image, nothing from elsewhere, whatever a name in the store says.
        let policy: HTML =
            additions.head.markup.isEmpty
            ? """
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">

            """ : ""
        let html: HTML = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            \(policy)<title>\(title)</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <style>
            \(HTML(markup: WebAssets.asset("page.css")))</style>
            \(additions.head)</head>
            <body>
            \(Self.shapes)<header>
            <h1>atlas-recorder <span>report</span></h1>
            \(navigation)</header>
            <main>
            \(additions.top)\(main)</main>
            </body>
            </html>

            """
        return html.markup
    }

    /// Patterns and marks that the pictures share.
    private static let shapes: HTML = """
        <svg class="shapes" width="0" height="0" aria-hidden="true"><defs>
        <pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">\
        <rect class="hatch-ground" width="5" height="5"/><rect class="hatch-line" width="1.5" height="5"/></pattern>
        <pattern id="dots" width="5" height="5" patternUnits="userSpaceOnUse">\
        <rect class="dots-ground" width="5" height="5"/><circle class="dots-dot" cx="2.5" cy="2.5" r=".9"/></pattern>
        <path id="gain" d="M0 1l4 4-4 4-4-4z"/>
        <path id="muted" d="M-4 1h8v8h-8z"/>
        <path id="unmuted" class="open" d="M-3.3 1.7h6.6v6.6h-6.6z"/>
        </defs></svg>

        """
}
