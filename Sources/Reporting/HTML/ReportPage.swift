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

    /// Asks the store. `split` lies inside the window. Throws `StoreError` where the store cannot be read.
    package init(_ store: StoreReader, _ question: Question, split: Int64?) throws(StoreError) {
        (self.question, self.split) = (question, split)
        summary = try Summary(store, question, latestOutages: Self.mostOutages)
        if let split { halves = try SplitSummary(store, question, split: split) } else { halves = nil }
    }

    /// How many outages the page lists.
    static let mostOutages = 200

    /// What a server that keeps the page alive adds to it.
    package struct Additions: Sendable {
        /// At the end of `<head>`.
        package var head: HTML
        /// In `<main>`, before the report's sections.
        package var top: HTML
        /// Before the page's title.
        package var title: String

        package init(head: HTML = "", top: HTML = "", title: String = "") {
            (self.head, self.top, self.title) = (head, top, title)
        }
    }

    /// The whole file.
    package func document(_ additions: Additions = Additions()) -> String {
        Self.document(title: additions.title + title, additions, main: sections)
    }

    /// What is inside `<main>`: a `<section id="…">` for each part. The ids stay what they are.
    package var sections: String { answer.markup }

    private var title: String { "Report" }
    private var answer: HTML { "<section id=\"answer\"><h2>Answer</h2><p>\(summary.span)</p></section>\n" }

    static func document(title: String, _ additions: Additions, main: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <title>\(HTML.escaped(title))</title>
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <style>
        \(WebAssets.asset("page.css"))</style>
        \(additions.head.markup)</head>
        <body>
        <header><h1>atlas-recorder</h1></header>
        <main>
        \(additions.top.markup)\(main)</main>
        </body>
        </html>

        """
    }
}
