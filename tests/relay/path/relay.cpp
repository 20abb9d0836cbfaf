#include "tests/relay/path/relay.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace jackfield::tests {

namespace {

// What an epoll event means; any other tag is the index of a flow.
constexpr std::uint64_t listener_tag = UINT64_MAX;
constexpr std::uint64_t timer_tag = UINT64_MAX - 1;
constexpr std::uint64_t stop_tag = UINT64_MAX - 2;

/// Asks for room for a burst: past the system's limit where we may, else up to it.
void enlarge_buffers(int fd) {
  const int bytes = 8 << 20;
  for (auto [forced, plain] :
       {std::pair{SO_RCVBUFFORCE, SO_RCVBUF}, std::pair{SO_SNDBUFFORCE, SO_SNDBUF}}) {
    if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof bytes) != 0) {
      setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof bytes);
    }
  }
}

void append_json(std::string& out, const relay_counters& from) {
  auto field = [&](std::string_view name, std::uint64_t value) {
    out += out.back() == '{' ? "\"" : ",\"";
    out.append(name).append("\":").append(std::to_string(value));
  };
  out += '{';
  field("received", from.received);
  field("lost", from.lost);
  field("too_big", from.too_big);
  field("duplicated", from.duplicated);
  field("held_back", from.held_back);
  field("overtaken", from.overtaken);
  field("sent", from.sent);
  field("failed", from.failed);
  field("overflowed", from.overflowed);
  out += '}';
}

} // namespace

owned_fd::~owned_fd() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

owned_fd::owned_fd(owned_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

owned_fd& owned_fd::operator=(owned_fd&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

std::string relay_statistics::to_json() const {
  std::string out = "{\"seed\":" + std::to_string(seed) + ",\"to_target\":";
  append_json(out, to_target);
  out += ",\"to_client\":";
  append_json(out, to_client);
  out += ",\"flows\":" + std::to_string(flows);
  out += ",\"flows_refused\":" + std::to_string(flows_refused);
  out += ",\"on_their_way\":" + std::to_string(on_their_way);
  out += '}';
  return out;
}

/// Room for what one recvmmsg returns.
struct relay::receive_batch {
  static constexpr std::size_t messages = 64;
  static constexpr std::size_t message_bytes = 65'536;

  receive_batch() : bytes(messages * message_bytes) {
    for (std::size_t i = 0; i < messages; ++i) {
      parts[i] = {bytes.data() + i * message_bytes, message_bytes};
      headers[i].msg_hdr.msg_iov = &parts[i];
      headers[i].msg_hdr.msg_iovlen = 1;
      headers[i].msg_hdr.msg_name = &sources[i].bytes;
    }
  }

  /// Returns how many came, 0 or less for none.
  int receive(int fd) {
    for (auto& header : headers) {
      header.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
    }
    return recvmmsg(fd, headers.data(), messages, MSG_DONTWAIT, nullptr);
  }

  [[nodiscard]] std::string_view payload(std::size_t i) const {
    return {static_cast<const char*>(parts[i].iov_base), headers[i].msg_len};
  }

  std::vector<char> bytes;
  std::array<iovec, messages> parts{};
  std::array<socket_address, messages> sources{};
  std::array<mmsghdr, messages> headers{};
};

relay::relay(const relay_options& options)
    : options_(options), paths_{impairment(options.path, direction::to_target),
                                impairment(options.path, direction::to_client)},
      batch_(std::make_unique<receive_batch>()) {
  statistics_.seed = options.path.seed;
}

relay::~relay() = default;

void relay::set_observer(std::function<void(const relay_event&)> observer) {
  observer_ = std::move(observer);
}

result<std::unique_ptr<relay>> relay::open(const relay_options& options) {
  std::unique_ptr<relay> made(new relay(options));
  if (auto got = made->prepare(); !got) {
    return tl::unexpected(std::move(got.error()));
  }
  return made;
}

result<void> relay::prepare() {
  epoll_ = owned_fd(epoll_create1(EPOLL_CLOEXEC));
  timer_ = owned_fd(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  stopper_ = owned_fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  listener_ =
    owned_fd(socket(options_.listen.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (epoll_.get() < 0 || timer_.get() < 0 || stopper_.get() < 0 || listener_.get() < 0) {
    return fail_errno("relay", "cannot make its descriptors", errno);
  }
  if (bind(listener_.get(), options_.listen.get(), options_.listen.length) != 0) {
    return fail_errno("--listen", "cannot bind " + options_.listen.to_string(), errno);
  }
  enlarge_buffers(listener_.get());
  listening_.length = sizeof listening_.bytes;
  if (getsockname(listener_.get(), listening_.get(), &listening_.length) != 0) {
    return fail_errno("--listen", "cannot tell the bound address", errno);
  }
  for (auto [fd, tag] : {std::pair{listener_.get(), listener_tag},
                         std::pair{timer_.get(), timer_tag}, std::pair{stopper_.get(), stop_tag}}) {
    if (auto got = watch(fd, tag); !got) {
      return got;
    }
  }
  return {};
}

result<void> relay::watch(int fd, std::uint64_t tag) const {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return fail_errno("relay", "cannot watch a descriptor", errno);
  }
  return {};
}

result<void> relay::run() {
  std::array<epoll_event, 64> events;
  for (bool stopping = false; !stopping;) {
    int count = epoll_wait(epoll_.get(), events.data(), events.size(), -1);
    if (count < 0 && errno != EINTR) {
      return fail_errno("relay", "cannot wait", errno);
    }
    for (int i = 0; i < count; ++i) {
      const auto tag = events[static_cast<std::size_t>(i)].data.u64;
      if (tag == stop_tag) {
        stopping = true;
      } else if (tag == timer_tag) {
        std::uint64_t expirations = 0;
        (void)!read(timer_.get(), &expirations, sizeof expirations);
      } else if (tag == listener_tag) {
        receive(listener_.get(), direction::to_target, 0);
      } else {
        const auto index = static_cast<std::uint32_t>(tag);
        receive(flows_[index].upstream.get(), direction::to_client, index);
      }
    }
    const auto now = clock::now();
    send_due(now);
    arm_timer(now);
  }
  return {};
}

void relay::stop() noexcept {
  const std::uint64_t one = 1;
  (void)!write(stopper_.get(), &one, sizeof one);
}

relay_statistics relay::statistics() const {
  auto made = statistics_;
  made.flows = flows_.size();
  made.on_their_way = queue_.size();
  return made;
}

void relay::receive(int fd, direction way, std::uint32_t flow_index) {
  // One batch an event: what is left wakes us again, after the others had their turn. An error
  // (ICMP's "refused" among them) is the target's affair and is gone once it was returned.
  const int count = batch_->receive(fd);
  const auto now = clock::now();
  for (std::size_t i = 0; count > 0 && i < static_cast<std::size_t>(count); ++i) {
    if (way == direction::to_target) {
      auto& source = batch_->sources[i];
      source.length = batch_->headers[i].msg_hdr.msg_namelen;
      auto found = flow_of(source);
      if (!found) {
        ++statistics_.flows_refused;
        continue;
      }
      flow_index = *found;
    }
    accept(batch_->payload(i), way, flow_index, now);
  }
}

std::optional<std::uint32_t> relay::flow_of(const socket_address& client) {
  std::string key(reinterpret_cast<const char*>(&client.bytes), client.length);
  if (auto at = flow_by_client_.find(key); at != flow_by_client_.end()) {
    return at->second;
  }
  if (flows_.size() >= max_flows) {
    return std::nullopt;
  }
  owned_fd upstream(socket(options_.target.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const auto index = static_cast<std::uint32_t>(flows_.size());
  if (upstream.get() < 0 ||
      connect(upstream.get(), options_.target.get(), options_.target.length) != 0 ||
      !watch(upstream.get(), index)) {
    return std::nullopt;
  }
  enlarge_buffers(upstream.get());
  flows_.push_back({client, std::move(upstream), {}});
  flow_by_client_.emplace(std::move(key), index);
  return index;
}

void relay::accept(std::string_view payload, direction way, std::uint32_t flow_index,
                   clock::time_point now) {
  auto& count = counters(way);
  ++count.received;
  const auto arrival = ++arrivals_;
  const auto decided =
    paths_[static_cast<std::size_t>(way)].next(payload.size(), in_time_of_loss(now));
  count.lost += decided.why == fate::cause::lost;
  count.too_big += decided.why == fate::cause::too_big;
  count.held_back += decided.held_back;
  count.duplicated += decided.copies == 2;
  if (observer_ && decided.why == fate::cause::lost) {
    observer_({way, true, flow_index, now, payload});
  }
  for (std::size_t i = 0; i < decided.copies; ++i) {
    if (queue_.size() >= max_queued) {
      ++count.overflowed;
      continue;
    }
    queue_.push_back({now + decided.delays[i], arrival, flow_index, way, std::string(payload)});
    std::push_heap(queue_.begin(), queue_.end());
  }
}

void relay::send_due(clock::time_point now) {
  while (!queue_.empty() && queue_.front().due <= now) {
    std::pop_heap(queue_.begin(), queue_.end());
    send(std::move(queue_.back()));
    queue_.pop_back();
  }
}

void relay::send(queued&& item) {
  auto& through = flows_[item.flow];
  auto& count = counters(item.way);
  const bool up = item.way == direction::to_target;
  auto attempt = [&] {
    return up ? ::send(through.upstream.get(), item.payload.data(), item.payload.size(),
                       MSG_DONTWAIT | MSG_NOSIGNAL)
              : sendto(listener_.get(), item.payload.data(), item.payload.size(),
                       MSG_DONTWAIT | MSG_NOSIGNAL, through.client.get(), through.client.length);
  };
  // Before it is sent: it may have been received before `send` returns.
  const auto left = observer_ ? clock::now() : clock::time_point();
  // The first call after an ICMP "refused" reports that and sends nothing.
  if (attempt() < 0 && (errno != ECONNREFUSED || attempt() < 0)) {
    ++count.failed;
    return;
  }
  ++count.sent;
  auto& latest = through.latest_sent[static_cast<std::size_t>(item.way)];
  count.overtaken += item.arrival < latest;
  latest = std::max(latest, item.arrival);
  if (observer_) {
    observer_({item.way, false, item.flow, left, item.payload});
  }
}

void relay::arm_timer(clock::time_point now) {
  if (queue_.empty()) {
    return;
  }
  // At least a nanosecond: zero would disarm it.
  const auto wait =
    std::max<std::chrono::nanoseconds>(queue_.front().due - now, std::chrono::nanoseconds(1));
  itimerspec spec{};
  spec.it_value.tv_sec = wait.count() / 1'000'000'000;
  spec.it_value.tv_nsec = wait.count() % 1'000'000'000;
  timerfd_settime(timer_.get(), 0, &spec, nullptr);
}

bool relay::in_time_of_loss(clock::time_point now) noexcept {
  if (!first_) {
    first_ = now;
  }
  const auto since = now - *first_ - options_.loss_from;
  return since >= clock::duration::zero() && (!options_.loss_for || since < *options_.loss_for);
}

relay_counters& relay::counters(direction way) noexcept {
  return way == direction::to_target ? statistics_.to_target : statistics_.to_client;
}

} // namespace jackfield::tests
