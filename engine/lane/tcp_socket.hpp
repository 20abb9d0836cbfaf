#pragma once

#include <memory>
#include <string>

#include "engine/lane/lane.hpp"
#include "engine/lane/reactor.hpp"
#include "engine/lane/socket.hpp"

namespace jackfield::lane {

/// A real TCP connection of an io_lane. All that a pass writes leaves in one system call.
class tcp_socket final : public stream_socket, private ready_handler, private flush_handler {
public:
  /// Begins to connect; the handler hears how it went.
  static result<std::unique_ptr<tcp_socket>>
  connect(reactor& events, const endpoint& remote, stream_handler& handler, const endpoint& local);
  ~tcp_socket() override;

  [[nodiscard]] bool write(std::string_view bytes) override;
  void finish() override;
  [[nodiscard]] size_t queued() const noexcept override { return output_.size() - sent_; }
  [[nodiscard]] const endpoint& local() const noexcept override { return local_; }
  [[nodiscard]] const endpoint& remote() const noexcept override { return remote_; }

private:
  friend class tcp_listener;
  enum class state : uint8_t { connecting, open, finishing, closed };

  tcp_socket(reactor& events, int fd, state initial);
  result<void> watch(uint32_t ready);
  void on_ready(uint32_t ready) override;
  void flush() override;
  void read_some();
  void connected();
  /// Tells the handler, once. `*this` may be gone afterwards.
  void closed(const error& why);
  void learn_addresses();

  reactor& events_;
  stream_handler* handler_ = nullptr;
  reactor::registration registration_;
  endpoint local_;
  endpoint remote_;
  std::string output_;
  size_t sent_ = 0;
  bool* alive_ = nullptr; // set while a handler is called, so that we see our own end
  int fd_;
  state state_;
  bool flush_wanted_ = false;
  bool waits_to_write_ = false;
};

/// A listening TCP socket of an io_lane.
class tcp_listener final : public stream_listener, private ready_handler {
public:
  static result<std::unique_ptr<tcp_listener>> open(reactor& events, const endpoint& local,
                                                    accept_handler& handler, port_sharing sharing);
  ~tcp_listener() override;
  [[nodiscard]] const endpoint& local() const noexcept override { return local_; }

private:
  tcp_listener(reactor& events, accept_handler& handler);
  void on_ready(uint32_t ready) override;
  /// Out of descriptors: accepts on the reserve one and closes, so that the peer learns of it and
  /// the level-triggered loop does not spin.
  void refuse_one();

  reactor& events_;
  accept_handler& handler_;
  reactor::registration registration_;
  endpoint local_;
  int fd_ = -1;
  int reserve_ = -1;
  bool* alive_ = nullptr;
};

} // namespace jackfield::lane
