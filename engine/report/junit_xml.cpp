#include "engine/report/junit_xml.hpp"

#include <iterator>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "engine/report/escape.hpp"
#include "engine/report/figures.hpp"
#include "engine/report/run_outcome.hpp"

namespace jackfield::report {

namespace {

struct test_case {
  std::string name;
  std::string_view kind; ///< "failure" or "error"; empty if it passed
  std::string message;
  std::string details;
};

std::string listed(const std::map<failure_cause, uint64_t>& failures,
                   const failure_details& details) {
  std::string text;
  for (const auto& [cause, count] : failures) {
    text += fmt::format("{}: {}\n", cause.text(), count);
    if (const auto* said = details.of(cause))
      for (const auto& [what, times] : *said)
        text += fmt::format("  {}: {}\n", what, times);
  }
  return text;
}

std::vector<test_case> cases_of(const run_report& report) {
  std::vector<test_case> cases;
  test_case valid{"the run is valid", {}, {}, {}};
  if (!report.validity.valid) {
    valid.kind = "error";
    valid.message = "the generator was the bottleneck";
    for (const auto& reason : report.validity.invalid_reasons)
      valid.details += reason + "\n";
  }
  cases.push_back(std::move(valid));

  const auto& calls = report.metrics.calls;
  test_case none_failed{"no call failed", {}, {}, {}};
  if (calls.failed > 0) {
    none_failed.kind = "failure";
    none_failed.message = fmt::format("{} of {} calls failed", calls.failed, calls.started);
    none_failed.details = listed(calls.failures, calls.details);
  }
  cases.push_back(std::move(none_failed));

  const auto& reg = report.metrics.registrations;
  if (reg.attempted > 0) {
    test_case registered{"no registration failed", {}, {}, {}};
    if (reg.failed + reg.refresh_failed > 0) {
      registered.kind = "failure";
      registered.message =
        fmt::format("{} registrations and {} refreshes failed", reg.failed, reg.refresh_failed);
      registered.details = listed(reg.failures, reg.details);
    }
    cases.push_back(std::move(registered));
  }

  if (was_cut(report))
    cases.push_back({"the run came to its end", "failure", "cut: " + report.info.ended_by, {}});

  for (const auto& t : report.thresholds) {
    test_case one{t.condition.text, {}, {}, {}};
    if (!t.passed) {
      one.kind = "failure";
      one.message =
        t.observed ? fmt::format("was {}", *t.observed) : std::string{"nothing was measured"};
    }
    cases.push_back(std::move(one));
  }
  return cases;
}

} // namespace

std::string junit_xml(const run_report& report) {
  const auto cases = cases_of(report);
  size_t failures = 0;
  size_t errors = 0;
  for (const auto& c : cases) {
    failures += c.kind == "failure" ? 1 : 0;
    errors += c.kind == "error" ? 1 : 0;
  }
  // The timestamp of the format has no zone and no fraction.
  const std::string timestamp = iso_utc(report.info.started).substr(0, 19);
  const double seconds = std::chrono::duration<double>{report.info.duration}.count();
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  const auto counts = fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{:.3f}\"",
                                  cases.size(), failures, errors, seconds);
  out += fmt::format("<testsuites {}>\n  <testsuite name=\"jackfield load\" {} skipped=\"0\" "
                     "timestamp=\"{}\">\n    <properties>\n",
                     counts, counts, timestamp);
  const auto property = [&](std::string_view name, std::string_view value) {
    fmt::format_to(std::back_inserter(out), "      <property name=\"{}\" value=\"{}\"/>\n", name,
                   escape_markup(value));
  };
  property("version", report.info.version);
  property("command", report.info.command);
  property("target", report.info.target);
  out += "    </properties>\n";
  for (const auto& c : cases) {
    // A test case's time is the run's for the first and none for what was judged after it.
    fmt::format_to(std::back_inserter(out),
                   "    <testcase classname=\"jackfield.load\" name=\"{}\" time=\"{:.3f}\"",
                   escape_markup(c.name), &c == &cases.front() ? seconds : 0.0);
    if (c.kind.empty()) {
      out += "/>\n";
      continue;
    }
    std::string details;
    // Line ends are kept, everything else that is a control character is made visible.
    for (std::string_view rest = c.details; !rest.empty();) {
      const size_t end = rest.find('\n');
      details += escape_markup(rest.substr(0, end)) + "\n";
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    fmt::format_to(std::back_inserter(out),
                   ">\n      <{} type=\"{}\" message=\"{}\">{}</{}>\n    </testcase>\n", c.kind,
                   c.kind == "error" ? "invalid" : "assertion", escape_markup(c.message), details,
                   c.kind);
  }
  out += "  </testsuite>\n</testsuites>\n";
  return out;
}

} // namespace jackfield::report
