#include "engine/report/exit_code.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engine/report/html_report.hpp"
#include "engine/report/junit_xml.hpp"
#include "engine/report/summary_json.hpp"
#include "engine/report/summary_text.hpp"
#include "tests/report/sample_report.hpp"

namespace jackfield::report {
namespace {

struct what_happened {
  std::string_view name;
  bool invalid = false;
  bool crossed = false;
  bool failed = false;
  bool cut = false;
  // What is to be said of it.
  std::string_view word;
  int code = 0;
  size_t junit_failures = 0;
  size_t junit_errors = 0;
};

constexpr what_happened truth[] = {
  {"all good", false, false, false, false, "PASSED", 0, 0, 0},
  {"a call failed", false, false, true, false, "FAILED", 1, 1, 0},
  {"a threshold crossed", false, true, false, false, "FAILED", 3, 1, 0},
  {"both", false, true, true, false, "FAILED", 3, 2, 0},
  {"cut", false, false, false, true, "FAILED", 6, 1, 0},
  {"cut, and a call failed", false, false, true, true, "FAILED", 1, 2, 0},
  {"cut, and a threshold crossed", false, true, false, true, "FAILED", 3, 2, 0},
  {"invalid", true, false, false, false, "INVALID", 4, 0, 1},
  {"invalid, and all else", true, true, true, true, "INVALID", 4, 3, 1},
};

run_report report_of(const what_happened& is) {
  auto report = empty_report();
  auto& calls = report.metrics.calls;
  calls.offered = calls.started = calls.answered = calls.completed = 10;
  if (is.failed) {
    --calls.completed;
    ++calls.failed;
    ++calls.failures[failure_cause::from_status(486)];
  }
  report.validity = is.invalid ? verdict{false, {"lanes lagged behind"}, {}} : verdict{};
  report.thresholds = {{{}, {}, !is.crossed}};
  if (is.cut)
    report.info.ended_by = "SIGTERM";
  return report;
}

size_t count(std::string_view in, std::string_view what) {
  size_t n = 0;
  for (auto at = in.find(what); at != std::string_view::npos; at = in.find(what, at + 1))
    ++n;
  return n;
}

TEST(run_outcome, is_the_same_in_every_report) {
  for (const auto& is : truth) {
    const auto report = report_of(is);
    EXPECT_EQ(static_cast<int>(exit_code_of(report)), is.code) << is.name;

    const auto text = summary_text(report);
    EXPECT_TRUE(text.starts_with(std::string{is.word} + "  ")) << is.name << ": " << text;
    const auto first_line = text.substr(0, text.find('\n'));
    EXPECT_EQ(first_line.find("cut after") != std::string::npos, is.cut) << first_line;
    const auto colour = is.word == "PASSED" ? "\x1b[1;32m" : "\x1b[1;31m";
    EXPECT_TRUE(summary_text(report, {.colour = true}).starts_with(colour + std::string{is.word}))
      << is.name;

    const auto badge = std::string{"<span class=\"badge "} +
                       (is.word == "PASSED" ? "good" : "bad") + "\">" + std::string{is.word};
    EXPECT_EQ(count(html_report(report), badge), 1U) << is.name;

    const auto json = nlohmann::json::parse(summary_json(report));
    EXPECT_EQ(json.at("valid"), !is.invalid) << is.name;
    EXPECT_EQ(json.at("verdict"), is.word == "PASSED"   ? "passed"
                                  : is.word == "FAILED" ? "failed"
                                                        : "invalid")
      << is.name;
    EXPECT_EQ(json.at("exit_code"), is.code) << is.name;

    const auto junit = junit_xml(report);
    EXPECT_EQ(count(junit, "<failure "), is.junit_failures) << is.name;
    EXPECT_EQ(count(junit, "<error "), is.junit_errors) << is.name;
  }
}

} // namespace
} // namespace jackfield::report
