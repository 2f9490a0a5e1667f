import CSQLite

/// What went wrong with the store, and what to do about it.
package struct StoreError: Error, CustomStringConvertible {
    package enum Kind: Sendable {
        case busy, full, cannotOpen, missing, damaged, notOurs, schemaTooNew, schemaTooOld, lockHeld, badSQL,
            damagedAgain, headerDamaged, nothingToRescue, beyondRescue, exists, folder, other
    }
    package let kind: Kind  // what the caller does next hangs on this
    package let code: Int32  // SQLite's extended result code, or 0 where SQLite was not asked
    package let message, doing, path: String  // the system's words; ours ("write 200 frames"); the file

    package init(_ kind: Kind, code: Int32 = 0, message: String, doing: String, path: String) {
        (self.kind, self.code, self.message, self.doing, self.path) = (kind, code, message, doing, path)
    }

    /// Whether the file is damaged, in SQLite's eyes.
    package var isDamage: Bool { kind == .damaged }

    /// Whether the same may well succeed in a moment.
    package var mayPass: Bool {
        switch kind {
        case .busy, .full, .cannotOpen, .other: true
        default: false
        }
    }

    /// Whether it may be damage, or a schema that is not the one this program made: a look at the pages tells
    /// (`StoreIntegrity`).
    package var mayBeDamage: Bool {
        switch code & 0xFF {
        case SQLITE_ERROR, SQLITE_SCHEMA, SQLITE_CONSTRAINT, SQLITE_MISMATCH: true
        default: false
        }
    }

    package var description: String {
        if kind == .exists { return "\(path) exists already: choose another name" }
        let origin = code == 0 ? "" : " (SQLite \(code))"
        return "cannot \(doing) in \(path): \(message)\(origin). \(remedy)"
    }

    /// One sentence: what to do next.
    package var remedy: String {
        switch kind {
        case .busy: "Another process holds the write lock; find it with 'fuser \(path)'."
        case .full: "Free space on that volume."
        case .cannotOpen:
            "Check that the folder exists and that this user has the rights ('run' writes, 'report' only reads), "
                + "or name another file with --store."
        case .missing:
            "A recorder makes it: 'atlas-recorder run --processor HOST --store \(path)'; or name another file with --store."
        case .schemaTooNew: "A newer atlas-recorder wrote this file: install that version, or name another --store."
        case .schemaTooOld: "Start 'atlas-recorder run --store \(path)' once: it brings the store up to date."
        case .notOurs: "It was left as it is; name another file with --store."
        case .lockHeld:
            "One recorder is enough on a host: with --standby this one waits, and takes over when that one ends. Or stop that one "
                + "first. (With another --store both would fight for the meters' port.)"
        case .badSQL: "Correct the SQL; its parameters are :since_us, :until_us and :processor."
        case .damaged:
            "Keep a copy of the file. What can be read of it: atlas-recorder rescue '\(path)' NEW; a recorder that starts on it "
                + "sets it aside and begins a new one."
        case .damagedAgain: "A recorder that is started after a minute sets this one aside, too."
        case .headerDamaged:
            "Nothing can be read of it by rescue either: move it away, with its -wal and -shm, and start again; a new one is begun. "
                + "For what was in it go back to a backup (docs/install.md, Restore)."
        case .nothingToRescue:
            "Name a store that was damaged: a recorder keeps it beside the new one, as NAME.damaged-DATE-TIME."
        case .beyondRescue:
            "Go back to a backup (atlas-recorder backup makes them). Only a tool that reads single pages can do more: .recover of "
                + "a sqlite3 program that was built with SQLITE_ENABLE_DBPAGE_VTAB."
        case .exists: "Choose another name."
        case .folder: "Check that the folder exists and that this user may write to it, or choose another."
        case .other: "Keep a copy of the file, then check it with: atlas-recorder check --store '\(path)'"
        }
    }
}
