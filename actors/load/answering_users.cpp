#include "actors/load/answering_users.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "actors/call/leg_messages.hpp"
#include "engine/sip/fields.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield {

namespace {

constexpr unsigned timer_id = 0;

} // namespace

user_directory::user_directory(std::vector<std::shared_ptr<const call_target>> users)
    : users_(std::move(users)) {
  by_contact_.reserve(users_.size());
  for (size_t place = 0; place < users_.size(); ++place)
    by_contact_.emplace(sip::unescape(users_[place]->contact_user), place);
}

std::optional<size_t> user_directory::find(std::string_view request_uri) const {
  const auto uri = sip::uri::parse(request_uri);
  if (!uri || !uri->is_sip())
    return std::nullopt;
  const auto found = by_contact_.find(sip::unescape(uri->user()));
  return found == by_contact_.end() ? std::nullopt : std::optional{found->second};
}

answering_users::answering_users(lane::lane_actor& owner, lane_context& context, register_users all)
    : owner_(owner), context_(context), all_(std::move(all)), timer_(owner, timer_id),
      next_(all_.index) {
  standing_.index = told_.index = all_.index;
  timer_.arm(owner_.home().now()); // the lane may not run yet: its first pass is when time begins
}

answering_users::~answering_users() {
  for (const auto& [place, who] : members_) // an error ended the owner
    dismiss(who);
}

lane::duration answering_users::offset_of(size_t n) const noexcept {
  return std::chrono::duration_cast<lane::duration>(
    std::chrono::duration<double>{static_cast<double>(n) / all_.rate});
}

void answering_users::on_timer() {
  const auto now = owner_.home().now();
  if (closing_) {
    if (!leaving_.empty()) {
      const auto who = members_.find(leaving_.back());
      leaving_.pop_back();
      if (who != members_.end())
        dismiss(who->second);
    }
    if (!leaving_.empty())
      timer_.arm(now + leave_gap_);
    return;
  }
  if (!std::exchange(started_, true))
    began_ = now;
  const auto size = all_.directory->all().size();
  for (; next_ < size && began_ + offset_of(next_) <= now; next_ += all_.count)
    enrol(next_);
  if (next_ < size)
    timer_.arm(began_ + offset_of(next_));
}

void answering_users::enrol(size_t place) {
  ++counts_.attempted;
  registration::plan plan;
  plan.number = place;
  plan.due = owner_.home().now();
  plan.expires = all_.expires;
  auto* const keeps = context_.keeps;
  members_[place].actor = caf::actor_cast<caf::strong_actor_ptr>(owner_.home().spawn<registration>(
    context_.router, all_.manner, user(place), plan,
    kept_registration{keeps, keeps != nullptr ? keeps->take_number() : 0},
    caf::strong_actor_ptr{owner_.ctrl()}));
}

void answering_users::dismiss(const member& who) {
  lane::tell(owner_.home(), who.actor, hang_up{});
}

void answering_users::on_report(const registration_report& report) {
  using kind = registration_report::kind;
  const auto found = members_.find(report.number);
  if (found == members_.end())
    return;
  auto& who = found->second;
  switch (report.what) {
  case kind::registered:
    ++counts_.succeeded;
    set_registered(who, true);
    break;
  case kind::refreshed:
    ++counts_.refreshed;
    set_registered(who, true);
    break;
  case kind::failed:
    if (report.had_registered) {
      ++counts_.refresh_failed;
      ++counts_.failures[report.failure];
      set_registered(who, false);
    } else if (refuses_for_good(report.status)) {
      give_up(report.number, who, report.failure);
      dismiss(who);
    }
    if (!who.refused && !std::exchange(who.told, true))
      tell_failure(report.number, report.failure, false);
    break;
  case kind::over:
    set_registered(who, false);
    if (!report.had_registered && !who.refused) {
      give_up(report.number, who,
              report.failure.failed() ? report.failure
                                      : report::failure_cause{report::failure_cause::stopped});
    } else if (report.failure.failed() && !closing_) {
      ++standing_.refused;
      tell_failure(report.number, report.failure, true);
    }
    note_answer(who);
    members_.erase(found);
    tell_standing();
    return;
  }
  note_answer(who);
  tell_standing();
}

void answering_users::note_answer(member& who) {
  standing_.answered += std::exchange(who.answered, true) ? 0 : 1;
}

void answering_users::set_registered(member& who, bool is) {
  if (std::exchange(who.registered, is) == is)
    return;
  if (is) {
    ++counts_.current;
    who.told = false;
  } else {
    --counts_.current;
  }
}

void answering_users::give_up(size_t place, member& who, report::failure_cause why) {
  who.refused = true;
  ++counts_.failed;
  ++counts_.failures[why];
  ++standing_.refused;
  if (!closing_)
    tell_failure(place, why, true);
}

void answering_users::tell_failure(size_t place, report::failure_cause why, bool for_good) {
  if (all_.watcher)
    lane::tell_from(owner_, all_.watcher,
                    user_failed{std::string{user(place)->from_uri()}, why, for_good});
}

void answering_users::tell_standing() {
  standing_.registered = counts_.current;
  if (all_.watcher && standing_ != std::exchange(told_, standing_))
    lane::tell_from(owner_, all_.watcher, users_standing{standing_});
}

void answering_users::leave(bool at_once) {
  if (!std::exchange(closing_, true)) {
    timer_.cancel();
    leaving_.reserve(members_.size());
    for (const auto& [place, who] : members_)
      leaving_.push_back(place);
    std::sort(leaving_.begin(), leaving_.end(), std::greater{}); // as they came
    leave_gap_ = offset_of(all_.count);
    all_.watcher = nullptr; // the rest is in the counts
  }
  if (!at_once) {
    if (!leaving_.empty() && !timer_.armed())
      on_timer();
    return;
  }
  timer_.cancel();
  for (auto place = leaving_.rbegin(); place != leaving_.rend(); ++place)
    if (const auto who = members_.find(*place); who != members_.end())
      dismiss(who->second);
  leaving_.clear();
}

bool answering_users::gone() const noexcept {
  return members_.empty();
}

void answering_users::on_call(size_t place, caf::actor_id call, const sip::message& invite) {
  if (!has_listener())
    return;
  calls_.emplace(call, place);
  engaged_.insert(place);
  user_rung rung{place, call, {}};
  for (const auto which : {sip::header::p_asserted_identity, sip::header::from})
    if (const auto who = sip::parse_name_addr(invite.first(which)))
      if (const auto uri = sip::uri::parse(who->uri))
        rung.callers.push_back(sip::unescape(uri->user()));
  lane::tell_from(owner_, all_.calls.listener, std::move(rung));
}

void answering_users::on_call_up(caf::actor_id call) {
  if (const auto found = calls_.find(call); found != calls_.end())
    lane::tell_from(owner_, all_.calls.listener, user_talks{found->second, call});
}

std::optional<size_t> answering_users::on_call_over(caf::actor_id call) {
  const auto found = calls_.find(call);
  if (found == calls_.end())
    return std::nullopt;
  const auto user = found->second;
  calls_.erase(found);
  engaged_.erase(user);
  lane::tell_from(owner_, all_.calls.listener, user_free{user, call});
  return user;
}

std::optional<size_t> answering_users::called_by(const sip::message& invite) const {
  return all_.directory->find(invite.request_uri());
}

} // namespace jackfield
