#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "engine/sdp/negotiation.hpp"

/// Two sides for tests of negotiations, and what reads their results.
namespace jackfield::sdp {

inline constexpr std::array<direction, 4> all_directions{direction::sendrecv, direction::sendonly,
                                                         direction::recvonly, direction::inactive};

inline std::shared_ptr<const offer_template> local_at(std::string_view host,
                                                      media_capabilities with = {}) {
  return std::make_shared<const offer_template>(host, std::move(with));
}

inline negotiation ours(media_capabilities with = {}) {
  return {local_at("198.51.100.7", std::move(with)), 20'000, 77};
}

inline negotiation theirs(media_capabilities with = {}) {
  return {local_at("192.0.2.1", std::move(with)), 40'000, 5};
}

inline session parsed(std::string_view text) {
  auto got = parse(text);
  EXPECT_TRUE(got) << got.error().to_string() << "\n" << text;
  return got.value_or(session{});
}

inline std::uint64_t version_of(std::string_view text) {
  return parsed(text).from.version;
}

/// A description with one m-line and what belongs to it, from 192.0.2.1.
inline std::string with_media(const std::string& media) {
  return "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n" + media;
}

template <class T>
T must(result<T> got) {
  if (!got) {
    ADD_FAILURE() << got.error().to_string();
    return {};
  }
  return std::move(*got);
}

template <class T>
std::string refusal(const result<T>& got) {
  return got ? "no error" : got.error().to_string();
}

} // namespace jackfield::sdp
