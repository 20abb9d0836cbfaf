#include "app/foreign_options.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>

namespace jackfield::app {

namespace {

struct foreign_option {
  std::string_view name;
  std::string_view whose;
  std::string_view instead;
};

constexpr std::string_view sipp = "SIPp's";
constexpr std::string_view k6 = "k6's";
constexpr std::string_view no_scenarios =
  "scenario files are not read, expected --flow, --duration, --hold-after, --dtmf, --audio";
constexpr std::string_view messages = "expected --trace FILE, or --trace-all too for good calls";

constexpr foreign_option others[] = {
  {"-sf", sipp, no_scenarios},
  {"-sn", sipp, no_scenarios},
  {"-sd", sipp, no_scenarios},
  {"-oocsf", sipp, no_scenarios},
  {"-oocsn", sipp, no_scenarios},
  {"-trace_msg", sipp, messages},
  {"-trace_shortmsg", sipp, messages},
  {"-trace_err", sipp, messages},
  {"-trace_error_codes", sipp, "they are in the summary and in --json FILE"},
  {"-trace_stat", sipp, "expected --csv FILE"},
  {"-trace_counts", sipp, "expected --csv FILE"},
  {"-stf", sipp, "expected --csv FILE"},
  {"-fd", sipp, "--csv has a line a second"},
  {"-trace_rtt", sipp, "expected --calls-file FILE"},
  {"-trace_calldebug", sipp, messages},
  {"-trace_logs", sipp, messages},
  {"-trace_screen", sipp, "expected --html FILE or --json FILE"},
  {"-message_file", sipp, messages},
  {"-skip_rlimit", sipp, "limits are raised as far as the system lets us"},
  {"-bg", sipp, "expected the shell's &, and -q"},
  {"-nostdin", sipp, "nothing is read from there"},
  {"-aa", sipp, "what keeps a call up is answered anyway"},
  {"-key", sipp, "expected --header with {columns} of --users"},
  {"-rsa", sipp, "expected --route"},
  {"-rtp_echo", sipp, "expected --audio echo; jackfield answer echoes anyway"},
  {"-min_rtp_port", sipp, "expected --media-ports"},
  {"-max_rtp_port", sipp, "expected --media-ports"},
  {"-rtp_payload", sipp, "expected --codecs"},
  {"-tls_cert", sipp, "expected --cert"},
  {"-tls_key", sipp, "expected --key"},
  {"-tls_ca", sipp, "expected --ca-file"},
  {"-recv_timeout", sipp, "expected --ring-limit"},
  {"-timeout", sipp, "expected -m, or rates that end: -r 100/60s"},
  {"-timeout_global", sipp, "expected -m, or rates that end: -r 100/60s"},
  {"-users", sipp, "expected -l for calls at once; --users is a file"},
  {"-rate_increase", sipp, "expected a profile: -r 10..200/60s"},
  {"-rate_max", sipp, "expected a profile: -r 10..200/60s"},
  {"-rate_interval", sipp, "expected a profile: -r 10..200/60s"},
  {"-max_socket", sipp, "there is no such limit"},
  {"-3pcc", sipp, no_scenarios},
  {"--vus", k6, "expected -r for arrivals a second, -l for calls at once"},
  {"--iterations", k6, "expected -m"},
  {"--stage", k6, "expected a profile: -r 0..500/60s,500/5m"},
  {"--rps", k6, "expected -r"},
  {"--summary-export", k6, "expected --json FILE"},
  {"--out", k6, "expected --csv FILE, or --metrics for Prometheus"},
  {"--no-summary", k6, "expected -q"},
  {"--tag", k6, "there are none"},
};

/// Letters to be added, left out, changed or swapped with the next.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  std::vector<size_t> next(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (size_t k = 1; k <= b.size(); ++k) {
      next[k] =
        std::min({row[k] + 1, next[k - 1] + 1, row[k - 1] + (a[i - 1] == b[k - 1] ? 0 : 1)});
      if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
        next[k] = std::min(next[k], before[k - 2] + 1);
    }
    std::swap(before, row);
    std::swap(row, next);
  }
  return row[b.size()];
}

/// The declared option that comes closest; empty: none does.
std::string nearest(const CLI::App& declared, std::string_view name) {
  std::string best;
  size_t least = std::max<size_t>(2, name.size() / 4) + 1;
  for (const auto* option : declared.get_options())
    for (const auto& known : option->get_lnames())
      if (const auto d = distance(known, name); d < least) {
        least = d;
        best = "--" + known;
      }
  return best;
}

} // namespace

result<void> check_options(const CLI::App& declared, const std::vector<std::string>& arguments) {
  for (const auto& argument : arguments) {
    if (argument == "--")
      break;
    const auto name = argument.substr(0, argument.find('='));
    if (name.size() < 3 || name[0] != '-' || declared.get_option_no_throw(name) != nullptr)
      continue;
    for (const auto& other : others)
      if (name == other.name)
        return fail(name, "is " + std::string{other.whose} + ": " + std::string{other.instead});
    if (name[1] != '-')
      continue; // a letter with its value
    const auto meant = nearest(declared, std::string_view{name}.substr(2));
    return fail(name,
                "is no option, " + (meant.empty() ? "see --help" : "did you mean " + meant + "?"));
  }
  return {};
}

} // namespace jackfield::app
