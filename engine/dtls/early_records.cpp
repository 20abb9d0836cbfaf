#include "engine/dtls/early_records.hpp"

#include <algorithm>

#include "engine/dtls/record.hpp"

namespace jackfield::dtls {

bool early_records::keep(std::span<const std::byte> datagram) noexcept {
  const size_t begin = begin_of(count_);
  if (count_ == max_datagrams || datagram.size() > max_bytes - begin ||
      !looks_like_client_hello(datagram))
    return false;
  std::ranges::copy(datagram, bytes_.begin() + static_cast<std::ptrdiff_t>(begin));
  ends_[count_++] = begin + datagram.size();
  return true;
}

std::span<const std::byte> early_records::operator[](size_t i) const noexcept {
  return std::span{bytes_}.subspan(begin_of(i), ends_[i] - begin_of(i));
}

} // namespace jackfield::dtls
