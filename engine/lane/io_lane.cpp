#include "engine/lane/io_lane.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <unordered_map>
#include <utility>

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <time.h>

#include "engine/lane/datagram_batch.hpp"
#include "engine/lane/reactor.hpp"
#include "engine/lane/tcp_socket.hpp"
#include "engine/lane/udp_socket.hpp"

namespace jackfield::lane {

namespace {

/// One descriptor of a foreign library.
class watched_descriptor final : public ready_handler {
public:
  explicit watched_descriptor(std::function<void(bool, bool)> ready) : ready_(std::move(ready)) {}

  void on_ready(uint32_t events) override {
    // The callee may stop the watch and so destroy this object.
    const auto ready = ready_;
    ready((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0U, (events & (EPOLLOUT | EPOLLERR)) != 0U);
  }

  reactor::registration registration;

private:
  std::function<void(bool, bool)> ready_;
};

} // namespace

/// What only an io_lane has.
struct io_lane::machinery {
  std::unique_ptr<reactor> events;
  datagram_batch datagrams{datagram_ring::make()};
  std::unordered_map<int, std::unique_ptr<watched_descriptor>> watched;
  std::array<std::byte, 4096> randomness{};
  size_t randomness_left = 0;
};

result<std::unique_ptr<io_lane>> io_lane::make(caf::actor_system& system, unsigned index,
                                               duration media_gathering) {
  auto events = reactor::make(media_gathering);
  if (!events)
    return tl::unexpected{std::move(events.error())};
  auto parts = std::make_unique<machinery>();
  parts->events = std::move(*events);
  return std::unique_ptr<io_lane>{new io_lane(system, index, std::move(parts))};
}

io_lane::io_lane(caf::actor_system& system, unsigned index, std::unique_ptr<machinery> parts)
    : lane(system, index, real_now()), parts_(std::move(parts)) {
  // nop
}

io_lane::~io_lane() {
  stop();
  join();
  abandon_inbox();
}

void io_lane::start() {
  thread_ = std::thread{[this] {
    const auto name = "lane-" + std::to_string(index());
    pthread_setname_np(pthread_self(), name.c_str());
    run();
  }};
}

void io_lane::join() {
  if (!thread_.joinable())
    return;
  thread_.join();
  claim_thread();
}

void io_lane::stop() noexcept {
  stopping_.store(true);
  parts_->events->wake();
}

void io_lane::wake() {
  parts_->events->wake();
}

time_point io_lane::exact_now() const {
  return real_now();
}

void io_lane::run() {
  claim_thread();
  pthread_getcpuclockid(pthread_self(), &cpu_clock_);
  has_cpu_clock_.store(true);
  auto& events = *parts_->events;
  auto pass_began = real_now();
  // Actors that were spawned before the lane ran begin now, before anything comes in for them, also
  // from lanes that run already.
  begin_pass(pass_began, pass_began);
  run_ready();
  drain_inbox();
  run_ready();
  events.flush_all();
  while (!stopping_.load(std::memory_order_relaxed)) {
    const auto deadline = std::min(wheel_.next_event(), events.next_media());
    const bool waited = events.wait(deadline);
    const auto now = real_now();
    // What was ready without waiting may have been so since the last pass looked; a deadline tells
    // exactly.
    auto due = waited ? now : pass_began;
    if (deadline < now)
      due = waited ? deadline : std::min(due, deadline);
    pass_began = now;
    begin_pass(now, due);
    wheel_.advance(now);
    events.dispatch();
    drain_inbox();
    run_ready();
    events.flush_all();
  }
  // Whatever was posted last still runs: owners close their sockets and actors in it.
  for (bool more = true; more;) {
    more = drain_inbox();
    more = run_ready() || more;
  }
  events.flush_all();
  has_cpu_clock_.store(false);
}

duration io_lane::cpu_time() const {
  timespec t{};
  if (!has_cpu_clock_.load() || clock_gettime(cpu_clock_, &t) != 0)
    return {};
  return std::chrono::seconds{t.tv_sec} + duration{t.tv_nsec};
}

void io_lane::random_bytes(std::span<std::byte> out) {
  while (!out.empty()) {
    if (parts_->randomness_left == 0) {
      const auto got = getrandom(parts_->randomness.data(), parts_->randomness.size(), 0);
      if (got <= 0)
        continue; // EINTR before the pool is ready is the only failure this call has here
      parts_->randomness_left = static_cast<size_t>(got);
    }
    const auto n = std::min(out.size(), parts_->randomness_left);
    auto* from = parts_->randomness.data() + parts_->randomness_left - n;
    std::memcpy(out.data(), from, n);
    explicit_bzero(from, n);
    parts_->randomness_left -= n;
    out = out.subspan(n);
  }
}

result<std::unique_ptr<datagram_socket>> io_lane::open_datagram(const endpoint& local,
                                                                datagram_handler& handler,
                                                                const datagram_options& options) {
  return udp_socket::open(*this, health_, *parts_->events, local, handler, options)
    .map([](auto socket) -> std::unique_ptr<datagram_socket> { return socket; });
}

result<std::unique_ptr<datagram_socket>> io_lane::adopt_datagram(int fd, datagram_handler& handler,
                                                                 const datagram_options& options) {
  return udp_socket::adopt(fd, *this, health_, *parts_->events, handler, options)
    .map([](auto socket) -> std::unique_ptr<datagram_socket> { return socket; });
}

void io_lane::send_all(std::span<const outgoing_datagram> datagrams) {
  health_.datagrams_out += datagrams.size();
  parts_->datagrams.send(datagrams);
}

void io_lane::receive_all(std::span<datagram_socket*> sockets) {
  parts_->datagrams.receive(sockets);
}

result<std::unique_ptr<stream_listener>>
io_lane::listen(const endpoint& local, accept_handler& handler, port_sharing sharing) {
  return tcp_listener::open(*parts_->events, local, handler, sharing)
    .map([](auto listener) -> std::unique_ptr<stream_listener> { return listener; });
}

result<std::unique_ptr<stream_socket>>
io_lane::connect(const endpoint& remote, stream_handler& handler, const endpoint& local) {
  return tcp_socket::connect(*parts_->events, remote, handler, local)
    .map([](auto stream) -> std::unique_ptr<stream_socket> { return stream; });
}

result<void> io_lane::watch(int fd, bool readable, bool writable,
                            std::function<void(bool, bool)> ready) {
  parts_->watched.erase(fd);
  if (!readable && !writable)
    return {};
  auto entry = std::make_unique<watched_descriptor>(std::move(ready));
  const uint32_t events = (readable ? EPOLLIN : 0U) | (writable ? EPOLLOUT : 0U);
  auto registration = parts_->events->add(fd, events, *entry, false);
  if (!registration)
    return tl::unexpected{std::move(registration.error())};
  entry->registration = std::move(*registration);
  parts_->watched.emplace(fd, std::move(entry));
  return {};
}

} // namespace jackfield::lane
