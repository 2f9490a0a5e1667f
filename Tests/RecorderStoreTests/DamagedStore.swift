import Foundation

@testable import RecorderStore

/// Damage done to a store's file, as a bad disk does it.
enum DamagedStore {
    static let pageSize = 4_096

    /// The pages right under a table's root: leaves, of a table that is not larger than some hundred of them.
    static func leaves(of table: String, in path: String) throws -> [Int] {
        let reader = try Database(path: path, mode: .readOnly)
        let root = Int(
            try reader.integer("SELECT rootpage FROM sqlite_schema WHERE name = '\(table)'", doing: "find the table"))
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let page = [UInt8](bytes[(root - 1) * pageSize..<root * pageSize])
        // An interior page of a table: its cells begin with the number of the page under them; the last one is in the header
        // (https://sqlite.org/fileformat2.html#b_tree_pages).
        guard page[0] == 0x05 else { return [root] }
        func number(_ at: Int, _ count: Int) -> Int { page[at..<at + count].reduce(0) { $0 << 8 | Int($1) } }
        let cells = (0..<number(3, 2)).map { number(12 + 2 * $0, 2) }
        return cells.map { number($0, 4) } + [number(8, 4)]
    }

    /// How many rows of a table can be read by way of its own pages where these pages are lost; its leaves are in order.
    static func readable(_ table: String, without lost: (Int) -> Bool, in path: String) throws -> Int {
        let reader = try Database(path: path, mode: .readOnly)
        let rows = try Statement(
            "SELECT path, pageno, pagetype, ncell FROM dbstat WHERE name = '\(table)' ORDER BY path", on: reader)
        var (lostPaths, count): ([String], Int) = ([], 0)
        while try rows.step() {
            let place = rows.text(0) ?? ""
            if lost(Int(rows.integer(1))) {
                // A row's end that lies in another page is lost with that page.
                if rows.text(2) == "overflow" { count -= 1 } else { lostPaths.append(place) }
            } else if rows.text(2) == "leaf", !lostPaths.contains(where: { place.hasPrefix($0) }) {
                count += Int(rows.integer(3))
            }
        }
        return max(0, count)
    }

    /// Writes noise over a page.
    static func spoil(page: Int, of path: String) throws {
        var generator = SeededGenerator(seed: UInt64(page))
        let noise = (0..<pageSize).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.seek(toOffset: UInt64((page - 1) * pageSize))
        try file.write(contentsOf: noise)
        try file.close()
    }
}
