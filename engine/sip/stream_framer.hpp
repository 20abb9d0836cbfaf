#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace jackfield::sip {

/// Splits the bytes of a TCP or TLS connection into messages by their Content-Length (RFC 3261
/// §18.3), and finds keep-alives (RFC 5626 §3.5.1).
///
///     framer.feed(bytes);
///     while (auto found = framer.next()) ...
///
/// What is found does not depend on how the stream was cut into pieces. Time is linear in the bytes
/// fed. At most one message within the limits and one piece are held; a declared length alone
/// allocates nothing.
class stream_framer {
public:
  struct limits {
    size_t header_bytes = 65'535; // start line to empty line
    size_t message_bytes = 65'535;
  };

  enum class kind : uint8_t {
    /// Nothing more until the next `feed`.
    none,
    /// A message from its start line to the end of its body; `message::parse` has yet to judge it.
    message,
    /// A second CRLF in a row between messages: the peer's ping. The receiver of the connection
    /// answers one CRLF.
    ping,
    /// A single CRLF between messages: the answer to our ping, or the first half of the peer's.
    pong,
    /// The stream cannot be followed further: answer with `status` if `bytes` can be answered, and
    /// close. Nothing is found after it.
    fault,
  };

  struct item {
    kind what = kind::none;
    /// The message; for a fault the header if it is complete (with it a request can be answered),
    /// else empty. Valid until the next `feed` and not beyond the bytes fed.
    std::string_view bytes;
    int status = 0;         // of a fault: 400 or 513
    std::string_view cause; // of a fault; static

    explicit operator bool() const noexcept { return what != kind::none; }
  };

  stream_framer() = default;
  explicit stream_framer(const limits& bounds) : limits_(bounds) {}

  /// The next piece of the stream. It must stay valid until `next` has returned `none`, which it
  /// must have done before the next `feed`. After a fault it is ignored.
  void feed(std::string_view piece);
  item next();

  [[nodiscard]] bool failed() const noexcept { return failed_; }
  /// A message is begun and not complete, so that a peer that stalls can be timed out.
  [[nodiscard]] bool in_message() const noexcept { return !failed_ && !input().empty(); }
  /// Bytes held over for the next piece.
  [[nodiscard]] size_t held() const noexcept { return failed_ ? 0 : input().size(); }

private:
  item find();
  item keep_alive();
  item fail(int status, std::string_view cause, std::string_view header = {});
  bool find_header_end() noexcept;
  item read_length();
  void drop(size_t count) noexcept;
  void hold_rest();
  /// What is not consumed.
  [[nodiscard]] std::string_view input() const noexcept {
    return (held_.empty() ? piece_ : std::string_view(held_)).substr(consumed_);
  }

  limits limits_;
  /// Empty while all input is in `piece_`, else an incomplete message and the pieces since.
  std::string held_;
  std::string_view piece_;
  size_t consumed_ = 0;
  /// Up to where the header of the message at the start of the input was searched.
  size_t searched_ = 0;
  size_t header_size_ = 0; // 0: its end is not seen yet
  size_t total_size_ = 0;
  bool after_line_end_ = false; // one CRLF was seen since the last message
  bool failed_ = false;
};

} // namespace jackfield::sip
