#include "app/outcome_options.hpp"

#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>

#include "engine/scenario/arrivals.hpp"

namespace jackfield::app {

namespace {

result<callee_hang_up> read_hang_up(std::string_view text) {
  if (text == "allowed")
    return callee_hang_up::allowed;
  if (text == "expected")
    return callee_hang_up::expected;
  if (text == "fails")
    return callee_hang_up::fails;
  return fail("--callee-hangs-up",
              "\"" + std::string{text} + "\" is unknown, expected allowed, expected or fails");
}

/// "lateness=5ms:1%"
result<report::validity_bounds> read_bound(std::string_view text, report::validity_bounds bounds) {
  const auto equals = text.find('=');
  const auto name = text.substr(0, equals);
  const auto rest = equals == std::string_view::npos ? std::string_view{} : text.substr(equals + 1);
  const auto colon = rest.find(':');
  std::chrono::milliseconds* limit = name == "lateness" ? &bounds.send_lateness
                                     : name == "start"  ? &bounds.start_lateness
                                     : name == "lag"    ? &bounds.lane_lag
                                                        : nullptr;
  double* share = name == "lag"     ? &bounds.still_share
                  : name == "start" ? &bounds.late_start_share
                                    : &bounds.late_share;
  if (limit == nullptr || rest.empty())
    return fail("--bound", "\"" + std::string{text} +
                             "\" is unknown, expected lateness=5ms:1% (media packets), "
                             "start=20ms:1% (calls) or lag=20ms:1% (event loops)");
  auto time = scenario::parse_duration("--bound", rest.substr(0, colon));
  if (!time)
    return tl::unexpected{std::move(time.error())};
  *limit = std::chrono::duration_cast<std::chrono::milliseconds>(*time);
  if (limit->count() < 1)
    return fail("--bound", "\"" + std::string{text} + "\" is too narrow, expected 1ms or more");
  if (colon == std::string_view::npos)
    return bounds;
  auto part = read_share("--bound", rest.substr(colon + 1));
  if (!part)
    return tl::unexpected{std::move(part.error())};
  *share = *part;
  return bounds;
}

} // namespace

void declare_outcome(CLI::App& app, outcome_texts& t, const std::string& plan,
                     const std::string& out) {
  app
    .add_option("--when-full", t.when_full,
                "with -l: an arrival that has no room is missed (miss), or waits, and those behind "
                "it too, as in SIPp (wait)")
    ->group(plan);
  app
    .add_option(
      "--start-within", t.start_within,
      "an arrival that we are too busy to place is placed late, and missed after this (1s)")
    ->group(plan);
  app
    .add_option(
      "--callee-hangs-up", t.callee_hangs_up,
      "before --duration is over: allowed, expected (a call that it does not end fails) or "
      "fails (allowed once the call has run for a second)")
    ->group(plan);
  app
    .add_option("--bound", t.bounds,
                "how late we may be before a run is invalid, and in which share: lateness=5ms:1% "
                "(media packets), start=20ms:1% (calls), lag=20ms:1% (event loops); repeatable")
    ->group(out);
}

void read_outcome(option_reader& r, const outcome_texts& t, load_settings& settings,
                  report::validity_bounds& bounds) {
  r.check(t.when_full.empty() || t.when_full == "wait" || t.when_full == "miss", "--when-full",
          "\"" + t.when_full + "\" is unknown, expected wait or miss");
  r.check(t.when_full.empty() || settings.limit != UINT64_MAX, "--when-full",
          "nothing is ever full, expected -l too");
  settings.waits_when_full = t.when_full == "wait";
  r.read(t.start_within, settings.start_within,
         [](std::string_view s) { return scenario::parse_duration("--start-within", s); });
  r.check(t.callee_hangs_up.empty() || settings.flow == load_flow::call, "--callee-hangs-up",
          "is about calls, expected --flow call");
  r.read(t.callee_hangs_up, settings.callee_hangs_up, read_hang_up);
  for (const auto& text : t.bounds)
    r.read(text, bounds, [&](std::string_view s) { return read_bound(s, bounds); });
}

} // namespace jackfield::app
