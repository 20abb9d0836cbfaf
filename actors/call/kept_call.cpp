#include "actors/call/kept_call.hpp"

#include <utility>

#include <fmt/format.h>

#include "engine/sip/fields.hpp"

namespace jackfield {

namespace {

/// The URI in a From or To.
std::string_view uri_in(std::string_view value) {
  const auto read = sip::parse_name_addr(value);
  return read ? read->uri : std::string_view{};
}

storage::wall_time wall_now(const call_leg& leg) {
  return leg.home().wall_now();
}

} // namespace

std::string name_of(const sdp::codec& codec) {
  return fmt::format("{}/{}/{}", codec.encoding, codec.clock_rate, codec.channels);
}

void kept_call::begin(call_leg& leg, std::string_view from, std::string_view to,
                      std::string_view registered_as) {
  begin(leg, from, to, false, registered_as);
}

void kept_call::begin(call_leg& leg, const sip::message& invite) {
  begin(leg, uri_in(invite.first(sip::header::from)), uri_in(invite.first(sip::header::to)), true,
        {});
}

void kept_call::begin(call_leg& leg, std::string_view from, std::string_view to, bool incoming,
                      std::string_view registered_as) {
  if (!recorder_)
    return;
  const auto id = leg.identity().text();
  record_ = std::make_unique<storage::call_record>();
  record_->incoming = incoming;
  record_->bridged = bridged_;
  record_->registered_as = registered_as;
  record_->call_id = leg.call_id();
  record_->from = from;
  record_->to = to;
  record_->started = wall_now(leg);
  record_->leg.assign(id.data(), id.size());
  write(leg, recorder_->calls(), caf::strong_actor_ptr{leg.ctrl()});
}

void kept_call::note_progress(storage::wall_time due,
                              std::optional<storage::wall_time> first_response,
                              std::optional<storage::wall_time> ringing) {
  if (!record_)
    return;
  record_->due = due;
  record_->first_response = first_response;
  record_->ringing = ringing;
}

void kept_call::answered(call_leg& leg) {
  if (!record_)
    return;
  record_->answered = wall_now(leg);
  write(leg, recorder_->calls(), caf::strong_actor_ptr{leg.ctrl()});
}

void kept_call::confirmed(call_leg& leg) {
  if (record_)
    record_->answered = wall_now(leg);
  update(leg);
}

void kept_call::update(call_leg& leg) {
  if (record_ && !leg.over())
    write(leg, storage::durability::async, nullptr);
}

void kept_call::write(call_leg& leg, storage::durability how, const caf::strong_actor_ptr& waiter) {
  if (recorder_ == nullptr) // its lane keeps nothing any more
    return;
  auto& r = *record_;
  r.target = leg.peer();
  r.host = leg.peer_host();
  r.local = leg.local().to_string();
  // What the leg has is put together for the store only.
  if (r.answered || r.incoming)
    r.dialog = leg.record();
  else
    r.attempt = leg.attempt();
  if (queueing_) {
    r.queueing = *queueing_;
    if (!r.queueing->since) // it comes in with its ACK
      r.queueing->since = r.answered;
  }
  if (auto agreed = leg.described()) {
    r.media = storage::media_record{leg.media_port(), std::move(*agreed), {}};
    if (media_)
      for (const auto& codec : media_->capabilities().codecs)
        r.media->codecs.push_back(name_of(codec));
  }
  storage::change c;
  c.writes.put(storage::keyspace::calls, storage::key_of(key_), storage::pack(r));
  c.how = how;
  r.dialog.reset();
  r.attempt.reset();
  r.media.reset();
  recorder_->write(std::move(c), waiter);
}

void kept_call::ended(call_leg& leg, report::failure_cause cause, int status,
                      const storage::call_figures* figures) {
  const auto record = std::exchange(record_, nullptr);
  if (!record || recorder_ == nullptr)
    return;
  storage::call_ended end;
  end.call = key_;
  end.incoming = record->incoming;
  end.call_id = std::move(record->call_id);
  end.from = std::move(record->from);
  end.to = std::move(record->to);
  end.started = record->started;
  end.answered = record->answered;
  end.ended = wall_now(leg);
  if (cause.failed())
    end.cause = cause.name();
  end.status = static_cast<uint32_t>(status);
  if (figures != nullptr)
    end.figures = *figures;
  end.queueing = queueing_ ? std::optional{*queueing_} : std::move(record->queueing);
  if (end.queueing && !end.queueing->since)
    end.queueing->since = end.answered;
  if (auto& queueing = end.queueing; queueing && queueing->left.empty()) {
    if (cause == report::failure_cause::engine_restart)
      queueing->left = storage::call_ended::engine_restart;
    else if (queueing->since) // its caller went before the line was told
      queueing->left = "abandoned";
  }
  storage::change c;
  c.writes.erase(storage::keyspace::calls, storage::key_of(key_));
  c.events.push_back(storage::pack(storage::event_record{end.ended, std::move(end)}));
  c.how = recorder_->calls();
  recorder_->write(std::move(c));
}

} // namespace jackfield
