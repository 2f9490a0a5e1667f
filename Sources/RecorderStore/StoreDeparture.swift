/// What became of a store that was left before the recorder ended.
package struct StoreDeparture: Sendable {
    /// Of what waited, so much is not in it.
    package var samplesLeft = 0
    package var entriesLeft = 0
    /// Why what waited could not be stored.
    package var refusal: StoreError?
    /// Whether everything is in the store's file itself, without its log.
    package var isWhole = false
    /// What became of a store that is not in its place any more; nil: it is, or nobody can tell.
    package var fate: StorePlace.Fate?
    /// Where the log of a moved store is, if it was in the way.
    package var log: String?
    /// Why the files could not be put right.
    package var obstacle: StoreError?

    package init(samplesLeft: Int = 0, entriesLeft: Int = 0) {
        (self.samplesLeft, self.entriesLeft) = (samplesLeft, entriesLeft)
    }
}
