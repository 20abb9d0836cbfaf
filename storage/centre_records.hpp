#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/records.hpp"
#include "storage/store.hpp"

/// What a contact centre's agents and queues are to know again after a restart. Their keys are
/// their names': what is configured no more is passed over.
namespace jackfield::storage {

/// An agent of a contact centre.
struct agent_record {
  bool logged_in = false;
  bool registered = false; ///< a phone of it is
  bool paused = false;
  bool pause_pending = false; ///< these two wait for the end of what it does
  bool log_out_pending = false;
  std::string pause_reason;
  std::optional<wall_time> call_since;     ///< a queue's call that it has
  std::chrono::nanoseconds call_wrap_up{}; ///< what will follow that
  bool direct_call = false;                ///< it has one beside the queues
  std::optional<wall_time> wrap_up_until;
  std::optional<wall_time> rest_until;
  wall_time available_since{}; ///< its place among those who are idle
  uint64_t answered_calls = 0; ///< since it logged in
  std::chrono::nanoseconds talk_time{};
  uint32_t unanswered = 0; ///< offers in a row

  friend bool operator==(const agent_record&, const agent_record&) = default;
};

/// What a queue has counted. Who waits there is in the records of the calls.
struct queue_record {
  uint64_t offered = 0;
  uint64_t refused = 0;
  uint64_t answered = 0;
  uint64_t abandoned = 0;
  uint64_t overflowed = 0;
  uint64_t withdrawn = 0;
  uint64_t answered_within = 0;
  uint64_t abandoned_within = 0;
  std::chrono::nanoseconds answered_wait{};
  std::chrono::nanoseconds abandoned_wait{};
  std::chrono::nanoseconds longest_wait{};
  std::chrono::nanoseconds between{}; ///< departures to agents: mean of so many intervals
  uint32_t intervals = 0;
  struct turn { ///< whose it was last in a tier
    uint16_t tier = 0;
    uint32_t position = 0;
    uint64_t order = 0;

    friend bool operator==(const turn&, const turn&) = default;
  };
  std::vector<turn> turns;

  /// Of those that were let in, these have not gone.
  [[nodiscard]] uint64_t waiting() const noexcept;

  friend bool operator==(const queue_record&, const queue_record&) = default;
};

/// One who was promised to be called back, and keeps the place in the line.
struct callback_record {
  std::string call_id; ///< of the call that it comes of
  std::string from;    ///< a URI
  std::string to;      ///< a URI: what was called
  std::string number;  ///< that is to be called
  std::string queue;
  int32_t priority = 0;
  wall_time since{};      ///< its place is from then
  uint32_t attempts = 0;  ///< that have begun
  bool under_way = false; ///< the last of them

  friend bool operator==(const callback_record&, const callback_record&) = default;
};

[[nodiscard]] std::string pack(const agent_record& record);
[[nodiscard]] std::string pack(const queue_record& record);
[[nodiscard]] std::string pack(const callback_record& record);
/// As those of other records.
[[nodiscard]] result<agent_record> unpack_agent(std::string_view bytes);
[[nodiscard]] result<queue_record> unpack_queue(std::string_view bytes);
[[nodiscard]] result<callback_record> unpack_callback(std::string_view bytes);

/// In `keyspace::meta`.
[[nodiscard]] std::string agent_key(std::string_view name);
[[nodiscard]] std::string queue_key(std::string_view name);
/// By the Call-ID of the call that it comes of.
[[nodiscard]] std::string callback_key(std::string_view call_id);
[[nodiscard]] std::optional<std::string_view> agent_of_key(std::string_view key);
[[nodiscard]] std::optional<std::string_view> queue_of_key(std::string_view key);
[[nodiscard]] std::optional<std::string_view> callback_of_key(std::string_view key);

/// All of a store, by name, and who is to be called back, by place.
struct kept_centre {
  std::unordered_map<std::string, agent_record> agents;
  std::unordered_map<std::string, queue_record> queues;
  std::vector<callback_record> callbacks = {};
};
[[nodiscard]] outcome<kept_centre> read_centre(const store& s);

} // namespace jackfield::storage
