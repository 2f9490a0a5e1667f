/// The ledger of what did not become a sample: one row a minute for each unit and reason; what could be counted in samples
/// apart from what could be counted in datagrams only.
struct LossRows {
    private let update, insert: Statement

    init(_ database: Database) throws(StoreError) {
        let doing = "write what was lost"
        update = try Statement(
            """
            UPDATE sample_loss SET until_us = max(until_us, ?3), from_us = min(from_us, ?6), datagrams = datagrams + ?4,
                   samples = samples + ?5
             WHERE id = (SELECT id FROM sample_loss WHERE processor_id IS ?1 AND reason = ?2
                            AND (samples IS NULL) = (?5 IS NULL)
                            AND until_us >= ?3 / 60000000 * 60000000 AND from_us / 60000000 = ?3 / 60000000
                          ORDER BY id DESC LIMIT 1)
            RETURNING id
            """, on: database, doing: doing)
        insert = try Statement(
            """
            INSERT INTO sample_loss (processor_id, reason, from_us, until_us, datagrams, samples)
            VALUES (?1, ?2, ?6, ?3, ?4, ?5)
            """, on: database, doing: doing)
    }

    func add(_ loss: Loss) throws(StoreError) {
        let values: [SQLValue] = [
            loss.processor.map { .integer(Int64($0)) } ?? .null, .text(loss.reason.rawValue), .integer(loss.at),
            .integer(Int64(loss.datagrams)), loss.samples.map { .integer(Int64($0)) } ?? .null,
            .integer(loss.since),
        ]
        for (index, value) in values.enumerated() { try update.bind(value, at: Int32(index + 1)) }
        let found = try update.step()
        update.reset()
        guard !found else { return }
        for (index, value) in values.enumerated() { try insert.bind(value, at: Int32(index + 1)) }
        _ = try insert.step()
    }
}
