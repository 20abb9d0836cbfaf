#include "actors/centre/trunk_book.hpp"

#include <algorithm>

#include "engine/sip/text.hpp"

namespace jackfield {

namespace {

constexpr std::string_view trail_name = "X-Jackfield-Trail";
constexpr size_t longest_mark = 32;
/// ITU-T E.164 has 15 digits; service codes and what is prepended need some more.
constexpr size_t longest_number = 40;

bool is_mark(std::string_view text) noexcept {
  return !text.empty() && text.size() <= longest_mark && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
  });
}

bool is_number(std::string_view text) noexcept {
  if (text.starts_with('+'))
    text.remove_prefix(1);
  return !text.empty() && text.size() <= longest_number &&
         text.find_first_not_of("0123456789*#") == std::string_view::npos;
}

} // namespace

std::string outside_route::number_for(std::string_view called) const {
  return prepend + std::string{called.substr(std::min<size_t>(strip, called.size()))};
}

trunk_line* trunk_book::line_from(const lane::endpoint& address) const noexcept {
  for (const auto& line : lines)
    for (const auto& range : line->profile().from)
      if (range.contains(address))
        return line.get();
  return nullptr;
}

const outside_route* trunk_book::route_for(std::string_view called) const noexcept {
  const outside_route* best = nullptr;
  if (!is_number(called))
    return best;
  for (const auto& each : routes)
    if (called.starts_with(each.prefix) &&
        (best == nullptr || each.prefix.size() > best->prefix.size()))
      best = &each;
  return best;
}

std::optional<trunk_call> trunk_call::begin(trunk_line& line, way which) noexcept {
  auto calls = line.calls_.load();
  do
    if (calls >= line.profile_.most_calls)
      return std::nullopt;
  while (!line.calls_.compare_exchange_weak(calls, calls + 1));
  ++(which == way::in ? line.came_ : line.placed_);
  return trunk_call{line};
}

trunk_call::~trunk_call() {
  if (line_ != nullptr)
    --line_->calls_;
}

call_trail call_trail::of(const sip::message& invite) {
  call_trail made;
  for (const auto& field : invite.fields()) {
    if (!sip::iequals(field.name, trail_name))
      continue;
    auto rest = field.value;
    while (!rest.empty() && made.marks.size() <= most_marks) {
      const auto comma = rest.find(',');
      const auto mark = sip::trim(rest.substr(0, comma));
      if (is_mark(mark))
        made.marks.emplace_back(mark);
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
  }
  return made;
}

bool call_trail::has(std::string_view mark) const noexcept {
  return std::ranges::find(marks, mark) != marks.end();
}

std::string call_trail::line_with(std::string_view mark) const {
  std::string out{trail_name};
  out += ": ";
  for (const auto& each : marks)
    out.append(each).append(", ");
  return out.append(mark).append("\r\n");
}

} // namespace jackfield
