#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "actors/centre/centre_events.hpp"

namespace jackfield::app {

/// What a contact centre's events come to: the calls that wait in a queue or talk to an agent, and
/// what agents do. From any thread.
class centre_view {
public:
  struct call {
    uint64_t number = 0;
    std::string call_id;
    std::string from;
    std::string queue;
    std::string agent;                           ///< who talks; empty: it waits
    std::chrono::system_clock::time_point since; ///< it waits there, or talks
  };

  /// All agents there are, who are logged out.
  explicit centre_view(size_t agents) { agents_in_["logged_out"] = agents; }

  void take(const centre_event& event);
  /// Agents who are none any more are counted until they have logged out; those who come are
  /// logged out.
  void change(const std::vector<std::string>& gone, const std::vector<std::string>& come);

  /// In the order in which they came, those behind the number `after`, `limit` at most; `more`:
  /// there are.
  struct calls_page {
    std::vector<call> calls;
    bool more = false;
  };
  [[nodiscard]] calls_page calls(uint64_t after, size_t limit) const;
  [[nodiscard]] std::optional<call> find(uint64_t number) const;
  struct counts {
    size_t waiting = 0;
    size_t talking = 0;
    std::map<std::string, size_t> agents; ///< by state, those without any left out
  };
  [[nodiscard]] counts count() const;

private:
  void on_agent(const centre_event& event);
  void count_less(const std::string& state);
  void on_call(const centre_event& event);

  mutable std::mutex mutex_;
  std::map<uint64_t, call> calls_;
  std::unordered_set<uint64_t> over_early_; // told to be over before told to be connected
  std::unordered_map<std::string, std::string> agent_state_;
  std::map<std::string, size_t> agents_in_;
  std::unordered_set<std::string> leaving_; // agents
};

} // namespace jackfield::app
