import CSockets

/// How others find a recorder among the processes (`ports`, `doctor`, another recorder): by its name in /proc/PID/comm,
/// whatever its file is called.
package enum ProgramName {
    /// Of the main thread, which the process is called by (prctl(2), PR_SET_NAME).
    package static func set() { csockets_name_process("atlas-recorder") }
}
