import Reporting

/// What the terminal can show: the words for what is drawn.
package struct Look: Equatable, Sendable {
    package let isColoured: Bool
    package let isUnicode: Bool
    package init(isColoured: Bool, isUnicode: Bool) { (self.isColoured, self.isUnicode) = (isColoured, isUnicode) }

    var ellipsis: Character { isUnicode ? "…" : "~" }
    var rule: Character { isUnicode ? "─" : "-" }
    var chosen: String { isUnicode ? "▶" : ">" }
    var arrows: (sideways: String, upright: String) { isUnicode ? ("←→", "↑↓") : ("left/right", "up/down") }

    /// A mark and an ink for a link's state: told apart without colour too.
    func state(_ state: String?) -> (mark: String, ink: Ink) {
        switch state {
        case "up": (isUnicode ? "●" : "+", .good)
        case "down": (isUnicode ? "▼" : "x", .bad)
        default: ("?", .unsure)
        }
    }
}
