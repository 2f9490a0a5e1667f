/// What the sources play: levels that rise fast at an onset and decay after it, as music and speech do. A value: the
/// same seed and the same steps give the same levels.
struct Programme {
    static let floor = -80.0  // dB; a source that is silent
    private struct Voice {
        let isLive: Bool
        var level = -34.0  // dB, the envelope
        var target = -24.0  // dB, falling since the last onset
        var shown = floor  // dB, with the flicker of a real meter
    }
    private var voices: [Voice]
    private var random: SeededGenerator
    private let seconds: Double  // of one step

    init(sources: Int, silence: Silence, stepsPerSecond: Int, seed: UInt64) {
        voices = (0..<sources).map { Voice(isLive: silence == .none || $0.isMultiple(of: 2)) }
        random = SeededGenerator(state: seed)
        seconds = 1 / Double(stepsPerSecond)
        advance(closed: false)
    }

    /// dB of one source.
    subscript(_ source: Int) -> Double { voices[source].shown }

    /// One step. While closed all fall by 60 dB a second, until they are at the floor.
    mutating func advance(closed: Bool) {
        for index in voices.indices where voices[index].isLive {
            var voice = voices[index]
            let (onset, loudness, flicker) = (random.unit(), random.unit(), random.unit())
            voice.target = max(-50, voice.target - 9 * seconds)
            if onset < 2.2 * seconds { voice.target = -28 + 20 * loudness }
            let goal = closed ? Self.floor : voice.target
            let fall = closed ? 60.0 : 18.0
            voice.level =
                voice.level < goal
                ? min(goal, voice.level + 150 * seconds) : max(goal, voice.level - fall * seconds)
            voice.shown =
                voice.level <= Self.floor ? Self.floor : max(Self.floor, min(0, voice.level + flicker * 0.8 - 0.4))
            voices[index] = voice
        }
    }
}

/// SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// 0 to below 1.
    mutating func unit() -> Double { Double(next() >> 11) / 9_007_199_254_740_992 }
}
