#include "app/centre_telling.hpp"

#include <chrono>
#include <utility>

#include <caf/send.hpp>

namespace jackfield::app {

namespace {

// When all calls are over:
constexpr std::chrono::seconds last_writes{5};
constexpr std::chrono::seconds last_deliveries{2};

} // namespace

void centre_telling::begin(start with, std::vector<webhooks::webhook_settings> hooks) {
  const auto& told = with.told;
  for (const auto& [name, at] : told.webhooks)
    cursors_[name] = {at.after, at.dropped, at.stream};
  const auto before = told.last - told.events.size();
  hooks_.emplace([to = caf::actor_cast<caf::actor>(self_)](const std::string& name,
                                                           const webhooks::webhook_cursor& at) {
    caf::anon_send(to, webhook_moved{name, {at.after, at.dropped, at.stream}});
  });
  api_ = with.api;
  if (api_ != nullptr)
    api_->run(std::move(with.actors), {with.records, &*hooks_}, before);
  keeps_ = static_cast<bool>(with.keeper);
  book_.emplace(
    told.last, std::move(with.keeper),
    [this](uint64_t number, const storage::told_event& event) { tell_others(number, event); });
  for (size_t i = 0; i < told.events.size(); ++i)
    tell_others(before + 1 + i, told.events[i]);
  change(std::move(hooks));
}

void centre_telling::change(std::vector<webhooks::webhook_settings> hooks) {
  names_.clear();
  for (const auto& each : hooks)
    names_.push_back(each.name);
  hooks_->change(std::move(hooks), cursors_, book_->told());
}

void centre_telling::tell_others(uint64_t number, const storage::told_event& event) {
  if (api_ != nullptr)
    api_->tell(number, event);
  hooks_->add(number, {event.name, event.line});
}

void centre_telling::take(const centre_event& event) {
  const bool others = api_ != nullptr || keeps_ || !names_.empty();
  auto line = others || files_.wants_lines() ? event_line(event, book_->next()) : std::string{};
  files_.take(event, line);
  if (api_ != nullptr)
    api_->take(event);
  if (!others) {
    book_->pass();
    return;
  }
  line.pop_back(); // its end
  book_->add(self_, {std::string{to_string(event.what)}, std::move(line)});
}

void centre_telling::take(const webhook_moved& hook) {
  cursors_[hook.name] = {hook.to.after, hook.to.dropped, hook.to.stream};
  book_->keep(self_, hook.name, hook.to);
}

void centre_telling::finish() {
  bool late = false;
  while (book_->busy() && !late)
    self_->receive([&](const told_kept& kept) { book_->take(kept); },
                   caf::after(last_writes) >> [&] { late = true; });
  book_->let_go();
  hooks_->drain(last_deliveries);
  for (bool more = true; more;)
    self_->receive([&](const webhook_moved& hook) { take(hook); },
                   caf::after(std::chrono::milliseconds::zero()) >> [&] { more = false; });
}

} // namespace jackfield::app
