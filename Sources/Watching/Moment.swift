/// When something happened, read once from both clocks. Microseconds.
package struct Moment: Equatable, Sendable {
    /// For lengths of time; never goes back.
    package let steady: Int64
    /// Since 1970 UTC, for people; jumps when the clock is set.
    package let wall: Int64

    package init(steady: Int64, wall: Int64) { (self.steady, self.wall) = (steady, wall) }
}
