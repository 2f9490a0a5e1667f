import Testing

@testable import Watching

@Suite struct KeyTests {
    private static let typed =
        "a\u{1B}[A\u{1B}OB\u{1B}[1;5C\u{1B}[D\u{1B}[5~\u{1B}[6~\u{1B}[1~\u{1B}[F\u{1B}[Z\t\r?\u{1B}[200~\u{1B}[99q\u{7F}ñ[q"
    private static let keys: [Key] = [
        .character("a"), .up, .down, .right, .left, .pageUp, .pageDown, .home, .end, .backTab, .tab, .enter,
        .character("?"), .character("["), .character("q"),
    ]

    @Test("keys are read however their bytes are cut", arguments: 1...9)
    func cuts(length: Int) {
        var reader = KeyReader()
        let bytes = Array(Self.typed.utf8)
        let keys = stride(from: 0, to: bytes.count, by: length).flatMap {
            reader.timeOut(at: Int64($0)) + reader.read(bytes[$0..<min($0 + length, bytes.count)], at: Int64($0))
        }
        #expect(keys == Self.keys)
        #expect(reader.deadline == nil)
    }

    @Test("an ESC is a key when nothing follows in time, and is none with what follows")
    func escape() {
        var reader = KeyReader()
        #expect(reader.read([0x1B], at: 10).isEmpty && reader.deadline == 50_010)
        #expect(reader.timeOut(at: 50_009).isEmpty && reader.deadline != nil)
        #expect(reader.timeOut(at: 50_010) == [.escape] && reader.deadline == nil)
        #expect(reader.read([0x1B], at: 0).isEmpty && reader.timeOut(at: 49_999).isEmpty)
        #expect(reader.read(Array("[".utf8), at: 49_999).isEmpty && reader.timeOut(at: 99_998).isEmpty)
        #expect(reader.read(Array("B".utf8), at: 99_998) == [.down] && reader.deadline == nil)
        #expect(reader.read(Array("\u{1B}[1".utf8), at: 0).isEmpty && reader.timeOut(at: 50_000).isEmpty)
        #expect(reader.read(Array("x".utf8), at: 50_000) == [.character("x")])
    }

    @Test("whatever is typed, it goes on", arguments: [1, 2] as [UInt64])
    func garbage(seed: UInt64) {
        var random = Numbers(seed)
        var reader = KeyReader()
        for _ in 0..<20_000 { _ = reader.read([UInt8.random(in: 0...255, using: &random)], at: 0) }
        _ = reader.timeOut(at: 50_000)
        #expect(reader.read(Array("q".utf8), at: 0) == [.character("q")])
    }

    @Test("keys choose among three units: round about, by number, from the list")
    func choosing() {
        var view = View()
        func after(_ keys: Key...) -> Int {
            for key in keys { _ = view.press(key, units: 3) }
            return view.chosen
        }
        #expect(after(.right) == 1 && after(.right, .tab) == 0 && after(.left) == 2 && after(.character("[")) == 1)
        #expect(after(.character("3")) == 2 && after(.character("4")) == 2 && after(.character("1")) == 0)
        #expect(after(.character("a")) == 0 && view.isOverview)
        view.list = [2, 0, 1]
        view.fit(2, of: 3)
        #expect(
            after(.down) == 1 && after(.down) == 1 && after(.up, .up, .up) == 2 && after(.end) == 1
                && after(.pageUp) == 2)
        #expect(after(.enter) == 2 && !view.isOverview)
    }

    @Test("without a unit, and with keys that mean nothing, nothing happens")
    func nothing() {
        var view = View()
        for key in [Key.right, .left, .up, .down, .pageDown, .end, .enter, .character("9"), .character("z"), .escape] {
            #expect(view.press(key, units: 0) != .quit)
        }
        #expect(view.chosen == 0)
        #expect(view.press(.character("q"), units: 0) == .quit)
    }
}
