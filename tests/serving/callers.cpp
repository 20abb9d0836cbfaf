#include "tests/serving/callers.hpp"

#include <chrono>
#include <memory>

#include <caf/send.hpp>

#include "actors/load/load_messages.hpp"

namespace jackfield::tests {

callers::callers(const std::string& number, transport::protocol p, uint64_t calls) {
  load_settings settings;
  settings.uri = number;
  settings.transport = p;
  settings.lanes = 1;
  settings.arrivals.phases = {{1000, 1000, std::nullopt}};
  settings.arrivals.calls = calls;
  settings.length = std::chrono::hours{24};
  run_ = prepare(settings, "callers").value();
  self_.emplace(run_.engine->system());
  launched_ = launch(run_, caf::actor_cast<caf::actor>(*self_));
  begin(run_, launched_);
}

callers::~callers() = default;

void callers::hang_up() {
  caf::anon_send(launched_, load_abort{});
}

report::call_counts callers::counts() {
  std::shared_ptr<const report::run_metrics> last;
  while (!last)
    (*self_)->receive([](const run_progress&) {},
                      [&](const run_finished& run) { last = run.metrics; });
  return last->calls;
}

} // namespace jackfield::tests
