#include "storage/verification.hpp"

#include <charconv>
#include <iterator>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>

#include "storage/centre_records.hpp"
#include "storage/records.hpp"

namespace jackfield::storage {

namespace {

/// Whole numbers as the ranges that they make up: calls end nearly in the order of their numbers.
class number_set {
public:
  /// False if it was there.
  bool add(uint64_t n) {
    const auto after = ranges_.upper_bound(n);
    if (after != ranges_.begin()) {
      const auto before = std::prev(after);
      if (n <= before->second)
        return false;
      if (n - before->second == 1) {
        before->second = n;
        if (after != ranges_.end() && after->first - n == 1) {
          before->second = after->second;
          ranges_.erase(after);
        }
        return true;
      }
    }
    uint64_t last = n;
    auto hint = after;
    if (after != ranges_.end() && after->first - n == 1) {
      last = after->second;
      hint = ranges_.erase(after);
    }
    ranges_.emplace_hint(hint, n, last);
    return true;
  }
  [[nodiscard]] bool contains(uint64_t n) const {
    const auto after = ranges_.upper_bound(n);
    return after != ranges_.begin() && n <= std::prev(after)->second;
  }

private:
  std::map<uint64_t, uint64_t> ranges_; ///< first to last; they neither meet nor overlap
};

struct run_state {
  bool there = false;
  bool ended = false;
  number_set finished;
};

std::string hex(std::string_view bytes) {
  static constexpr std::string_view digits = "0123456789abcdef";
  static constexpr size_t most_shown = 24;
  std::string out;
  for (const char c : bytes.substr(0, most_shown)) {
    out += digits[static_cast<uint8_t>(c) >> 4U];
    out += digits[static_cast<uint8_t>(c) & 15U];
  }
  return bytes.size() > most_shown ? out + "..." : out;
}

std::string place_of_run(uint64_t run) {
  return "run " + std::to_string(run);
}

std::string place_of_call(const call_key& call) {
  return "call " + call.text();
}

std::string place_of_event(uint64_t sequence) {
  return "event " + std::to_string(sequence);
}

class verifier {
public:
  explicit verifier(const store& s) : store_(s) {}

  outcome<verification> verify() {
    // Runs come first, for what names them; events before the calls that they may have ended.
    outcome<void> read;
    for (const auto& [space, look] : {std::pair{keyspace::meta, &verifier::look_at_meta},
                                      std::pair{keyspace::runs, &verifier::look_at_run},
                                      std::pair{keyspace::registrations, &verifier::look_at_user},
                                      std::pair{keyspace::events, &verifier::look_at_event},
                                      std::pair{keyspace::calls, &verifier::look_at_call}})
      if (read)
        read = read_all(space, look);
    if (!read)
      return tl::unexpected{std::move(read.error())};
    return std::move(found_);
  }

private:
  using look_at = void (verifier::*)(std::string_view key, std::string_view value);

  outcome<void> read_all(keyspace space, look_at look) {
    return store_.scan(space, {}, {}, [&](std::string_view key, std::string_view value) {
      (this->*look)(key, value);
      return true;
    });
  }

  void report(std::string place, std::string cause) {
    if (found_.findings.size() < verification::most_findings)
      found_.findings.push_back({std::move(place), std::move(cause)});
    else
      ++found_.more_findings;
  }

  void report_key(keyspace space, std::string_view key) {
    report(std::string{name_of(space)}, "a key 0x" + hex(key) + " that has not its form");
  }

  void look_at_meta(std::string_view key, std::string_view value) {
    if (const auto agent = agent_of_key(key)) {
      if (auto record = unpack_agent(value); !record)
        report("agent " + std::string{*agent}, std::move(record.error().cause));
      return;
    }
    if (const auto queue = queue_of_key(key)) {
      if (auto record = unpack_queue(value); !record)
        report("queue " + std::string{*queue}, std::move(record.error().cause));
      return;
    }
    if (const auto call = callback_of_key(key)) {
      if (auto record = unpack_callback(value); !record)
        report("callback " + std::string{*call}, std::move(record.error().cause));
      return;
    }
    if (key != "format")
      return;
    uint64_t format = 0;
    const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), format);
    if (code != std::errc{} || end != value.data() + value.size())
      report("format", "\"" + std::string{value} + "\" is no number");
  }

  void look_at_run(std::string_view key, std::string_view value) {
    ++found_.runs;
    const auto number = number_of_key(key);
    if (!number || *number == 0)
      return report_key(keyspace::runs, key);
    auto& run = runs_[*number];
    run.there = true;
    auto record = unpack_run(value);
    if (!record)
      return report(place_of_run(*number), std::move(record.error().cause));
    // What a crash left under way is so until the next start has dealt with it.
    run.ended = record->ended.has_value() && record->ended_by != run_record::crashed;
  }

  void look_at_user(std::string_view key, std::string_view value) {
    if (const auto made = registration_of_key(key))
      return look_at_registration(*made, value);
    const auto address = address_of_key(key);
    if (!address)
      return report_key(keyspace::registrations, key);
    ++found_.addresses;
    if (auto record = unpack_bindings(value); !record)
      report("bindings of " + std::string{*address}, std::move(record.error().cause));
  }

  /// Its run may have ended: what a crash left is kept until its registrar has been told.
  void look_at_registration(const call_key& key, std::string_view value) {
    ++found_.registrations;
    const auto place = "registration " + key.text();
    if (auto record = unpack_registration(value); !record)
      report(place, std::move(record.error().cause));
    if (!is_there(key.run))
      report(place, "its run is missing");
  }

  void look_at_event(std::string_view key, std::string_view value) {
    ++found_.events;
    const auto number = number_of_key(key);
    if (!number || *number == 0)
      return report_key(keyspace::events, key);
    const auto last = std::exchange(found_.last_event, *number);
    if (last == 0)
      found_.first_event = *number;
    else if (*number - last > 1)
      report(place_of_event(*number),
             "follows event " + std::to_string(last) + ", those between are missing");
    auto record = unpack_event(value);
    if (!record)
      return report(place_of_event(*number), std::move(record.error().cause));
    if (const auto* ended = std::get_if<call_ended>(&record->what))
      look_at_end(*number, ended->call);
    else if (const auto* run_began = std::get_if<run_started>(&record->what))
      demand_run(*number, run_began->run);
    else if (const auto* run_over = std::get_if<run_ended>(&record->what))
      demand_run(*number, run_over->run);
    else if (const auto* again = std::get_if<run_resumed>(&record->what))
      demand_run(*number, again->run);
    else if (const auto* progress = std::get_if<run_progress>(&record->what))
      demand_run(*number, progress->run);
  }

  void demand_run(uint64_t sequence, uint64_t run) {
    if (!is_there(run))
      report(place_of_event(sequence), "names run " + std::to_string(run) + ", which is missing");
  }

  void look_at_end(uint64_t sequence, const call_key& call) {
    ++found_.calls_finished;
    demand_run(sequence, call.run);
    if (!runs_[call.run].finished.add(call.number))
      report(place_of_call(call), "finished a second time by event " + std::to_string(sequence));
  }

  void look_at_call(std::string_view key, std::string_view value) {
    ++found_.calls_under_way;
    const auto call = call_of_key(key);
    if (!call)
      return report_key(keyspace::calls, key);
    if (auto record = unpack_call(value); !record)
      report(place_of_call(*call), std::move(record.error().cause));
    if (!is_there(call->run))
      report(place_of_call(*call), "its run is missing");
    const auto run = runs_.find(call->run);
    if (run == runs_.end())
      return;
    if (run->second.ended)
      report(place_of_call(*call), "is under way, though its run has ended");
    if (run->second.finished.contains(call->number))
      report(place_of_call(*call), "is under way, though it has finished");
  }

  [[nodiscard]] bool is_there(uint64_t run) const {
    const auto known = runs_.find(run);
    return known != runs_.end() && known->second.there;
  }

  const store& store_;
  verification found_;
  std::unordered_map<uint64_t, run_state> runs_;
};

} // namespace

outcome<verification> verify(const store& s) {
  return verifier{s}.verify();
}

} // namespace jackfield::storage
