#include "actors/wire/call_trace.hpp"

#include <algorithm>

#include <caf/actor_control_block.hpp>

namespace jackfield {

namespace {

/// A call that is over may still be heard of for so long, and what has no leg is settled by then:
/// 64*T1 (RFC 3261 §17).
constexpr lane::duration settled_after = std::chrono::seconds{32};
/// Text is handed over in batches of this many bytes, or after so long.
constexpr size_t batch_bytes = size_t{64} << 10U;
constexpr lane::duration batch_time = std::chrono::seconds{1};
/// What an entry costs without its messages, roughly.
constexpr size_t entry_bytes = 256;

std::string counted(size_t n, std::string_view what) {
  return std::to_string(n) + " " + std::string{what} + (n == 1 ? "" : "s");
}

} // namespace

call_trace::call_trace(sip_router& router, std::shared_ptr<const trace_settings> settings)
    : router_(router),
      settings_(std::move(settings)), origin_{router.home().now(), router.home().wall_now()},
      timer_(
        [](void* self) {
          auto& trace = *static_cast<call_trace*>(self);
          trace.look_again(trace.router_.home().now());
          trace.flush();
          trace.arm();
        },
        this) {
  router_.set_tap(this);
}

call_trace::~call_trace() {
  router_.set_tap(nullptr);
  flush();
}

// -- calls -----------------------------------------------------------------------

void call_trace::adopt(std::string_view call_id, caf::actor_id owner) {
  const auto found = calls_.find(std::string{call_id});
  if (found == calls_.end() || found->second.owner != 0)
    return;
  found->second.owner = owner;
  by_owner_[owner] = &*found;
}

void call_trace::on_leg_over(caf::actor_id owner, std::string_view failure) {
  const auto found = by_owner_.find(owner);
  if (found == by_owner_.end())
    return;
  auto& [call_id, c] = *found->second;
  resting_.push_back({router_.home().now() + settled_after, found->second, true});
  by_owner_.erase(found);
  if (!failure.empty())
    write_call("call", call_id, c, failure);
  c.how = failure.empty() ? state::forgotten : state::failed;
  forget_messages(c);
  arm();
}

void call_trace::finish() {
  while (!resting_.empty())
    look_again(resting_.front().at);
  if (!astray_.empty()) {
    text_ += "=== of no call: malformed, late or astray; " + counted(astray_.size(), "message");
    if (astray_left_out_ > 0)
      text_ += ", " + std::to_string(astray_left_out_) + " before them left out";
    text_ += "\n\n";
    for (const auto& message : astray_)
      write(message);
    astray_.clear();
    astray_bytes_ = 0;
  }
  if (calls_left_out_ > 0)
    text_ += "=== " + counted(calls_left_out_, "call") + " not traced: too many at once\n\n";
  calls_left_out_ = 0;
  flush();
  timer_.cancel();
}

void call_trace::conclude(calls::value_type& orphan) {
  auto& c = orphan.second;
  if (c.last_answer < 200 || c.last_answer > 299)
    write_call("request", orphan.first, c,
               c.last_answer == 0 ? "not answered" : "sip_" + std::to_string(c.last_answer));
  forget_messages(c);
}

void call_trace::look_again(lane::time_point now) {
  while (!resting_.empty() && resting_.front().at <= now) {
    const auto [at, which, over] = resting_.front();
    resting_.pop_front();
    if (!over && which->second.owner != 0)
      continue; // somebody's meanwhile: it rests again when it is over
    if (!over)
      conclude(*which);
    bytes_ -= entry_bytes;
    calls_.erase(calls_.find(which->first));
  }
}

// -- messages ----------------------------------------------------------------------

void call_trace::on_message(wire_direction direction, const transport::flow& over,
                            lane::time_point at, std::string_view bytes) {
  if (!settings_->outlet->is_open())
    return;
  const auto verdict = message_.parse(bytes, !transport::is_reliable(over.protocol));
  if (verdict == sip::parse_verdict::keep_alive)
    return;
  const bool malformed = verdict != sip::parse_verdict::good;
  const traced_message what{direction, malformed, over, at, {}};
  if (settings_->all) {
    auto shown = what;
    shown.bytes = bytes;
    if (text_.empty())
      text_since_ = router_.home().now();
    append_traced(text_, shown, origin_, router_.home().index());
    if (text_.size() >= batch_bytes)
      flush();
    arm();
    return;
  }
  look_again(router_.home().now());
  auto* const c = find_or_begin(direction, malformed, sizeof(kept) + bytes.size());
  if (c == nullptr) {
    keep_astray({what, std::string{bytes}});
  } else if (c->how == state::open) {
    if (direction == wire_direction::sent && message_.status() >= 200)
      c->last_answer = message_.status();
    keep(*c, {what, std::string{bytes}});
  } else if (c->how == state::failed) {
    write({what, std::string{bytes}}); // behind the others of its call
  }
  arm();
}

call_trace::call* call_trace::find_or_begin(wire_direction direction, bool malformed, size_t cost) {
  std::string call_id{message_.call_id()};
  if (call_id.empty())
    return nullptr;
  if (const auto known = calls_.find(call_id); known != calls_.end())
    return &known->second;
  if (malformed || !message_.is_request())
    return nullptr;
  caf::actor_id owner = 0;
  if (direction == wire_direction::sent) {
    const auto leg = sip::leg_id::parse(call_id);
    const auto* const actor = leg ? router_.legs().find(*leg) : nullptr;
    if (actor == nullptr)
      return nullptr;
    owner = (*actor)->id();
  } else if (message_.request_method() == sip::method::ack) {
    return nullptr;
  }
  if (bytes_ + entry_bytes + cost > settings_->bytes_in_all) {
    ++calls_left_out_;
    return nullptr;
  }
  auto& made = *calls_.try_emplace(std::move(call_id)).first;
  bytes_ += entry_bytes;
  made.second.owner = owner;
  if (owner != 0)
    by_owner_[owner] = &made;
  else
    resting_.push_back({router_.home().now() + settled_after, &made, false});
  return &made.second;
}

void call_trace::keep(call& c, kept message) {
  const auto cost = message.cost();
  while (c.bytes + cost > settings_->bytes_a_call || bytes_ + cost > settings_->bytes_in_all) {
    ++c.left_out;
    if (c.messages.size() == c.first)
      return;
    const auto oldest = c.messages.begin() + static_cast<std::ptrdiff_t>(c.first);
    c.bytes -= oldest->cost();
    bytes_ -= oldest->cost();
    c.messages.erase(oldest);
  }
  const bool front = c.left_out == 0 && c.first == c.messages.size() &&
                     c.bytes + cost <= settings_->bytes_a_call / 2;
  c.messages.push_back(std::move(message));
  c.bytes += cost;
  bytes_ += cost;
  if (front)
    ++c.first;
}

void call_trace::keep_astray(kept message) {
  astray_bytes_ += message.cost();
  astray_.push_back(std::move(message));
  while (astray_bytes_ > settings_->bytes_astray) {
    astray_bytes_ -= astray_.front().cost();
    astray_.pop_front();
    ++astray_left_out_;
  }
}

void call_trace::forget_messages(call& c) {
  bytes_ -= c.bytes;
  c.bytes = c.first = 0;
  c.messages = {};
}

// -- text --------------------------------------------------------------------------

void call_trace::write_call(std::string_view what, std::string_view call_id, const call& c,
                            std::string_view failure) {
  text_.append("=== ").append(what).append(" ");
  append_harmless(text_, call_id);
  text_.append(" failed: ").append(failure).append("; ");
  text_ += counted(c.messages.size(), "message");
  if (c.left_out > 0)
    text_ += ", " + std::to_string(c.left_out) + " left out";
  text_ += "\n\n";
  for (size_t i = 0; i <= c.messages.size(); ++i) {
    if (i == c.first && c.left_out > 0)
      text_ += "=== " + counted(c.left_out, "message") + " left out here\n\n";
    if (i < c.messages.size())
      write(c.messages[i]);
  }
  flush();
}

void call_trace::write(const kept& message) {
  auto shown = message.what;
  shown.bytes = message.bytes;
  if (text_.empty())
    text_since_ = router_.home().now();
  append_traced(text_, shown, origin_, router_.home().index());
}

void call_trace::flush() {
  if (text_.empty())
    return;
  settings_->outlet->write(std::exchange(text_, {}));
}

void call_trace::arm() {
  auto next = sip::never;
  if (!text_.empty())
    next = text_since_ + batch_time;
  if (!resting_.empty())
    next = std::min(next, resting_.front().at);
  if (next == sip::never)
    timer_.cancel();
  else if (!timer_.armed() || next < timer_.deadline())
    router_.home().arm(timer_, next);
}

} // namespace jackfield
