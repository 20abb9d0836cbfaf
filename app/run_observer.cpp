#include "app/run_observer.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

#include "engine/report/csv_series.hpp"
#include "engine/report/html_report.hpp"
#include "engine/report/junit_xml.hpp"
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

double cpu_seconds(const rusage& r) {
  return static_cast<double>(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
         static_cast<double>(r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1e-6;
}

bool write_all(std::FILE* to, const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), to) == text.size() && std::fflush(to) == 0;
}

} // namespace

run_observer::run_observer(const load_options& options, report::run_info info)
    : options_(options), info_(std::move(info)), view_(terminal_columns(), true),
      latest_(std::make_shared<report::run_metrics>()), terminal_(isatty(STDERR_FILENO) == 1) {
  getrusage(RUSAGE_SELF, &before_);
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
    // The lines of the calls before are there.
    const bool appends = options_.kept.go_on && place.second == &calls_;
    auto made = create(option, *place.first, appends ? "ab" : "wb");
    if (!made)
      return tl::unexpected{std::move(made.error())};
    *place.second = std::move(*made);
  }
  return {};
}

void run_observer::add_process(report::run_metrics& metrics) const {
  rusage now{};
  getrusage(RUSAGE_SELF, &now);
  metrics.health.cpu_seconds = cpu_seconds(now) - cpu_seconds(before_);
  metrics.health.rss_peak_kb = static_cast<uint64_t>(now.ru_maxrss);
}

void run_observer::on_progress(const run_progress& progress) {
  auto metrics = std::make_shared<report::run_metrics>(*progress.metrics);
  add_process(*metrics);
  series_.sample(progress.elapsed, *metrics);
  if (report::crossed_abort(options_.thresholds, *metrics, progress.elapsed) != nullptr)
    abort_ = true;
  show(*metrics, progress.elapsed, progress.draining);
  latest_ = std::shared_ptr<const report::run_metrics>{std::move(metrics)};
}

void run_observer::set_before(const run_history& before) {
  series_.sample(before.elapsed, before.metrics);
}

void run_observer::show(const report::run_metrics& metrics, std::chrono::nanoseconds elapsed,
                        bool draining) {
  if (options_.quiet)
    return;
  const report::live_state state{
    info_,   metrics, series_, elapsed, options_.arrivals.calls, options_.arrivals.rate_at(elapsed),
    draining};
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
  add_process(report.metrics);
  info_.duration = finished.elapsed;
  report.info = info_;
  series_.sample(finished.elapsed, report.metrics);
  report.series = series_.rows();
  report.validity = report::judge(report.metrics, finished.elapsed * info_.lanes);
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
  if (csv_)
    ok = write_all(csv_.get(), report::csv_series(report.series)) && ok;
  if (junit_)
    ok = write_all(junit_.get(), report::junit_xml(report)) && ok;
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
