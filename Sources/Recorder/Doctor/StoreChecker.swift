import Diagnosis
import RecorderStore
import WallTime

/// The page of `check`: whether a store is whole, and what to do where it is not.
package struct StoreChecker {
    private let path: String

    package init(store path: String) { self.path = StoreFile.resolved(path) }

    /// Reads everything, and writes nothing.
    package func examine(at now: Int64) -> Examination {
        Examination(at: now, host: HostName.text, store: path, findings: findings())
    }

    private var rescue: String {
        "Stop the recorder; keep the files; then: atlas-recorder rescue '\(path)' NEW, which copies what can be read. A recorder "
            + "that is started on a damaged store sets it aside and begins a new one by itself."
    }

    private func findings() -> [Finding] {
        do throws(StoreError) {
            let store = try StoreInvariants(path: path)
            let faults = try store.faults()
            guard faults.isEmpty else {
                return [
                    Finding(
                        "file", .problem, "integrity_check: \(faults.prefix(3).joined(separator: "; ")).",
                        remedy: rescue)
                ]
            }
            var findings = [Finding("file", .ok, "integrity_check found no fault.")]
            if let rescued = try store.rescued() {
                let time = LocalTime.text(rescued.at).prefix(19)
                findings.append(
                    Finding(
                        "rescued", .ok,
                        "it was made on \(time) \(rescued.detail). What it does not have says nothing about that time.")
                )
            }
            for invariant in StoreInvariants.all {
                findings.append(finding(invariant, try store.violations(of: invariant)))
            }
            return findings
        } catch {
            let remedy = error.kind == .damaged ? rescue : error.remedy
            return [Finding("file", .problem, "it cannot be checked: \(error.message).", remedy: remedy)]
        }
    }

    private func finding(
        _ invariant: StoreInvariants.Invariant, _ violations: (count: Int, first: [String])
    ) -> Finding {
        guard violations.count > 0 else { return Finding(invariant.subject, .ok, "\(invariant.rule).") }
        let times = violations.count == 1 ? "once" : "\(violations.count) times"
        return Finding(
            invariant.subject, .problem,
            "broken \(times): \(invariant.rule); first: \(violations.first.joined(separator: "; ")).",
            remedy:
                "The file itself is whole. Who wrote it besides the recorder? Keep a copy (atlas-recorder backup FILE) and "
                + "report it; recording may go on, the figures of that time are in doubt.")
    }
}
