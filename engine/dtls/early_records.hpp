#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace jackfield::dtls {

/// Datagrams of a ClientHello that came before the call knew what to do with them (an offerer's
/// answer is overtaken by the answerer's first flight), kept for the handshake to come. A bounded
/// value; what does not fit is dropped, as the peer sends it again.
class early_records {
public:
  static constexpr size_t max_datagrams = 3;
  static constexpr size_t max_bytes = 4096;

  /// Copies the datagram. False if it is no ClientHello or does not fit.
  bool keep(std::span<const std::byte> datagram) noexcept;
  void clear() noexcept { count_ = 0; }

  [[nodiscard]] size_t size() const noexcept { return count_; }
  /// The datagram of index `i` < size(), in the order of their arrival; valid until `clear`.
  [[nodiscard]] std::span<const std::byte> operator[](size_t i) const noexcept;

private:
  [[nodiscard]] size_t begin_of(size_t i) const noexcept { return i == 0 ? 0 : ends_[i - 1]; }

  std::array<std::byte, max_bytes> bytes_;
  std::array<size_t, max_datagrams> ends_{};
  size_t count_ = 0;
};

} // namespace jackfield::dtls
