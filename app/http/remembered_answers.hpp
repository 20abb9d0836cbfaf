#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "app/http/messages.hpp"

namespace jackfield::http {

/// What was answered to requests with an Idempotency-Key, so that one that comes again is not done
/// again. The oldest key goes where there would be too many. One thread at a time.
class remembered_answers {
public:
  using clock = std::chrono::steady_clock;

  remembered_answers(size_t most, clock::duration keep) : most_(most), keep_(keep) {}

  /// Nothing: it is to be done, and `finish` or `forget` follows. Else how to answer: as before, or
  /// 409 where the key is of another request or the first one is not done yet, or 400 where it is
  /// no key.
  [[nodiscard]] std::optional<answer> begin(const request& what, clock::time_point now);
  void finish(const std::string& key, const answer& how);
  /// It was not done: it may be asked for again.
  void forget(const std::string& key);

  [[nodiscard]] size_t size() const noexcept { return entries_.size(); }

private:
  struct entry {
    std::string what; // method, target and body
    uint64_t order = 0;
    std::optional<answer> how; // nothing: it is being done
  };
  void drop_old(clock::time_point now);

  size_t most_;
  clock::duration keep_;
  std::unordered_map<std::string, entry> entries_;
  struct age {
    clock::time_point since;
    std::string key;
    uint64_t order = 0;
  };
  std::deque<age> ages_; // some of keys that are gone
  uint64_t orders_ = 0;
};

} // namespace jackfield::http
