#include "engine/lane/tcp_socket.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/lane/bind_shared.hpp"

namespace jackfield::lane {

namespace {

constexpr int listen_backlog = 4096;
/// Connections one listener may accept in a pass before others have their turn.
constexpr int accepts_a_pass = 64;
/// Reads of one connection in a pass.
constexpr int reads_a_pass = 4;
/// Output kept allocated between passes; a burst's larger buffer is given back.
constexpr size_t kept_output = 1U << 14U;

std::span<std::byte> read_buffer() {
  static constexpr size_t bytes = 1U << 18U;
  thread_local auto instance = std::make_unique<std::byte[]>(bytes);
  return {instance.get(), bytes};
}

void set_option(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof value);
}

} // namespace

tcp_socket::tcp_socket(reactor& events, int fd, state initial)
    : events_(events), fd_(fd), state_(initial) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

tcp_socket::~tcp_socket() {
  if (alive_ != nullptr)
    *alive_ = false;
  if (flush_wanted_)
    events_.forget(*this);
  // What a finished owner left goes as far as the system takes it at once; close() does not lose
  // what it has taken.
  if (state_ == state::finishing && queued() > 0)
    (void)::send(fd_, output_.data() + sent_, queued(), MSG_NOSIGNAL | MSG_DONTWAIT);
  registration_.reset();
  if (fd_ >= 0)
    close(fd_);
}

result<std::unique_ptr<tcp_socket>> tcp_socket::connect(reactor& events, const endpoint& remote,
                                                        stream_handler& handler,
                                                        const endpoint& local) {
  const auto place = "tcp " + remote.to_string();
  sockaddr_storage address{};
  auto length = remote.to_sockaddr(address);
  const int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return fail_errno(place, "cannot open a socket", errno);
  std::unique_ptr<tcp_socket> made{new tcp_socket(events, fd, state::connecting)};
  made->handler_ = &handler;
  made->remote_ = remote;
  if (local.valid()) {
    sockaddr_storage source{};
    const auto source_length = local.to_sockaddr(source);
    // The port is chosen at connect, so that many connections may share one address.
    set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&source), source_length) != 0)
      return fail_errno("tcp " + local.to_string(), "cannot bind", errno);
  }
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), length) != 0 &&
      errno != EINPROGRESS)
    return fail_errno(place, "cannot connect", errno);
  made->learn_addresses(); // ours is chosen now
  if (auto watched = made->watch(EPOLLIN | EPOLLOUT); !watched)
    return tl::unexpected{std::move(watched.error())};
  return made;
}

result<void> tcp_socket::watch(uint32_t ready) {
  auto registration = events_.add(fd_, ready, *this, false);
  if (!registration)
    return tl::unexpected{std::move(registration.error())};
  registration_ = std::move(*registration);
  waits_to_write_ = (ready & EPOLLOUT) != 0U;
  return {};
}

void tcp_socket::learn_addresses() {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length) == 0)
    local_ = endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&address), length);
  length = sizeof address;
  if (!remote_.valid() && getpeername(fd_, reinterpret_cast<sockaddr*>(&address), &length) == 0)
    remote_ = endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&address), length);
}

bool tcp_socket::write(std::string_view bytes) {
  if (state_ == state::closed || state_ == state::finishing)
    return false;
  if (queued() + bytes.size() > max_queued)
    return false;
  output_.append(bytes);
  if (!flush_wanted_ && state_ == state::open && !waits_to_write_) {
    flush_wanted_ = true;
    events_.want_flush(*this);
  }
  return true;
}

void tcp_socket::finish() {
  if (state_ == state::closed)
    return;
  handler_ = nullptr;
  const bool idle = queued() == 0;
  state_ = state::finishing;
  if (idle)
    shutdown(fd_, SHUT_WR);
}

void tcp_socket::flush() {
  flush_wanted_ = false;
  if (state_ == state::closed || state_ == state::connecting)
    return;
  while (queued() > 0) {
    const auto n = ::send(fd_, output_.data() + sent_, queued(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) {
      if (errno == EINTR)
        continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        if (!waits_to_write_) {
          waits_to_write_ = true;
          registration_.modify(EPOLLIN | EPOLLOUT);
        }
      }
      // Any other error is reported by the read that follows: never from inside a write.
      return;
    }
    sent_ += static_cast<size_t>(n);
  }
  output_.clear();
  sent_ = 0;
  if (output_.capacity() > kept_output)
    output_.shrink_to_fit();
  if (waits_to_write_) {
    waits_to_write_ = false;
    registration_.modify(EPOLLIN);
    if (handler_ != nullptr)
      handler_->on_drained();
  }
  if (state_ == state::finishing)
    shutdown(fd_, SHUT_WR);
}

void tcp_socket::on_ready(uint32_t ready) {
  bool alive = true;
  alive_ = &alive;
  if (state_ == state::connecting) {
    int code = 0;
    socklen_t length = sizeof code;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &code, &length);
    if (code != 0) {
      closed(fail_errno("tcp " + remote_.to_string(), "cannot connect", code).value());
      return;
    }
    if ((ready & EPOLLOUT) == 0U) {
      alive_ = nullptr;
      return;
    }
    connected();
    if (!alive)
      return;
  } else if ((ready & EPOLLOUT) != 0U) {
    flush();
    if (!alive)
      return;
  }
  if ((ready & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0U) {
    read_some();
    if (!alive)
      return;
  }
  alive_ = nullptr;
}

void tcp_socket::connected() {
  state_ = state::open;
  learn_addresses();
  waits_to_write_ = false;
  registration_.modify(EPOLLIN);
  bool* const alive = alive_;
  if (handler_ != nullptr)
    handler_->on_connected();
  if (*alive && queued() > 0)
    flush();
}

void tcp_socket::read_some() {
  bool* const alive = alive_;
  const auto buffer = read_buffer();
  for (int i = 0; i < reads_a_pass; ++i) {
    const auto n = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n > 0) {
      if (handler_ != nullptr)
        handler_->on_data(buffer.first(static_cast<size_t>(n)));
      if (!*alive || static_cast<size_t>(n) < buffer.size())
        return;
      continue;
    }
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      return;
    if (n < 0 && errno == EINTR)
      continue;
    closed(n == 0 ? error{"tcp " + remote_.to_string(), ""}
                  : fail_errno("tcp " + remote_.to_string(), "connection lost", errno).value());
    return;
  }
}

void tcp_socket::closed(const error& why) {
  state_ = state::closed;
  registration_.reset();
  output_.clear();
  sent_ = 0;
  bool* const alive = alive_;
  if (auto* handler = std::exchange(handler_, nullptr))
    handler->on_closed(why);
  if (*alive)
    alive_ = nullptr;
}

// -- listener ------------------------------------------------------------------

tcp_listener::tcp_listener(reactor& events, accept_handler& handler)
    : events_(events), handler_(handler) {
  // nop
}

result<std::unique_ptr<tcp_listener>> tcp_listener::open(reactor& events, const endpoint& local,
                                                         accept_handler& handler,
                                                         port_sharing sharing) {
  const auto place = "tcp " + local.to_string();
  std::unique_ptr<tcp_listener> made{new tcp_listener(events, handler)};
  sockaddr_storage address{};
  const auto length = local.to_sockaddr(address);
  made->fd_ = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (made->fd_ < 0)
    return fail_errno(place, "cannot open a socket", errno);
  set_option(made->fd_, SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.ss_family == AF_INET6)
    set_option(made->fd_, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (const int code = bind_shared(made->fd_, address, length, sharing); code != 0)
    return fail_errno(place, "cannot bind", code);
  if (::listen(made->fd_, listen_backlog) != 0)
    return fail_errno(place, "cannot listen", errno);
  sockaddr_storage bound{};
  socklen_t bound_length = sizeof bound;
  getsockname(made->fd_, reinterpret_cast<sockaddr*>(&bound), &bound_length);
  made->local_ = endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&bound), bound_length);
  made->reserve_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  auto registration = events.add(made->fd_, EPOLLIN, *made, false);
  if (!registration)
    return tl::unexpected{std::move(registration.error())};
  made->registration_ = std::move(*registration);
  return made;
}

tcp_listener::~tcp_listener() {
  if (alive_ != nullptr)
    *alive_ = false;
  registration_.reset();
  for (int fd : {fd_, reserve_})
    if (fd >= 0)
      close(fd);
}

void tcp_listener::on_ready(uint32_t /*ready*/) {
  bool alive = true;
  alive_ = &alive;
  for (int i = 0; i < accepts_a_pass; ++i) {
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE)
        refuse_one();
      if (errno == ECONNABORTED || errno == EINTR)
        continue;
      break;
    }
    std::unique_ptr<tcp_socket> made{new tcp_socket(events_, fd, tcp_socket::state::open)};
    made->learn_addresses();
    auto& stream = *made;
    if (!stream.remote_.valid() || !stream.watch(EPOLLIN))
      continue;
    if (auto* handler = handler_.on_accept(std::move(made)); handler != nullptr)
      stream.handler_ = handler;
    if (!alive)
      return;
  }
  alive_ = nullptr;
}

void tcp_listener::refuse_one() {
  if (reserve_ < 0)
    return;
  close(reserve_);
  if (const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC); fd >= 0)
    close(fd);
  reserve_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

} // namespace jackfield::lane
