#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <caf/fwd.hpp>

#include "actors/wire/sip_router.hpp"
#include "actors/wire/trace_outlet.hpp"
#include "actors/wire/trace_text.hpp"
#include "actors/wire/wire_tap.hpp"
#include "engine/lane/lane.hpp"
#include "engine/sip/message.hpp"

namespace jackfield {

/// Traces one router's calls: keeps the messages of each, by Call-ID, until its owner says how it
/// went, and then writes or forgets them. What is answered without a leg failed if its last answer
/// is no 2xx 32 s after it began. What can be told to no call (malformed, late, astray) is kept in
/// a ring and written in the end. With `all` each message is written as it comes.
///
/// On the router's thread; taps the router as long as it lives.
class call_trace final : public wire_tap {
public:
  call_trace(sip_router& router, std::shared_ptr<const trace_settings> settings);
  ~call_trace() override;
  call_trace(const call_trace&) = delete;
  call_trace& operator=(const call_trace&) = delete;

  /// Times are shown relative to this; else to the trace's beginning.
  void set_origin(const trace_origin& origin) { origin_ = origin; }

  /// The call with this Call-ID is `owner`'s, who will say how it went. Legs that send the first
  /// request are known without.
  void adopt(std::string_view call_id, caf::actor_id owner);
  /// Nothing more is to come: writes what belongs to no call, and hands over all text.
  void finish();

  void on_message(wire_direction direction, const transport::flow& over, lane::time_point at,
                  std::string_view bytes) override;
  void on_leg_over(caf::actor_id owner, std::string_view failure) override;

private:
  struct kept {
    traced_message what; // without bytes
    std::string bytes;
    [[nodiscard]] size_t cost() const noexcept { return sizeof(kept) + bytes.size(); }
  };
  enum class state : uint8_t { open, failed, forgotten };
  struct call {
    state how = state::open;
    caf::actor_id owner = 0; // 0: no leg's
    int last_answer = 0;     // of ours that was final
    std::vector<kept> messages;
    size_t first = 0; // of them that stay, in front of what was left out
    size_t bytes = 0;
    size_t left_out = 0;
  };
  using calls = std::unordered_map<std::string, call>;
  struct rest { // a call that is looked at again
    lane::time_point at{};
    calls::value_type* which = nullptr;
    bool over = false;
  };

  call* find_or_begin(wire_direction direction, bool malformed, size_t cost);
  void keep(call& c, kept message);
  void keep_astray(kept message);
  void forget_messages(call& c);
  void write_call(std::string_view what, std::string_view call_id, const call& c,
                  std::string_view failure);
  void write(const kept& message);
  void conclude(calls::value_type& orphan);
  void look_again(lane::time_point now);
  void flush();
  void arm();

  sip_router& router_;
  std::shared_ptr<const trace_settings> settings_;
  trace_origin origin_;
  sip::message message_; // the one at hand
  calls calls_;
  std::unordered_map<caf::actor_id, calls::value_type*> by_owner_;
  std::deque<rest> resting_; // by time
  std::deque<kept> astray_;
  size_t astray_bytes_ = 0;
  size_t astray_left_out_ = 0;
  size_t bytes_ = 0; // of all calls
  size_t calls_left_out_ = 0;
  std::string text_; // not handed over yet
  lane::time_point text_since_{};
  lane::timer timer_;
};

} // namespace jackfield
