#include "storage/figures_record.hpp"

#include <storage/records.pb.h>

namespace jackfield::storage {

namespace {

void write(const call_figures::step& s, proto::Figures_Step& out) {
  out.set_done(s.done);
  out.set_failed(s.failed);
}

call_figures::step read(const proto::Figures_Step& in) {
  return {in.done(), in.failed()};
}

void write(const call_figures::audio& a, proto::Audio& out) {
  out.set_connected(a.connected);
  out.set_sent(a.sent);
  out.set_heard(a.heard);
  out.set_received(a.received);
  out.set_expected(a.expected);
  out.set_lost(a.lost);
  out.set_recovered(a.recovered);
  out.set_duplicates(a.duplicates);
  out.set_reordered(a.reordered);
  out.set_discarded(a.discarded);
  out.set_jitter(a.jitter.count());
  if (a.mos)
    out.set_mos(*a.mos);
  if (a.remote) {
    out.set_reported(true);
    out.set_remote_lost(a.remote->lost);
    out.set_remote_jitter(a.remote->jitter.count());
    if (a.remote->mos)
      out.set_remote_mos(*a.remote->mos);
  }
  if (a.round_trip)
    out.set_round_trip(a.round_trip->count());
  out.set_digits_sent(a.digits_sent);
  out.set_digits_received(a.digits_received);
  out.set_strangers(a.strangers);
  out.set_forged(a.forged);
  out.set_replayed(a.replayed);
  out.set_malformed(a.malformed);
  out.set_unauthenticated(a.unauthenticated);
  if (a.gathering)
    out.set_gathering(a.gathering->count());
  if (a.checks)
    out.set_checks(a.checks->count());
  if (a.handshake)
    out.set_handshake(a.handshake->count());
  if (a.found)
    out.set_found(static_cast<proto::FoundSound>(*a.found));
}

call_figures::audio read(const proto::Audio& in) {
  using ns = call_figures::duration;
  call_figures::audio a;
  a.connected = in.connected();
  a.sent = in.sent();
  a.heard = in.heard();
  a.received = in.received();
  a.expected = in.expected();
  a.lost = in.lost();
  a.recovered = in.recovered();
  a.duplicates = in.duplicates();
  a.reordered = in.reordered();
  a.discarded = in.discarded();
  a.jitter = ns{in.jitter()};
  if (in.has_mos())
    a.mos = in.mos();
  if (in.reported()) {
    auto& remote = a.remote.emplace();
    remote.lost = in.remote_lost();
    remote.jitter = ns{in.remote_jitter()};
    if (in.has_remote_mos())
      remote.mos = in.remote_mos();
  }
  if (in.has_round_trip())
    a.round_trip = ns{in.round_trip()};
  a.digits_sent = in.digits_sent();
  a.digits_received = in.digits_received();
  a.strangers = in.strangers();
  a.forged = in.forged();
  a.replayed = in.replayed();
  a.malformed = in.malformed();
  a.unauthenticated = in.unauthenticated();
  if (in.has_gathering())
    a.gathering = ns{in.gathering()};
  if (in.has_checks())
    a.checks = ns{in.checks()};
  if (in.has_handshake())
    a.handshake = ns{in.handshake()};
  if (in.has_found() && proto::FoundSound_IsValid(in.found()))
    a.found = static_cast<found_sound>(in.found());
  return a;
}

} // namespace

void write(const call_figures& f, proto::Figures& out) {
  out.set_due(f.due.count());
  if (f.first_response)
    out.set_first_response(f.first_response->count());
  if (f.ringing)
    out.set_ringing(f.ringing->count());
  if (f.final_response)
    out.set_final_response(f.final_response->count());
  if (f.acknowledged)
    out.set_acknowledged(f.acknowledged->count());
  if (f.bye_sent)
    out.set_bye_sent(f.bye_sent->count());
  out.set_local_bye(f.local_bye);
  out.set_requests(f.requests);
  out.set_retransmissions(f.retransmissions);
  out.set_failovers(f.failovers);
  constexpr call_figures::step none;
  if (f.hold != none)
    write(f.hold, *out.mutable_hold());
  if (f.resume != none)
    write(f.resume, *out.mutable_resume());
  if (f.ice_restart != none)
    write(f.ice_restart, *out.mutable_ice_restart());
  if (f.info_digit != none)
    write(f.info_digit, *out.mutable_info_digit());
  if (f.media)
    write(*f.media, *out.mutable_audio());
}

call_figures read(const proto::Figures& in) {
  using ns = call_figures::duration;
  call_figures f;
  f.due = ns{in.due()};
  if (in.has_first_response())
    f.first_response = ns{in.first_response()};
  if (in.has_ringing())
    f.ringing = ns{in.ringing()};
  if (in.has_final_response())
    f.final_response = ns{in.final_response()};
  if (in.has_acknowledged())
    f.acknowledged = ns{in.acknowledged()};
  if (in.has_bye_sent())
    f.bye_sent = ns{in.bye_sent()};
  f.local_bye = in.local_bye();
  f.requests = in.requests();
  f.retransmissions = in.retransmissions();
  f.failovers = in.failovers();
  f.hold = read(in.hold());
  f.resume = read(in.resume());
  f.ice_restart = read(in.ice_restart());
  f.info_digit = read(in.info_digit());
  if (in.has_audio())
    f.media = read(in.audio());
  return f;
}

} // namespace jackfield::storage
