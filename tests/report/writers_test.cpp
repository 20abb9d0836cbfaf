#include <algorithm>
#include <cmath>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engine/report/call_lines.hpp"
#include "engine/report/csv_series.hpp"
#include "engine/report/escape.hpp"
#include "engine/report/exit_code.hpp"
#include "engine/report/figures.hpp"
#include "engine/report/html_report.hpp"
#include "engine/report/junit_xml.hpp"
#include "engine/report/live_view.hpp"
#include "engine/report/prometheus_text.hpp"
#include "engine/report/summary_json.hpp"
#include "engine/report/summary_text.hpp"
#include "tests/report/sample_report.hpp"

namespace jackfield::report {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A tag, an attribute's end, a terminal's escape, a right-to-left override, and a stray byte.
constexpr std::string_view hostile = "\"><img src=x onerror=alert(1)>' & \x1b[2J\n\xE2\x80\xAE"
                                     "evil \xff";

run_report hostile_report() {
  run_report report = sample_report();
  report.info.command = report.info.target = report.info.transport = report.info.media =
    report.info.mos_model = report.info.ended_by = report.info.version = hostile;
  report.validity.valid = false;
  report.validity.invalid_reasons = {std::string{hostile}};
  report.validity.remarks = {std::string{hostile}};
  return report;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  return lines;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

TEST(escape, leaves_nothing_alive_in_markup) {
  EXPECT_EQ(escape_markup(hostile), "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;&#39; &amp; "
                                    "&lt;U+001B&gt;[2J&lt;U+000A&gt;&lt;U+202E&gt;evil \uFFFD");
  EXPECT_EQ(escape_markup("Zoë 😀"), "Zoë 😀");
}

TEST(escape, replaces_what_is_not_utf_8) {
  for (const std::string_view bad : {"\x80", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80",
                                     "\xF4\x90\x80\x80", "\xF8", "\xE2\x82", "\xC3"}) {
    const std::string shown = escape_terminal(bad);
    EXPECT_TRUE(shown.starts_with("\uFFFD")) << shown;
    EXPECT_EQ(shown.size(), bad.size() * 3) << shown;
  }
  EXPECT_EQ(escape_terminal("\xEF\xBF\xBF"), "<U+FFFF>");
}

/// What ends and begins each length of UTF-8 (RFC 3629 section 3) and is not hidden.
TEST(escape, leaves_what_can_be_seen_as_it_was) {
  constexpr std::string_view text = " ~\u00A0\u07FF\u0800\uFFFD\U00010000\U000FFFFD";
  EXPECT_EQ(escape_markup(text), text);
  EXPECT_EQ(escape_terminal(text), text);
  std::string out;
  append_json_string(out, text);
  EXPECT_EQ(out, '"' + std::string{text} + '"');
}

TEST(escape, shows_each_character_that_cannot_be_seen_by_its_number) {
  const std::pair<char32_t, char32_t> ranges[] = {
    {0x01, 0x1F},       {0x7F, 0x9F},       {0xAD, 0xAD},       {0x61C, 0x61C},
    {0x180E, 0x180E},   {0x200B, 0x200F},   {0x2028, 0x202E},   {0x2060, 0x206F},
    {0xFEFF, 0xFEFF},   {0xFFF9, 0xFFFB},   {0xFFFE, 0xFFFF},   {0x1FFFE, 0x1FFFF},
    {0xDFFFE, 0xDFFFF}, {0xE0000, 0xE0FFF}, {0xEFFFE, 0xEFFFF}, {0x10FFFE, 0x10FFFF}};
  const auto utf8 = [](char32_t c) { // by way of JSON's escape
    const auto unit = [](uint32_t u) { return fmt::format("\\u{:04x}", u); };
    const auto n = static_cast<uint32_t>(c);
    const auto text =
      n < 0x10000 ? unit(n)
                  : unit(0xD800 + ((n - 0x10000) >> 10)) + unit(0xDC00 + ((n - 0x10000) & 0x3FF));
    return json::parse('"' + text + '"').get<std::string>();
  };
  for (const auto& [first, last] : ranges) {
    for (const auto c : {first, last})
      EXPECT_EQ(escape_terminal(utf8(c)), fmt::format("<U+{:04X}>", static_cast<uint32_t>(c)));
    for (const auto c : {first - 1, last + 1}) {
      const bool hides =
        std::ranges::any_of(ranges, [&](const auto& r) { return c >= r.first && c <= r.second; });
      if (c > 0 && c <= 0x10FFFF && !hides) {
        EXPECT_EQ(escape_terminal(utf8(c)), utf8(c)) << static_cast<uint32_t>(c);
      }
    }
  }
}

TEST(escape, writes_json_that_reads_back) {
  for (const std::string_view text :
       {std::string_view{"plain"}, std::string_view{"\"\\/\b\n\t\x01\x7f"},
        std::string_view{"a\0b", 3}, std::string_view{"\u202E \U000E0041 😀"}}) {
    std::string out;
    append_json_string(out, text);
    EXPECT_EQ(json::parse(out).get<std::string>(), text);
    EXPECT_FALSE(contains(out, "\u202E"));
  }
}

TEST(figures, are_short_and_honest) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'000), "1,000");
  EXPECT_EQ(grouped(1'234'567), "1,234,567");
  EXPECT_EQ(short_figure({}), "-");
  EXPECT_EQ(short_figure(0), "0");
  EXPECT_EQ(short_figure(0.0123), "0.012");
  EXPECT_EQ(short_figure(4.41), "4.41");
  EXPECT_EQ(short_figure(20), "20");
  EXPECT_EQ(short_figure(123.4), "123");
  EXPECT_EQ(short_figure(99'999.6), "100,000");
  EXPECT_EQ(short_figure(-1500), "-1,500");
  EXPECT_EQ(percentage(100), "100 %");
  EXPECT_EQ(percentage(99.9999), "99.99 %");
  EXPECT_EQ(percentage(0), "0 %");
  EXPECT_EQ(length_text(milliseconds{850}), "850 ms");
  EXPECT_EQ(length_text(milliseconds{12'340}), "12.3 s");
  EXPECT_EQ(length_text(seconds{245}), "4 min 05 s");
  EXPECT_EQ(length_text(seconds{7380}), "2 h 03 min");
  EXPECT_EQ(iso_utc(std::chrono::system_clock::time_point{milliseconds{951'782'400'007}}),
            "2000-02-29T00:00:00.007Z");
}

TEST(summary_json, keeps_its_contract) {
  for (const run_report& report : {sample_report(), empty_report(), hostile_report()}) {
    const json j = json::parse(summary_json(report));
    EXPECT_TRUE(j.at("valid").is_boolean());
    EXPECT_TRUE(j.at("invalid_reasons").is_array());
    for (const char* key :
         {"offered", "started", "missed", "answered", "completed", "failed", "peak"})
      EXPECT_TRUE(j.at("calls").at(key).is_number_unsigned()) << key;
    for (const char* time : {"srd", "pdd", "sdd", "setup"})
      for (const char* key : {"p50", "p95", "p99", "max"}) {
        const auto& value = j.at("ms").at(time).at(key);
        EXPECT_TRUE(value.is_number() || value.is_null()) << time << key;
      }
    EXPECT_TRUE(j.at("media").at("packets_sent").is_number_unsigned());
    EXPECT_TRUE(j.at("media").at("packets_lost").is_number_unsigned());
    for (const char* key : {"mos_p5", "mos_mean", "send_lateness_p99"})
      EXPECT_TRUE(j.at("media").at(key).is_number() || j.at("media").at(key).is_null()) << key;
    EXPECT_TRUE(j.at("failures").is_object());
    EXPECT_TRUE(j.at("cpu_seconds").is_number());
    EXPECT_TRUE(j.at("rss_peak_kb").is_number_unsigned());
  }
}

TEST(writers, tell_of_silence_that_was_left_out_where_some_was) {
  run_report report = sample_report();
  report.metrics.media.dtx_frames = 0;
  EXPECT_FALSE(contains(summary_text(report), "left out"));
  report.metrics.media.dtx_frames = 1'234;
  EXPECT_TRUE(contains(summary_text(report), "silent frames left out 1,234"));
  EXPECT_EQ(json::parse(summary_json(report)).at("media").at("dtx_frames"), 1'234);
  EXPECT_TRUE(
    contains(prometheus_text(report.metrics), "\njackfield_media_dtx_frames_total 1234\n"));
  run_metrics sum = report.metrics;
  sum.merge(report.metrics);
  EXPECT_EQ(sum.media.dtx_frames, 2'468U);
}

/// So that no terminal and no log that shows it is led astray by a peer's text.
TEST(summary_json, is_ascii_whatever_a_peer_said) {
  run_report report = hostile_report();
  report.info.target = "sip:Zoë@example.com";
  report.metrics.calls.details.count(failure_cause::timeout, "\u202Egnihton", 1);
  const std::string text = summary_json(report);
  EXPECT_TRUE(
    std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c < 0x7F); }));
  EXPECT_EQ(json::parse(text).at("target"), "sip:Zoë@example.com");
}

TEST(summary_json, has_the_runs_figures) {
  const run_report report = sample_report();
  const auto& m = report.metrics;
  const json j = json::parse(summary_json(report));
  EXPECT_EQ(j["valid"], report.validity.valid);
  EXPECT_EQ(j["calls"]["offered"], 1000);
  EXPECT_EQ(j["calls"]["failed"], m.calls.failed);
  EXPECT_EQ(j["failures"]["sip_486"].get<uint64_t>() + j["failures"]["sip_503"].get<uint64_t>(),
            m.calls.failed);
  EXPECT_DOUBLE_EQ(j["ms"]["srd"]["max"], static_cast<double>(m.times.srd.max()) / 1000);
  EXPECT_EQ(j["media"]["packets_lost"], m.media.received.lost + m.media.sent.lost);
  EXPECT_EQ(j["media"]["fec_recovered"],
            m.media.received.fec_recovered + m.media.sent.fec_recovered);
  EXPECT_EQ(j["media"]["received"]["fec_recovered"], m.media.received.fec_recovered);
  EXPECT_GT(m.media.received.fec_recovered, 0U);
  EXPECT_EQ(j["started"], "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(j["duration_s"], 20.3);
  EXPECT_EQ(j["thresholds"].size(), 3U);
  EXPECT_EQ(j["exit_code"], static_cast<int>(exit_code::threshold));
  const json nothing = json::parse(summary_json(empty_report()));
  EXPECT_TRUE(nothing["ms"]["srd"]["p99"].is_null());
  EXPECT_TRUE(nothing["media"]["mos_p5"].is_null());
  EXPECT_TRUE(nothing["media"]["send_lateness_p99"].is_null());
}

TEST(summary_text, says_the_verdict_first) {
  run_report report = sample_report();
  const std::string text = summary_text(report);
  EXPECT_TRUE(text.starts_with("FAILED  ")) << text;
  EXPECT_FALSE(contains(text, "\x1b"));
  EXPECT_TRUE(contains(text, "486 Busy Here"));
  EXPECT_TRUE(contains(text, "srd_ms: p(99)<200"));
  for (const auto& line : lines_of(text))
    EXPECT_LT(line.size(), 160U) << line;
  report.validity = {false, {"2 datagrams were lost at the generator's own sockets"}, {}};
  const std::string invalid = summary_text(report);
  EXPECT_TRUE(invalid.starts_with("INVALID  "));
  EXPECT_TRUE(contains(invalid, "  - 2 datagrams were lost"));
  EXPECT_TRUE(contains(summary_text(report, {.colour = true}), "\x1b[1;31mINVALID\x1b[0m"));
  EXPECT_FALSE(summary_text(empty_report()).empty());
}

TEST(summary_text, tells_of_calls_and_of_users_where_there_were_any) {
  run_report report = empty_report();
  auto& users = report.metrics.registrations;
  users.attempted = 1'003;
  users.succeeded = 1'001;
  users.failed = users.refresh_failed = 2;
  EXPECT_EQ(lines_of(summary_text(report)).front(),
            "FAILED  1,001 of 1,003 users registered, 4 failed");
  report.metrics.calls.started = report.metrics.calls.completed = 7;
  EXPECT_EQ(lines_of(summary_text(report)).front(),
            "FAILED  7 of 7 calls completed, none failed; 1,001 of 1,003 users registered, "
            "4 failed");
}

TEST(summary_text, has_a_line_for_each_direction_in_which_packets_were_expected) {
  run_report report = sample_report();
  auto& media = report.metrics.media;
  media.received = {};
  media.sent = {};
  EXPECT_FALSE(contains(summary_text(report), "to caller"));
  EXPECT_FALSE(contains(summary_text(report), "to callee"));
  media.received.expected = media.received.lost = 1; // and it did not come
  EXPECT_TRUE(contains(summary_text(report), "to caller 0 packets   lost 1 (100 %)   late 0   "));
  EXPECT_FALSE(contains(summary_text(report), "to callee"));
  media.sent.received = 1; // and how many there should be is not known
  media.sent.fec_recovered = 1'002;
  EXPECT_TRUE(contains(summary_text(report),
                       "to callee 1 packets   lost 0 (0 %)   FEC recovered 1,002   late 0   "));
}

TEST(summary_text, lets_no_foreign_control_character_through) {
  const std::string text = summary_text(hostile_report());
  EXPECT_FALSE(contains(text, "\x1b"));
  EXPECT_FALSE(contains(text, "\u202E"));
}

TEST(csv_series, has_as_many_fields_as_columns) {
  const auto fields = [](const std::string& line) { return std::ranges::count(line, ','); };
  const run_report report = sample_report();
  std::string csv = csv_header();
  for (const auto& each : report.series)
    csv += csv_line(each);
  const auto lines = lines_of(csv);
  ASSERT_EQ(lines.size(), report.series.size() + 1);
  const std::regex row{R"(([-0-9.]*,)+[-0-9.]*\r)"};
  for (size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(fields(lines[i]), fields(lines[0])) << lines[i];
    EXPECT_TRUE(lines[i].ends_with('\r'));
    if (i > 0) {
      EXPECT_TRUE(std::regex_match(lines[i], row)) << lines[i];
    }
  }
  EXPECT_TRUE(
    csv_line({}).starts_with("0.000,0.000,0,0,0,0,0,0,0,0,0,0.000,,,,,,0,0,0,,0,,,,,0\r\n"));
}

TEST(call_lines, are_json_whatever_the_peer_named_itself) {
  call_record call;
  call.id = 42;
  call.call_id = "a\"b\\c\r\n";
  call.from = hostile;
  call.to = "sip:bob@example.com";
  call.started = std::chrono::system_clock::time_point{milliseconds{1'700'000'000'123}};
  call.due = milliseconds{1500};
  call.late_by = std::chrono::microseconds{250};
  call.status = 200;
  call.srd = std::chrono::microseconds{12'345};
  call.received.emplace();
  call.received->packets = 500;
  call.received->lost = 2;
  call.received->mos = 4.406;
  std::string out = "before\n";
  append_call_line(out, call);
  EXPECT_TRUE(out.ends_with("}\n"));
  EXPECT_EQ(std::ranges::count(out, '\n'), 2);
  const json j = json::parse(out.substr(7));
  EXPECT_EQ(j["id"], 42);
  EXPECT_EQ(j["call_id"], "a\"b\\c\r\n");
  EXPECT_EQ(j["started"], "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(j["due_ms"], 1500);
  EXPECT_EQ(j["late_ms"], 0.25);
  EXPECT_EQ(j["srd_ms"], 12.345);
  EXPECT_TRUE(j["pdd_ms"].is_null());
  EXPECT_TRUE(j["cause"].is_null());
  EXPECT_EQ(j["received"]["lost"], 2);
  EXPECT_EQ(j["received"]["mos"], 4.41);
  EXPECT_TRUE(j["sent"].is_null());

  std::string failed;
  call_record timed_out;
  timed_out.cause = failure_cause::timeout;
  append_call_line(failed, timed_out);
  const json f = json::parse(failed);
  EXPECT_EQ(f["cause"], "timeout");
  EXPECT_TRUE(f["status"].is_null());
}

/// Whoever reads the lines finds each figure under its own name.
TEST(call_lines, have_each_of_a_calls_figures_under_its_name) {
  using std::chrono::microseconds;
  call_record call;
  call.id = 1;
  call.call_id = "id@host";
  call.from = "sip:from@example.com";
  call.to = "sip:to@example.com";
  call.started = std::chrono::system_clock::time_point{seconds{1'700'000'000}};
  call.due = milliseconds{2};
  call.late_by = milliseconds{3};
  call.status = 486;
  call.cause = failure_cause::from_status(486);
  call.detail = "not now";
  call.ended_by = "callee";
  call.srd = milliseconds{4};
  call.pdd = milliseconds{5};
  call.setup = milliseconds{6};
  call.sdd = milliseconds{7};
  call.ice_gathering = milliseconds{8};
  call.ice_checks = milliseconds{9};
  call.dtls = milliseconds{10};
  call.duration = milliseconds{11};
  call.packets_sent = 12;
  call.received = call_media{13, 14, 15, 16, 17, 18, microseconds{1'900}, 2.0, "opus"};
  call.sent = call_media{21, 22, 23, 24, 25, 26, microseconds{2'700}, 2.8, {}};
  call.rtt = milliseconds{29};
  std::string out;
  append_call_line(out, call);
  EXPECT_EQ(json::parse(out), json::parse(R"({
    "id": 1, "call_id": "id@host", "from": "sip:from@example.com", "to": "sip:to@example.com",
    "started": "2023-11-14T22:13:20.000Z", "due_ms": 2.0, "late_ms": 3.0, "status": 486,
    "cause": "sip_486", "detail": "not now", "ended_by": "callee", "srd_ms": 4.0, "pdd_ms": 5.0,
    "setup_ms": 6.0, "sdd_ms": 7.0, "ice_gathering_ms": 8.0, "ice_checks_ms": 9.0, "dtls_ms": 10.0,
    "duration_ms": 11.0, "packets_sent": 12,
    "received": {"packets": 13, "lost": 14, "fec_recovered": 15, "duplicate": 16, "reordered": 17,
                 "late": 18, "jitter_ms": 1.9, "mos": 2.0, "codec": "opus"},
    "sent": {"packets": 21, "lost": 22, "fec_recovered": 23, "duplicate": 24, "reordered": 25,
             "late": 26, "jitter_ms": 2.7, "mos": 2.8},
    "rtt_ms": 29.0})"));

  out.clear();
  append_request_line(out, {.kind = "register",
                            .id = 1,
                            .from = "sip:from@example.com",
                            .to = "sip:to@example.com",
                            .due = milliseconds{2},
                            .status = 403,
                            .cause = failure_cause::from_status(403),
                            .detail = "not you",
                            .took = milliseconds{3},
                            .refreshes = 4});
  EXPECT_EQ(json::parse(out), json::parse(R"({
    "kind": "register", "id": 1, "from": "sip:from@example.com", "to": "sip:to@example.com",
    "due_ms": 2.0, "status": 403, "cause": "sip_403", "detail": "not you", "took_ms": 3.0,
    "refreshes": 4})"));
}

TEST(call_lines, have_null_where_there_is_no_mos) {
  for (const std::optional<double> mos :
       {std::optional<double>{}, std::optional{std::nan("")}, std::optional{HUGE_VAL}}) {
    call_record call;
    call.received.emplace();
    call.received->mos = 4.4; // what it held before is not shown
    call.received->mos = mos;
    std::string out;
    append_call_line(out, call);
    const json j = json::parse(out, nullptr, false);
    ASSERT_FALSE(j.is_discarded()) << out;
    EXPECT_TRUE(j["received"]["mos"].is_null()) << out;
  }
}

TEST(writers, tell_what_was_ignored_where_anything_was) {
  run_report report = sample_report();
  EXPECT_FALSE(contains(summary_text(report), "ignored"));
  EXPECT_FALSE(contains(html_report(report), "Ignored"));
  run_metrics other;
  other.media.ignored = {1'001, 2, 3, 4, 5};
  report.metrics.merge(other);
  EXPECT_TRUE(
    contains(summary_text(report),
             "strangers 1,001   forged 2   replayed 3   malformed 4   unauthenticated 5"));
  EXPECT_TRUE(contains(html_report(report), "1,001"));
  const std::string prometheus = prometheus_text(report.metrics);
  const json media = json::parse(summary_json(report)).at("media");
  const auto expect_told = [&](const char* key, uint64_t count, const std::string& family) {
    EXPECT_EQ(media.at(key), count) << key;
    EXPECT_TRUE(contains(prometheus, "\njackfield_media_" + family + "_packets_total " +
                                       std::to_string(count) + "\n"))
      << family;
  };
  expect_told("strangers", 1'001, "stranger");
  expect_told("forged", 2, "forged");
  expect_told("replayed", 3, "replayed");
  expect_told("malformed", 4, "malformed");
  expect_told("unauthenticated", 5, "unauthenticated");
}

TEST(writers, tell_what_was_found_in_what_was_heard) {
  run_report report = sample_report();
  EXPECT_FALSE(contains(summary_text(report), "found  "));
  run_metrics other;
  other.media.found = {1'003, 2, 4};
  report.metrics.merge(other);
  EXPECT_TRUE(
    contains(summary_text(report), "found     a tone in 1,003   sound in 2   silence in 4"));
  EXPECT_TRUE(contains(html_report(report), "1,003"));
  EXPECT_EQ(json::parse(summary_json(report)).at("media").at("found"),
            (json{{"tone", 1'003}, {"sound", 2}, {"silence", 4}}));
  EXPECT_TRUE(contains(prometheus_text(report.metrics),
                       "\njackfield_media_found_total{sound=\"tone\"} 1003\n"));

  std::string line;
  call_record call;
  append_call_line(line, call);
  EXPECT_FALSE(json::parse(line).contains("heard")) << "nobody listened";
  call.heard.emplace();
  line.clear();
  append_call_line(line, call);
  EXPECT_EQ(json::parse(line).at("heard"), json::array());
  using std::chrono::milliseconds;
  call.heard->push_back({"silence", milliseconds{0}, milliseconds{400}, {}});
  call.heard->push_back({"tone", milliseconds{400}, milliseconds{1'000}, {425, 0}});
  call.heard->push_back({"tone", milliseconds{1'400}, milliseconds{2'000}, {350, 440}});
  line.clear();
  append_call_line(line, call);
  EXPECT_EQ(json::parse(line).at("heard"), json::parse(R"([{"what":"silence","at_ms":0,"ms":400},
                            {"what":"tone","at_ms":400,"ms":1000,"hz":[425]},
                            {"what":"tone","at_ms":1400,"ms":2000,"hz":[350,440]}])"));
}

TEST(writers, tell_how_many_streams_were_transcoded) {
  run_report report = sample_report();
  EXPECT_FALSE(contains(summary_text(report), "transcoded"));
  EXPECT_EQ(json::parse(summary_json(report)).at("media").at("transcoded"), 0);
  run_metrics other;
  other.media.transcoded = 1'002;
  report.metrics.merge(other);
  EXPECT_TRUE(contains(summary_text(report), "transcoded 1,002 streams"));
  EXPECT_TRUE(contains(html_report(report), "1,002"));
  EXPECT_EQ(json::parse(summary_json(report)).at("media").at("transcoded"), 1'002);
  EXPECT_TRUE(
    contains(prometheus_text(report.metrics), "\njackfield_media_transcoded_total 1002\n"));
}

/// Checks text exposition 0.0.4: every line is a comment or a sample, a family's lines stand
/// together under one TYPE, no sample comes twice, histograms are cumulative and complete.
void check_exposition(const std::string& text) {
  const std::regex help{R"(# HELP [a-zA-Z_:][a-zA-Z0-9_:]* .+)"};
  const std::regex type{R"(# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram))"};
  const std::regex sample{
    R"(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-z]+="[^"\\\n]*"(,[a-z]+="[^"\\\n]*")*)\})? ([0-9.e+-]+))"};
  ASSERT_TRUE(text.ends_with('\n'));
  std::set<std::string> families;
  std::set<std::string> samples;
  std::string family;
  std::string kind;
  double cumulative = 0;
  for (const auto& line : lines_of(text)) {
    std::smatch match;
    if (line.starts_with("# HELP")) {
      EXPECT_TRUE(std::regex_match(line, help)) << line;
    } else if (line.starts_with('#')) {
      ASSERT_TRUE(std::regex_match(line, match, type)) << line;
      family = match[1];
      kind = match[2];
      EXPECT_TRUE(family.starts_with("jackfield_"));
      EXPECT_TRUE(families.insert(family).second) << family << " twice";
      EXPECT_EQ(family.ends_with("_total"), kind == "counter") << family;
    } else {
      ASSERT_TRUE(std::regex_match(line, match, sample)) << line;
      const std::string name = match[1];
      EXPECT_TRUE(samples.insert(name + match[2].str()).second) << line << " twice";
      const double value = std::stod(match[5]);
      if (kind != "histogram") {
        EXPECT_EQ(name, family);
        continue;
      }
      EXPECT_TRUE(name == family + "_bucket" || name == family + "_sum" ||
                  name == family + "_count")
        << line;
      if (name.ends_with("_bucket")) {
        EXPECT_GE(value, cumulative) << line;
        cumulative = value;
      } else if (name.ends_with("_count")) {
        EXPECT_EQ(value, cumulative) << line;
        cumulative = 0;
      }
    }
  }
}

TEST(prometheus_text, is_a_valid_exposition) {
  const std::string text = prometheus_text(sample_report().metrics);
  check_exposition(text);
  EXPECT_TRUE(contains(text, "\njackfield_calls_started_total 1000\n"));
  EXPECT_TRUE(contains(text, "\njackfield_srd_seconds_bucket{le=\"+Inf\"} 1000\n"));
  EXPECT_TRUE(contains(text, "jackfield_calls_failed_total{cause=\"sip_486\"} "));
  EXPECT_TRUE(contains(text, "jackfield_sip_responses_total{method=\"INVITE\",status=\"200\"} "));
  check_exposition(prometheus_text({}));
}

/// A sample for what there was, if only once, and none for what there was not.
TEST(prometheus_text, has_a_sample_for_each_method_that_was_sent) {
  run_metrics m;
  m.statuses.count_request(counted_method::bye);
  m.statuses.count_response(counted_method::bye, 481);
  const std::string text = prometheus_text(m);
  EXPECT_TRUE(contains(text, "\njackfield_sip_requests_total{method=\"BYE\"} 1\n"));
  EXPECT_TRUE(contains(text, "\njackfield_sip_responses_total{method=\"BYE\",status=\"481\"} 1\n"));
  EXPECT_FALSE(contains(text, "method=\"INVITE\""));
}

TEST(html_report, is_one_file_that_fetches_and_runs_nothing) {
  for (const run_report& report : {sample_report(), empty_report(), hostile_report()}) {
    const std::string html = html_report(report);
    EXPECT_TRUE(html.starts_with("<!doctype html>"));
    EXPECT_TRUE(html.ends_with("</html>\n"));
    EXPECT_TRUE(contains(html, "default-src 'none'"));
    for (const std::string_view forbidden :
         {"<script", "<img", "<link", "<iframe", "http://", "https://", "url(",
          "javascript:", "@import", "src=\"", "href=", "\x1b", "\u202E"})
      EXPECT_FALSE(contains(html, forbidden)) << forbidden;
    EXPECT_FALSE(std::regex_search(html, std::regex{R"(<[^>]*\son[a-z]+\s*=)"}));
    EXPECT_FALSE(contains(html, "nan"));
    EXPECT_FALSE(contains(html, "inf "));
  }
}

/// Checks that each '<' begins a tag, and that what is opened is closed, in order; but for elements
/// that are empty by their name.
void check_elements(const std::string& text, const std::set<std::string>& empty_elements) {
  std::vector<std::string> open;
  std::ptrdiff_t tags = 0;
  const std::regex tag{R"(<(/?)([a-z0-9!?]+)([^<>]*)>)"};
  for (std::sregex_iterator i{text.begin(), text.end(), tag}, end; i != end; ++i, ++tags) {
    const std::string name = (*i)[2];
    if (empty_elements.contains(name) || (*i)[3].str().ends_with('/'))
      continue;
    if ((*i)[1].length() == 0) {
      open.push_back(name);
      continue;
    }
    ASSERT_FALSE(open.empty()) << name;
    ASSERT_EQ(open.back(), name);
    open.pop_back();
  }
  EXPECT_TRUE(open.empty());
  EXPECT_EQ(std::ranges::count(text, '<'), tags) << "a tag is not ended";
}

TEST(html_report, closes_every_element_it_opens) {
  for (const run_report& report : {sample_report(), empty_report(), hostile_report()})
    check_elements(html_report(report), {"meta", "!doctype"});
}

TEST(html_report, shows_the_times_that_were_measured) {
  run_report report = sample_report();
  report.metrics.times.srd = {};
  report.metrics.times.srd.record(milliseconds{70});
  report.metrics.media.rtt = {};
  const std::string rtt = "<td>RTT <small>media, from RTCP</small></td>";
  EXPECT_FALSE(contains(html_report(report), rtt)) << "no report of a peer came";
  for (int i = 0; i < 3; ++i)
    report.metrics.media.rtt.record(milliseconds{40});
  const std::string html = html_report(report);
  EXPECT_TRUE(contains(html, "<b>70 ms</b><span>session request delay, p99</span>"));
  EXPECT_TRUE(contains(html, rtt + "<td>40</td><td>40</td><td>40</td><td>40</td><td>40</td>"
                                   "<td>3</td></tr>"));
}

TEST(html_report, says_what_it_is_of_and_what_cut_it_short) {
  run_report report = sample_report();
  report.info.transport = "tls";
  EXPECT_TRUE(contains(html_report(report),
                       "<div class=\"about\">sip:bench@192.0.2.10 over tls, media rtp, began "
                       "2023-11-14T22:13:20.000Z, took 20.3 s</div>"));
  report.info.media = "none";
  report.info.ended_by = "an interrupt";
  EXPECT_TRUE(contains(html_report(report),
                       ", no media, began 2023-11-14T22:13:20.000Z, took 20.3 s, "
                       "<span class=\"bad\">cut: an interrupt</span></div>"));
  report.info.ended_by.clear();
  report.info.resumed = {.crashes = 2, .resumed = 3, .lost = 4, .slowest = milliseconds{1'500}};
  EXPECT_TRUE(contains(html_report(report), ", cut off 2 times; 3 calls went on after 1.50 s at "
                                            "most, 4 lost</div>"));
}

TEST(html_report, draws_how_it_went_where_that_is_known) {
  run_report report = sample_report();
  EXPECT_TRUE(contains(html_report(report), "<h2>Over time</h2>"));
  EXPECT_TRUE(contains(html_report(report), "<svg"));
  report.series.clear();
  EXPECT_FALSE(contains(html_report(report), "<h2>Over time</h2>"));
}

TEST(html_report, has_a_table_of_failures_where_there_were_some) {
  run_report report = sample_report();
  EXPECT_TRUE(contains(html_report(report), "<h3>Failed calls</h3>"));
  report.metrics.calls.failures.clear();
  EXPECT_FALSE(contains(html_report(report), "<h3>Failed calls</h3>"));
}

TEST(html_report, stays_small_on_a_long_run) {
  run_report report = sample_report();
  const interval_row last = report.series.back();
  for (int i = 0; i < 7000; ++i) {
    interval_row row = last;
    row.at_s += i + 1;
    report.series.push_back(row);
  }
  EXPECT_LT(html_report(report).size(), 1'500'000U);
}

TEST(junit_xml, has_a_case_for_validity_and_for_each_threshold) {
  const run_report report = sample_report();
  const std::string xml = junit_xml(report);
  EXPECT_TRUE(contains(xml, "tests=\"5\" failures=\"2\" errors=\"0\""));
  EXPECT_TRUE(contains(xml, "name=\"the run is valid\""));
  EXPECT_TRUE(contains(xml, "name=\"srd_ms: p(99)&lt;200\""));
  const std::string bad = junit_xml(hostile_report());
  for (const auto& text : {xml, bad, junit_xml(empty_report())})
    check_elements(text, {"?xml"});
  EXPECT_TRUE(contains(bad, "errors=\"1\""));
  EXPECT_TRUE(contains(bad, "<error type=\"invalid\""));
  EXPECT_FALSE(contains(bad, "<img"));
  EXPECT_FALSE(contains(bad, "\x1b"));
  EXPECT_FALSE(contains(bad, "\u202E"));
}

size_t characters(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(
    text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

TEST(live_view, replaces_its_own_frame_and_stays_within_the_terminal) {
  const run_report report = hostile_report();
  interval_series series;
  series.sample(seconds{1}, report.metrics);
  const live_state state{.info = report.info,
                         .metrics = report.metrics,
                         .series = series,
                         .elapsed = seconds{61},
                         .planned_calls = 2000,
                         .planned_rate = 100};
  for (const unsigned columns : {0U, 40U, 80U, 500U}) {
    live_view view{columns, false};
    EXPECT_TRUE(view.erase().empty());
    const std::string first = view.frame(state);
    const auto lines = std::ranges::count(first, '\n');
    EXPECT_FALSE(first.starts_with("\x1b["));
    EXPECT_TRUE(view.frame(state).starts_with("\x1b[" + std::to_string(lines) + "A"));
    for (auto line : lines_of(first)) {
      line.erase(0, line.find_first_not_of('\r'));
      const auto end = line.find("\x1b[");
      EXPECT_LT(characters(line.substr(0, end)), std::max(columns, 40U)) << line;
    }
    EXPECT_FALSE(contains(first, "\x1b[2J"));
    EXPECT_TRUE(view.erase().starts_with("\x1b[" + std::to_string(lines) + "A"));
    EXPECT_TRUE(view.erase().empty());
  }
  live_view coloured{80, true};
  EXPECT_TRUE(contains(coloured.frame(state), "\x1b[1m"));
  const std::string line = live_line(state);
  EXPECT_EQ(std::ranges::count(line, '\n'), 1);
  EXPECT_FALSE(contains(line, "\x1b"));
  EXPECT_TRUE(line.starts_with("01:01 running: started 1,000 ("));
}

TEST(live_view, has_a_bar_that_fills_as_calls_end) {
  run_report report = sample_report();
  report.metrics.calls = {};
  report.metrics.calls.completed = 10;
  report.metrics.calls.failed = 10;
  report.metrics.calls.missed_by_limit = 5; // these will not end, and are no longer waited for
  const interval_series series;
  const auto shown = [&](unsigned columns, std::optional<uint64_t> planned) {
    live_view view{columns, false};
    return view.frame({.info = report.info,
                       .metrics = report.metrics,
                       .series = series,
                       .elapsed = seconds{1},
                       .planned_calls = planned});
  };
  const auto bar = [](int full, int empty) {
    std::string text;
    for (int i = 0; i < full + empty; ++i)
      text += i < full ? "█" : "░";
    return text;
  };
  EXPECT_TRUE(contains(shown(500, 100), bar(12, 38) + " 25 of 100 ended")) << "50 columns at most";
  EXPECT_TRUE(contains(shown(40, 100), bar(5, 17) + " 25 of 100 ended")) << "all of the line";
  EXPECT_TRUE(contains(shown(500, 25), bar(50, 0) + " 25 of 25 ended"));
  EXPECT_FALSE(contains(shown(500, {}), "░")) << "nobody knows how many there will be";
  EXPECT_FALSE(contains(shown(500, 0), "░"));
}

TEST(exit_code, puts_the_generators_fault_before_the_systems) {
  run_report report;
  EXPECT_EQ(exit_code_of(report), exit_code::ok);
  report.metrics.calls.missed_by_limit = 3;
  EXPECT_EQ(exit_code_of(report), exit_code::ok);
  report.metrics.calls.failed = 1;
  EXPECT_EQ(exit_code_of(report), exit_code::failed);
  report.thresholds.push_back({});
  EXPECT_EQ(exit_code_of(report), exit_code::threshold);
  report.thresholds.back().passed = true;
  EXPECT_EQ(exit_code_of(report), exit_code::failed);
  report.thresholds.back().passed = false;
  report.validity.valid = false;
  EXPECT_EQ(exit_code_of(report), exit_code::invalid);
  run_report registrations;
  registrations.metrics.registrations.refresh_failed = 1;
  EXPECT_EQ(exit_code_of(registrations), exit_code::failed);
}

} // namespace
} // namespace jackfield::report
