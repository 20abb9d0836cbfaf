#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "engine/error/error.hpp"

struct wslay_event_context;

namespace jackfield::transport {

/// True if `text` is UTF-8 as RFC 3629 has it.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// An open WebSocket between two streams of bytes, without I/O (RFC 6455; no extensions): bytes of
/// the peer go in by `feed`, bytes for the peer come out by the sink.
class ws_filter {
public:
  enum class role : uint8_t { client, server };

  /// What the filter has to say; the bytes are valid during the call. `on_message` may call
  /// `write`, `ping` and `close`, nothing else of the filter, and may not destroy it.
  class sink {
  public:
    /// Whole frames to be sent to the peer.
    virtual void on_frames(std::string_view bytes) = 0;
    /// A text or binary message. Returns false to stop: the connection ended meanwhile.
    virtual bool on_message(std::string_view bytes) = 0;
    virtual void on_pong() = 0;

  protected:
    ~sink() = default;
  };

  /// Fills with unpredictable bytes, for a client's masks (RFC 6455 §10.3).
  using random_source = std::function<void(std::span<std::byte>)>;

  /// Longest message taken, and most fragments it may come in.
  static constexpr size_t max_message = 64U << 10U;
  static constexpr size_t max_fragments = 1024;

  ws_filter(role side, random_source random);
  ~ws_filter();
  ws_filter(const ws_filter&) = delete;
  ws_filter& operator=(const ws_filter&) = delete;

  /// Takes bytes of the peer. Fails when the peer breaks the protocol; `out` has then been given
  /// the close frame that says so (1002, 1007, 1009), and nothing more is read or written.
  result<void> feed(std::string_view bytes, sink& out);
  /// Sends a message: as text if it is UTF-8, else as binary. Ignored when closed.
  void write(std::string_view message, sink& out);
  void ping(sink& out);
  /// Sends a close frame. Ignored when closed.
  void close(uint16_t code, sink& out);

  /// True once a close frame was sent; `close_code` is the peer's code (1005: it gave none), or 0
  /// while it sent no close frame.
  [[nodiscard]] bool closed() const noexcept;
  [[nodiscard]] uint16_t close_code() const noexcept;
  /// True while the beginning of a message waits for its rest.
  [[nodiscard]] bool mid_message() const noexcept;

private:
  struct hooks;
  void queue(uint8_t opcode, std::string_view payload, sink& out);
  void flush(sink& out);
  void give_up(uint16_t code, const char* why);
  void write_close_frame(uint16_t code, sink& out);

  wslay_event_context* context_ = nullptr;
  random_source random_;
  role role_;
  bool message_open_ = false; // between a data message's first and last fragment
  bool frame_open_ = false;   // between a frame's head and its end
  bool stopped_ = false;      // the sink wants no more, or the peer broke the protocol
  const char* failure_ = nullptr;
  size_t fragments_ = 0;
  std::string message_;
  std::string control_;           // payload of the control frame under way
  std::string_view input_;        // what the call of `feed` under way has not consumed yet
  sink* sink_ = nullptr;          // of the call of `feed` under way
  std::string* output_ = nullptr; // of the call of `flush` under way
  bool control_frame_ = false;    // the frame under way is one
  bool close_frame_ = false;      // the frame under way is a close frame
  bool broken_ = false;           // nothing can be written any more
};

} // namespace jackfield::transport
