#include "engine/sip/stream_framer.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "engine/sip/fields.hpp"
#include "engine/sip/text.hpp"

namespace jackfield::sip {

namespace {

constexpr auto npos = std::string_view::npos;

/// The value of a line that is a Content-Length field.
std::optional<std::string_view> length_value(std::string_view line) noexcept {
  size_t name_end = 0;
  while (name_end < line.size() && is(line[name_end], token_char))
    ++name_end;
  auto name = line.substr(0, name_end);
  if (!(name.size() == 14 && iequals(name, "content-length")) &&
      !(name.size() == 1 && lower(name[0]) == 'l'))
    return std::nullopt;
  auto rest = trim(line.substr(name_end));
  if (rest.empty() || rest.front() != ':')
    return std::nullopt;
  return trim(rest.substr(1));
}

/// Takes a line with the lines that continue it.
std::string_view take_line(std::string_view& rest) noexcept {
  size_t end = rest.find('\n');
  while (end != npos && end + 1 < rest.size() && (rest[end + 1] == ' ' || rest[end + 1] == '\t'))
    end = rest.find('\n', end + 1);
  auto size = end == npos ? rest.size() : end + 1;
  auto line = rest.substr(0, size);
  rest.remove_prefix(size);
  return line;
}

/// Kept by a connection between messages.
constexpr size_t idle_capacity = 4'096;

} // namespace

void stream_framer::feed(std::string_view piece) {
  if (failed_)
    return;
  if (held_.empty() || consumed_ == held_.size()) {
    // Most pieces end where a message ends. What a large one took is given back.
    if (held_.capacity() > idle_capacity)
      held_ = {};
    held_.clear();
    piece_ = piece;
  } else {
    held_.erase(0, consumed_);
    held_ += piece;
  }
  consumed_ = 0;
}

stream_framer::item stream_framer::next() {
  if (failed_)
    return {};
  auto found = find();
  if (!found)
    hold_rest();
  return found;
}

stream_framer::item stream_framer::find() {
  if (header_size_ == 0) {
    if (searched_ == 0)
      if (auto found = keep_alive())
        return found;
    // A CR whose LF has not come yet may still be a keep-alive's.
    if (input().empty() || input() == "\r")
      return {};
    if (!find_header_end())
      return searched_ > limits_.header_bytes ? fail(513, "header too large") : item{};
    if (header_size_ > limits_.header_bytes)
      return fail(513, "header too large");
    if (auto fault = read_length())
      return fault;
  }
  if (input().size() < total_size_)
    return {};
  item found{kind::message, input().substr(0, total_size_), 0, {}};
  drop(total_size_);
  return found;
}

/// Line ends before a start line.
stream_framer::item stream_framer::keep_alive() {
  auto left = input();
  if (left.substr(0, 2) != "\r\n") {
    // Stray line ends that are no keep-alive.
    if (!left.empty() && (left[0] == '\n' || (left[0] == '\r' && left.size() > 1)))
      return fail(400, "line not ended by CRLF");
    return {};
  }
  bool second = after_line_end_;
  drop(2);
  after_line_end_ = !second;
  return {second ? kind::ping : kind::pong, {}, 0, {}};
}

/// Sets `header_size_` if the empty line that ends the header is there. Bare LF counts as a line
/// end here, as it does for `message::parse`, which refuses it.
bool stream_framer::find_header_end() noexcept {
  auto text = input();
  const char* begin = text.data();
  const char* end = begin + text.size();
  const char* at = begin + searched_;
  while (const auto* stop =
           static_cast<const char*>(std::memchr(at, '\n', static_cast<size_t>(end - at)))) {
    auto left = end - stop;
    size_t size = static_cast<size_t>(stop - begin);
    if (left >= 2 && stop[1] == '\n')
      header_size_ = size + 2;
    else if (left >= 3 && stop[1] == '\r' && stop[2] == '\n')
      header_size_ = size + 3;
    else if (left < 2 || (left < 3 && stop[1] == '\r')) {
      searched_ = size;
      return false;
    }
    if (header_size_ != 0)
      return true;
    at = stop + 1;
    if (at == end)
      break;
  }
  searched_ = text.size();
  return false;
}

/// Sets `total_size_`, or returns a fault.
stream_framer::item stream_framer::read_length() {
  auto header = input().substr(0, header_size_);
  auto rest = header;
  static_cast<void>(take_line(rest));
  std::optional<std::string_view> length;
  while (!rest.empty()) {
    auto value = length_value(take_line(rest));
    if (!value)
      continue;
    if (length && *length != *value) // the same again says where the message ends, too
      return fail(400, "repeated Content-Length", header);
    length = value;
  }
  if (!length)
    return fail(400, "no Content-Length on a stream", header);
  auto size = parse_uint(*length, std::numeric_limits<uint32_t>::max());
  if (!size)
    return fail(400, "malformed Content-Length", header);
  if (header_size_ > limits_.message_bytes || *size > limits_.message_bytes - header_size_)
    return fail(513, "message too large", header);
  total_size_ = header_size_ + static_cast<size_t>(*size);
  return {};
}

stream_framer::item stream_framer::fail(int status, std::string_view cause,
                                        std::string_view header) {
  failed_ = true;
  return {kind::fault, header, status, cause};
}

void stream_framer::drop(size_t count) noexcept {
  consumed_ += count;
  searched_ = header_size_ = total_size_ = 0;
  after_line_end_ = false;
}

/// Copies what is left of the piece, before its owner takes it away.
void stream_framer::hold_rest() {
  if (!held_.empty())
    return;
  held_.assign(piece_.substr(consumed_));
  piece_ = {};
  consumed_ = 0;
}

} // namespace jackfield::sip
