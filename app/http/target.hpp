#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "app/http/messages.hpp"

namespace jackfield::http {

/// What a request is for: "/v1/queues/b%C3%BCro?limit=3", taken apart and decoded.
struct target {
  std::vector<std::string> path; ///< between the slashes; "/" has one that is empty
  std::vector<std::pair<std::string, std::string>> query;

  /// An answer: 400, for what is no target, has control characters, or too much.
  static tl::expected<target, answer> parse(std::string_view text);
};

/// Control characters (C0, DEL, C1 in UTF-8, and what ends lines in Unicode), or no UTF-8: nothing
/// that a text of the API may have.
[[nodiscard]] bool is_plain_text(std::string_view text) noexcept;

/// Reads the parameters of a query; the first fault is kept.
class query_reader {
public:
  explicit query_reader(const target& of) : of_(of) {}

  [[nodiscard]] std::optional<std::string> text(std::string_view name);
  [[nodiscard]] std::optional<uint64_t> number(std::string_view name, uint64_t least,
                                               uint64_t most);
  /// Once all were asked for: the fault, or a parameter that nobody asked for, or one twice.
  [[nodiscard]] std::optional<answer> finish();

private:
  const target& of_;
  std::vector<std::string_view> known_;
  std::optional<answer> fault_;
};

/// A decimal number within bounds, of digits alone.
[[nodiscard]] std::optional<uint64_t> read_number(std::string_view text, uint64_t least,
                                                  uint64_t most) noexcept;

} // namespace jackfield::http
