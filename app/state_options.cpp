#include "app/state_options.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>

#include "app/option_reader.hpp"
#include "app/state_directory.hpp"

namespace jackfield::app {

namespace {

constexpr const char* directory_help =
  "state directory ($XDG_STATE_HOME/jackfield, else ~/.local/state/jackfield)";

struct texts {
  std::string first, second; ///< what stands without an option's name
  std::string format, from, output;
  bool json = false, cdrs = false, events = false;
};

constexpr std::string_view dir = "DIR";

/// What an action is called with, beside options: DIR may be left out.
struct action {
  const char* name;
  const char* help;
  const char* first;
  const char* second; ///< null: there is one only
  const char* other;  ///< help of the one that is not DIR
};

constexpr action actions[] = {
  {"list", "runs, and how many calls each has; the newest is last", "DIR", nullptr, nullptr},
  {"show", "a run, a call, or a registration of load's", "DIR", "ID",
   "number of a run, or a call or registration as 12-1042"},
  {"export", "finished calls, or all events, as lines for programs", "DIR", nullptr, nullptr},
  {"verify", "reads all of it; exits with 0 if it is sound", "DIR", nullptr, nullptr},
  {"checkpoint", "copies it as it is at this moment", "DIR", "INTO", "empty or missing directory"},
  {"restore", "copies a checkpoint into an empty or missing state directory", "FROM", "DIR",
   "what checkpoint made"},
  {"compact", "gives back the space of what was erased; not while an engine uses it", "DIR",
   nullptr, nullptr},
};

void declare(CLI::App& app, texts& t) {
  for (const auto& a : actions) {
    auto* sub = app.add_subcommand(a.name, a.help);
    const auto add = [&](const char* name, std::string& into) {
      sub->add_option(name, into, name == dir ? directory_help : a.other)->type_name("");
    };
    add(a.first, t.first);
    if (a.second != nullptr)
      add(a.second, t.second);
    const std::string_view name{a.name};
    if (name == "list" || name == "show")
      sub->add_flag("--json", t.json, "as JSON");
    if (name != "export")
      continue;
    sub->add_flag("--cdrs", t.cdrs, "finished calls, one a line");
    sub->add_flag("--events", t.events, "all events, one a line");
    sub->add_option("--format", t.format, "jsonl or csv, which events have not (jsonl)");
    sub->add_option("--from", t.from, "the first sequence number, seq, that is wanted (1)");
    sub->add_option("--output", t.output, "file to write (standard output)");
  }
}

/// "3" or "3-1042".
result<std::variant<uint64_t, storage::call_key>> read_id(std::string_view text) {
  using id = std::variant<uint64_t, storage::call_key>;
  const auto whole = [](std::string_view s, uint64_t least) {
    return option_reader::whole<uint64_t>("ID", s, least, UINT64_MAX);
  };
  const auto dash = text.find('-');
  const auto run = whole(text.substr(0, dash), 1);
  if (run && dash == std::string_view::npos)
    return id{*run};
  if (run && dash != std::string_view::npos)
    if (const auto number = whole(text.substr(dash + 1), 0))
      return id{storage::call_key{*run, *number}};
  return fail("ID", "\"" + std::string{text} +
                      "\" is neither a run nor a call, expected a number as 12, or 12-1042");
}

result<state_action::export_lines> read_export(const texts& t) {
  state_action::export_lines e;
  option_reader r;
  r.check(t.cdrs != t.events, "--cdrs", "expected either --cdrs or --events");
  e.events = t.events;
  r.check(t.format.empty() || t.format == "jsonl" || t.format == "csv", "--format",
          "\"" + t.format + "\" is not available, expected jsonl or csv");
  r.check(!t.events || t.format != "csv", "--format",
          "events differ in what they have, expected jsonl with --events");
  if (t.format == "csv")
    e.format = storage::line_format::csv;
  r.number<uint64_t>("--from", t.from, e.from, 1, UINT64_MAX);
  e.output = t.output;
  if (r.failure())
    return tl::unexpected{*r.failure()};
  return e;
}

result<state_options> options_of(std::string_view name, const texts& t) {
  const auto* a = std::ranges::find(actions, name, &action::name);
  state_options o;
  std::string other;
  std::string directory = t.first;
  if (a->second != nullptr) {
    // Of two, DIR is the one that is missing.
    const bool both = !t.second.empty();
    other = both && a->first == dir ? t.second : t.first;
    directory = !both ? std::string{} : a->first == dir ? t.first : t.second;
    if (other.empty())
      return fail("jackfield state " + std::string{name},
                  std::string{"expected "} + (a->first == dir ? a->second : a->first));
  }
  o.directory = directory;
  if (directory.empty()) {
    auto usual = default_state_directory();
    if (!usual)
      return tl::unexpected{std::move(usual.error())};
    o.directory = std::move(*usual);
  }
  if (name == "list") {
    o.action = state_action::list{t.json};
  } else if (name == "show") {
    auto what = read_id(other);
    if (!what)
      return tl::unexpected{std::move(what.error())};
    o.action = state_action::show{*what, t.json};
  } else if (name == "export") {
    auto read = read_export(t);
    if (!read)
      return tl::unexpected{std::move(read.error())};
    o.action = std::move(*read);
  } else if (name == "verify") {
    o.action = state_action::verify{};
  } else if (name == "checkpoint") {
    o.action = state_action::copy{other};
  } else if (name == "restore") {
    o.action = state_action::copy{std::exchange(o.directory, other)};
  } else {
    o.action = state_action::compact{};
  }
  return o;
}

} // namespace

result<std::optional<state_options>>
parse_state_options(const std::vector<std::string>& arguments) {
  CLI::App app{
    "Shows, checks and copies what load, answer and serve keep with --state. All but compact "
    "may be used while an engine runs.",
    "jackfield state"};
  app.get_formatter()->column_width(24);
  app.require_subcommand(1);
  texts t;
  declare(app, t);
  if (!arguments.empty() && !arguments.front().starts_with("-") &&
      std::ranges::find(actions, arguments.front(), &action::name) == std::end(actions))
    return fail("jackfield state", "\"" + arguments.front() + "\" is no action, see --help");
  auto reversed = arguments;
  std::reverse(reversed.begin(), reversed.end());
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return std::optional<state_options>{};
  } catch (const CLI::ParseError& e) {
    return fail("jackfield state", std::string{e.what()} + ", see --help");
  }
  const auto* chosen = app.get_subcommands().front();
  if (auto all = demand_texts(*chosen); !all)
    return tl::unexpected{std::move(all.error())};
  return options_of(chosen->get_name(), t).map([](auto done) {
    return std::optional{std::move(done)};
  });
}

} // namespace jackfield::app
