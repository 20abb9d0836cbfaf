#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>

namespace jackfield::report {

/// The SIP methods counted apart; what else there is counts as `other`.
enum class counted_method : uint8_t {
  invite,
  ack,
  bye,
  cancel,
  options,
  register_,
  prack,
  update,
  info,
  message,
  refer,
  subscribe,
  notify,
  publish,
  other,
};
inline constexpr size_t counted_methods = 15;

/// "INVITE", "REGISTER", ...; "other" for the last.
[[nodiscard]] std::string_view to_string(counted_method method) noexcept;
/// The inverse, case-sensitive as RFC 3261 section 7.1 has it; `other` for an unknown name.
[[nodiscard]] counted_method counted_method_from(std::string_view name) noexcept;

/// How many requests of each method were sent and which responses came back. Retransmissions are
/// not counted here; a challenge that was then satisfied is.
class status_matrix {
public:
  void count_request(counted_method method) noexcept { ++requests_[index(method)]; }
  /// `status` is 100 to 699; anything else is ignored. Allocates the first time it sees a status.
  void count_response(counted_method method, int status);
  void merge(const status_matrix& other);

  [[nodiscard]] uint64_t requests(counted_method method) const noexcept {
    return requests_[index(method)];
  }
  /// Responses to requests of this method by status, ascending.
  [[nodiscard]] const std::map<uint16_t, uint64_t>&
  responses(counted_method method) const noexcept {
    return responses_[index(method)];
  }

  friend bool operator==(const status_matrix&, const status_matrix&) = default;

private:
  static constexpr size_t index(counted_method method) { return static_cast<size_t>(method); }

  std::array<uint64_t, counted_methods> requests_{};
  std::array<std::map<uint16_t, uint64_t>, counted_methods> responses_;
};

} // namespace jackfield::report
