#include "engine/sip/request_template.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>

#include "engine/sip/message_writer.hpp"
#include "engine/sip/text.hpp"

namespace jackfield::sip {

namespace {

bool is_slot_name(std::string_view name) noexcept {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return is(c, alpha_char | digit_char) || c == '_';
  });
}

std::string with_crlf(std::string_view text) {
  std::string lines;
  lines.reserve(text.size() + 32);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r'))
      lines += '\r';
    lines += text[i];
  }
  return lines;
}

} // namespace

result<request_template> request_template::compile(std::string_view source) {
  auto text = with_crlf(source);
  auto empty_line = text.find("\r\n\r\n");
  if (empty_line == std::string::npos)
    return fail("template", "no empty line behind the header fields");
  auto body_begin = empty_line + 4;

  request_template made;
  uint32_t literal_begin = 0;
  bool in_body = false;
  auto close_piece = [&](uint32_t slot) {
    auto size = static_cast<uint32_t>(made.literals_.size()) - literal_begin;
    made.pieces_.push_back({literal_begin, size, slot});
    literal_begin = static_cast<uint32_t>(made.literals_.size());
    if (in_body)
      made.body_literals_ += size;
  };
  size_t line = 1;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i == body_begin) {
      close_piece(no_slot);
      made.header_pieces_ = made.pieces_.size();
      in_body = true;
    }
    line += text[i] == '\n' ? 1 : 0;
    if (text[i] != '{' || text.compare(i, 2, "{{") == 0) {
      made.literals_ += text[i];
      i += text[i] == '{' ? 1 : 0;
      continue;
    }
    auto end = text.find('}', i);
    auto name = end == std::string::npos ? std::string_view{}
                                         : std::string_view(text).substr(i + 1, end - i - 1);
    if (!is_slot_name(name))
      return fail("template line " + std::to_string(line),
                  "expected {name} of letters, digits and '_', or {{ for a brace");
    if (name == "content_length") {
      if (in_body)
        return fail("template line " + std::to_string(line),
                    "{content_length} has its place in the header");
      close_piece(length_slot);
    } else {
      auto known = made.slot(name);
      if (!known) {
        known = made.slots_.size();
        made.slots_.emplace_back(name);
      }
      close_piece(static_cast<uint32_t>(*known));
    }
    i = end;
  }
  close_piece(no_slot);
  if (!in_body)
    made.header_pieces_ = made.pieces_.size();
  return made;
}

std::optional<size_t> request_template::slot(std::string_view name) const noexcept {
  auto found = std::find(slots_.begin(), slots_.end(), name);
  if (found == slots_.end())
    return std::nullopt;
  return static_cast<size_t>(found - slots_.begin());
}

bool request_template::render(std::span<const std::string_view> values, std::string& out) const {
  assert(values.size() == slots_.size());
  size_t body_size = body_literals_;
  size_t values_size = 0;
  for (size_t i = 0; i < pieces_.size(); ++i) {
    auto slot = pieces_[i].slot;
    if (slot >= length_slot)
      continue;
    values_size += values[slot].size();
    if (i >= header_pieces_)
      body_size += values[slot].size();
    else if (!is_safe_value(values[slot]))
      return false;
  }
  constexpr size_t length_room = 20;
  std::array<char, length_room> digits; // NOLINT: written before it is read
  auto digits_end = std::to_chars(digits.data(), digits.data() + digits.size(), body_size).ptr;
  std::string_view length(digits.data(), static_cast<size_t>(digits_end - digits.data()));

  out.reserve(out.size() + literals_.size() + values_size + length_room);
  for (const auto& p : pieces_) {
    out.append(literals_, p.begin, p.size);
    if (p.slot == length_slot)
      out += length;
    else if (p.slot != no_slot)
      out += values[p.slot];
  }
  return true;
}

} // namespace jackfield::sip
