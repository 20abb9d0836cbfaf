#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/webhooks/event_backlog.hpp"
#include "app/webhooks/webhook_delivery.hpp"
#include "app/webhooks/webhook_settings.hpp"

namespace jackfield::webhooks {

/// How a webhook is doing.
struct webhook_state {
  std::string name;
  std::string url;      ///< without its query
  uint64_t cursor = 0;  ///< told of all events up to this one
  uint64_t behind = 0;  ///< events after it
  uint64_t dropped = 0; ///< events that were gone before it could be told, since the start
  uint64_t deliveries = 0;
  uint64_t failures = 0;
  std::string last_error; ///< of the last attempt; empty: it was well
  std::optional<std::chrono::system_clock::time_point> next_try; ///< of what was not taken
  bool stopped = false;                                          ///< by 410, until a reload
};

/// Tells receivers of events, on a thread of its own. Functions are for the thread of the command
/// that serves, but for `states`.
class webhooks {
public:
  static constexpr size_t kept_events = 10'000;
  static constexpr size_t kept_bytes = size_t{32} << 20U;

  /// A webhook has come so far: on its thread. What that says is to be kept.
  using moved = std::function<void(const std::string& name, const webhook_cursor& to)>;
  explicit webhooks(moved tell);
  ~webhooks();
  webhooks(const webhooks&) = delete;
  webhooks& operator=(const webhooks&) = delete;

  /// There are these from now on. Those of names that were there go on where they were, at once;
  /// others at `known`, or, where that has nothing, behind `last`: the number of the last event,
  /// which need not have been added while there was no webhook.
  void change(std::vector<webhook_settings> all, const std::map<std::string, webhook_cursor>& known,
              uint64_t last);
  /// Something has happened; as `event_backlog::add`.
  void add(uint64_t seq, event_backlog::event what);
  /// The process ends: all are told what there is to tell, of each that answers, until `patience`
  /// is over. Nothing is sent any more after that.
  void drain(std::chrono::milliseconds patience);

  /// From any thread.
  [[nodiscard]] std::vector<webhook_state> states() const;

private:
  class service;
  std::unique_ptr<service> service_;
};

} // namespace jackfield::webhooks
