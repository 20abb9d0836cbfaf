#include "app/simulate_command.hpp"

#include <cstdio>
#include <utility>

#include "app/simulate_config.hpp"
#include "app/simulate_live.hpp"
#include "app/simulate_options.hpp"
#include "app/simulate_outputs.hpp"
#include "app/version.hpp"
#include "engine/report/exit_code.hpp"
#include "engine/simulation/day_page.hpp"
#include "engine/simulation/day_report.hpp"
#include "engine/simulation/study_page.hpp"
#include "engine/simulation/study_report.hpp"

namespace jackfield::app {

namespace {

using report::exit_code;

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
  const auto to = simulate_outputs::open(options);
  if (!to)
    return end_with(to.error(), exit_code::usage);
  const simulation::study_info info{std::string{version}, options.command};
  const auto study = simulation::study_day(*day, options.study.seeds, options.study.seed,
                                           options.study.threads, options.study.plays);
  if (!study)
    return end_with(study.error(), exit_code::usage);
  const bool written = to->write(
    options, [&] { return day_json(info, *day, *study); }, [&] { return day_csv(*day, *study); },
    [&] { return day_html(info, *day, *study); }, [&] { return day_text(*day, *study); });
  if (!written)
    return not_written();
  return static_cast<int>(study->reaches_targets(*day) ? exit_code::ok : exit_code::threshold);
}

int simulate_queue(const simulate_options& options) {
  const auto to = simulate_outputs::open(options);
  if (!to)
    return end_with(to.error(), exit_code::usage);
  auto staffing = simulation::study_staffing(options.queue, options.least_agents,
                                             options.most_agents, options.target, options.study);
  if (!staffing)
    return end_with(staffing.error(), exit_code::usage);
  const simulation::study_report report{
    {std::string{version}, options.command}, options.queue, options.study, std::move(*staffing)};
  const bool written = to->write(
    options, [&] { return study_json(report); }, [&] { return study_csv(report); },
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
  if (options.live)
    return simulate_live(options);
  return options.config.empty() ? simulate_queue(options) : simulate_day(options);
}

} // namespace jackfield::app
