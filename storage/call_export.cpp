#include "storage/call_export.hpp"

#include <chrono>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "engine/report/escape.hpp"
#include "engine/report/figures.hpp"
#include "storage/records.hpp"
#include "storage/scan.hpp"

namespace jackfield::storage {

namespace {

/// Lines are handed on when there are so many bytes of them.
constexpr size_t chunk_bytes = 65'536;

/// Nothing for a time that was not kept.
std::optional<std::string> text_of(std::optional<wall_time> t) {
  if (!t || *t == wall_time{})
    return {};
  return report::iso_utc(std::chrono::time_point_cast<std::chrono::system_clock::duration>(*t));
}

std::string_view cause_of(const call_ended& call) {
  return call.cause.empty() ? "completed" : std::string_view{call.cause};
}

std::string_view direction_of(const call_ended& call) {
  return call.incoming ? "incoming" : "outgoing";
}

void put_key(std::string& out, std::string_view key) {
  if (out.back() != '{')
    out += ',';
  out += '"';
  out += key;
  out += "\":";
}

void put_text(std::string& out, std::string_view key, std::string_view text) {
  put_key(out, key);
  report::append_json_string(out, text);
}

void put_number(std::string& out, std::string_view key, uint64_t n) {
  put_key(out, key);
  fmt::format_to(std::back_inserter(out), "{}", n);
}

void put_null(std::string& out, std::string_view key) {
  put_key(out, key);
  out += "null";
}

void put_time(std::string& out, std::string_view key, std::optional<wall_time> t) {
  if (const auto text = text_of(t))
    put_text(out, key, *text);
  else
    put_null(out, key);
}

/// Seconds.
std::string text_of(std::chrono::nanoseconds length) {
  return fmt::format("{:.3f}", std::chrono::duration<double>(length).count());
}

void put_queueing(std::string& out, const call_ended& call) {
  if (!call.queueing) {
    for (const auto* const key : {"queue", "agent", "waited", "talked", "left"})
      put_null(out, key);
    return;
  }
  const auto& queueing = *call.queueing;
  put_text(out, "queue", queueing.queue);
  if (queueing.agent.empty())
    put_null(out, "agent");
  else
    put_text(out, "agent", queueing.agent);
  put_key(out, "waited");
  out += text_of(queueing.waited(call.ended));
  put_key(out, "talked");
  out += text_of(queueing.talked(call.ended));
  put_text(out, "left", queueing.left);
}

void put_call(std::string& out, const call_ended& call) {
  const auto id = call.call.text();
  put_text(out, "id", id);
  put_text(out, "call_id", call.call_id);
  if (call.incoming)
    put_null(out, "attempt");
  else
    put_text(out, "attempt", id);
  put_time(out, "started", call.started);
  put_time(out, "answered", call.answered);
  put_time(out, "ended", call.ended);
  put_text(out, "cause", cause_of(call));
  put_text(out, "from", call.from);
  put_text(out, "to", call.to);
  put_text(out, "direction", direction_of(call));
  if (call.status == 0)
    put_null(out, "status");
  else
    put_number(out, "status", call.status);
  put_queueing(out, call);
}

void append_json_call(std::string& out, uint64_t sequence, const call_ended& call) {
  out += '{';
  put_number(out, "seq", sequence);
  put_call(out, call);
  out += "}\n";
}

void append_json_event(std::string& out, uint64_t sequence, const event_record& event) {
  out += '{';
  put_number(out, "seq", sequence);
  put_time(out, "at", event.at);
  if (const auto* call = std::get_if<call_ended>(&event.what)) {
    put_text(out, "event", "call_ended");
    put_call(out, *call);
  } else if (const auto* began = std::get_if<run_started>(&event.what)) {
    put_text(out, "event", "run_started");
    put_number(out, "run", began->run);
  } else if (const auto* over = std::get_if<run_ended>(&event.what)) {
    put_text(out, "event", "run_ended");
    put_number(out, "run", over->run);
    if (over->ended_by.empty())
      put_null(out, "by");
    else
      put_text(out, "by", over->ended_by);
  } else if (const auto* again = std::get_if<run_resumed>(&event.what)) {
    put_text(out, "event", "run_resumed");
    put_number(out, "run", again->run);
  } else if (const auto* progress = std::get_if<run_progress>(&event.what)) {
    put_text(out, "event", "run_progress");
    put_number(out, "run", progress->run);
    put_number(out, "lane", progress->lane);
    put_number(out, "next", progress->next);
    put_number(out, "missed_by_limit", progress->missed_by_limit);
    put_number(out, "missed_by_generator", progress->missed_by_generator);
  } else {
    put_text(out, "event", "unknown");
  }
  out += "}\n";
}

constexpr std::string_view csv_header = "seq,id,call_id,attempt,started,answered,ended,cause,from,"
                                        "to,direction,status,queue,agent,waited,talked,"
                                        "left\r\n";

void put_field(std::string& out, std::string_view text) {
  out += ',';
  const auto safe = report::escape_terminal(text);
  if (safe.find_first_of(",\"") == std::string::npos) {
    out += safe;
    return;
  }
  out += '"';
  for (const char c : safe) {
    if (c == '"')
      out += '"';
    out += c;
  }
  out += '"';
}

void append_csv_call(std::string& out, uint64_t sequence, const call_ended& call) {
  const auto id = call.call.text();
  fmt::format_to(std::back_inserter(out), "{}", sequence);
  put_field(out, id);
  put_field(out, call.call_id);
  put_field(out, call.incoming ? std::string_view{} : id);
  put_field(out, text_of(call.started).value_or(""));
  put_field(out, text_of(call.answered).value_or(""));
  put_field(out, text_of(call.ended).value_or(""));
  put_field(out, cause_of(call));
  put_field(out, call.from);
  put_field(out, call.to);
  put_field(out, direction_of(call));
  put_field(out, call.status == 0 ? std::string{} : std::to_string(call.status));
  if (const auto& queueing = call.queueing) {
    put_field(out, queueing->queue);
    put_field(out, queueing->agent);
    put_field(out, text_of(queueing->waited(call.ended)));
    put_field(out, text_of(queueing->talked(call.ended)));
    put_field(out, queueing->left);
  } else {
    out += ",,,,,";
  }
  out += "\r\n";
}

/// Goes through the events and hands on, in chunks that begin with `lines`, what `append` makes of
/// them.
template <class Append>
outcome<void> export_lines(const store& s, uint64_t from, std::string lines, const line_sink& sink,
                           Append append) {
  std::optional<error> first_unread;
  uint64_t unread = 0;
  bool wanted = true;
  auto read = s.scan(
    keyspace::events, event_key(from), {}, [&](std::string_view key, std::string_view value) {
      const auto sequence = number_of_key(key);
      auto event = sequence ? unpack_event(value)
                            : result<event_record>{tl::unexpect, error{{}, "its key is no number"}};
      if (event) {
        append(lines, *sequence, *event);
      } else if (++unread == 1) {
        first_unread = std::move(event.error());
        first_unread->place = sequence ? "event " + std::to_string(*sequence) : "an event";
      }
      if (lines.size() >= chunk_bytes) {
        wanted = sink(lines);
        lines.clear();
      }
      return wanted;
    });
  if (wanted && !lines.empty())
    sink(lines);
  if (read && first_unread) {
    if (unread > 1)
      first_unread->cause += ", nor can " + std::to_string(unread - 1) + " more be read";
    return tl::unexpected{fault{fault_kind::corrupt, std::move(*first_unread)}};
  }
  return read;
}

} // namespace

outcome<void> export_calls(const store& s, uint64_t from, line_format format,
                           const line_sink& sink) {
  const bool csv = format == line_format::csv;
  return export_lines(s, from, std::string{csv ? csv_header : std::string_view{}}, sink,
                      [csv](std::string& out, uint64_t sequence, const event_record& event) {
                        const auto* call = std::get_if<call_ended>(&event.what);
                        if (call == nullptr)
                          return;
                        if (csv)
                          append_csv_call(out, sequence, *call);
                        else
                          append_json_call(out, sequence, *call);
                      });
}

outcome<calls_page> read_calls(const store& s, uint64_t after, size_t limit,
                               size_t most_looked_at) {
  calls_page page;
  page.last = after;
  size_t looked_at = 0;
  auto scanned = scan_records(s, keyspace::events, event_key(after + 1), {},
                              [&](std::string_view key, std::string_view value) -> result<bool> {
                                if (page.calls.size() == limit || looked_at++ == most_looked_at) {
                                  page.more = true;
                                  return false;
                                }
                                const auto sequence = number_of_key(key);
                                if (!sequence)
                                  return jackfield::fail("an event", "its key is no number");
                                auto event = unpack_event(value);
                                if (!event)
                                  return jackfield::fail("event " + std::to_string(*sequence),
                                                         std::move(event.error().cause));
                                page.last = *sequence;
                                if (const auto* call = std::get_if<call_ended>(&event->what)) {
                                  append_json_call(page.calls.emplace_back(), *sequence, *call);
                                  page.calls.back().pop_back();
                                }
                                return true;
                              });
  if (!scanned)
    return tl::unexpected{std::move(scanned.error())};
  return page;
}

outcome<void> export_events(const store& s, uint64_t from, const line_sink& sink) {
  return export_lines(s, from, {}, sink, append_json_event);
}

} // namespace jackfield::storage
