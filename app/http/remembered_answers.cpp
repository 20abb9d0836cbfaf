#include "app/http/remembered_answers.hpp"

#include <algorithm>

namespace jackfield::http {

namespace {

constexpr size_t longest_key = 255;
constexpr std::string_view header = "Idempotency-Key";

} // namespace

void remembered_answers::drop_old(clock::time_point now) {
  while (!ages_.empty() && (now - ages_.front().since >= keep_ || ages_.size() > most_)) {
    const auto found = entries_.find(ages_.front().key);
    if (found != entries_.end() && found->second.order == ages_.front().order)
      entries_.erase(found);
    ages_.pop_front();
  }
}

std::optional<answer> remembered_answers::begin(const request& what, clock::time_point now) {
  const auto& key = what.idempotency_key;
  if (key.empty() || key.size() > longest_key ||
      !std::ranges::all_of(key, [](char c) { return c > ' ' && c < '\x7f'; }))
    return problem(400, "expected 1 to 255 characters of ASCII without spaces", header);
  drop_old(now);
  auto asked = what.method + ' ' + what.target + '\n' + what.body;
  const auto [found, added] = entries_.try_emplace(key);
  auto& one = found->second;
  if (added) {
    one.what = std::move(asked);
    one.order = ++orders_;
    ages_.push_back({now, key, one.order});
    drop_old(now);
    return std::nullopt;
  }
  if (one.what != asked)
    return problem(409, "is the key of another request", header);
  if (!one.how)
    return problem(409, "the request with this key is not done yet", header);
  return one.how;
}

void remembered_answers::finish(const std::string& key, const answer& how) {
  if (const auto found = entries_.find(key); found != entries_.end())
    found->second.how = how;
}

void remembered_answers::forget(const std::string& key) {
  entries_.erase(key);
}

} // namespace jackfield::http
