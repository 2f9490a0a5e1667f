import Testing

@testable import Reporting

/// A run that has not ended, and its last word.
struct SilenceTests {
    @Test("a recorder fell silent where its last word is in the window and over 5 s away")
    func fellSilent() throws {
        let store = try HandMadeStore.silent()
        let word = HandMadeStore.at(100)
        #expect(try store.summary(0, 200).fellSilent == word && store.summary(0, 105.1).fellSilent == word)
        // Its clock was set back since.
        #expect(try store.summary(0, 50).fellSilent == word)
        #expect(try store.summary(0, 104.9).fellSilent == nil && store.summary(0, 96).fellSilent == nil)
        #expect(try store.summary(110, 200).fellSilent == nil)
        #expect(try HandMadeStore(ended: 100).summary(0, 200).fellSilent == nil)
    }
}
