extension StoreWriter {
    /// Units that a run goes on with from now on, and who is told when the store has their rows.
    package struct Registration: Sendable {
        let processors: [ProcessorSpec]
        let done: @Sendable ([RegisteredProcessor]) -> Void

        /// `done` is called on the store's thread, and must not wait.
        package init(_ processors: [ProcessorSpec], done: @escaping @Sendable ([RegisteredProcessor]) -> Void) {
            (self.processors, self.done) = (processors, done)
        }
    }
}
