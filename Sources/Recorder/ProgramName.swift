import CSockets

/// What a recorder's process is before it has other threads.
package enum RecorderProcess {
    /// Its name in /proc/PID/comm, by which others find a recorder (`ports`, `doctor`, another recorder), whatever its file is
    /// called; and none of root's rights but those that it uses. A right that cannot be given up is kept: it records all the
    /// same.
    package static func prepare() {
        csockets_name_process("atlas-recorder")
        _ = csockets_drop_privileges()
    }
}
