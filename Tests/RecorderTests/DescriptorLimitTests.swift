import Glibc
import Testing

@testable import Recorder

@Suite struct DescriptorLimitTests {
    @Test("the soft limit becomes the hard one")
    func raise() {
        let allowed = DescriptorLimit.raise()
        var limit = rlimit()
        #expect(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        #expect(limit.rlim_cur == limit.rlim_max && allowed == UInt64(limit.rlim_max))
    }

    @Test("units that would find no descriptor are told of before they fail")
    func shortage() {
        #expect(DescriptorLimit.shortage(units: 1_000, allowed: 4_096) == nil)
        #expect(DescriptorLimit.shortage(units: 896, allowed: 1_024) == nil)
        let text = DescriptorLimit.shortage(units: 897, allowed: 1_024)
        #expect(text?.contains("may open 1024 files and sockets, and 897 processors need about 1025") == true)
    }
}
