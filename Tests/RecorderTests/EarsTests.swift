import AtlasProtocol
import Testing

@testable import Recorder

@Suite struct EarsTests {
    @Test("whether a unit's echo would be heard is told for each of our addresses")
    func eachAddress() {
        let port = freePort()
        let other = PlainSocket(address: "127.0.0.71", port: port, reuse: false)
        let (held, free) = (IPv4Address("127.0.0.71")!, IPv4Address("127.0.0.72")!)
        let ears = Ears(at: [held, free], port: port)
        #expect(!ears.hear(at: held))
        #expect(ears.hear(at: free))
        #expect(!ears.hear(at: nil))
        other.send("hello", to: "127.0.0.72", port)
        #expect(ears.sources() == [held])
        #expect(!Ears(at: [free], port: nil).hear(at: free))
    }
}
