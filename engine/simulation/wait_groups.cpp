#include "engine/simulation/wait_groups.hpp"

#include <array>

#include <fmt/format.h>

namespace jackfield::simulation {

namespace {

constexpr std::array<uint64_t, 9> bounds_s{0, 5, 10, 20, 30, 60, 120, 300, 600};
constexpr uint64_t microseconds = 1'000'000;

} // namespace

std::string wait_group::name() const {
  if (!up_to_s)
    return "longer";
  return *up_to_s == 0 ? "0 s" : fmt::format("<{} s", *up_to_s);
}

std::vector<wait_group> grouped_waits(const report::histogram& answered,
                                      const report::histogram& abandoned) {
  std::vector<wait_group> groups;
  uint64_t answered_before = 0;
  uint64_t abandoned_before = 0;
  const auto add = [&](std::optional<uint64_t> up_to_s, uint64_t answered_by,
                       uint64_t abandoned_by) {
    groups.push_back({up_to_s, answered_by - answered_before, abandoned_by - abandoned_before});
    answered_before = answered_by;
    abandoned_before = abandoned_by;
  };
  for (const auto bound : bounds_s)
    add(bound, answered.count_at_most(bound * microseconds),
        abandoned.count_at_most(bound * microseconds));
  add(std::nullopt, answered.count(), abandoned.count());
  return groups;
}

} // namespace jackfield::simulation
