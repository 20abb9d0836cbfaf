#include "app/kept_state.hpp"

#include <chrono>
#include <cstdio>
#include <utility>

#include "storage/run_book.hpp"

namespace jackfield::app {

int tell_fault(const storage::fault& what) {
  std::fprintf(stderr, "%s\n", what.why.to_string().c_str());
  return static_cast<int>(what.kind);
}

storage::outcome<std::unique_ptr<kept_state>> kept_state::open(const keep_options& options) {
  if (options.directory.empty())
    return nullptr;
  auto opened = storage::rocks_store::open(options.directory);
  if (!opened)
    return tl::unexpected{std::move(opened.error())};
  const auto& store = *opened;
  if (!store->note().empty())
    std::fprintf(stderr, "%s: %s\n", options.directory.c_str(), store->note().c_str());
  const auto closed = storage::close_interrupted(*store);
  if (!closed)
    return tl::unexpected{closed.error()};
  if (closed->runs > 0)
    std::fprintf(stderr,
                 "%s: %llu %s cut off before; closed %llu calls that were up (engine_restart) and "
                 "%llu attempts without an outcome (indeterminate)\n",
                 options.directory.c_str(), static_cast<unsigned long long>(closed->runs),
                 closed->runs == 1 ? "run was" : "runs were",
                 static_cast<unsigned long long>(closed->answered),
                 static_cast<unsigned long long>(closed->indeterminate));
  return std::unique_ptr<kept_state>{new kept_state{options, std::move(*opened)}};
}

storage::outcome<void> kept_state::begin(node& engine, std::string_view kind,
                                         const std::string& command, uint64_t seed,
                                         const caf::actor& watcher) {
  storage::run_record run;
  run.kind = kind;
  run.command = command;
  run.seed = seed;
  run.started = std::chrono::system_clock::now();
  auto number = storage::begin_run(*store_, run);
  if (!number)
    return tl::unexpected{std::move(number.error())};
  auto log = storage::commit_log::begin(*store_);
  if (!log)
    return tl::unexpected{std::move(log.error())};
  run_ = *number;
  engine.keep_calls(std::move(*log), run_, options_.calls, watcher);
  return {};
}

storage::outcome<void> kept_state::end(std::string_view ended_by) {
  return storage::end_run(*store_, run_, std::chrono::system_clock::now(), ended_by);
}

} // namespace jackfield::app
