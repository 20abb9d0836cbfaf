#include "app/webhooks/webhook_delivery.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace jackfield::webhooks {

namespace {

constexpr unsigned gone = 410;

} // namespace

bool webhook_delivery::tells(std::string_view name) const {
  return events_.empty() || std::ranges::any_of(events_, [&](const std::string& prefix) {
           return name.starts_with(prefix);
         });
}

// What it is not told of is passed over at once: there is a message only where there is something
// to tell.
void webhook_delivery::gather(const event_backlog& from) {
  if (cursor_.after + 1 < from.first()) {
    const auto missed = from.first() - 1 - cursor_.after;
    cursor_.dropped += missed;
    dropped_ += missed;
    cursor_.after = from.first() - 1;
  }
  message made{{}, R"({"events":[)", cursor_.after, cursor_.dropped, 0};
  for (auto seq = cursor_.after + 1; seq <= from.last(); ++seq) {
    const auto& event = from.at(seq);
    if (tells(event.name)) {
      const bool full = made.count == most_events ||
                        (made.count > 0 && made.body.size() + event.line.size() > most_bytes);
      if (full)
        break;
      made.body.append(made.count++ == 0 ? "" : ",").append(event.line);
    }
    made.next = seq;
  }
  if (made.count == 0) {
    cursor_.after = made.next;
    return;
  }
  made.id = fmt::format("msg_{:016x}_{}_{}", cursor_.stream, cursor_.after + 1, made.next);
  made.body += fmt::format(R"(],"next":{},"dropped":{}}})", made.next, made.dropped);
  message_ = std::move(made);
}

const webhook_delivery::message* webhook_delivery::begin(clock::time_point now,
                                                         const event_backlog& from) {
  if (sending_ || stopped_ || (next_try_ && now < *next_try_))
    return nullptr;
  if (!message_)
    gather(from);
  if (!message_)
    return nullptr;
  next_try_.reset();
  sending_ = true;
  return &*message_;
}

void webhook_delivery::on_answer(unsigned status, clock::time_point now) {
  if (!sending_)
    return;
  if (status / 100 != 2) {
    fail(fmt::format("the receiver answered {}{}", status,
                     status / 100 == 3 ? ", and redirects are not followed" : ""),
         now);
    stopped_ = status == gone;
    if (stopped_)
      next_try_.reset();
    return;
  }
  sending_ = false;
  tries_ = 0;
  last_error_.clear();
  ++deliveries_;
  cursor_.after = message_->next;
  cursor_.dropped -= message_->dropped;
  message_.reset();
}

void webhook_delivery::on_failure(std::string why, clock::time_point now) {
  if (sending_)
    fail(std::move(why), now);
}

void webhook_delivery::fail(std::string why, clock::time_point now) {
  sending_ = false;
  last_error_ = std::move(why);
  ++failures_;
  auto pause = first_pause;
  for (unsigned i = 0; i < tries_ && pause < longest_pause; ++i)
    pause = std::min(2 * pause, longest_pause);
  ++tries_;
  // Receivers that were away are not to be asked by all of us at once.
  std::uniform_int_distribution<std::chrono::milliseconds::rep> more{0, pause.count() / 2};
  next_try_ = now + pause + std::chrono::milliseconds{more(random_)};
}

void webhook_delivery::begin_anew(std::vector<std::string> events) {
  if (events != events_)
    message_.reset();
  events_ = std::move(events);
  sending_ = stopped_ = false;
  tries_ = 0;
  next_try_.reset();
}

} // namespace jackfield::webhooks
