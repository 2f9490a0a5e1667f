import AtlasProtocol
import Glibc
import RecorderStore

/// New settings while it records.
extension Recorder {
    /// Carries out what is asked for, one after another, until cancelled.
    func reload() async {
        guard let source = configuration.reloads else { return }
        for await _ in source.requests {
            let manager = configuration.serviceManager
            let isReady = live.isReady
            if isReady { manager.reloads() }
            switch source.read() {
            case .refused(let reason): live.recording?.say(.reloadRefused, reason)
            case .settings(let settings):
                if live.set(settings) {
                    await live.apply()
                } else {
                    live.recording?.say(.reloaded, ReloadPlan(from: settings, to: settings).detail)
                }
            }
            if isReady { manager.tell(["READY=1"], waits: true) }
        }
    }
}
