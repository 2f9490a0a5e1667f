import Glibc
import Reporting
import WallTime

/// Any text as --since, --until, --split or a duration, in some zone: a window or a refusal, and what is printed of a
/// window is read back as the same instant.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = UnsafeBufferPointer(start: start, count: count)
    guard let first = input.first else { return 0 }
    setenv("TZ", zones[Int(first >> 4) % zones.count], 1)
    LocalTime.readZone()
    let now = nows[Int(first & 0xF) % nows.count]
    let flags = input.dropFirst().split(separator: UInt8(ascii: "\n"), maxSplits: 2, omittingEmptySubsequences: false)
        .map { String(decoding: $0, as: UTF8.self) }
    let (since, until, split) = (flags[0], flags.count > 1 ? flags[1] : nil, flags.count > 2 ? flags[2] : nil)
    do throws(TimeExpressionError) {
        check(try ReportWindow(since: since, until: until, split: split, now: now))
    } catch {
        check(error)
    }
    do throws(TimeExpressionError) {
        hold(try DurationExpression.parse(since) > .zero, "a duration of nothing")
    } catch {
        check(error)
    }
    return 0
}

private let zones = [
    "UTC", "America/Chicago", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Santiago",
    "Africa/Monrovia", "Pacific/Apia", "UTC+3", "XYZ-13:45:30", "Europe/Moscow", "America/Goose_Bay",
]
/// 2025-11-02 08:00 and 2026-03-29 01:30 UTC, and where numbers end.
private let nows: [Int64] = [
    1_762_070_400_000_000, 1_774_747_800_000_000, 0, 1, 253_402_300_799_999_999, .max, .min,
]
private let end: Int64 = 253_402_300_799_999_999

private func check(_ window: ReportWindow) {
    hold(window.sinceMicroseconds < window.untilMicroseconds, "a window of nothing")
    if let split = window.splitMicroseconds {
        hold(split > window.sinceMicroseconds && split < window.untilMicroseconds, "a split outside the window")
    }
    for instant in [window.sinceMicroseconds, window.untilMicroseconds, window.splitMicroseconds].compactMap(\.self) {
        let printed = LocalTime.iso8601(instant)
        // East of Greenwich the last hours of 9999 UTC are printed as of the year 10000, which is no form.
        guard LocalTime.civil(at: instant).date.year < 10_000, instant < end - 1_000 else { continue }
        let read = try? ReportWindow(since: printed, until: nil, split: nil, now: end).sinceMicroseconds
        hold(read == instant - instant % 1_000, "\(instant) is printed \(printed), read \(String(describing: read))")
    }
    for note in window.notes { hold(note.utf8.count < 500, "a note of \(note.utf8.count) bytes") }
}

private func check(_ refusal: TimeExpressionError) {
    let text = refusal.description
    hold(text.utf8.count <= 1_500, "a refusal of \(text.utf8.count) bytes")
    hold(text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }, "a refusal that steers a terminal")
}

private func hold(_ condition: Bool, _ promise: @autoclosure () -> String) {
    guard condition else { fatalError("not held: \(promise())") }
}
