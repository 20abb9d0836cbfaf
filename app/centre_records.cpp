#include "app/centre_records.hpp"

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

namespace jackfield::app {

namespace {

using std::chrono::duration_cast;

int64_t milliseconds(lane::duration d) {
  return duration_cast<std::chrono::milliseconds>(d).count();
}

std::string seconds(lane::duration d) {
  return std::to_string(duration_cast<std::chrono::seconds>(d).count());
}

int close_file(std::FILE* f) {
  return f == stdout ? 0 : std::fclose(f);
}

/// A field of a line that is separated by '|'.
std::string field(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    if (c == '|' || static_cast<unsigned char>(c) < ' ' || c == '\x7f')
      c = '_';
  return out.empty() ? "NONE" : out;
}

} // namespace

std::string event_line(const centre_event& event, uint64_t seq) {
  using kind = centre_event::kind;
  nlohmann::ordered_json line;
  line["seq"] = seq;
  line["at_us"] = duration_cast<std::chrono::microseconds>(event.at.time_since_epoch()).count();
  line["event"] = to_string(event.what);
  if (event.what == kind::agent_state) {
    line["agent"] = event.agent;
    line["state"] = event.detail;
    line["before"] = event.from;
    if (!event.reason.empty())
      line["reason"] = event.reason;
  } else if (event.what == kind::trunk_state) {
    line["trunk"] = event.trunk;
    line["state"] = event.detail;
    if (!event.reason.empty())
      line["reason"] = event.reason;
  } else {
    if (event.call != 0) // else of a process before
      line["call"] = std::to_string(event.call);
    line["call_id"] = event.call_id;
    line["queue"] = event.queue;
    line["from"] = event.from;
    if (!event.agent.empty())
      line["agent"] = event.agent;
    const bool of_callback =
      event.what == kind::callback_promised || event.what == kind::callback_over;
    if (event.what == kind::entered)
      line["position"] = event.position;
    else if (event.what != kind::refused && !of_callback)
      line["waited_ms"] = milliseconds(event.waited);
    if (event.what == kind::recorded) {
      line["recording"] = std::filesystem::path{event.detail}.stem().string();
      line["path"] = event.detail;
      line["length_ms"] = milliseconds(event.talked);
      line["packets_left_out"] = event.left_out;
    } else if (event.what == kind::completed) {
      line["talked_ms"] = milliseconds(event.talked);
      if (event.call != 0)
        line["ended_by"] = event.by_caller ? "caller" : "agent";
    }
    if (event.what == kind::callback_promised)
      line["number"] = event.detail;
    else if (event.what == kind::callback_over)
      line["outcome"] = event.detail;
    else if (!event.detail.empty() && event.what != kind::recorded)
      line["cause"] = event.detail;
  }
  // What peers say of themselves may be no UTF-8.
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

std::string queue_log_line(const centre_event& event) {
  using kind = centre_event::kind;
  std::string_view verb;
  std::string data;
  const auto waited = seconds(event.waited);
  switch (event.what) {
  case kind::entered:
    verb = "ENTERQUEUE";
    data = "|" + field(event.from);
    break;
  case kind::connected:
    verb = "CONNECT";
    data = waited + "||";
    break;
  case kind::completed:
    verb = event.by_caller ? "COMPLETECALLER" : "COMPLETEAGENT";
    data = waited + "|" + seconds(event.talked) + "|1";
    break;
  case kind::abandoned:
    verb = "ABANDON";
    data = "1|1|" + waited;
    break;
  case kind::overflowed:
    verb = event.detail == "max_wait"   ? "EXITWITHTIMEOUT"
           : event.detail == "callback" ? "EXITWITHKEY"
                                        : "EXITEMPTY";
    data = (event.detail == "callback" ? "|1|1|" : "1|1|") + waited;
    break;
  case kind::not_taken:
    verb = "RINGNOANSWER";
    data = "0";
    break;
  case kind::refused:
  case kind::offered:
  case kind::resumed:
  case kind::agent_state:
  case kind::recorded:
  case kind::not_recorded:
  case kind::callback_promised:
  case kind::callback_over:
  case kind::trunk_state:
    return {};
  }
  const auto at = duration_cast<std::chrono::seconds>(event.at.time_since_epoch()).count();
  return std::to_string(at) + "|" + field(event.call_id) + "|" + field(event.queue) + "|" +
         field(event.agent) + "|" + std::string{verb} + "|" + data + "\n";
}

result<centre_records::file> centre_records::open_one(const char* option, const std::string& name) {
  file made{nullptr, &close_file};
  if (name.empty())
    return made;
  made.reset(name == "-" ? stdout : std::fopen(name.c_str(), "ab"));
  if (!made)
    return fail_errno(option, "\"" + name + "\" cannot be written", errno);
  return made;
}

result<centre_records> centre_records::open(const std::string& events,
                                            const std::string& queue_log) {
  centre_records made;
  made.events_name_ = events;
  made.queue_log_name_ = queue_log;
  auto first = open_one("--events", events);
  if (!first)
    return tl::unexpected{std::move(first.error())};
  made.events_ = std::move(*first);
  auto second = open_one("--queue-log", queue_log);
  if (!second)
    return tl::unexpected{std::move(second.error())};
  made.queue_log_ = std::move(*second);
  return made;
}

void centre_records::write(file& to, const std::string& line) {
  if (to && !line.empty() && std::fwrite(line.data(), 1, line.size(), to.get()) != line.size())
    failed_ = true;
}

void centre_records::take(const centre_event& event, const std::string& line) {
  if (events_)
    write(events_, line);
  if (queue_log_)
    write(queue_log_, queue_log_line(event));
}

result<void> centre_records::flush() {
  for (auto* each : {&events_, &queue_log_})
    if (*each && std::fflush(each->get()) != 0)
      failed_ = true;
  if (!std::exchange(failed_, false))
    return {};
  const auto code = errno;
  auto why = fail_errno("--events, --queue-log", "cannot be written any more", code);
  events_.reset();
  queue_log_.reset();
  return why;
}

} // namespace jackfield::app
