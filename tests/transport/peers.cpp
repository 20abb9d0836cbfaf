#include "tests/transport/peers.hpp"

#include <charconv>

#include <gtest/gtest.h>

namespace jackfield::transport {

namespace {

constexpr size_t longest = 100'000;

splitter_factory netstrings() {
  return [] { return std::make_unique<netstring_splitter>(); };
}

} // namespace

result<void> netstring_splitter::feed(std::string_view bytes, splitter_sink& sink) {
  buffer_ += bytes;
  std::string_view rest = buffer_;
  bool wanted = true;
  while (wanted && !rest.empty()) {
    if (rest.front() == '\r') {
      if (rest.size() < 2)
        break;
      rest.remove_prefix(2);
      wanted = sink.on_crlf();
      continue;
    }
    size_t size = 0;
    const char* const end = rest.data() + rest.size();
    const auto read = std::from_chars(rest.data(), end, size);
    if (read.ptr == end && rest.size() < 8)
      break;
    if (read.ec != std::errc{} || read.ptr == end || *read.ptr != ':' || size > longest)
      return fail("framing", "not a message");
    const size_t head = static_cast<size_t>(read.ptr - rest.data()) + 1;
    if (rest.size() - head < size)
      break;
    const std::string whole{rest.substr(head, size)};
    rest.remove_prefix(head + size);
    wanted = sink.on_message(whole);
  }
  buffer_.erase(0, buffer_.size() - rest.size());
  return {};
}

std::string framed(std::string_view text) {
  return std::to_string(text.size()) + ':' + std::string{text};
}

peer::peer(lane::lane& home, const transport_settings& settings)
    : layer(home, *this, netstrings(), settings) {}

void peer::on_message(const flow& from, std::string_view bytes, time_point arrived) {
  messages.push_back({from, std::string{bytes}, arrived});
  if (close_on_message)
    layer.close(from);
  if (!echo)
    return;
  const std::string answer = '+' + std::string{bytes};
  const bool stream = from.protocol == protocol::tcp || from.protocol == protocol::tls;
  EXPECT_TRUE(layer.send(from, stream ? framed(answer) : answer));
}

void peer::on_flow_up(const flow& up) {
  ups.push_back(up);
}

void peer::on_flow_failed(const flow& gone, const flow_end& how) {
  failures.push_back({gone, how.why.cause, how.said_goodbye, how.during});
}

std::vector<std::string> peer::texts() const {
  std::vector<std::string> out;
  for (const message& m : messages)
    out.push_back(m.bytes);
  return out;
}

raw_stream::raw_stream(lane::lane& home, const lane::endpoint& remote, const lane::endpoint& local)
    : stream(home.connect(remote, *this, local).value()) {}

void raw_stream::write(std::string_view bytes) {
  EXPECT_TRUE(stream->write(bytes));
}

} // namespace jackfield::transport
