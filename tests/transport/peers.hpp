#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include "engine/lane/sim_lane.hpp"
#include "engine/transport/transport_layer.hpp"

namespace jackfield::transport {

/// Cuts a stream into netstrings without the comma, "5:hello", with CRLFs allowed between them.
/// Refuses messages above 100,000 bytes.
class netstring_splitter final : public stream_splitter {
public:
  result<void> feed(std::string_view bytes, splitter_sink& sink) override;
  [[nodiscard]] bool mid_message() const noexcept override { return !buffer_.empty(); }

private:
  std::string buffer_;
};

/// "5:hello" for "hello".
std::string framed(std::string_view text);

/// One end of the transports: a layer and all that it said.
class peer final : public transport_handler {
public:
  explicit peer(lane::lane& home, const transport_settings& settings = {});

  void on_message(const flow& from, std::string_view bytes, time_point arrived) override;
  void on_flow_up(const flow& up) override;
  void on_flow_failed(const flow& gone, const flow_end& how) override;

  /// Texts of the messages so far.
  [[nodiscard]] std::vector<std::string> texts() const;

  struct message {
    flow from;
    std::string bytes;
    time_point arrived;
  };
  struct failure {
    flow gone;
    std::string cause;
    bool said_goodbye = false;
    flow_end::stage during = flow_end::stage::up;
  };
  std::vector<message> messages;
  std::vector<flow> ups;
  std::vector<failure> failures;
  /// Answers each message on its flow with "+" and the message.
  bool echo = false;
  bool close_on_message = false;
  transport_layer layer;
};

/// A stream of the lane itself, for peers that misbehave.
class raw_stream final : public lane::stream_handler {
public:
  raw_stream(lane::lane& home, const lane::endpoint& remote, const lane::endpoint& local = {});
  void on_connected() override { connected = true; }
  void on_data(std::span<const std::byte> bytes) override {
    got.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void on_closed(const error& why) override {
    closed = true;
    cause = why.cause;
  }
  void write(std::string_view bytes);

  bool connected = false;
  bool closed = false;
  std::string cause;
  std::string got;
  std::unique_ptr<lane::stream_socket> stream;
};

/// A simulated network with a server's and a client's address.
struct sim_world {
  caf::actor_system_config config;
  caf::actor_system system{config};
  lane::sim_lane home{system, 7};
  const lane::endpoint server_host = lane::endpoint::parse("192.0.2.1", 0).value();
  const lane::endpoint client_host = lane::endpoint::parse("192.0.2.2", 0).value();

  void run_for(lane::duration d) { home.run_until(home.now() + d); }
};

} // namespace jackfield::transport
