/// Where something begins in a text. Both from 1; the column counts Unicode scalars, as most editors do.
package struct Position: Equatable, Comparable, Sendable {
    package let line, column: Int

    package init(line: Int, column: Int) { (self.line, self.column) = (line, column) }

    package static func < (one: Position, other: Position) -> Bool {
        (one.line, one.column) < (other.line, other.column)
    }
}
