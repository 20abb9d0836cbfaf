#include "engine/report/failure_details.hpp"

namespace jackfield::report {

namespace {

/// Not in the middle of a character.
std::string_view cut(std::string_view text) {
  if (text.size() <= failure_details::longest_text)
    return text;
  size_t end = failure_details::longest_text;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80)
    --end;
  return text.substr(0, end);
}

} // namespace

void failure_details::count(failure_cause cause, std::string_view text, uint64_t times) {
  if (text.empty() || times == 0)
    return;
  auto& said = by_cause_[cause];
  const auto shown = cut(text);
  if (const auto known = said.find(shown); known != said.end()) {
    known->second += times;
    return;
  }
  const auto counted_apart = said.size() - said.count(others);
  said[std::string{counted_apart < most_texts ? shown : others}] += times;
}

void failure_details::merge(const failure_details& other) {
  for (const auto& [cause, said] : other.by_cause_)
    for (const auto& [text, times] : said)
      count(cause, text, times);
}

const failure_details::texts* failure_details::of(failure_cause cause) const {
  const auto found = by_cause_.find(cause);
  return found == by_cause_.end() ? nullptr : &found->second;
}

} // namespace jackfield::report
