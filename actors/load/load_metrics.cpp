#include "actors/load/load_metrics.hpp"

#include "actors/load/media_metrics.hpp"
#include "engine/report/call_lines.hpp"
#include "engine/sip/shown_uri.hpp"

namespace jackfield {

namespace {

lane::duration since(const std::optional<lane::time_point>& at, lane::time_point from) {
  return *at - from;
}

} // namespace

void load_metrics::on_answered(const call_answered& call) {
  measured.calls.answer();
  record_setup(call.times);
}

void load_metrics::record_setup(const call_times& t) {
  auto& times = measured.times;
  if (t.first_response)
    times.ttr.record(since(t.first_response, t.due));
  if (t.ringing)
    times.pdd.record(since(t.ringing, t.due));
  if (t.ringing || t.final_response)
    times.srd.record(since(t.ringing && (!t.final_response || *t.ringing < *t.final_response)
                             ? t.ringing
                             : t.final_response,
                           t.due));
  if (t.acknowledged)
    times.setup.record(since(t.acknowledged, t.due));
}

void load_metrics::on_finished(const call_finished& call) {
  const auto& t = call.times;
  auto& times = measured.times;
  if (!t.answered)
    record_setup(t); // else it was recorded then
  if (t.bye_sent && t.ended && call.cause == sip::end_cause::local_bye)
    times.sdd.record(*t.ended - *t.bye_sent);
  if (t.answered && t.ended)
    times.call_length.record((t.bye_sent ? *t.bye_sent : *t.ended) - *t.answered);

  if (call.status >= 200)
    measured.sessions.count(call.status);
  else if (call.failure == report::failure_cause::timeout)
    measured.sessions.count(408);
  else if (call.failure == report::failure_cause::transport_error)
    measured.sessions.count(503);
  if (call.wire.requests > 0)
    measured.statuses.count_request(report::counted_method::invite);
  if (call.status > 0)
    measured.statuses.count_response(report::counted_method::invite, call.status);

  count(call.wire);
  measured.steps.merge(call.steps);
  measured.media.dtmf_sent += call.steps.info_digit.done;
  if (call.failure == report::failure_cause::timeout ||
      call.failure == report::failure_cause::bye_timeout)
    ++measured.timeouts;
  if (call.media)
    add_phases(times, *call.media);
  if (call.media && call.media->connected) {
    auto& media = measured.media;
    const auto& m = *call.media;
    add_received(media.received, m);
    add_reported(media.sent, m);
    add_refused(media.ignored, m);
    media.early_packets += m.refused.early;
    if (m.round_trip)
      media.rtt.record(*m.round_trip);
    media.dtmf_sent += m.digits_sent;
    media.dtmf_received += m.digits_received.size();
    add_found(media.found, m);
    if (!call.failure.failed()) {
      const bool heard = m.received.first_packet.has_value();
      if (m.packets_sent > 0 && !heard)
        ++media.one_way_calls;
      else if (m.packets_sent == 0 && !heard)
        ++media.silent_calls;
      else if (m.stopped_for > lane::duration::zero())
        ++media.stopped_calls;
    }
  }
  if (t.answered && call.cause == sip::end_cause::local_bye)
    ++measured.calls.ended_by_caller;
  else if (t.answered && call.cause == sip::end_cause::remote_bye)
    ++measured.calls.ended_by_callee;
  if (call.failure.failed())
    measured.calls.fail(call.failure, call.detail);
  else
    measured.calls.complete();
}

void load_metrics::count(const wire_counters& wire) {
  measured.requests_sent += wire.requests;
  measured.retransmissions += wire.retransmissions;
  measured.failovers += wire.failovers;
}

void load_metrics::on_registration(const registration_report& r) {
  using kind = registration_report::kind;
  auto& counts = measured.registrations;
  switch (r.what) {
  case kind::registered:
    ++counts.succeeded;
    ++counts.current;
    measured.times.rrd.record(r.took);
    measured.calls.answer();
    break;
  case kind::refreshed:
    ++counts.refreshed;
    break;
  case kind::failed:
    // A first registration fails once, whatever the number of its attempts: see `over`.
    if (r.had_registered) {
      ++counts.refresh_failed;
      ++counts.failures[r.failure];
      counts.details.count(r.failure, r.detail);
    }
    break;
  case kind::over:
    count(r.wire);
    if (r.had_registered) {
      --counts.current;
      auto cause = r.missed;
      if (!cause.failed() && !r.left && r.failure.failed()) { // without a `failed` before
        ++counts.refresh_failed;
        ++counts.failures[r.failure];
        counts.details.count(r.failure, r.detail);
        cause = r.failure;
      }
      if (cause.failed())
        measured.calls.fail(cause, r.detail);
      else
        measured.calls.complete();
    } else {
      const auto cause =
        r.failure.failed() ? r.failure : report::failure_cause{report::failure_cause::stopped};
      ++counts.failed;
      ++counts.failures[cause];
      counts.details.count(cause, r.detail);
      measured.calls.fail(cause, r.detail);
    }
    break;
  }
}

void load_metrics::on_request(const request_finished& request) {
  count(request.wire);
  if (request.status > 0)
    measured.times.options.record(request.took);
  if (request.failure.failed()) {
    if (request.failure == report::failure_cause::timeout)
      ++measured.timeouts;
    measured.calls.fail(request.failure, request.detail);
  } else {
    measured.calls.answer();
    measured.calls.complete();
  }
}

void append_call_line(std::string& lines, const call_finished& call, lane::time_point start,
                      std::chrono::system_clock::time_point wall_start) {
  const auto& t = call.times;
  const auto id = call.leg.text();
  report::call_record record;
  record.id = call.number;
  record.call_id = {id.data(), id.size()};
  const auto from = sip::without_password(call.target->from_uri());
  const auto to = sip::without_password(call.target->uri);
  record.from = from;
  record.to = to;
  record.due = t.due - start;
  record.late_by = t.started - t.due;
  record.started =
    wall_start + std::chrono::duration_cast<std::chrono::system_clock::duration>(t.started - start);
  record.status = call.status;
  record.cause = call.failure;
  record.detail = call.detail;
  if (t.answered && call.cause == sip::end_cause::local_bye)
    record.ended_by = "caller";
  else if (t.answered && call.cause == sip::end_cause::remote_bye)
    record.ended_by = "callee";
  if (t.ringing)
    record.pdd = since(t.ringing, t.due);
  if (t.ringing)
    record.srd = since(t.ringing, t.due);
  else if (t.final_response)
    record.srd = since(t.final_response, t.due);
  if (t.acknowledged)
    record.setup = since(t.acknowledged, t.due);
  if (t.bye_sent && t.ended && call.cause == sip::end_cause::local_bye)
    record.sdd = *t.ended - *t.bye_sent;
  if (t.answered && t.ended)
    record.duration = (t.bye_sent ? *t.bye_sent : *t.ended) - *t.answered;
  if (call.media) {
    record.ice_gathering = call.media->took.gathering;
    record.ice_checks = call.media->took.checks;
    record.dtls = call.media->took.handshake;
  }
  if (call.media && call.media->connected) {
    record.packets_sent = call.media->packets_sent;
    record.received = received_of(*call.media);
    record.sent = reported_of(*call.media);
    record.rtt = call.media->round_trip;
  }
  if (call.media && call.media->heard) {
    auto& heard = record.heard.emplace();
    for (const auto& piece : call.media->heard->pieces)
      heard.push_back({to_string(piece.what), piece.at, piece.length, piece.hz});
  }
  report::append_call_line(lines, record);
}

namespace {

/// The line of what went to a target, `outcome` told by what it was.
template <class Outcome>
void append_line_of(std::string& lines, std::string_view kind, uint64_t number,
                    const call_target& target, lane::duration due, Outcome&& outcome) {
  const auto from = sip::without_password(target.from_uri());
  const auto to = sip::without_password(target.uri);
  report::request_record record;
  record.kind = kind;
  record.id = number;
  record.from = from;
  record.to = to;
  record.due = due;
  outcome(record);
  report::append_request_line(lines, record);
}

} // namespace

void append_line(std::string& lines, const registration_report& r, lane::time_point start) {
  append_line_of(lines, "register", r.number, *r.target, r.due - start, [&](auto& record) {
    record.status = r.status;
    record.cause = r.missed.failed() ? r.missed : r.failure;
    if (!r.had_registered && !record.cause.failed())
      record.cause = report::failure_cause::stopped;
    record.detail = r.detail;
    if (r.had_registered)
      record.took = r.first_took;
    record.refreshes = r.refreshes;
  });
}

void append_line(std::string& lines, const request_finished& request, lane::time_point start) {
  append_line_of(lines, "options", request.number, *request.target, request.due - start,
                 [&](auto& record) {
                   record.status = request.status;
                   record.cause = request.failure;
                   record.detail = request.detail;
                   if (request.status > 0)
                     record.took = request.took;
                 });
}

void load_metrics::take_lane(lane_context& context) {
  take_health(measured, context.home, context.media);
  const auto& router = context.router.counters();
  // As they passed. What calls tell of them when they end is for a history, which has no router.
  measured.statuses = router.sent;
  measured.served = router.served;
  measured.requests_sent = router.requests_sent;
  measured.retransmissions = router.retransmissions;
  measured.retransmissions_received = router.retransmissions_received;
  measured.failovers = router.failovers;
  measured.unexpected = router.unexpected;
  measured.malformed = router.malformed;
}

} // namespace jackfield
