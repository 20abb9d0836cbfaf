#include "app/run_observer.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

#include "engine/report/csv_series.hpp"
#include "engine/report/figures.hpp"
#include "engine/report/html_report.hpp"
#include "engine/report/junit_xml.hpp"
#include "engine/report/run_outcome.hpp"
#include "engine/report/summary_json.hpp"
#include "engine/report/summary_text.hpp"
#include "engine/report/thresholds.hpp"
#include "engine/report/verdict.hpp"

namespace jackfield::app {

namespace {

/// Where there is no terminal, a line this often.
constexpr std::chrono::seconds line_interval{5};

unsigned terminal_columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 100;
}

std::vector<report::load_step> steps_of(const scenario::arrival_plan& plan) {
  std::vector<report::load_step> steps;
  std::chrono::nanoseconds at{};
  for (const auto& phase : plan.phases) {
    at = phase.length ? at + *phase.length : std::chrono::nanoseconds::max();
    const auto rate = report::short_figure(phase.to) + "/s";
    steps.push_back(
      {phase.from == phase.to ? rate : report::short_figure(phase.from) + " to " + rate, at});
  }
  return steps;
}

bool write_all(std::FILE* to, const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), to) == text.size() && std::fflush(to) == 0;
}

} // namespace

run_observer::run_observer(const load_options& options, report::run_info info)
    : options_(options), info_(std::move(info)),
      steps_(steps_of(options.arrivals), info_.lanes, options.bounds),
      view_(terminal_columns(), true), latest_(std::make_shared<report::run_metrics>()),
      terminal_(isatty(STDERR_FILENO) == 1) {
  // nop
}

run_observer::~run_observer() = default;

result<run_observer::file> run_observer::create(const char* option, const std::string& path,
                                                const char* mode) {
  if (path.empty() || path == "-")
    return file{};
  file made{std::fopen(path.c_str(), mode)};
  if (!made)
    return fail_errno(option, "\"" + path + "\" cannot be written", errno);
  return made;
}

result<void> run_observer::open() {
  const std::pair<const char*, std::pair<const std::string*, file*>> wanted[] = {
    {"--json", {&options_.json, &json_}},
    {"--html", {&options_.html, &html_}},
    {"--csv", {&options_.csv, &csv_}},
    {"--junit", {&options_.junit, &junit_}},
    {"--calls-file", {&options_.calls_file, &calls_}}};
  for (const auto& [option, place] : wanted) {
    // The lines of what was before are there.
    const bool appends = options_.kept.go_on && (place.second == &calls_ || place.second == &csv_);
    auto made = create(option, *place.first, appends ? "ab" : "wb");
    if (!made)
      return tl::unexpected{std::move(made.error())};
    *place.second = std::move(*made);
  }
  if (csv_ && std::fseek(csv_.get(), 0, SEEK_END) == 0 && std::ftell(csv_.get()) <= 0 &&
      !write_all(csv_.get(), report::csv_header()))
    return fail("--csv", "\"" + options_.csv + "\" cannot be written: is the disk full?");
  return {};
}

void run_observer::on_progress(const run_progress& progress) {
  auto metrics = std::make_shared<report::run_metrics>(*progress.metrics);
  machine_.show(metrics->health);
  sample(progress.elapsed, *metrics);
  if (report::crossed_abort(options_.thresholds, *metrics, progress.elapsed) != nullptr)
    abort_ = true;
  show(*metrics, progress.elapsed, progress.draining);
  latest_ = std::shared_ptr<const report::run_metrics>{std::move(metrics)};
}

// A line as its time passes: what was written is there, whatever ends the run.
void run_observer::sample(std::chrono::nanoseconds elapsed, const report::run_metrics& metrics) {
  const auto before = series_.latest().at_s;
  series_.sample(elapsed, metrics);
  steps_.sample(elapsed, metrics);
  if (csv_ && write_failure_.empty() && series_.latest().at_s > before &&
      !write_all(csv_.get(), report::csv_line(series_.latest())))
    write_failure_ = options_.csv;
}

void run_observer::set_before(const run_history& before) {
  series_.sample(before.elapsed, before.metrics);
}

void run_observer::show(const report::run_metrics& metrics, std::chrono::nanoseconds elapsed,
                        bool draining) {
  if (options_.quiet)
    return;
  const report::live_state state{info_,
                                 metrics,
                                 series_,
                                 elapsed,
                                 options_.arrivals.calls,
                                 options_.arrivals.rate_at(elapsed),
                                 draining,
                                 options_.bounds};
  if (terminal_) {
    view_.resize(terminal_columns());
    std::fputs(view_.frame(state).c_str(), stderr);
  } else if (elapsed - last_line_ >= line_interval || last_line_ == std::chrono::nanoseconds{}) {
    last_line_ = elapsed;
    std::fputs(report::live_line(state).c_str(), stderr);
  }
  std::fflush(stderr);
}

void run_observer::on_call_lines(const call_lines_batch& batch) {
  auto* const to = options_.calls_file == "-" ? stdout : calls_.get();
  if (to != nullptr && write_failure_.empty() && !write_all(to, batch.lines))
    write_failure_ = options_.calls_file;
}

result<report::run_report> run_observer::on_finished(const run_finished& finished) {
  report::run_report report;
  report.metrics = *finished.metrics;
  machine_.show(report.metrics.health);
  info_.duration = finished.elapsed;
  report.info = info_;
  sample(finished.elapsed, report.metrics);
  report.series = series_.rows();
  report.validity = report::judge(report.metrics, finished.elapsed * info_.lanes, options_.bounds);
  steps_.finish(finished.elapsed, report.metrics);
  auto& reasons = report.validity.invalid_reasons;
  reasons.insert(reasons.end(), steps_.invalid_reasons().begin(), steps_.invalid_reasons().end());
  report.validity.valid = reasons.empty();
  report.thresholds =
    report::evaluate_thresholds(options_.thresholds, report.metrics, finished.elapsed);
  if (terminal_ && !options_.quiet)
    std::fputs(view_.erase().c_str(), stderr);
  bool ok = write_failure_.empty();
  if (options_.json == "-")
    ok = write_all(stdout, report::summary_json(report)) && ok;
  else if (json_)
    ok = write_all(json_.get(), report::summary_json(report)) && ok;
  if (html_)
    ok = write_all(html_.get(), report::html_report(report)) && ok;
  if (junit_)
    ok = write_all(junit_.get(), report::junit_xml(report)) && ok;
  if (options_.quiet && report::outcome_of(report) != report::run_outcome::passed) {
    const auto all = report::summary_text(report, {});
    std::fputs(all.substr(0, all.find('\n') + 1).c_str(), stderr);
  }
  if (!options_.quiet) {
    // Standard output is for what a program reads, if it was asked for.
    const bool to_stdout = options_.json != "-" && options_.calls_file != "-";
    auto* const out = to_stdout ? stdout : stderr;
    report::text_style style;
    style.colour = isatty(to_stdout ? STDOUT_FILENO : STDERR_FILENO) == 1;
    (void)write_all(out, report::summary_text(report, style));
  }
  if (!ok)
    return fail("report", "not all of it could be written: is the disk full?");
  return report;
}

} // namespace jackfield::app
