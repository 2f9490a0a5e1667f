/// The word that somebody meant.
package enum Guess {
    /// The nearest of `words`: at most a third of its letters wrong, a swap of two counting as one; nil: none is near.
    package static func of(_ word: String, among words: [String]) -> String? {
        let nearest = words.map { (word: $0, wrong: distance(word.lowercased(), $0.lowercased())) }
            .min { $0.wrong < $1.wrong }
        guard let nearest, nearest.wrong <= max(1, nearest.word.count / 3) else { return nil }
        return nearest.word
    }

    /// A clause for an error's message, or nothing.
    package static func clause(_ word: String, among words: [String]) -> String {
        of(word, among: words).map { " Did you mean '\($0)'?" } ?? ""
    }

    /// Letters to add, take away, change, or swap with their neighbour.
    private static func distance(_ one: String, _ other: String) -> Int {
        let (one, other) = (Array(one), Array(other))
        var rows = [Array(0...other.count)]
        for i in 0..<one.count {
            var row = [i + 1]
            for j in 0..<other.count {
                var least = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (one[i] == other[j] ? 0 : 1))
                if i > 0, j > 0, one[i] == other[j - 1], one[i - 1] == other[j] {
                    least = min(least, rows[i - 1][j - 1] + 1)
                }
                row.append(least)
            }
            rows.append(row)
        }
        return rows[one.count][other.count]
    }
}
