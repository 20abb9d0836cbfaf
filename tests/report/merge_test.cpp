#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/report/run_metrics.hpp"

namespace jackfield::report {
namespace {

// A part of the metrics and the names of all its fields: where there is one more, this does not
// compile until it is named here, and then it has to be merged.
#define NAMES_OF(part, ...)                                                                        \
  template <class Leaf>                                                                            \
  static void visit(part& of, const std::string& within, const Leaf& leaf) {                       \
    auto& [__VA_ARGS__] = of;                                                                      \
    visit_all(within, #__VA_ARGS__, leaf, __VA_ARGS__);                                            \
  }

struct fields {
  NAMES_OF(call_counts, offered, started, missed_by_limit, missed_by_generator, answered, completed,
           busy, unanswered, failed, current, peak, failures, details, ended_by_caller,
           ended_by_callee)
  NAMES_OF(session_outcomes, finals)
  NAMES_OF(registration_counts, attempted, succeeded, failed, refreshed, refresh_failed, current,
           failures, details)
  NAMES_OF(latencies, srd, ttr, pdd, setup, sdd, ice_gathering, ice_checks, dtls, rrd, options,
           call_length)
  NAMES_OF(media_direction, streams, expected, received, lost, variation_us, variation_count,
           fec_recovered, duplicate, reordered, late, jitter, mos)
  NAMES_OF(ignored_packets, strangers, forged, replayed, malformed, unauthenticated)
  NAMES_OF(found_sounds, tone, sound, silence)
  NAMES_OF(media_counts, packets_sent, dtx_frames, received, sent, rtt, send_lateness,
           one_way_calls, silent_calls, stopped_calls, early_packets, transcoded, ignored,
           dtmf_sent, dtmf_received, found)
  NAMES_OF(step_counts::count, done, failed)
  NAMES_OF(step_counts, hold, resume, ice_restart, info_digit)
  NAMES_OF(generator_health, lane_lag, start_lateness, passes, late_passes, socket_drops,
           send_blocked, cpu_seconds, cpu_own, cpu_others, cpu_stolen, cpu_pressure, rss_peak_kb,
           own_refusals, parts_lost)
  NAMES_OF(run_metrics, calls, sessions, registrations, users, times, media, steps, health,
           statuses, served, requests_sent, retransmissions, retransmissions_received, failovers,
           timeouts, unexpected, malformed)

private:
  /// `names` as they were written, each for one of the fields.
  template <class Leaf, class... Fields>
  static void visit_all(const std::string& within, std::string_view names, const Leaf& leaf,
                        Fields&... all) {
    const auto one = [&](auto& field) {
      const auto end = std::min(names.find(','), names.size());
      const auto name = within + std::string{names.substr(0, end)};
      names.remove_prefix(std::min(end + 2, names.size()));
      if constexpr (requires { leaf(name, field); })
        leaf(name, field);
      else
        visit(field, name + '.', leaf);
    };
    (one(all), ...);
  }
};

#undef NAMES_OF

/// Puts a value more into fields of any kind, another one into each.
struct add_values {
  uint64_t& next;

  void operator()(const std::string& name, uint64_t& field) const {
    if (name == "health.rss_peak_kb") // of the one process that all lanes are in
      field = std::max(field, take());
    else
      field += take();
  }
  void operator()(const std::string& /*name*/, double& field) const {
    field += static_cast<double>(take());
  }
  void operator()(const std::string& /*name*/, std::optional<double>& field) const { // the greater
    field = std::max(field.value_or(0), static_cast<double>(take()));
  }
  void operator()(const std::string& /*name*/, failure_details& field) const {
    field.count(failure_cause::timeout, "said", take());
  }
  void operator()(const std::string& /*name*/, histogram& field) const { field.record(take()); }
  void operator()(const std::string& /*name*/, mos_distribution& field) const {
    field.record(1 + static_cast<double>(take() % 400) / 100);
  }
  void operator()(const std::string& /*name*/, status_matrix& field) const {
    field.count_request(counted_method::bye);
    field.count_response(counted_method::invite, 100 + static_cast<int>(take() % 600));
  }
  void operator()(const std::string& /*name*/, std::map<failure_cause, uint64_t>& field) const {
    field[failure_cause::timeout] += take();
    field[failure_cause::from_status(300 + static_cast<int>(next % 300))] += take();
  }
  void operator()(const std::string& /*name*/, std::map<uint16_t, uint64_t>& field) const {
    field[200] += take();
    field[static_cast<uint16_t>(300 + next % 300)] += take();
  }

private:
  [[nodiscard]] uint64_t take() const { return next += 7; }
};

/// Each field in words.
struct tell_values {
  std::vector<std::string>& told;

  void operator()(const std::string& name, uint64_t& field) const { tell(name, field); }
  void operator()(const std::string& name, double& field) const { tell(name, field); }
  void operator()(const std::string& name, std::optional<double>& field) const {
    tell(name, field.value_or(-1));
  }
  void operator()(const std::string& name, failure_details& field) const {
    const auto* said = field.of(failure_cause::timeout);
    tell(name, said != nullptr ? said->at("said") : 0);
  }
  void operator()(const std::string& name, histogram& field) const {
    tell(name, fmt::format("{} from {} to {}, {} in all", field.count(), field.min(), field.max(),
                           field.sum()));
  }
  void operator()(const std::string& name, mos_distribution& field) const {
    tell(name, fmt::format("{}, mean {}", field.count(), field.mean().value_or(0)));
  }
  void operator()(const std::string& name, status_matrix& field) const {
    auto text = std::to_string(field.requests(counted_method::bye));
    for (const auto& [status, count] : field.responses(counted_method::invite))
      text += fmt::format(", {}: {}", status, count);
    tell(name, text);
  }
  void operator()(const std::string& name, std::map<failure_cause, uint64_t>& field) const {
    std::string text;
    for (const auto& [cause, count] : field)
      text += fmt::format("{}: {}, ", cause.name(), count);
    tell(name, text);
  }
  void operator()(const std::string& name, std::map<uint16_t, uint64_t>& field) const {
    std::string text;
    for (const auto& [status, count] : field)
      text += fmt::format("{}: {}, ", status, count);
    tell(name, text);
  }

private:
  template <class Value>
  void tell(const std::string& name, const Value& value) const {
    told.push_back(fmt::format("{} = {}", name, value));
  }
};

/// One lane after the other measured these.
run_metrics measured(std::initializer_list<uint64_t> lanes) {
  run_metrics m;
  for (auto lane : lanes)
    fields::visit(m, "", add_values{lane});
  return m;
}

std::vector<std::string> told(run_metrics m) {
  std::vector<std::string> all;
  fields::visit(m, "", tell_values{all});
  return all;
}

/// Field by field: all of them are more than a message shows.
void expect_same(const run_metrics& made, const run_metrics& expected) {
  const auto ours = told(made);
  const auto theirs = told(expected);
  ASSERT_EQ(ours.size(), theirs.size());
  for (size_t i = 0; i < ours.size(); ++i)
    EXPECT_EQ(ours[i], theirs[i]);
}

TEST(run_metrics, merge_every_field_of_each_lane) {
  auto merged = measured({1'000});
  merged.merge(measured({20'000}));
  merged.merge(measured({3'000}));
  expect_same(merged, measured({1'000, 20'000, 3'000}));
}

TEST(run_metrics, merge_with_nothing_measured_changes_nothing) {
  auto merged = measured({1'000});
  merged.merge({});
  expect_same(merged, measured({1'000}));
  run_metrics empty;
  empty.merge(measured({1'000}));
  expect_same(empty, measured({1'000}));
}

} // namespace
} // namespace jackfield::report
