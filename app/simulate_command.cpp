#include "app/simulate_command.hpp"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>

#include "app/simulate_config.hpp"
#include "app/simulate_options.hpp"
#include "app/version.hpp"
#include "engine/report/exit_code.hpp"
#include "engine/simulation/day_page.hpp"
#include "engine/simulation/day_report.hpp"
#include "engine/simulation/study_page.hpp"
#include "engine/simulation/study_report.hpp"

namespace jackfield::app {

namespace {

using report::exit_code;

int end_with(const error& e, exit_code code) {
  std::fprintf(stderr, "%s\n", e.to_string().c_str());
  return static_cast<int>(code);
}

struct closes_file {
  void operator()(std::FILE* file) const noexcept {
    if (file != stdout)
      std::fclose(file);
  }
};
using open_file = std::unique_ptr<std::FILE, closes_file>;

/// Before the run: nobody waits for figures that cannot be written. Null: none was asked for.
result<open_file> open_for(const char* option, const std::string& path) {
  if (path.empty())
    return open_file{};
  open_file file{path == "-" ? stdout : std::fopen(path.c_str(), "wb")};
  if (!file)
    return fail_errno(option, "\"" + path + "\" cannot be written", errno);
  return file;
}

bool write_all(std::FILE* to, const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), to) == text.size() && std::fflush(to) == 0;
}

/// Where reports go.
struct outputs {
  open_file json;
  open_file csv;
  open_file html;
};

result<outputs> open_outputs(const simulate_options& options) {
  auto json = open_for("--json", options.json);
  if (!json)
    return tl::unexpected{std::move(json.error())};
  auto csv = open_for("--csv", options.csv);
  if (!csv)
    return tl::unexpected{std::move(csv.error())};
  auto html = open_for("--html", options.html);
  if (!html)
    return tl::unexpected{std::move(html.error())};
  return outputs{std::move(*json), std::move(*csv), std::move(*html)};
}

template <class Json, class Csv, class Html, class Text>
bool write_reports(const simulate_options& options, const outputs& to, Json&& json, Csv&& csv,
                   Html&& html, Text&& text) {
  bool written = true;
  if (to.json)
    written = write_all(to.json.get(), json()) && written;
  if (to.csv)
    written = write_all(to.csv.get(), csv()) && written;
  if (to.html)
    written = write_all(to.html.get(), html()) && written;
  if (!options.quiet && options.json != "-" && options.csv != "-" && options.html != "-")
    written = write_all(stdout, text()) && written;
  return written;
}

int not_written() {
  return end_with({"jackfield simulate", "the report could not be written"},
                  exit_code::internal_error);
}

int simulate_day(const simulate_options& options) {
  const auto day = read_day_plan(options.config);
  if (!day) {
    for (const auto& each : day.error())
      std::fprintf(stderr, "%s\n", each.to_string().c_str());
    return static_cast<int>(exit_code::usage);
  }
  if (options.check_only)
    return 0;
  const auto to = open_outputs(options);
  if (!to)
    return end_with(to.error(), exit_code::usage);
  const simulation::study_info info{std::string{version}, options.command};
  const auto study = simulation::study_day(*day, options.study.seeds, options.study.seed,
                                           options.study.threads, options.study.plays);
  if (!study)
    return end_with(study.error(), exit_code::usage);
  const bool written = write_reports(
    options, *to, [&] { return day_json(info, *day, *study); },
    [&] { return day_csv(*day, *study); }, [&] { return day_html(info, *day, *study); },
    [&] { return day_text(*day, *study); });
  return written ? 0 : not_written();
}

int simulate_queue(const simulate_options& options) {
  const auto to = open_outputs(options);
  if (!to)
    return end_with(to.error(), exit_code::usage);
  auto staffing = simulation::study_staffing(options.queue, options.least_agents,
                                             options.most_agents, options.target, options.study);
  if (!staffing)
    return end_with(staffing.error(), exit_code::usage);
  const simulation::study_report report{
    {std::string{version}, options.command}, options.queue, options.study, std::move(*staffing)};
  const bool written = write_reports(
    options, *to, [&] { return study_json(report); }, [&] { return study_csv(report); },
    [&] { return study_html(report); }, [&] { return study_text(report); });
  if (!written)
    return not_written();
  return static_cast<int>(options.target && !report.staffing.met ? exit_code::threshold
                                                                 : exit_code::ok);
}

} // namespace

int simulate_command(const std::vector<std::string>& arguments) {
  const auto parsed = parse_simulate_options(arguments);
  if (!parsed)
    return end_with(parsed.error(), exit_code::usage);
  if (!*parsed)
    return 0;
  const auto& options = **parsed;
  return options.config.empty() ? simulate_queue(options) : simulate_day(options);
}

} // namespace jackfield::app
