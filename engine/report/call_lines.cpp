#include "engine/report/call_lines.hpp"

#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "engine/report/escape.hpp"
#include "engine/report/figures.hpp"

namespace jackfield::report {

namespace {

using nanoseconds = std::chrono::nanoseconds;

void put_key(std::string& out, std::string_view key) {
  if (out.back() != '{')
    out += ',';
  out += '"';
  out += key;
  out += "\":";
}

void put(std::string& out, std::string_view key, std::string_view text) {
  put_key(out, key);
  append_json_string(out, text);
}

void put(std::string& out, std::string_view key, uint64_t n) {
  put_key(out, key);
  fmt::format_to(std::back_inserter(out), "{}", n);
}

void put_ms(std::string& out, std::string_view key, std::optional<nanoseconds> time) {
  put_key(out, key);
  if (time)
    fmt::format_to(std::back_inserter(out), "{:.3f}",
                   std::chrono::duration<double, std::milli>{*time}.count());
  else
    out += "null";
}

void put_media(std::string& out, std::string_view key, const std::optional<call_media>& media) {
  put_key(out, key);
  if (!media) {
    out += "null";
    return;
  }
  out += '{';
  put(out, "packets", media->packets);
  put(out, "lost", media->lost);
  put(out, "fec_recovered", media->fec_recovered);
  put(out, "duplicate", media->duplicate);
  put(out, "reordered", media->reordered);
  put(out, "late", media->late);
  put_ms(out, "jitter_ms", media->jitter);
  put_key(out, "mos");
  if (media->mos && std::isfinite(*media->mos))
    fmt::format_to(std::back_inserter(out), "{:.2f}", *media->mos);
  else
    out += "null";
  if (!media->codec.empty())
    put(out, "codec", media->codec);
  out += '}';
}

void put_heard(std::string& out, const std::vector<call_sound>& heard) {
  put_key(out, "heard");
  out += '[';
  for (const auto& piece : heard) {
    if (out.back() != '[')
      out += ',';
    out += '{';
    put(out, "what", piece.what);
    put(out, "at_ms", static_cast<uint64_t>(piece.at.count()));
    put(out, "ms", static_cast<uint64_t>(piece.length.count()));
    if (piece.hz[0] != 0) {
      put_key(out, "hz");
      fmt::format_to(std::back_inserter(out), "[{}", piece.hz[0]);
      if (piece.hz[1] != 0)
        fmt::format_to(std::back_inserter(out), ",{}", piece.hz[1]);
      out += ']';
    }
    out += '}';
  }
  out += ']';
}

void put_outcome(std::string& out, int status, failure_cause cause, std::string_view detail) {
  put_key(out, "status");
  if (status > 0)
    fmt::format_to(std::back_inserter(out), "{}", status);
  else
    out += "null";
  put_key(out, "cause");
  if (cause.failed())
    append_json_string(out, cause.name());
  else
    out += "null";
  if (!detail.empty())
    put(out, "detail", detail);
}

} // namespace

void append_call_line(std::string& out, const call_record& call) {
  out += '{';
  put(out, "id", call.id);
  put(out, "call_id", call.call_id);
  put(out, "from", call.from);
  put(out, "to", call.to);
  put(out, "started", iso_utc(call.started));
  put_ms(out, "due_ms", call.due);
  put_ms(out, "late_ms", call.late_by);
  put_outcome(out, call.status, call.cause, call.detail);
  if (!call.ended_by.empty())
    put(out, "ended_by", call.ended_by);
  put_ms(out, "srd_ms", call.srd);
  put_ms(out, "pdd_ms", call.pdd);
  put_ms(out, "setup_ms", call.setup);
  put_ms(out, "sdd_ms", call.sdd);
  put_ms(out, "ice_gathering_ms", call.ice_gathering);
  put_ms(out, "ice_checks_ms", call.ice_checks);
  put_ms(out, "dtls_ms", call.dtls);
  put_ms(out, "duration_ms", call.duration);
  put(out, "packets_sent", call.packets_sent);
  put_media(out, "received", call.received);
  put_media(out, "sent", call.sent);
  put_ms(out, "rtt_ms", call.rtt);
  if (call.heard)
    put_heard(out, *call.heard);
  out += "}\n";
}

void append_request_line(std::string& out, const request_record& request) {
  out += '{';
  put(out, "kind", request.kind);
  put(out, "id", request.id);
  put(out, "from", request.from);
  put(out, "to", request.to);
  put_ms(out, "due_ms", request.due);
  put_outcome(out, request.status, request.cause, request.detail);
  put_ms(out, "took_ms", request.took);
  if (request.refreshes)
    put(out, "refreshes", *request.refreshes);
  out += "}\n";
}

} // namespace jackfield::report
