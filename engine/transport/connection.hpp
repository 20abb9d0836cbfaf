#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/lane/lane.hpp"
#include "engine/transport/flow.hpp"
#include "engine/transport/flow_end.hpp"
#include "engine/transport/stream_splitter.hpp"
#include "engine/transport/tls_filter.hpp"
#include "engine/transport/transport_settings.hpp"
#include "engine/transport/ws_filter.hpp"

namespace jackfield::transport {

class connection;

/// What a connection asks of and tells to the layer that owns it.
class connection_owner {
public:
  virtual void on_connection_up(connection& which) = 0;
  virtual void on_connection_message(connection& which, std::string_view bytes) = 0;
  /// The connection is over; called once, in the middle of whatever ended it, so that the object
  /// must live until the call stack is unwound. `stream`, if not null, still has bytes to deliver.
  virtual void on_connection_over(connection& which, const error& why, bool orderly,
                                  std::unique_ptr<lane::stream_socket> stream) = 0;
  virtual void on_tls_up(bool resumed) = 0;
  /// True if a step of a TLS handshake may be taken in this pass of the lane.
  virtual bool handshake_allowed() = 0;
  /// A step was taken that cost a cryptographic operation.
  virtual void handshake_stepped() = 0;
  /// Asks for a call of `resume_handshake` in a later pass.
  virtual void handshake_waits(const connection& which) = 0;
  virtual std::unique_ptr<stream_splitter> make_splitter() = 0;

protected:
  ~connection_owner() = default;
};

/// One TCP, TLS, WS or WSS connection, from the first byte to the last: a lane's stream, TLS and
/// WebSocket filters as the protocol wants them, and the framing of messages; with its timers.
class connection final : public lane::stream_handler,
                         private splitter_sink,
                         private tls_filter::sink,
                         private ws_filter::sink {
public:
  /// What a client needs besides the flow.
  struct client_settings {
    std::string server_name;
    std::string host; // for WebSocket's Host
    std::shared_ptr<tls_context> tls;
    ws_client_settings ws;
  };

  connection(lane::lane& home, connection_owner& owner, const transport_settings& settings);
  ~connection() override;

  /// Begins to connect. The flow's handle, protocol and remote are those of `as`.
  result<void> start_client(const flow& as, const lane::endpoint& local, client_settings client);
  /// Takes an accepted stream. May be over when it returns.
  void start_server(const flow& as, std::unique_ptr<lane::stream_socket> stream,
                    std::shared_ptr<const listen_settings> server);

  /// Sends or, while connecting, keeps a message. False: not taken, and the connection is over.
  bool send(std::string_view message);
  /// Ends it in order, after what was queued has been sent.
  void close(uint16_t websocket_code);
  void resume_handshake();

  [[nodiscard]] const flow& name() const noexcept { return flow_; }
  [[nodiscard]] bool is_up() const noexcept { return phase_ == phase::up; }
  /// The peer sent a WebSocket's close frame.
  [[nodiscard]] bool said_goodbye() const noexcept { return ws_ && ws_->close_code() != 0; }
  [[nodiscard]] bool is_client() const noexcept { return client_ != nullptr; }
  /// Of one that is over: what it was doing when it ended.
  [[nodiscard]] flow_end::stage ended_during() const noexcept { return ended_during_; }
  [[nodiscard]] const tls_filter* tls() const noexcept { return tls_.get(); }

private:
  enum class phase : uint8_t { connecting, tls, websocket, up, over };

  // -- lane::stream_handler ------------------------------------------------------
  void on_connected() override;
  void on_data(std::span<const std::byte> bytes) override;
  void on_closed(const error& why) override;
  // -- splitter_sink, ws_filter::sink ---------------------------------------------
  bool on_message(std::string_view bytes) override;
  bool on_crlf() override;
  void on_frames(std::string_view bytes) override;
  void on_pong() override;
  // -- tls_filter::sink --------------------------------------------------------------
  void on_cipher_text(std::string_view bytes) override;
  bool on_plain_text(std::string_view bytes) override;

  void take_cipher_text(std::string_view bytes);
  void feed_tls(std::string_view bytes);
  void begin_websocket();
  void take_head(std::string_view bytes);
  void come_up();
  void take_messages(std::string_view bytes);
  void write_plain(std::string_view bytes);
  void write_stream(std::string_view bytes);
  void fail_with(std::string cause);
  void end(const error& why, bool orderly, bool deliver);

  void schedule();
  void schedule_ping();
  void on_timer();
  void send_ping();

  lane::lane& home_;
  connection_owner& owner_;
  const transport_settings& settings_;
  flow flow_;
  std::unique_ptr<lane::stream_socket> stream_;
  std::unique_ptr<tls_filter> tls_;
  std::unique_ptr<ws_filter> ws_;
  std::unique_ptr<stream_splitter> splitter_;
  std::unique_ptr<client_settings> client_;       // null: accepted
  std::shared_ptr<const listen_settings> server_; // null: opened
  std::string held_;   // cipher text that waits for its turn, or a WebSocket's unfinished head
  std::string ws_key_; // of our request, until it is answered
  std::vector<std::string> waiting_; // messages to send once up
  size_t waiting_bytes_ = 0;

  lane::timer timer_;
  time_point last_use_;
  // time_point::max(): none
  time_point setup_deadline_ = time_point::max();
  time_point message_deadline_ = time_point::max();
  time_point ping_at_ = time_point::max();
  time_point pong_deadline_ = time_point::max();

  phase phase_ = phase::connecting;
  flow_end::stage ended_during_ = flow_end::stage::up;
  bool handshake_waits_ = false;
  bool handshake_cost_ = false; // the feed under way brought output
  bool had_message_ = false;    // the feed under way completed one
  bool pong_due_ = false;
  uint8_t crlfs_ = 0; // between messages, modulo 2
};

} // namespace jackfield::transport
