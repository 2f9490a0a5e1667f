import Migrations

/// The store's own marks in the SQLite header, and the way from one version to the next.
package enum Schema {
    /// `application_id` of every store, "AtlR"; https://sqlite.org/fileformat2.html#application_id
    package static let applicationID: Int32 = 0x4174_6C52
    /// The version this binary writes: one for each file of `Migrations/`.
    package static var version: Int { Migrations.files.count }

    /// Brings the store up to date: each step with its version in one transaction.
    static func migrate(
        _ database: Database, by steps: [Migrations.File] = Migrations.files
    ) throws(StoreError) {
        let found = Int(try database.integer("PRAGMA user_version", doing: "read the store's version"))
        guard found <= steps.count else {
            let message = "the store has version \(found), this program knows \(steps.count)"
            throw StoreError(.schemaTooNew, message: message, doing: "open the store", path: database.path)
        }
        for (index, migration) in steps.enumerated().dropFirst(found) {
            let doing = "bring the store to version \(index + 1) (\(migration.name))"
            try database.transaction(doing) { () throws(StoreError) in
                try database.execute(migration.sql, doing: doing)
                try database.execute("PRAGMA user_version = \(index + 1)", doing: doing)
            }
        }
    }
}
