#include "engine/ice/connectivity.hpp"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

namespace jackfield::ice {

namespace {

using namespace std::chrono_literals;
using lane::time_point;

// A check goes out at 0, 50 and 100 ms, then each 200 ms until 2 s, then once a second: where a
// third is lost each way, only half of them are answered.
constexpr std::array<std::chrono::milliseconds, 11> quick_pauses{
  50ms, 50ms, 100ms, 200ms, 200ms, 200ms, 200ms, 200ms, 200ms, 200ms, 200ms};
constexpr uint8_t quick = quick_pauses.size();

lane::duration pause_after(uint8_t sent) noexcept {
  return sent != 0 && sent <= quick ? quick_pauses[sent - 1] : lane::duration{1s};
}

/// After so many the peer may ask for it again.
constexpr uint8_t most_for_alternative = quick + 3;

uint64_t random_number(random_source& random) noexcept {
  std::array<std::byte, 8> bytes{};
  random.fill(bytes);
  uint64_t out = 0;
  for (const std::byte b : bytes)
    out = out << 8 | std::to_integer<uint64_t>(b);
  return out;
}

/// Whether the user name of a request to us begins with our ufrag (RFC 8445 §7.3).
bool names(std::string_view username, std::string_view ufrag) noexcept {
  return username.size() > ufrag.size() && username.starts_with(ufrag) &&
         username[ufrag.size()] == ':';
}

} // namespace

connectivity::connectivity(const connectivity_settings& settings, time_point now,
                           random_source& random)
    : local_(settings.local), remote_credentials_(settings.remote), random_(&random),
      tie_breaker_(settings.tie_breaker), answered_(now), priority_(settings.priority),
      remote_(settings.remote_address), controlling_(settings.controlling && !settings.lite),
      lite_(settings.lite) {
  schedule_consent(now);
  if (controlling_) {
    nominating_ = true;
    begin(check_, now);
  }
}

void connectivity::on_stun(const lane::endpoint& from, std::span<const std::byte> datagram,
                           time_point now, connectivity_host& host) {
  if (lost_ || from.is_forbidden_destination())
    return;
  const auto message = read_stun(datagram);
  if (!message) {
    ++counts_.malformed;
    return;
  }
  switch (message->kind) {
  case message_class::request:
    on_request(from, datagram, *message, now, host);
    return;
  case message_class::success:
  case message_class::error:
    on_response(from, datagram, *message, now, host);
    return;
  case message_class::indication: // keeps a NAT's binding alive
    note_heard(from, now);
    return;
  }
}

bool connectivity::on_media_heard(const lane::endpoint& from, time_point now) noexcept {
  const auto* place = from == remote_ ? nullptr : find(from);
  const bool known = from == remote_ || (place != nullptr && validated(*place, now));
  if (!known)
    ++counts_.strange_media;
  note_heard(from, now);
  return known && !lost_;
}

void connectivity::on_timer(time_point now, connectivity_host& host) {
  if (lost_ || !remote_.valid())
    return;
  if (now >= answered_ + consent_expiry) {
    lost_ = true;
    host.on_consent_lost();
    return;
  }
  if (lite_)
    return;
  if (now >= next_consent_) {
    const auto id = new_id();
    consent_ids_[next_consent_id_] = id;
    next_consent_id_ = static_cast<uint8_t>((next_consent_id_ + 1U) % consent_ids_.size());
    consent_ids_used_ =
      static_cast<uint8_t>(std::min<size_t>(consent_ids_used_ + size_t{1}, consent_ids_.size()));
    send_check(remote_, id, false, host);
    schedule_consent(now);
  }
  check_pair(now, host);
  check_alternatives(now, host);
}

time_point connectivity::deadline() const noexcept {
  if (lost_ || !remote_.valid())
    return time_point::max();
  if (lite_)
    return answered_ + consent_expiry;
  auto out = std::min(next_consent_, answered_ + consent_expiry);
  out = std::min(out, check_.active ? check_.next : answered_ + doubt_after);
  for (const auto& place : alternatives_) {
    if (place.check.active)
      out = std::min(out, place.check.next);
  }
  return out;
}

void connectivity::on_request(const lane::endpoint& from, std::span<const std::byte> datagram,
                              const binding_message& message, time_point now,
                              connectivity_host& host) {
  // Every check has a fingerprint (RFC 8445 §7.1); what has none may be anything.
  if (!message.has_fingerprint) {
    ++counts_.malformed;
    return;
  }
  if (!message.username || message.integrity_at == 0) {
    ++counts_.unauthenticated;
    refuse(from, message, stun_error::bad_request, false, host);
    return;
  }
  if (!names(*message.username, local_.ufrag) || !has_integrity(datagram, message, local_.pwd)) {
    ++counts_.unauthenticated;
    refuse(from, message, stun_error::unauthenticated, false, host);
    return;
  }
  if (message.unknown.count != 0) {
    ++counts_.malformed;
    refuse(from, message, stun_error::unknown_attribute, true, host);
    return;
  }
  if (message.controlling && message.controlled) {
    ++counts_.malformed;
    refuse(from, message, stun_error::bad_request, true, host);
    return;
  }
  if (!settle_roles(message, now)) {
    refuse(from, message, stun_error::role_conflict, true, host);
    return;
  }
  stun_buffer buffer;
  const auto answer = write_success(buffer, message.id, from, local_.pwd);
  if (!answer.empty())
    host.send(from, answer);
  ++counts_.answered;
  note_heard(from, now);
  if (from != remote_)
    consider(from, message.use_candidate && !controlling_, now, host);
}

void connectivity::on_response(const lane::endpoint& from, std::span<const std::byte> datagram,
                               const binding_message& message, time_point now,
                               connectivity_host& host) {
  const auto consent_end = consent_ids_.begin() + consent_ids_used_;
  const auto consent = std::find(consent_ids_.begin(), consent_end, message.id);
  const bool of_consent = from == remote_ && consent != consent_end;
  const bool of_check = from == remote_ && check_.active && message.id == check_.id;
  auto* place = from == remote_ ? nullptr : find(from);
  if (place != nullptr && (!place->check.active || message.id != place->check.id))
    place = nullptr;
  if ((!of_consent && !of_check && place == nullptr) ||
      !has_integrity(datagram, message, remote_credentials_.pwd)) {
    ++counts_.unmatched;
    return;
  }
  ++counts_.confirmed;
  if (message.kind == message_class::error) {
    if (message.error == static_cast<uint16_t>(stun_error::role_conflict)) {
      ++counts_.conflicts;
      // Whatever was under way was asked in the role that is given up.
      take_role(!controlling_, now);
    }
    return;
  }
  if (place != nullptr) {
    place->validated = now;
    place->check.active = false;
    on_validated(*place, now, host);
    return;
  }
  answered_ = now;
  if (of_check) {
    check_.active = false;
    nominating_ = false;
  } else if (!nominating_) {
    check_.active = false; // the pair lives
  }
}

void connectivity::refuse(const lane::endpoint& to, const binding_message& message,
                          stun_error error, bool authenticated, connectivity_host& host) {
  stun_buffer buffer;
  const auto answer =
    write_error(buffer, message.id, error,
                authenticated ? std::string_view{local_.pwd} : std::string_view{}, message.unknown);
  if (!answer.empty())
    host.send(to, answer);
}

bool connectivity::settle_roles(const binding_message& message, time_point now) {
  if (controlling_ && message.controlling) {
    ++counts_.conflicts;
    if (tie_breaker_ >= *message.controlling)
      return false;
    take_role(false, now);
  } else if (!controlling_ && message.controlled) {
    ++counts_.conflicts;
    if (lite_ || tie_breaker_ < *message.controlled)
      return false;
    take_role(true, now);
  }
  return true;
}

void connectivity::take_role(bool controlling, time_point now) {
  controlling_ = controlling && !lite_;
  nominating_ = controlling_;
  consent_ids_used_ = 0;
  next_consent_id_ = 0;
  check_.active = false;
  if (!lite_)
    begin(check_, now);
  for (auto& place : alternatives_) {
    place.nominated = false;
    if (place.check.active)
      begin(place.check, now);
  }
}

void connectivity::consider(const lane::endpoint& from, bool nominated, time_point now,
                            connectivity_host& host) {
  auto* place = find(from);
  if (place == nullptr) {
    place = &free_place();
    *place = alternative{};
    place->address = from;
  }
  if (lite_) {
    // It never checks by itself: the peer has, and says so.
    if (nominated)
      move_to(*place, now, host);
    else
      place->validated = now;
    return;
  }
  place->nominated = place->nominated || nominated;
  if (validated(*place, now)) {
    on_validated(*place, now, host);
  } else if (!place->check.active) {
    begin(place->check, now);
    check_alternatives(now, host);
  }
}

void connectivity::on_validated(alternative& place, time_point now, connectivity_host& host) {
  // A controlling end stays where it is while that answers, and goes where the peer is heard when
  // it does not: a NAT may have given the peer another address.
  if (controlling_ ? now >= answered_ + doubt_after : place.nominated)
    move_to(place, now, host);
}

void connectivity::move_to(alternative& place, time_point now, connectivity_host& host) {
  const auto old = std::exchange(remote_, place.address);
  const auto answered = std::exchange(answered_, lite_ ? now : place.validated);
  place = alternative{};
  // The way back is open for as long as the old address was known to answer.
  place.address = old;
  place.validated = answered;
  consent_ids_used_ = 0;
  next_consent_id_ = 0;
  check_.active = false;
  nominating_ = controlling_;
  if (nominating_)
    begin(check_, now);
  schedule_consent(now);
  host.on_remote_changed(remote_);
}

void connectivity::note_heard(const lane::endpoint& from, time_point now) noexcept {
  if (lite_ && from == remote_)
    answered_ = std::max(answered_, now);
}

connectivity::alternative* connectivity::find(const lane::endpoint& address) noexcept {
  const auto found = std::ranges::find(alternatives_, address, &alternative::address);
  return found == alternatives_.end() ? nullptr : &*found;
}

connectivity::alternative& connectivity::free_place() noexcept {
  const auto worth = [](const alternative& a) {
    return std::tuple{a.address.valid(), a.nominated, a.validated};
  };
  return *std::ranges::min_element(alternatives_, {}, worth);
}

bool connectivity::validated(const alternative& place, time_point now) const noexcept {
  return place.validated != time_point::min() && now - place.validated < consent_expiry;
}

void connectivity::begin(repeated_check& check, time_point now) {
  check = {new_id(), 0, true, now};
}

void connectivity::check_pair(time_point now, connectivity_host& host) {
  if (!check_.active && now >= answered_ + doubt_after) {
    if (controlling_) {
      const auto other = std::ranges::find_if(alternatives_, [&](const alternative& a) {
        return validated(a, now) && a.validated > answered_;
      });
      if (other != alternatives_.end())
        move_to(*other, now, host);
    }
    if (!check_.active) {
      begin(check_, now);
      check_.sent = quick; // no haste: one a second
    }
  }
  if (!check_.active || now < check_.next)
    return;
  check_.sent = static_cast<uint8_t>(std::min(check_.sent + 1, UINT8_MAX));
  check_.next = now + pause_after(check_.sent);
  send_check(remote_, check_.id, nominating_, host);
}

void connectivity::check_alternatives(time_point now, connectivity_host& host) {
  for (auto& place : alternatives_) {
    auto& check = place.check;
    if (!check.active || now < check.next)
      continue;
    if (check.sent == most_for_alternative) {
      check.active = false;
      place.nominated = false;
      continue;
    }
    ++check.sent;
    check.next = now + pause_after(check.sent);
    send_check(place.address, check.id, false, host);
  }
}

void connectivity::send_check(const lane::endpoint& to, const transaction_id& id,
                              bool use_candidate, connectivity_host& host) {
  stun_buffer buffer;
  const auto message = write_check(buffer,
                                   {id, remote_credentials_.ufrag, local_.ufrag, priority_,
                                    controlling_, tie_breaker_, use_candidate},
                                   remote_credentials_.pwd);
  if (!message.empty())
    host.send(to, message);
}

void connectivity::schedule_consent(time_point now) {
  constexpr uint64_t spread = std::chrono::nanoseconds{consent_interval}.count() * 2 / 5;
  constexpr auto least = std::chrono::nanoseconds{consent_interval} * 4 / 5;
  next_consent_ =
    now + least + std::chrono::nanoseconds{static_cast<int64_t>(random_number(*random_) % spread)};
}

transaction_id connectivity::new_id() {
  transaction_id out;
  random_->fill(out);
  return out;
}

} // namespace jackfield::ice
