#include "engine/transport/ws_filter.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <utility>

#include <wslay/wslay.h>

namespace jackfield::transport {

bool is_utf8(std::string_view text) noexcept {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = at + text.size();
  while (at != end) {
    const unsigned lead = *at++;
    if (lead < 0x80)
      continue;
    // Bytes that follow, and the range of the first of them, which excludes overlong forms,
    // surrogates and what is above U+10FFFF.
    int following = 0;
    unsigned low = 0x80;
    unsigned high = 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) {
      following = 1;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      following = 2;
      low = lead == 0xe0 ? 0xa0 : low;
      high = lead == 0xed ? 0x9f : high;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      following = 3;
      low = lead == 0xf0 ? 0x90 : low;
      high = lead == 0xf4 ? 0x8f : high;
    } else {
      return false;
    }
    for (; following > 0; --following) {
      if (at == end || *at < low || *at > high)
        return false;
      ++at;
      low = 0x80;
      high = 0xbf;
    }
  }
  return true;
}

/// What wslay calls.
struct ws_filter::hooks {
  static ws_filter& self(void* data) { return *static_cast<ws_filter*>(data); }

  static ssize_t receive(wslay_event_context_ptr context, uint8_t* to, size_t size, int,
                         void* data) {
    std::string_view& input = self(data).input_;
    if (input.empty()) {
      wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
      return -1;
    }
    const size_t n = std::min(size, input.size());
    std::memcpy(to, input.data(), n);
    input.remove_prefix(n);
    return static_cast<ssize_t>(n);
  }

  static ssize_t send(wslay_event_context_ptr context, const uint8_t* from, size_t size, int,
                      void* data) {
    std::string* output = self(data).output_;
    if (output == nullptr) {
      wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
      return -1;
    }
    output->append(reinterpret_cast<const char*>(from), size);
    return static_cast<ssize_t>(size);
  }

  static int make_mask(wslay_event_context_ptr, uint8_t* to, size_t size, void* data) {
    self(data).random_({reinterpret_cast<std::byte*>(to), size});
    return 0;
  }

  static void frame_begins(wslay_event_context_ptr,
                           const wslay_event_on_frame_recv_start_arg* frame, void* data) {
    ws_filter& filter = self(data);
    filter.frame_open_ = true;
    filter.control_frame_ = wslay_is_ctrl_frame(frame->opcode) != 0;
    filter.close_frame_ = frame->opcode == WSLAY_CONNECTION_CLOSE;
    filter.control_.clear();
    if (filter.close_frame_ && frame->payload_length == 1)
      filter.give_up(WSLAY_CODE_PROTOCOL_ERROR, "close frame with half a code");
    if (filter.control_frame_)
      return;
    if (frame->opcode != WSLAY_CONTINUATION_FRAME) {
      filter.message_.clear();
      filter.fragments_ = 0;
    }
    filter.message_open_ = true;
    if (++filter.fragments_ > max_fragments)
      filter.give_up(WSLAY_CODE_POLICY_VIOLATION, "message in too many fragments");
    // wslay bounds a frame's length; the sum cannot overflow.
    else if (filter.message_.size() + frame->payload_length > max_message)
      filter.give_up(WSLAY_CODE_MESSAGE_TOO_BIG, "message longer than 65536 bytes");
  }

  static void frame_brings(wslay_event_context_ptr,
                           const wslay_event_on_frame_recv_chunk_arg* chunk, void* data) {
    ws_filter& filter = self(data);
    if (filter.stopped_)
      return;
    std::string& to = filter.control_frame_ ? filter.control_ : filter.message_;
    to.append(reinterpret_cast<const char*>(chunk->data), chunk->data_length);
  }

  static void frame_ends(wslay_event_context_ptr, void* data) {
    ws_filter& filter = self(data);
    filter.frame_open_ = false;
    // wslay overlooks this when a close frame comes in pieces.
    if (filter.close_frame_ && !filter.stopped_ && filter.control_.size() > 2 &&
        !is_utf8(std::string_view{filter.control_}.substr(2)))
      filter.give_up(WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA, "close reason is not UTF-8");
  }

  static void message_ends(wslay_event_context_ptr context,
                           const wslay_event_on_msg_recv_arg* message, void* data) {
    ws_filter& filter = self(data);
    if (filter.stopped_)
      return;
    if (message->opcode == WSLAY_PONG) {
      filter.sink_->on_pong();
    } else if (message->opcode == WSLAY_TEXT_FRAME || message->opcode == WSLAY_BINARY_FRAME) {
      filter.message_open_ = false;
      const std::string whole = std::exchange(filter.message_, {});
      if (!filter.sink_->on_message(whole)) {
        filter.stopped_ = true;
        wslay_event_shutdown_read(context);
      }
    }
  }
};

ws_filter::ws_filter(role side, random_source random) : random_(std::move(random)), role_(side) {
  wslay_event_callbacks callbacks{};
  callbacks.recv_callback = &hooks::receive;
  callbacks.send_callback = &hooks::send;
  callbacks.genmask_callback = &hooks::make_mask;
  callbacks.on_frame_recv_start_callback = &hooks::frame_begins;
  callbacks.on_frame_recv_chunk_callback = &hooks::frame_brings;
  callbacks.on_frame_recv_end_callback = &hooks::frame_ends;
  callbacks.on_msg_recv_callback = &hooks::message_ends;
  const int made = side == role::server
                     ? wslay_event_context_server_init(&context_, &callbacks, this)
                     : wslay_event_context_client_init(&context_, &callbacks, this);
  if (made != 0)
    throw std::bad_alloc{}; // wslay's only reason
  wslay_event_config_set_max_recv_msg_length(context_, max_message);
  // Fragments are gathered here: wslay would allocate what a frame's head promises.
  wslay_event_config_set_no_buffering(context_, 1);
}

ws_filter::~ws_filter() {
  wslay_event_context_free(context_);
}

void ws_filter::give_up(uint16_t code, const char* why) {
  stopped_ = true;
  failure_ = why;
  wslay_event_queue_close(context_, code, nullptr, 0);
  wslay_event_shutdown_read(context_);
}

result<void> ws_filter::feed(std::string_view bytes, sink& out) {
  if (stopped_ || broken_ || closed())
    return {};
  input_ = bytes;
  sink_ = &out;
  const int done = wslay_event_recv(context_);
  input_ = {};
  sink_ = nullptr;
  if (done == WSLAY_ERR_CALLBACK_FAILURE) {
    // A frame's head was wrong; wslay would close without a reason.
    broken_ = true;
    write_close_frame(WSLAY_CODE_PROTOCOL_ERROR, out);
    return fail("websocket", "malformed frame");
  }
  if (done != 0) {
    broken_ = true;
    return fail("websocket", "out of memory");
  }
  flush(out);
  if (failure_ != nullptr)
    return fail("websocket", failure_);
  if (wslay_event_get_read_enabled(context_) != 0 ||
      wslay_event_get_close_received(context_) != 0 || stopped_)
    return {};
  switch (wslay_event_get_status_code_sent(context_)) {
  case WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA:
    return fail("websocket", "text is not UTF-8");
  case WSLAY_CODE_MESSAGE_TOO_BIG:
    return fail("websocket", "message longer than 65536 bytes");
  default:
    return fail("websocket", "the peer broke the protocol");
  }
}

void ws_filter::queue(uint8_t opcode, std::string_view payload, sink& out) {
  if (broken_ || closed())
    return;
  const wslay_event_msg message{opcode, reinterpret_cast<const uint8_t*>(payload.data()),
                                payload.size()};
  if (wslay_event_queue_msg(context_, &message) == 0)
    flush(out);
}

void ws_filter::write(std::string_view message, sink& out) {
  queue(is_utf8(message) ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, message, out);
}

void ws_filter::ping(sink& out) {
  queue(WSLAY_PING, {}, out);
}

void ws_filter::close(uint16_t code, sink& out) {
  if (broken_ || closed())
    return;
  wslay_event_queue_close(context_, code, nullptr, 0);
  flush(out);
}

void ws_filter::flush(sink& out) {
  if (wslay_event_want_write(context_) == 0)
    return;
  std::string frames;
  output_ = &frames;
  if (wslay_event_send(context_) != 0)
    broken_ = true;
  output_ = nullptr;
  if (!frames.empty())
    out.on_frames(frames);
}

void ws_filter::write_close_frame(uint16_t code, sink& out) {
  const bool masked = role_ == role::client;
  std::array<std::byte, 4> mask{};
  if (masked)
    random_(mask);
  std::string frame{'\x88', static_cast<char>(masked ? 0x82 : 0x02)};
  if (masked)
    frame.append(reinterpret_cast<const char*>(mask.data()), mask.size());
  frame += static_cast<char>((code >> 8U) ^ std::to_integer<unsigned>(mask[0]));
  frame += static_cast<char>((code & 0xffU) ^ std::to_integer<unsigned>(mask[1]));
  out.on_frames(frame);
}

bool ws_filter::closed() const noexcept {
  return broken_ || wslay_event_get_close_sent(context_) != 0;
}

uint16_t ws_filter::close_code() const noexcept {
  return wslay_event_get_close_received(context_) != 0
           ? wslay_event_get_status_code_received(context_)
           : 0;
}

bool ws_filter::mid_message() const noexcept {
  return message_open_ || frame_open_;
}

} // namespace jackfield::transport
