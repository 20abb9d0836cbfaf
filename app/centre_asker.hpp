#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/error.hpp>
#include <caf/scoped_actor.hpp>

namespace jackfield::app {

/// A thread that asks actors, and may wait for what they say: one job after the other.
class centre_asker {
public:
  using job = std::function<void(caf::scoped_actor&)>;
  static constexpr std::chrono::seconds patience{2};
  static constexpr size_t most_jobs = 128;

  explicit centre_asker(caf::actor_system& system);
  ~centre_asker() { stop(); }

  /// False: too many wait, and it will not be done.
  [[nodiscard]] bool add(job what);
  /// Ends with the job that runs; the others are let go.
  void stop();

  /// Asks all at once: what those say who say something within `patience`.
  template <class Told, class Ask>
  static std::vector<Told> ask_some(caf::scoped_actor& self, const std::vector<caf::actor>& whom,
                                    const Ask& what) {
    using handle = decltype(self->request(whom.front(), patience, what));
    std::vector<handle> asked;
    asked.reserve(whom.size());
    for (const auto& each : whom)
      asked.push_back(self->request(each, patience, what));
    std::vector<Told> told;
    told.reserve(whom.size());
    for (auto& each : asked)
      each.receive([&](Told& said) { told.push_back(std::move(said)); }, [](const caf::error&) {});
    return told;
  }
  /// Nothing: one did not say anything.
  template <class Told, class Ask>
  static std::optional<std::vector<Told>>
  ask(caf::scoped_actor& self, const std::vector<caf::actor>& whom, const Ask& what) {
    auto told = ask_some<Told>(self, whom, what);
    return told.size() == whom.size() ? std::optional{std::move(told)} : std::nullopt;
  }

private:
  void run(caf::actor_system& system);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<job> jobs_;
  bool stopped_ = false;
  std::thread thread_;
};

} // namespace jackfield::app
