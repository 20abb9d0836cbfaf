#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace jackfield::sip {

/// Names one of our own legs (a dialog, a registration, a request out of dialog) on the wire. Our
/// local tags, Call-IDs and Via branches contain one, so that what comes back is routed to its
/// actor by looking at it: lane and slot say where the actor is, generation whether the slot is
/// still its own, and the random nonce keeps others from guessing it.
///
/// The text has a fixed width, so all our messages of one kind have the same length.
struct leg_id {
  /// Characters of `text`: 128 bits in lower-case base 32 (a-z, 2-7).
  static constexpr size_t text_size = 26;
  static constexpr uint32_t max_slot = (1u << 24) - 1;

  uint8_t lane = 0;
  uint32_t slot = 0; // 0 .. max_slot
  uint32_t generation = 0;
  uint64_t nonce = 0; // unpredictable: from the lane's random source

  using text_buffer = std::array<char, text_size>;

  [[nodiscard]] text_buffer text() const noexcept;

  /// Reads exactly one identifier: 26 characters, lower case, unused bits zero. Nothing else, so a
  /// text has one value and a value one text.
  [[nodiscard]] static std::optional<leg_id> parse(std::string_view text) noexcept;

  friend bool operator==(const leg_id&, const leg_id&) = default;
};

/// A Via branch of ours: "z9hG4bK", the leg's text, and a transaction counter of fixed width.
struct branch_id {
  static constexpr std::string_view cookie = "z9hG4bK";
  static constexpr size_t counter_size = 7; // base 32, 32 bits
  static constexpr size_t text_size = cookie.size() + leg_id::text_size + counter_size;

  leg_id leg;
  uint32_t counter = 0;

  using text_buffer = std::array<char, text_size>;

  [[nodiscard]] text_buffer text() const noexcept;
  [[nodiscard]] static std::optional<branch_id> parse(std::string_view text) noexcept;

  friend bool operator==(const branch_id&, const branch_id&) = default;
};

} // namespace jackfield::sip
