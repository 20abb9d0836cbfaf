#include "engine/dtls/flight_copies.hpp"

namespace jackfield::dtls {

void flight_copies::clear() noexcept {
  bytes_.clear();
  datagrams_.clear();
  made_ = 0;
  next_ = 0;
}

void flight_copies::add(std::span<const std::byte> datagram) {
  bytes_.insert(bytes_.end(), datagram.begin(), datagram.end());
  datagrams_.push_back({made_, bytes_.size()});
}

void flight_copies::send_next(handshake_sink& to) {
  const size_t copy = datagrams_[next_].copy;
  for (; next_ < datagrams_.size() && datagrams_[next_].copy == copy; ++next_) {
    const size_t begin = next_ == 0 ? 0 : datagrams_[next_ - 1].end;
    to.send(std::span{bytes_}.subspan(begin, datagrams_[next_].end - begin));
  }
}

} // namespace jackfield::dtls
