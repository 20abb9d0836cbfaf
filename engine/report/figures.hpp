#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace jackfield::report {

// How the writers for people print figures.

/// "1,234,567".
[[nodiscard]] std::string grouped(uint64_t n);
/// Three significant digits or so, without needless zeros: "0.12", "12.3", "1,234"; "-" for
/// nothing.
[[nodiscard]] std::string short_figure(std::optional<double> value);
/// "99.95 %"; never rounded up to 100; "-" for nothing.
[[nodiscard]] std::string percentage(std::optional<double> percent);
/// "850 ms", "12.3 s", "4 min 05 s", "2 h 03 min".
[[nodiscard]] std::string length_text(std::chrono::nanoseconds length);
/// ISO 8601 in UTC with milliseconds: "2026-01-02T03:04:05.678Z".
[[nodiscard]] std::string iso_utc(std::chrono::system_clock::time_point t);

} // namespace jackfield::report
