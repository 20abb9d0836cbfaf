#pragma once

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "actors/load/load_run.hpp"
#include "app/load_options.hpp"
#include "app/machine_load.hpp"
#include "engine/report/interval_series.hpp"
#include "engine/report/live_view.hpp"
#include "engine/report/run_report.hpp"
#include "engine/report/step_verdicts.hpp"

namespace jackfield::app {

/// Follows a run from the main thread: shows it, writes its files, judges it in the end.
class run_observer {
public:
  run_observer(const load_options& options, report::run_info info);
  ~run_observer();
  run_observer(const run_observer&) = delete;
  run_observer& operator=(const run_observer&) = delete;

  /// Opens the files, so that a bad name is told before a call is placed.
  result<void> open();

  void on_progress(const run_progress& progress);
  void on_call_lines(const call_lines_batch& batch);
  /// The final figures; writes all that was asked for. Fails if something could not be written.
  result<report::run_report> on_finished(const run_finished& finished);

  /// Why the run is to be drained; empty: it is not.
  [[nodiscard]] std::string_view wants_abort() const noexcept {
    return abort_                    ? "a threshold with abortOnFail"
           : !write_failure_.empty() ? "what comes out line by line cannot be written"
                                     : "";
  }
  /// What Prometheus is shown. Any thread.
  [[nodiscard]] std::shared_ptr<const report::run_metrics> latest() const { return latest_.load(); }
  void set_ended_by(std::string why) { info_.ended_by = std::move(why); }
  /// The run goes on after a crash; `before`: what came before it.
  void set_resumed(const report::resumption& how) { info_.resumed = how; }
  void set_before(const run_history& before);

private:
  struct close_file {
    void operator()(std::FILE* f) const noexcept { std::fclose(f); }
  };
  using file = std::unique_ptr<std::FILE, close_file>;

  void sample(std::chrono::nanoseconds elapsed, const report::run_metrics& metrics);
  static result<file> create(const char* option, const std::string& path, const char* mode);
  void show(const report::run_metrics& metrics, std::chrono::nanoseconds elapsed, bool draining);

  const load_options& options_;
  report::run_info info_;
  report::interval_series series_;
  report::step_verdicts steps_;
  report::live_view view_;
  std::atomic<std::shared_ptr<const report::run_metrics>> latest_;
  machine_load machine_;
  file json_, html_, csv_, junit_, calls_;
  std::string write_failure_;
  std::chrono::nanoseconds last_line_{};
  bool terminal_ = false;
  bool abort_ = false;
};

} // namespace jackfield::app
