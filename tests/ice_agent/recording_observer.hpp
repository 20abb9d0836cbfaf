#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "engine/ice/agent_observer.hpp"

namespace jackfield::ice::tests {

/// Keeps what an agent tells, and lets a test wait for it.
class recording_observer final : public agent_observer {
public:
  void on_candidates(const std::vector<candidate>& more, bool done) override {
    note([&] {
      found.insert(found.end(), more.begin(), more.end());
      gathered = gathered || done;
    });
  }
  void on_selected(taken_socket socket) override {
    note([&] { taken = std::move(socket); });
  }
  void on_relayed_selected(const lane::endpoint&) override {
    note([&] { relayed = true; });
  }
  void on_packet(std::span<const std::byte>) override {}
  void on_failed(const error& why) override {
    note([&] { failed = why; });
  }

  template <class Condition>
  void wait(Condition&& condition) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return condition(*this); });
  }
  int calls() {
    const std::scoped_lock lock{mutex_};
    return calls_;
  }
  std::vector<candidate> candidates() {
    wait([](const auto& o) { return !o.found.empty() || o.failed; });
    const std::scoped_lock lock{mutex_};
    return found;
  }

  std::vector<candidate> found;
  std::optional<taken_socket> taken;
  std::optional<error> failed;
  bool gathered = false;
  bool relayed = false;

private:
  template <class Change>
  void note(Change&& change) {
    const std::scoped_lock lock{mutex_};
    ++calls_;
    change();
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  int calls_ = 0;
};

} // namespace jackfield::ice::tests
