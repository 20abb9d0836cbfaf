// What a store of many calls costs: `bench_state_store DIRECTORY records COUNT` writes finished
// calls and prints bytes on disk and the growth of memory; `... DIRECTORY dialogs COUNT` leaves
// COUNT calls up as a crash does, then opens the store and closes them, and prints the time.
// One line of numbers each.

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>

#include "storage/commit_log.hpp"
#include "storage/records.hpp"
#include "storage/rocks_store.hpp"
#include "storage/run_book.hpp"

namespace {

using namespace jackfield;
using storage::keyspace;

constexpr uint64_t calls_a_commit = 20; // of 1,000 calls a second, 20 ms

[[noreturn]] void give_up(const error& why) {
  std::fprintf(stderr, "bench_state_store: %s\n", why.to_string().c_str());
  std::exit(1);
}

template <class T>
T must(storage::outcome<T> value) {
  if (!value)
    give_up(value.error().why);
  if constexpr (!std::is_void_v<T>)
    return std::move(*value);
}

size_t resident_kb() {
  std::ifstream in{"/proc/self/status"};
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("VmRSS:"))
      return std::stoul(line.substr(6));
  return 0;
}

uint64_t bytes_in(const std::filesystem::path& directory) {
  uint64_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator{directory})
    bytes += file.file_size();
  return bytes;
}

storage::wall_time at(uint64_t number) {
  return storage::wall_time{std::chrono::seconds{1'800'000'000} +
                            std::chrono::microseconds{number * 1000}};
}

std::string tag_of(uint64_t number) {
  std::string text(26, 'a');
  auto state = number * 0x9e3779b97f4a7c15U;
  for (auto& c : text) {
    state = (state ^ (state >> 29U)) * 0xbf58476d1ce4e5b9U;
    c = static_cast<char>('a' + (state >> 59U) % 26);
  }
  return text;
}

storage::call_record call_of(uint64_t number) {
  storage::call_record call;
  call.call_id = call.leg = tag_of(number);
  call.from = "sip:caller" + std::to_string(number % 1000) + "@192.0.2.10";
  call.to = "sip:service@192.0.2.1:5060";
  call.started = at(number);
  call.target = "udp 192.0.2.1:5060";
  return call;
}

void answer(storage::call_record& call) {
  call.answered = call.started + std::chrono::milliseconds{40};
  auto& d = call.dialog.emplace();
  d.leg = d.call_id = d.local_tag = call.leg;
  d.local_party = "<" + call.from + ">;tag=" + call.leg;
  d.remote_tag = call.leg.substr(3);
  d.remote_party = "<" + call.to + ">;tag=" + d.remote_tag;
  d.remote_target = "sip:192.0.2.1:5060";
  d.route_set = "<sip:192.0.2.2;lr>";
  d.local_cseq = d.acked_cseq = d.next_branch = 1;
  d.is_caller = true;
}

/// As a load without audio leaves them.
storage::call_figures figures_of(uint64_t number) {
  const std::chrono::nanoseconds spread{number * 7919 % 1'000'000};
  storage::call_figures figures;
  figures.due = -std::chrono::microseconds{50} - spread / 10;
  figures.first_response = std::chrono::microseconds{500} + spread;
  figures.ringing = *figures.first_response;
  figures.final_response = std::chrono::milliseconds{40} + spread;
  figures.acknowledged = *figures.final_response + std::chrono::microseconds{80};
  figures.bye_sent = std::chrono::milliseconds{1040} + spread;
  figures.local_bye = true;
  figures.requests = 3;
  return figures;
}

void each(storage::commit_log& log, uint64_t count,
          const std::function<void(uint64_t, storage::change&)>& make) {
  for (uint64_t number = 0; number < count;) {
    storage::change c;
    for (const auto end = std::min(count, number + calls_a_commit); number < end; ++number)
      make(number, c);
    log.add(std::move(c));
    must(log.commit());
  }
}

int records(const std::string& directory, uint64_t count) {
  auto store = must(storage::rocks_store::open(directory));
  const auto run = must(storage::begin_run(*store, {}));
  auto log = must(storage::commit_log::begin(*store));
  size_t first = 0, most = 0;
  each(log, count, [&](uint64_t number, storage::change& c) {
    auto call = call_of(number);
    const storage::call_key key{run, number};
    c.writes.put(keyspace::calls, storage::key_of(key), storage::pack(call));
    answer(call);
    c.writes.put(keyspace::calls, storage::key_of(key), storage::pack(call));
    storage::call_ended end{key,           false,        call.call_id,       call.from,
                            call.to,       call.started, call.answered,      *call.answered,
                            std::string{}, 200,          figures_of(number), std::nullopt};
    c.writes.erase(keyspace::calls, storage::key_of(key));
    c.events.push_back(storage::pack(storage::event_record{end.ended, end}));
    if (number % 10'000 == 0) {
      most = std::max(most, resident_kb());
      if (number == count / 20 / 10'000 * 10'000) // by then its buffers have been in use
        first = most;
    }
  });
  must(store->compact());
  store.reset();
  std::printf("%.1f %zu %zu\n", static_cast<double>(bytes_in(directory)) / double(count), first,
              most);
  return 0;
}

int dialogs(const std::string& directory, uint64_t count) {
  {
    auto store = must(storage::rocks_store::open(directory));
    const auto run = must(storage::begin_run(*store, {}));
    auto log = must(storage::commit_log::begin(*store));
    each(log, count, [&](uint64_t number, storage::change& c) {
      auto call = call_of(number);
      answer(call);
      c.writes.put(keyspace::calls, storage::key_of({run, number}), storage::pack(call));
    });
  }
  const auto began = std::chrono::steady_clock::now();
  auto store = must(storage::rocks_store::open(directory));
  const auto closed = must(storage::close_interrupted(*store));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf("%llu %.2f\n", static_cast<unsigned long long>(closed.answered), took.count());
  return 0;
}

} // namespace

int main(int arguments, char** words) {
  const std::string_view what = arguments == 4 ? words[2] : "";
  uint64_t count = 0;
  if (arguments == 4) {
    const std::string_view text = words[3];
    std::from_chars(text.data(), text.data() + text.size(), count);
  }
  if (count > 0 && what == "records")
    return records(words[1], count);
  if (count > 0 && what == "dialogs")
    return dialogs(words[1], count);
  std::fputs("usage: bench_state_store DIRECTORY records|dialogs COUNT\n", stderr);
  return 2;
}
