#include "actors/wire/lane_mailbox.hpp"

#include <utility>

namespace jackfield {

namespace {

/// A buffer that a burst made larger is given back.
constexpr size_t kept_bytes = 1U << 20U;

} // namespace

lane_mailbox::outcome lane_mailbox::put(item i, std::string_view bytes) {
  const std::lock_guard guard{mutex_};
  if (waiting_.bytes.size() + bytes.size() > most_waiting)
    return outcome::full;
  i.offset = waiting_.bytes.size();
  i.length = static_cast<uint32_t>(bytes.size());
  waiting_.bytes.append(bytes);
  waiting_.items.push_back(i);
  return waiting_.items.size() == 1 ? outcome::first : outcome::kept;
}

const lane_mailbox::batch& lane_mailbox::take() {
  if (taken_.bytes.capacity() > kept_bytes)
    taken_ = {};
  taken_.items.clear();
  taken_.bytes.clear();
  const std::lock_guard guard{mutex_};
  std::swap(taken_, waiting_);
  return taken_;
}

} // namespace jackfield
