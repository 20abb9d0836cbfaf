#include "tests/interop/path_record.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <string_view>

namespace jackfield::tests {

namespace {

constexpr std::size_t header_bytes = 12;
constexpr std::chrono::microseconds unit{125}; ///< of a timestamp

std::uint32_t number_in(std::string_view bytes, std::size_t at, std::size_t length) {
  std::uint32_t made = 0;
  for (const char each : bytes.substr(at, length))
    made = made << 8U | static_cast<unsigned char>(each);
  return made;
}

/// One stream. Its numbers are counted on where they wrap round.
struct stream {
  std::int64_t whole(std::uint16_t sequence) {
    const auto before = latest.value_or(sequence);
    latest = before + static_cast<std::int16_t>(sequence - static_cast<std::uint16_t>(before));
    return *latest;
  }

  std::optional<std::int64_t> latest;
  std::int64_t first = std::numeric_limits<std::int64_t>::max(); ///< that left
  std::int64_t last = std::numeric_limits<std::int64_t>::min();
  std::vector<std::int64_t> lost;
  std::chrono::steady_clock::time_point timed_at; ///< when the last one with a timestamp left
  std::optional<std::uint32_t> timestamp;
};

} // namespace

void path_record::note(const relay_event& event) {
  if (event.way != impairment::direction::to_client || event.payload.size() < header_bytes)
    return;
  packet made;
  made.at = event.at;
  made.flow = event.flow;
  made.timestamp = number_in(event.payload, 4, 4);
  made.sequence = static_cast<std::uint16_t>(number_in(event.payload, 2, 2));
  made.timed = (number_in(event.payload, 1, 1) & 0x7fU) == timed_type_;
  made.lost = event.lost;
  packets_.push_back(made);
}

path_figures path_record::until(clock::time_point then) const {
  std::map<std::uint32_t, stream> streams;
  path_figures made;
  for (const auto& each : packets_) {
    if (each.at > then)
      continue;
    auto& of = streams[each.flow];
    const auto number = of.whole(each.sequence);
    if (each.lost) {
      of.lost.push_back(number);
      continue;
    }
    ++made.left;
    of.first = std::min(of.first, number);
    of.last = std::max(of.last, number);
    if (!each.timed)
      continue;
    if (of.timestamp) {
      const auto between = static_cast<std::int32_t>(each.timestamp - *of.timestamp) * unit;
      const std::chrono::duration<double, std::milli> d = each.at - of.timed_at - between;
      made.variation_ms += std::abs(d.count());
      ++made.pairs;
    }
    of.timed_at = each.at;
    of.timestamp = each.timestamp;
  }
  for (const auto& [flow, of] : streams)
    made.lost += static_cast<std::uint64_t>(std::count_if(
      of.lost.begin(), of.lost.end(),
      [first = of.first, last = of.last](auto number) { return number > first && number < last; }));
  return made;
}

} // namespace jackfield::tests
