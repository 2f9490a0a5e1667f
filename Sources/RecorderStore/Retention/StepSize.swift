/// How much is done in one step, so that it takes some milliseconds, whatever the machine: adapts to what steps have taken.
package struct StepSize: Sendable {
    /// Microseconds that a step should take. Commits must not wait for more than 10 ms, also on a host that is busy.
    package static let target: Int64 = 1_000

    private let bounds: ClosedRange<Int>
    package private(set) var count: Int

    package init(_ bounds: ClosedRange<Int>, first: Int) { (self.bounds, count) = (bounds, first) }

    /// A step of `count` took so many microseconds. Grows slowly and shrinks at once.
    package mutating func took(_ microseconds: Int64) {
        let fitting = Double(count) * Double(Self.target) / Double(max(microseconds, 1))
        count = min(max(Int(min(fitting, Double(count) * 1.25)), bounds.lowerBound), bounds.upperBound)
    }
}
