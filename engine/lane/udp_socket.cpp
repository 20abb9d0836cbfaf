#include "engine/lane/udp_socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "engine/lane/bind_shared.hpp"
#include "engine/lane/receive_buffers.hpp"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

namespace jackfield::lane {

namespace {

/// Datagrams one socket may bring into a pass before others have their turn: what a pass touches
/// should stay in the core's cache, and the timers wait no longer than it takes.
constexpr size_t receive_budget = 128;
/// A datagram that has waited for so long in a socket read on demand may have others behind it.
constexpr duration expect_more_after = std::chrono::milliseconds{10};
/// The kernel's bound on the segments of one train.
constexpr size_t max_train = 64;
constexpr size_t max_datagram = 65'507;

void set_option(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof value);
}

/// Asks for a buffer beyond the system's limit where we may, up to the limit where not.
void set_buffer(int fd, int forced, int plain, size_t bytes) {
  const int value = static_cast<int>(bytes);
  if (setsockopt(fd, SOL_SOCKET, forced, &value, sizeof value) != 0)
    setsockopt(fd, SOL_SOCKET, plain, &value, sizeof value);
}

/// Tells, while a handler of a socket's runs, whether that has ended the socket.
class watch_on_socket {
public:
  explicit watch_on_socket(const udp_socket& socket) noexcept
      : socket_(&socket), outer_(innermost) {
    innermost = this;
  }
  ~watch_on_socket() { innermost = outer_; }
  watch_on_socket(const watch_on_socket&) = delete;
  watch_on_socket& operator=(const watch_on_socket&) = delete;

  [[nodiscard]] bool ended() const noexcept { return socket_ == nullptr; }
  static void note_end_of(const udp_socket& socket) noexcept {
    for (auto* each = innermost; each != nullptr; each = each->outer_)
      if (each->socket_ == &socket)
        each->socket_ = nullptr;
  }

private:
  static thread_local watch_on_socket* innermost;
  const udp_socket* socket_;
  watch_on_socket* outer_; // a handler may read its own socket, or another
};
thread_local watch_on_socket* watch_on_socket::innermost = nullptr;

} // namespace

udp_socket::udp_socket(const lane& home, lane_health& health, reactor& events,
                       datagram_handler& handler, const datagram_options& options)
    : home_(home), health_(health), events_(events), handler_(handler), trains_(options.trains),
      media_(options.media), on_demand_(options.on_demand),
      hears_refusals_(options.hears_refusals) {
  // nop
}

result<std::unique_ptr<udp_socket>> udp_socket::open(const lane& home, lane_health& health,
                                                     reactor& events, const endpoint& local,
                                                     datagram_handler& handler,
                                                     const datagram_options& options) {
  const auto place = "udp " + local.to_string();
  std::unique_ptr<udp_socket> made{new udp_socket(home, health, events, handler, options)};
  sockaddr_storage address{};
  const auto length = local.to_sockaddr(address);
  made->fd_ = socket(address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (made->fd_ < 0)
    return fail_errno(place, "cannot open a socket", errno);
  if (address.ss_family == AF_INET6)
    set_option(made->fd_, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  made->set_options(options);
  if (const int code = bind_shared(made->fd_, address, length, options.sharing); code != 0)
    return fail_errno(place, "cannot bind", code);
  made->read_local();
  if (options.connect_to.valid())
    if (auto connected = made->connect(options.connect_to); !connected)
      return tl::unexpected{std::move(connected.error())};
  if (!options.on_demand)
    if (auto watched = made->watch(); !watched)
      return tl::unexpected{std::move(watched.error())};
  return made;
}

result<std::unique_ptr<udp_socket>> udp_socket::adopt(int fd, const lane& home, lane_health& health,
                                                      reactor& events, datagram_handler& handler,
                                                      const datagram_options& options) {
  std::unique_ptr<udp_socket> made{new udp_socket(home, health, events, handler, options)};
  made->fd_ = fd;
  made->set_options(options);
  made->read_local();
  if (!options.on_demand)
    if (auto watched = made->watch(); !watched)
      return tl::unexpected{std::move(watched.error())};
  return made;
}

void udp_socket::set_options(const datagram_options& options) {
  set_buffer(fd_, SO_RCVBUFFORCE, SO_RCVBUF, options.buffer_bytes);
  set_buffer(fd_, SO_SNDBUFFORCE, SO_SNDBUF, options.buffer_bytes);
  set_option(fd_, SOL_SOCKET, SO_RXQ_OVFL, 1);
  if (!options.media || options.on_demand)
    set_option(fd_, SOL_SOCKET, SO_TIMESTAMPNS, 1);
  if (options.trains)
    set_option(fd_, IPPROTO_UDP, UDP_GRO, 1);
  if (options.hears_refusals) {
    set_option(fd_, IPPROTO_IP, IP_RECVERR, 1);
    set_option(fd_, IPPROTO_IPV6, IPV6_RECVERR, 1);
  }
}

void udp_socket::read_local() {
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  getsockname(fd_, reinterpret_cast<sockaddr*>(&bound), &length);
  local_ = endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&bound), length);
}

result<void> udp_socket::watch() {
  return events_.add(fd_, EPOLLIN, *this, media_).map([this](auto registration) {
    registration_ = std::move(registration);
  });
}

udp_socket::~udp_socket() {
  watch_on_socket::note_end_of(*this);
  if (!queue_.empty()) {
    events_.forget(*this);
    flush(); // a response queued by the owner's last act still leaves
  }
  registration_.reset();
  if (fd_ >= 0)
    close(fd_);
}

result<void> udp_socket::connect(const endpoint& peer) {
  sockaddr_storage address{};
  const auto length = peer.to_sockaddr(address);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), length) != 0)
    return fail_errno("udp " + peer.to_string(), "cannot reach it", errno);
  connected_ = true;
  return {};
}

void udp_socket::disconnect() noexcept {
  sockaddr none{};
  none.sa_family = AF_UNSPEC;
  if (std::exchange(connected_, false))
    (void)::connect(fd_, &none, sizeof none);
}

void udp_socket::count_drops(uint64_t n) {
  drops_ += n;
  health_.socket_drops += n;
}

void udp_socket::send(const endpoint& to, std::string_view bytes, unsigned rank) {
  health_.datagrams_out += 1;
  if (media_) {
    send_now(to, bytes);
    return;
  }
  if (bytes.size() > max_datagram) {
    count_drops(1);
    return;
  }
  if (queue_.empty())
    events_.want_flush(*this);
  queue_.push_back({to, static_cast<uint32_t>(arena_.size()), static_cast<uint16_t>(bytes.size()),
                    static_cast<uint16_t>(rank)});
  arena_.append(bytes);
}

socklen_t udp_socket::name_of(const endpoint& to, sockaddr_storage& address) const noexcept {
  return connected_ ? 0 : to.to_sockaddr(address);
}

void udp_socket::send_now(const endpoint& to, std::string_view bytes) {
  sockaddr_storage address;
  const auto length = name_of(to, address);
  const auto try_it = [&]() -> int {
    const auto sent =
      sendto(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL,
             length == 0 ? nullptr : reinterpret_cast<const sockaddr*>(&address), length);
    return sent < 0 ? -errno : 0;
  };
  auto outcome = try_it();
  // The refusal is of an earlier datagram and by now taken off the socket; this one has not been
  // sent. Refused again at once, the peer's host is ours: nothing was lost here.
  if (connected_ && outcome == -ECONNREFUSED)
    outcome = try_it();
  note_sent(outcome);
}

void udp_socket::note_sent(int outcome) {
  if (outcome < 0 && !(connected_ && outcome == -ECONNREFUSED))
    count_drops(1);
}

void udp_socket::flush() {
  if (trains_ && queue_.size() > 1)
    std::stable_sort(queue_.begin(), queue_.end(), [](const outgoing& a, const outgoing& b) {
      if (a.rank != b.rank)
        return a.rank < b.rank;
      if (a.length != b.length)
        return a.length < b.length;
      return a.to < b.to;
    });
  for (size_t first = 0; first < queue_.size();) {
    auto last = first + 1;
    size_t bytes = queue_[first].length;
    if (trains_)
      while (last < queue_.size() && last - first < max_train &&
             queue_[last].length == queue_[first].length && queue_[last].to == queue_[first].to &&
             bytes + queue_[last].length <= max_datagram) {
        bytes += queue_[last].length;
        ++last;
      }
    if (last - first > 1)
      send_train(first, last);
    else
      send_single(queue_[first]);
    first = last;
  }
  queue_.clear();
  arena_.clear();
}

void udp_socket::send_single(const outgoing& datagram) {
  sockaddr_storage address;
  const auto length = datagram.to.to_sockaddr(address);
  const auto send_it = [&] {
    return sendto(fd_, arena_.data() + datagram.offset, datagram.length, MSG_NOSIGNAL,
                  reinterpret_cast<const sockaddr*>(&address), length) >= 0;
  };
  if (!send_it() && !(was_refusal() && send_it()))
    count_drops(1);
}

void udp_socket::send_train(size_t first, size_t last) {
  std::array<iovec, max_train> vectors;
  for (size_t i = first; i < last; ++i)
    vectors[i - first] = {arena_.data() + queue_[i].offset, queue_[i].length};
  sockaddr_storage address;
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(uint16_t))> control{};
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen = queue_[first].to.to_sockaddr(address);
  message.msg_iov = vectors.data();
  message.msg_iovlen = last - first;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  auto* segment = CMSG_FIRSTHDR(&message);
  segment->cmsg_level = IPPROTO_UDP;
  segment->cmsg_type = UDP_SEGMENT;
  segment->cmsg_len = CMSG_LEN(sizeof(uint16_t));
  std::memcpy(CMSG_DATA(segment), &queue_[first].length, sizeof(uint16_t));
  if (sendmsg(fd_, &message, MSG_NOSIGNAL) >= 0 ||
      (was_refusal() && sendmsg(fd_, &message, MSG_NOSIGNAL) >= 0))
    return;
  // A route whose path or device cannot segment (EIO, EINVAL, EMSGSIZE) takes them one by one.
  if (errno == EIO || errno == EINVAL || errno == EMSGSIZE || errno == EOPNOTSUPP) {
    for (size_t i = first; i < last; ++i)
      send_single(queue_[i]);
    return;
  }
  count_drops(last - first);
}

// What failed was an earlier datagram, to whomever; this one has not been sent.
bool udp_socket::was_refusal() const noexcept {
  return hears_refusals_ &&
         (errno == ECONNREFUSED || errno == EHOSTUNREACH || errno == ENETUNREACH);
}

void udp_socket::read_refusals() {
  constexpr int most = 64; // what is left is reported again
  const watch_on_socket watch{*this};
  for (int i = 0; i < most && !watch.ended(); ++i) {
    sockaddr_storage to{};
    std::array<std::byte, 1> beginning; // of the datagram
    iovec piece{beginning.data(), beginning.size()};
    alignas(cmsghdr) std::array<std::byte, 512> control;
    msghdr message{};
    message.msg_name = &to;
    message.msg_namelen = sizeof to;
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (recvmsg(fd_, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
      return;
    for (auto* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
      const bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
      const bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
      if (!v4 && !v6)
        continue;
      sock_extended_err why{};
      std::memcpy(&why, CMSG_DATA(c), sizeof why);
      if (why.ee_errno == ECONNREFUSED &&
          (why.ee_origin == SO_EE_ORIGIN_ICMP || why.ee_origin == SO_EE_ORIGIN_ICMP6)) {
        handler_.on_datagram_refused(
          endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&to), message.msg_namelen));
        break; // the socket may be gone
      }
    }
  }
}

void udp_socket::on_ready(uint32_t ready) {
  if (hears_refusals_ && (ready & EPOLLERR) != 0U) {
    const watch_on_socket watch{*this};
    read_refusals();
    if (watch.ended())
      return;
    ready &= ~uint32_t{EPOLLERR};
    int taken = 0; // the queue's last entry leaves it behind
    socklen_t length = sizeof taken;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &taken, &length);
    if ((ready & EPOLLIN) == 0U)
      return;
  }
  if ((ready & EPOLLERR) != 0U) {
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error != 0) {
      handler_.on_datagram_error(error); // may end us; what is readable stays reported
      return;
    }
  }
  if (media_)
    receive_one();
  else
    receive_batch();
}

void udp_socket::receive_one() {
  auto& slot = receive_buffers::of_thread().slots.front();
  socklen_t length = sizeof slot.from;
  const auto size = recvfrom(fd_, slot.data.data(), slot.data.size(), MSG_DONTWAIT,
                             reinterpret_cast<sockaddr*>(&slot.from), &length);
  if (size < 0)
    return;
  health_.datagrams_in += 1;
  handler_.on_datagram(
    endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&slot.from), length),
    {slot.data.data(), static_cast<size_t>(size)}, home_.now());
}

void udp_socket::receive_batch() {
  const watch_on_socket watch{*this};
  auto& in = receive_buffers::of_thread();
  for (size_t received = 0; received < receive_budget;) {
    // A slot may hold a train: ask for as many as should make up the rest of the budget.
    const auto wanted =
      std::clamp<size_t>((receive_budget - received) / usual_train_, 1, receive_buffers::count);
    for (size_t i = 0; i < wanted; ++i)
      in.prepare(i);
    const int got =
      recvmmsg(fd_, in.headers.data(), static_cast<unsigned>(wanted), MSG_DONTWAIT, nullptr);
    const auto before = received;
    for (int i = 0; i < got; ++i) {
      auto& header = in.headers[i].msg_hdr;
      const auto [segment, waited] = read_beside(header);
      if (i == 0)
        health_.longest_wait = std::max(health_.longest_wait, waited);
      const auto from = endpoint::from_sockaddr(
        reinterpret_cast<const sockaddr*>(&in.slots[i].from), header.msg_namelen);
      std::span<const std::byte> rest{in.slots[i].data.data(), in.headers[i].msg_len};
      do {
        const auto one = rest.first(segment == 0 ? rest.size() : std::min(segment, rest.size()));
        rest = rest.subspan(one.size());
        health_.datagrams_in += 1;
        ++received;
        handler_.on_datagram(from, one, home_.now());
        if (watch.ended())
          return;
      } while (!rest.empty());
    }
    if (got < static_cast<int>(wanted))
      break;
    usual_train_ = std::max<size_t>((received - before) / static_cast<size_t>(got), 1);
  }
}

void udp_socket::receive_pending() {
  if (!on_demand_)
    return;
  auto& in = receive_buffers::of_thread();
  // No more than the socket's own buffer holds waits; the bound is for a peer that floods it.
  for (size_t received = 0; received < receive_budget; ++received) {
    auto& header = in.prepare(0);
    const auto size = recvmsg(fd_, &header, MSG_DONTWAIT);
    if (!take(header, size < 0 ? -errno : static_cast<int>(size)))
      return;
  }
}

bool udp_socket::take(msghdr& header, int outcome) {
  if (outcome == -EAGAIN || outcome == -EWOULDBLOCK || outcome == -EINTR)
    return false;
  const watch_on_socket watch{*this};
  bool last = false;
  if (outcome < 0) {
    handler_.on_datagram_error(-outcome); // reading it took it off the socket
  } else {
    const auto waited = read_beside(header).waited;
    const auto now = home_.exact_now();
    const auto arrived = waited == no_time_told ? now : now - waited;
    // What came just now is most likely the last one: a frame's worth is looked for once a frame.
    // Should it not be, the next call finds the rest, and asking once more costs as much as a
    // packet.
    last = now - arrived < expect_more_after;
    health_.datagrams_in += 1;
    handler_.on_datagram(
      endpoint::from_sockaddr(static_cast<const sockaddr*>(header.msg_name), header.msg_namelen),
      {static_cast<const std::byte*>(header.msg_iov->iov_base), static_cast<size_t>(outcome)},
      arrived);
  }
  return !last && !watch.ended();
}

result<void> udp_socket::set_on_demand(bool on_demand) {
  if (on_demand == on_demand_)
    return {};
  if (on_demand) {
    registration_.reset();
    set_option(fd_, SOL_SOCKET, SO_TIMESTAMPNS, 1);
  } else {
    auto registration = events_.add(fd_, EPOLLIN, *this, media_);
    if (!registration)
      return tl::unexpected{std::move(registration.error())};
    registration_ = std::move(*registration);
  }
  on_demand_ = on_demand;
  return {};
}

udp_socket::beside udp_socket::read_beside(msghdr& header) {
  beside told;
  for (auto* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
      int size = 0;
      std::memcpy(&size, CMSG_DATA(c), sizeof size);
      told.segment = static_cast<size_t>(size);
    } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
      uint32_t total = 0;
      std::memcpy(&total, CMSG_DATA(c), sizeof total);
      count_drops(total - overflowed_);
      overflowed_ = total;
    } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
      timespec came{};
      timespec now{};
      std::memcpy(&came, CMSG_DATA(c), sizeof came);
      clock_gettime(CLOCK_REALTIME, &now);
      const auto waited = std::chrono::seconds{now.tv_sec - came.tv_sec} +
                          std::chrono::nanoseconds{now.tv_nsec - came.tv_nsec};
      // The wall clock may be set meanwhile: such a reading tells nothing.
      if (waited >= duration::zero() && waited < std::chrono::minutes{1})
        told.waited = waited;
    }
  }
  return told;
}

} // namespace jackfield::lane
