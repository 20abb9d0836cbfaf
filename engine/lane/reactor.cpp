#include "engine/lane/reactor.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

namespace jackfield::lane {

namespace {

constexpr size_t events_a_pass = 512;

/// Found by the last wait; the lanes of a process each have their own thread.
thread_local std::array<epoll_event, events_a_pass> main_events;
thread_local std::array<epoll_event, events_a_pass> media_events;

timespec to_timespec(duration d) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(d);
  return {whole.count(), (d - whole).count()};
}

} // namespace

time_point real_now() noexcept {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return time_point{std::chrono::seconds{t.tv_sec} + duration{t.tv_nsec}};
}

// -- registration --------------------------------------------------------------

reactor::registration::registration(registration&& other) noexcept
    : entry_(std::exchange(other.entry_, nullptr)) {
  // nop
}

reactor::registration& reactor::registration::operator=(registration&& other) noexcept {
  if (this != &other) {
    reset();
    entry_ = std::exchange(other.entry_, nullptr);
  }
  return *this;
}

void reactor::registration::modify(uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = entry_;
  epoll_ctl(entry_->media ? entry_->owner->media_set_ : entry_->owner->main_set_, EPOLL_CTL_MOD,
            entry_->fd, &event);
}

void reactor::registration::reset() noexcept {
  if (entry_ == nullptr)
    return;
  auto* gone = std::exchange(entry_, nullptr);
  auto& owner = *gone->owner;
  epoll_ctl(gone->media ? owner.media_set_ : owner.main_set_, EPOLL_CTL_DEL, gone->fd, nullptr);
  gone->handler = nullptr;
  owner.graveyard_.emplace_back(gone);
}

// -- reactor -------------------------------------------------------------------

result<std::unique_ptr<reactor>> reactor::make(duration gathering) {
  std::unique_ptr<reactor> made{new reactor};
  made->gathering_ = gathering;
  made->main_set_ = epoll_create1(EPOLL_CLOEXEC);
  made->media_set_ = epoll_create1(EPOLL_CLOEXEC);
  made->wake_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (made->main_set_ < 0 || made->media_set_ < 0 || made->wake_fd_ < 0)
    return fail_errno("lane", "cannot make its event loop", errno);
  for (auto [fd, tag] : {std::pair{made->media_set_, static_cast<void*>(&made->media_set_)},
                         std::pair{made->wake_fd_, static_cast<void*>(&made->wake_fd_)}}) {
    epoll_event event{};
    event.events = EPOLLIN;
    // Media that gather speak once, and again when the set has been looked at and was empty.
    if (fd == made->media_set_ && gathering > duration::zero())
      event.events |= EPOLLONESHOT;
    event.data.ptr = tag;
    if (epoll_ctl(made->main_set_, EPOLL_CTL_ADD, fd, &event) != 0)
      return fail_errno("lane", "cannot make its event loop", errno);
  }
  return made;
}

reactor::~reactor() {
  for (int fd : {main_set_, media_set_, wake_fd_})
    if (fd >= 0)
      close(fd);
}

result<reactor::registration> reactor::add(int fd, uint32_t events, ready_handler& handler,
                                           bool media) {
  auto entry =
    std::make_unique<registration::entry>(registration::entry{this, &handler, fd, media});
  epoll_event event{};
  event.events = events;
  event.data.ptr = entry.get();
  if (epoll_ctl(media ? media_set_ : main_set_, EPOLL_CTL_ADD, fd, &event) != 0)
    return fail_errno("lane", "cannot watch a socket", errno);
  registration made;
  made.entry_ = entry.release();
  return made;
}

void reactor::forget(flush_handler& handler) noexcept {
  std::erase(flushes_, &handler);
}

void reactor::flush_all() {
  // A flush may close sockets and so take others off the list, but adds none.
  while (!flushes_.empty()) {
    auto* next = flushes_.back();
    flushes_.pop_back();
    next->flush();
  }
  graveyard_.clear();
}

bool reactor::wait(time_point deadline) {
  const auto now = real_now();
  int found = 0;
  bool waited = false;
  if (deadline > now) {
    // First without blocking: if something is ready already, the lane was late for it.
    found = epoll_wait(main_set_, main_events.data(), static_cast<int>(events_a_pass), 0);
    if (found == 0) {
      waited = true;
      if (deadline == time_point::max()) {
        found = epoll_wait(main_set_, main_events.data(), static_cast<int>(events_a_pass), -1);
      } else {
        const auto timeout = to_timespec(deadline - now);
        found = epoll_pwait2(main_set_, main_events.data(), static_cast<int>(events_a_pass),
                             &timeout, nullptr);
      }
    }
  } else {
    found = epoll_wait(main_set_, main_events.data(), static_cast<int>(events_a_pass), 0);
  }
  found_ = found > 0 ? static_cast<size_t>(found) : 0;
  return waited;
}

void reactor::watch_media() {
  look_at_media_ = time_point::max();
  epoll_event event{};
  event.events = EPOLLIN | EPOLLONESHOT;
  event.data.ptr = &media_set_;
  epoll_ctl(main_set_, EPOLL_CTL_MOD, media_set_, &event);
}

size_t reactor::dispatch_media() {
  const int ready = epoll_wait(media_set_, media_events.data(), static_cast<int>(events_a_pass), 0);
  size_t called = 0;
  for (int k = 0; k < ready; ++k)
    if (auto* entry = static_cast<registration::entry*>(media_events[k].data.ptr);
        entry->handler != nullptr) {
      entry->handler->on_ready(media_events[k].events);
      ++called;
    }
  if (gathering_ > duration::zero()) {
    if (ready > 0)
      look_at_media_ = real_now() + gathering_;
    else
      watch_media();
  }
  return called;
}

size_t reactor::dispatch() {
  size_t called = look_at_media_ <= real_now() ? dispatch_media() : 0;
  for (size_t i = 0; i < found_; ++i) {
    const auto& event = main_events[i];
    if (event.data.ptr == &wake_fd_) {
      eventfd_t ignored = 0;
      eventfd_read(wake_fd_, &ignored);
    } else if (event.data.ptr == &media_set_) {
      called += dispatch_media();
    } else if (auto* entry = static_cast<registration::entry*>(event.data.ptr);
               entry->handler != nullptr) {
      entry->handler->on_ready(event.events);
      ++called;
    }
  }
  found_ = 0;
  return called;
}

void reactor::wake() noexcept {
  eventfd_write(wake_fd_, 1);
}

} // namespace jackfield::lane
