#include "engine/transport/connection.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/transport/ws_handshake.hpp"

namespace jackfield::transport {

namespace {

/// Cipher text kept while a handshake waits for its turn; a handshake's flight is far smaller.
constexpr size_t max_held = 64U << 10U;

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool only_crlf(std::string_view bytes) {
  return bytes.find_first_not_of("\r\n") == std::string_view::npos;
}

// What a WebSocket's end means: RFC 6455 §7.4.1.
bool is_orderly_close(uint16_t code) {
  return code == 1000 || code == 1001 || code == 1005;
}

} // namespace

connection::connection(lane::lane& home, connection_owner& owner,
                       const transport_settings& settings)
    : home_(home), owner_(owner), settings_(settings),
      timer_([](void* self) { static_cast<connection*>(self)->on_timer(); }, this),
      last_use_(home.now()) {}

connection::~connection() = default;

// -- beginning -------------------------------------------------------------------

result<void> connection::start_client(const flow& as, const lane::endpoint& local,
                                      client_settings client) {
  flow_ = as;
  client_ = std::make_unique<client_settings>(std::move(client));
  if (is_secure(flow_.protocol)) {
    auto made = tls_filter::make_client(client_->tls, {client_->server_name, flow_.remote.port()});
    if (!made)
      return tl::unexpected(std::move(made.error()));
    tls_ = std::move(*made);
  }
  auto stream = home_.connect(flow_.remote, *this, local);
  if (!stream)
    return tl::unexpected(std::move(stream.error()));
  stream_ = std::move(*stream);
  flow_.local = stream_->local();
  setup_deadline_ = home_.now() + settings_.connect_timeout;
  schedule();
  return {};
}

void connection::start_server(const flow& as, std::unique_ptr<lane::stream_socket> stream,
                              std::shared_ptr<const listen_settings> server) {
  flow_ = as;
  stream_ = std::move(stream);
  server_ = std::move(server);
  setup_deadline_ = home_.now() + settings_.first_message_timeout;
  schedule();
  if (is_secure(flow_.protocol))
    phase_ = phase::tls; // the filter is made when bytes come
  else if (is_websocket(flow_.protocol))
    phase_ = phase::websocket;
  else
    come_up();
}

void connection::on_connected() {
  if (phase_ != phase::connecting)
    return;
  flow_.local = stream_->local();
  if (tls_) {
    phase_ = phase::tls;
    take_cipher_text({});
  } else if (is_websocket(flow_.protocol)) {
    begin_websocket();
  } else {
    come_up();
  }
}

// -- bytes in ----------------------------------------------------------------------

void connection::on_data(std::span<const std::byte> bytes) {
  if (phase_ == phase::over)
    return;
  last_use_ = home_.now();
  if (is_secure(flow_.protocol))
    take_cipher_text(as_text(bytes));
  else
    on_plain_text(as_text(bytes));
}

void connection::take_cipher_text(std::string_view bytes) {
  if (phase_ != phase::tls) {
    feed_tls(bytes);
    return;
  }
  if (handshake_waits_ || !owner_.handshake_allowed()) {
    if (held_.size() + bytes.size() > max_held) {
      fail_with("too much data during the TLS handshake");
      return;
    }
    held_ += bytes;
    if (!std::exchange(handshake_waits_, true))
      owner_.handshake_waits(*this);
    return;
  }
  feed_tls(bytes);
}

void connection::resume_handshake() {
  if (phase_ == phase::over || !std::exchange(handshake_waits_, false))
    return;
  feed_tls(std::exchange(held_, {}));
}

void connection::feed_tls(std::string_view bytes) {
  if (!tls_) {
    auto made = tls_filter::make_server(server_->tls);
    if (!made) {
      fail_with(made.error().cause);
      return;
    }
    tls_ = std::move(*made);
  }
  handshake_cost_ = false;
  const bool handshaking = tls_->now() == tls_filter::state::handshaking;
  const auto fed = tls_->feed(bytes, *this);
  if (handshaking && handshake_cost_)
    owner_.handshake_stepped();
  if (phase_ == phase::over)
    return;
  if (!fed) {
    // The alert that says why is still to be delivered.
    end(error{flow_.to_string(), "TLS " + fed.error().cause}, false, true);
    return;
  }
  // Plain text may have come up with the handshake's end and done this already.
  if (phase_ == phase::tls && tls_->now() == tls_filter::state::up)
    on_plain_text({});
  if (phase_ != phase::over && tls_->now() == tls_filter::state::closed)
    on_closed({});
}

bool connection::on_plain_text(std::string_view bytes) {
  if (phase_ == phase::tls) {
    owner_.on_tls_up(tls_->resumed());
    if (!is_websocket(flow_.protocol))
      come_up();
    else if (client_)
      begin_websocket();
    else
      phase_ = phase::websocket;
  }
  if (bytes.empty())
    return phase_ != phase::over;
  if (phase_ == phase::websocket)
    take_head(bytes);
  else if (phase_ == phase::up)
    take_messages(bytes);
  return phase_ != phase::over;
}

void connection::begin_websocket() {
  phase_ = phase::websocket;
  std::array<std::byte, 16> random{};
  home_.random_bytes(random);
  ws_key_ = base64(as_text(random));
  write_plain(ws_client_request(client_->ws, client_->host, ws_key_));
}

void connection::take_head(std::string_view bytes) {
  held_ += bytes;
  const auto found = find_ws_head(held_);
  if (!found) {
    if (!client_)
      write_plain("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    if (phase_ != phase::over)
      end(error{flow_.to_string(), found.error().to_string()}, false, true);
    return;
  }
  if (!*found)
    return;
  const std::string all = std::exchange(held_, {});
  const std::string_view head = std::string_view{all}.substr(0, **found);
  if (client_) {
    if (auto good = check_ws_response(head, ws_key_); !good) {
      fail_with(good.error().to_string());
      return;
    }
    ws_key_ = {};
  } else {
    const ws_answer answer = answer_ws_request(head, server_->ws);
    write_plain(answer.response);
    if (phase_ == phase::over)
      return;
    if (answer.status != 101) {
      end(error{flow_.to_string(), "websocket request refused with " +
                                     std::to_string(answer.status) + ": " + answer.reason},
          false, true);
      return;
    }
  }
  ws_ = std::make_unique<ws_filter>(client_ ? ws_filter::role::client : ws_filter::role::server,
                                    [this](std::span<std::byte> out) { home_.random_bytes(out); });
  come_up();
  if (phase_ == phase::up && all.size() > **found)
    take_messages(std::string_view{all}.substr(**found));
}

void connection::come_up() {
  phase_ = phase::up;
  if (client_)
    setup_deadline_ = time_point::max();
  if (!ws_)
    splitter_ = owner_.make_splitter();
  schedule_ping();
  flow_.local = stream_->local();
  for (const std::string& message : std::exchange(waiting_, {}))
    if (!send(message))
      return;
  waiting_bytes_ = 0;
  owner_.on_connection_up(*this);
}

void connection::take_messages(std::string_view bytes) {
  had_message_ = false;
  pong_due_ = false;
  const auto fed = ws_ ? ws_->feed(bytes, *this) : splitter_->feed(bytes, *this);
  if (phase_ == phase::over)
    return;
  if (!fed) {
    end(error{flow_.to_string(), fed.error().to_string()}, false, true);
    return;
  }
  if (ws_ && ws_->closed()) {
    const uint16_t code = ws_->close_code();
    end(error{flow_.to_string(),
              is_orderly_close(code) ? "" : "websocket closed with " + std::to_string(code)},
        is_orderly_close(code), true);
    return;
  }
  if (std::exchange(pong_due_, false)) {
    if (ws_)
      ws_->write("\r\n", *this);
    else
      write_plain("\r\n");
    if (phase_ == phase::over)
      return;
  }
  const bool half = ws_ ? ws_->mid_message() : splitter_->mid_message();
  if (!half) {
    message_deadline_ = time_point::max();
  } else if (had_message_ || message_deadline_ == time_point::max()) {
    message_deadline_ = home_.now() + settings_.message_timeout;
    schedule();
  }
}

bool connection::on_message(std::string_view bytes) {
  if (phase_ == phase::over)
    return false;
  had_message_ = true;
  // WebSocket clients in the field send their keep-alives as messages.
  if (ws_ && only_crlf(bytes)) {
    pong_due_ = pong_due_ || bytes.size() >= 4;
    return true;
  }
  crlfs_ = 0;
  if (!client_)
    setup_deadline_ = time_point::max();
  owner_.on_connection_message(*this, bytes);
  return phase_ != phase::over;
}

bool connection::on_crlf() {
  if (client_ && pong_deadline_ != time_point::max()) {
    on_pong();
    return true;
  }
  // One pong for all pings of one read: a flood of them is not worth more.
  crlfs_ ^= 1U;
  pong_due_ = pong_due_ || crlfs_ == 0;
  return true;
}

void connection::on_pong() {
  pong_deadline_ = time_point::max();
}

// -- bytes out ----------------------------------------------------------------------

bool connection::send(std::string_view message) {
  if (phase_ == phase::over)
    return false;
  if (phase_ != phase::up) {
    if (waiting_bytes_ + message.size() > settings_.max_waiting_bytes) {
      fail_with("too many messages wait for the connection");
      return false;
    }
    waiting_bytes_ += message.size();
    waiting_.emplace_back(message);
    return true;
  }
  last_use_ = home_.now();
  if (ws_)
    ws_->write(message, *this);
  else
    write_plain(message);
  return phase_ != phase::over;
}

void connection::on_frames(std::string_view bytes) {
  write_plain(bytes);
}

void connection::write_plain(std::string_view bytes) {
  if (phase_ == phase::over)
    return;
  if (!tls_) {
    write_stream(bytes);
  } else if (auto written = tls_->write(bytes, *this); !written && phase_ != phase::over) {
    fail_with("TLS " + written.error().cause);
  }
}

void connection::on_cipher_text(std::string_view bytes) {
  handshake_cost_ = true;
  write_stream(bytes);
}

void connection::write_stream(std::string_view bytes) {
  if (phase_ != phase::over && !stream_->write(bytes))
    fail_with("the peer does not read: " + std::to_string(stream_->queued()) +
              " bytes wait to be sent");
}

// -- end ----------------------------------------------------------------------------

void connection::on_closed(const error& why) {
  if (phase_ == phase::over)
    return;
  if (!why.cause.empty())
    fail_with(why.cause);
  else if (phase_ != phase::up)
    fail_with("the peer closed during the handshake");
  else if (ws_ ? ws_->mid_message() : splitter_->mid_message())
    fail_with("the peer closed in the middle of a message");
  else
    end(error{flow_.to_string(), ""}, true, false);
}

void connection::close(uint16_t websocket_code) {
  if (phase_ == phase::up && ws_)
    ws_->close(websocket_code, *this);
  end(error{flow_.to_string(), ""}, true, phase_ == phase::up);
}

void connection::fail_with(std::string cause) {
  end(error{flow_.to_string(), std::move(cause)}, false, false);
}

void connection::end(const error& why, bool orderly, bool deliver) {
  if (phase_ == phase::over)
    return;
  if (deliver && tls_ && tls_->now() == tls_filter::state::up)
    tls_->shutdown(*this);
  if (phase_ == phase::over)
    return; // the goodbye did not fit
  ended_during_ = phase_ == phase::connecting  ? flow_end::stage::connecting
                  : phase_ == phase::tls       ? flow_end::stage::tls
                  : phase_ == phase::websocket ? flow_end::stage::websocket
                                               : flow_end::stage::up;
  phase_ = phase::over;
  timer_.cancel();
  std::unique_ptr<lane::stream_socket> stream = std::move(stream_);
  if (!deliver)
    stream.reset();
  else if (stream)
    stream->finish();
  waiting_.clear();
  held_.clear();
  owner_.on_connection_over(*this, why, orderly, std::move(stream));
}

// -- time ---------------------------------------------------------------------------

void connection::schedule() {
  time_point next = std::min({setup_deadline_, message_deadline_, ping_at_, pong_deadline_});
  if (settings_.idle_timeout > duration{})
    next = std::min(next, last_use_ + settings_.idle_timeout);
  if (next != time_point::max() && (!timer_.armed() || next < timer_.deadline()))
    home_.arm(timer_, next);
}

void connection::schedule_ping() {
  const keep_alive_settings& wanted = settings_.keep_alive;
  const duration interval = ws_ ? wanted.websocket : client_ ? wanted.stream : duration{};
  if (interval > duration{}) {
    const double part = 0.8 + 0.2 * home_.random_unit();
    ping_at_ =
      home_.now() + duration{static_cast<int64_t>(static_cast<double>(interval.count()) * part)};
    schedule();
  }
}

void connection::on_timer() {
  const time_point now = home_.now();
  if (now >= setup_deadline_) {
    fail_with(client_               ? "not connected in time"
              : phase_ != phase::up ? "the handshake took too long"
                                    : "no message came in time");
  } else if (now >= message_deadline_) {
    fail_with("a message took too long to come in");
  } else if (now >= pong_deadline_) {
    fail_with("keep-alive not answered");
  } else if (settings_.idle_timeout > duration{} && now >= last_use_ + settings_.idle_timeout) {
    close(1001);
  } else {
    if (now >= ping_at_)
      send_ping();
    if (phase_ != phase::over)
      schedule();
  }
}

void connection::send_ping() {
  ping_at_ = time_point::max();
  // A pong is waited for already when the interval is shorter than the time-out.
  if (pong_deadline_ == time_point::max()) {
    pong_deadline_ = home_.now() + settings_.keep_alive.pong_timeout;
    if (ws_)
      ws_->ping(*this);
    else
      write_plain("\r\n\r\n");
  }
  if (phase_ != phase::over)
    schedule_ping();
}

} // namespace jackfield::transport
