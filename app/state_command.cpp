#include "app/state_command.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "app/kept_state.hpp"
#include "app/state_options.hpp"
#include "app/state_text.hpp"
#include "engine/report/escape.hpp"
#include "engine/report/exit_code.hpp"
#include "engine/report/figures.hpp"
#include "storage/overview.hpp"
#include "storage/rocks_store.hpp"
#include "storage/verification.hpp"

namespace jackfield::app {

namespace {

using storage::fault_kind;
using storage::outcome;
using storage::rocks_store;

/// Beside an engine that puts its files together anew, a file may go while it is checked.
constexpr int verify_tries = 3;

int usage(const error& e) {
  std::fprintf(stderr, "%s\n", e.to_string().c_str());
  return static_cast<int>(report::exit_code::usage);
}

/// What is written to: a file, or standard output. Whoever reads that may have seen enough.
class output {
public:
  result<void> open(const std::string& file) {
    if (file.empty())
      return {};
    name_ = file;
    file_.reset(std::fopen(file.c_str(), "wb"));
    if (!file_)
      return fail_errno("--output", "\"" + file + "\" cannot be written", errno);
    return {};
  }
  /// False if no more can be written.
  bool write(std::string_view text) {
    auto* const to = file_ ? file_.get() : stdout;
    if (failure_ == 0 && std::fwrite(text.data(), 1, text.size(), to) != text.size())
      failure_ = errno;
    return failure_ == 0;
  }
  /// The exit code, with a line where it is not 0.
  int close() {
    if (failure_ == 0 && std::fflush(file_ ? file_.get() : stdout) != 0)
      failure_ = errno;
    if (failure_ == 0 && file_ && std::fclose(file_.release()) != 0)
      failure_ = errno;
    if (failure_ == 0 || (failure_ == EPIPE && name_.empty()))
      return 0;
    return tell_fault({failure_ == ENOSPC ? fault_kind::disk_full : fault_kind::failed,
                       {name_.empty() ? "standard output" : "--output",
                        (name_.empty() ? "" : "\"" + name_ + "\" ") +
                          "cannot be written: " + std::generic_category().message(failure_)}});
  }

private:
  std::string name_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_{nullptr, &std::fclose};
  int failure_ = 0;
};

int print(std::string_view text) {
  output out;
  out.write(text);
  return out.close();
}

/// A fault of a record names the record: the directory goes before it.
int tell_fault_in(const std::filesystem::path& directory, storage::fault what) {
  if (what.why.place != directory.string())
    what.why.place = directory.string() + ": " + what.why.place;
  return tell_fault(what);
}

int tell_absent(const std::filesystem::path& directory, const std::string& what) {
  std::fprintf(stderr, "%s\n", error{directory.string(), "has no " + what}.to_string().c_str());
  return static_cast<int>(report::exit_code::failed);
}

int list(const state_options& o, const rocks_store& store, bool json) {
  auto runs = storage::overview(store);
  if (!runs)
    return tell_fault_in(o.directory, std::move(runs.error()));
  const bool in_use = rocks_store::in_use(o.directory);
  return print(json ? list_json(*runs, in_use) : list_text(*runs, in_use));
}

int show_run(const state_options& o, const rocks_store& store, uint64_t number, bool json) {
  auto runs = storage::overview(store);
  if (!runs)
    return tell_fault_in(o.directory, std::move(runs.error()));
  const bool in_use = rocks_store::in_use(o.directory);
  for (const auto& r : *runs)
    if (r.number == number)
      return print(json ? run_json(r, in_use) : run_text(r, in_use));
  return tell_absent(o.directory, "run " + std::to_string(number));
}

int show_entry(const state_options& o, const rocks_store& store, const storage::call_key& id,
               bool json) {
  auto under_way = storage::find_under_way(store, id);
  if (!under_way)
    return tell_fault_in(o.directory, std::move(under_way.error()));
  if (const auto& call = *under_way)
    return print(json ? call_json(id, *call) : call_text(id, *call));
  auto registered = storage::find_registration(store, id);
  if (!registered)
    return tell_fault_in(o.directory, std::move(registered.error()));
  if (const auto& made = *registered)
    return print(json ? registration_json(id, *made) : registration_text(id, *made));
  auto finished = storage::find_finished(store, id);
  if (!finished)
    return tell_fault_in(o.directory, std::move(finished.error()));
  if (const auto& call = *finished)
    return print(json ? call_json(*call) : call_text(*call));
  return tell_absent(o.directory, "call or registration " + id.text());
}

int show(const state_options& o, const rocks_store& store, const state_action::show& asked) {
  if (const auto* number = std::get_if<uint64_t>(&asked.what))
    return show_run(o, store, *number, asked.json);
  return show_entry(o, store, std::get<storage::call_key>(asked.what), asked.json);
}

int export_lines(const state_options& o, const rocks_store& store,
                 const state_action::export_lines& e) {
  output out;
  if (auto opened = out.open(e.output); !opened)
    return usage(opened.error());
  const auto sink = [&](std::string_view lines) { return out.write(lines); };
  auto done = e.events ? storage::export_events(store, e.from, sink)
                       : storage::export_calls(store, e.from, e.format, sink);
  const int written = out.close();
  return done || written != 0 ? written : tell_fault_in(o.directory, std::move(done.error()));
}

std::string holdings(const storage::verification& v) {
  std::string out = report::grouped(v.runs) + (v.runs == 1 ? " run, " : " runs, ") +
                    report::grouped(v.calls_finished) + " calls finished, " +
                    report::grouped(v.calls_under_way) + " under way, ";
  if (v.addresses > 0)
    out += report::grouped(v.addresses) + (v.addresses == 1 ? " address" : " addresses") +
           " of record, ";
  if (v.registrations > 0)
    out += report::grouped(v.registrations) +
           (v.registrations == 1 ? " registration, " : " registrations, ");
  if (v.events == 0)
    return out + "no events";
  return out + "events " + std::to_string(v.first_event) + " to " + std::to_string(v.last_event);
}

/// Prints what was found.
int judge(const std::filesystem::path& directory, const storage::verification& v) {
  if (v.sound())
    return print(error{directory.string(), "is sound: " + holdings(v)}.to_string() + "\n");
  std::string lines;
  for (const auto& f : v.findings)
    lines += report::escape_terminal(f.to_string()) + "\n";
  if (v.more_findings > 0)
    lines += "and " + report::grouped(v.more_findings) + " more\n";
  print(lines);
  return tell_fault({fault_kind::corrupt, {directory.string(), "is not sound: " + holdings(v)}});
}

outcome<storage::verification> verify_whole(const rocks_store& store) {
  if (auto checked = store.verify_checksums(); !checked)
    return tl::unexpected{std::move(checked.error())};
  return storage::verify(store);
}

int verify(const std::filesystem::path& directory) {
  for (int i = 1;; ++i) {
    auto store = rocks_store::look(directory);
    if (!store)
      return tell_fault(store.error());
    if (auto torn = (*store)->verify_checksums(); torn && !(*store)->note().empty()) {
      if (i < verify_tries)
        continue;
      return tell_fault({fault_kind::torn, {directory.string(), (*store)->note()}});
    }
    auto v = verify_whole(**store);
    if (v)
      return judge(directory, *v);
    if (v.error().kind != fault_kind::failed || i == verify_tries)
      return tell_fault_in(directory, std::move(v.error()));
  }
}

int copy(const rocks_store& store, const std::filesystem::path& into) {
  if (auto copied = storage::copy_store(store, into); !copied)
    return tell_fault(copied.error());
  return verify(into);
}

int compact(const std::filesystem::path& directory) {
  // Opened to write, a store would be made where there is none.
  if (auto there = rocks_store::look(directory); !there)
    return tell_fault(there.error());
  auto store = rocks_store::open(directory);
  if (!store)
    return tell_fault(store.error());
  if (!(*store)->note().empty())
    std::fprintf(stderr, "%s\n", error{directory.string(), (*store)->note()}.to_string().c_str());
  if (auto done = (*store)->compact(); !done)
    return tell_fault(done.error());
  return 0;
}

} // namespace

int state_command(const std::vector<std::string>& arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  auto parsed = parse_state_options(arguments);
  if (!parsed)
    return usage(parsed.error());
  if (!*parsed)
    return 0;
  const auto& o = **parsed;
  if (std::holds_alternative<state_action::verify>(o.action))
    return verify(o.directory);
  if (std::holds_alternative<state_action::compact>(o.action))
    return compact(o.directory);
  const auto store = rocks_store::look(o.directory);
  if (!store)
    return tell_fault(store.error());
  if (const auto* asked = std::get_if<state_action::show>(&o.action))
    return show(o, **store, *asked);
  if (const auto* asked = std::get_if<state_action::export_lines>(&o.action))
    return export_lines(o, **store, *asked);
  if (const auto* asked = std::get_if<state_action::copy>(&o.action))
    return copy(**store, asked->into);
  return list(o, **store, std::get<state_action::list>(o.action).json);
}

} // namespace jackfield::app
