#include "app/simulate_outputs.hpp"

#include <cerrno>

namespace jackfield::app {

int end_with(const error& e, report::exit_code code) {
  std::fprintf(stderr, "%s\n", e.to_string().c_str());
  return static_cast<int>(code);
}

result<simulate_outputs::open_file> simulate_outputs::open_for(const char* option,
                                                               const std::string& path) {
  if (path.empty())
    return open_file{};
  open_file file{path == "-" ? stdout : std::fopen(path.c_str(), "wb")};
  if (!file)
    return fail_errno(option, "\"" + path + "\" cannot be written", errno);
  return file;
}

bool simulate_outputs::write_all(std::FILE* to, const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), to) == text.size() && std::fflush(to) == 0;
}

result<simulate_outputs> simulate_outputs::open(const simulate_options& options) {
  auto json = open_for("--json", options.json);
  if (!json)
    return tl::unexpected{std::move(json.error())};
  auto csv = open_for("--csv", options.csv);
  if (!csv)
    return tl::unexpected{std::move(csv.error())};
  auto html = open_for("--html", options.html);
  if (!html)
    return tl::unexpected{std::move(html.error())};
  return simulate_outputs{std::move(*json), std::move(*csv), std::move(*html)};
}

} // namespace jackfield::app
