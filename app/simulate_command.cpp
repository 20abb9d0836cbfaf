#include "app/simulate_command.hpp"

#include <cerrno>
#include <cstdio>
#include <memory>

#include "app/simulate_options.hpp"
#include "app/version.hpp"
#include "engine/report/exit_code.hpp"
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

} // namespace

int simulate_command(const std::vector<std::string>& arguments) {
  auto parsed = parse_simulate_options(arguments);
  if (!parsed)
    return end_with(parsed.error(), exit_code::usage);
  if (!*parsed)
    return 0;
  const auto& options = **parsed;
  const auto json = open_for("--json", options.json);
  if (!json)
    return end_with(json.error(), exit_code::usage);
  const auto csv = open_for("--csv", options.csv);
  if (!csv)
    return end_with(csv.error(), exit_code::usage);

  simulation::study_report report{
    {std::string{version}, options.command}, options.queue, options.study, {}};
  auto staffing = simulation::study_staffing(options.queue, options.least_agents,
                                             options.most_agents, options.target, options.study);
  if (!staffing)
    return end_with(staffing.error(), exit_code::usage);
  report.staffing = std::move(*staffing);

  bool written = true;
  if (*json)
    written = write_all(json->get(), study_json(report)) && written;
  if (*csv)
    written = write_all(csv->get(), study_csv(report)) && written;
  if (!options.quiet && options.json != "-" && options.csv != "-")
    written = write_all(stdout, study_text(report)) && written;
  if (!written)
    return end_with({"jackfield simulate", "the report could not be written"},
                    exit_code::internal_error);
  return static_cast<int>(options.target && !report.staffing.met ? exit_code::threshold
                                                                 : exit_code::ok);
}

} // namespace jackfield::app
