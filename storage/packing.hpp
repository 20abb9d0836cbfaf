#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/error/error.hpp"
#include "storage/records.hpp"

/// How values are made of messages of records.proto: for the sources that pack and unpack them.
namespace jackfield::storage {

/// Of the values' layout: their first byte.
inline constexpr unsigned char layout_version = 1;

template <class Message>
std::string bytes_of(const Message& message) {
  std::string bytes(1, static_cast<char>(layout_version));
  message.AppendToString(&bytes);
  return bytes;
}

template <class Message>
result<Message> message_in(std::string_view bytes, const char* what) {
  const unsigned version = bytes.empty() ? 0U : static_cast<unsigned char>(bytes.front());
  if (version != layout_version)
    return jackfield::fail({}, std::string{what} + " of layout version " +
                                 (bytes.empty() ? "none" : std::to_string(version)) +
                                 ", expected 1");
  Message message;
  if (!message.ParseFromArray(bytes.data() + 1, static_cast<int>(bytes.size() - 1)))
    return jackfield::fail({}, std::string{what} + " that cannot be read");
  return message;
}

inline int64_t stamp(wall_time at) {
  return at.time_since_epoch().count();
}
inline int64_t stamp(const std::optional<wall_time>& at) {
  return at ? stamp(*at) : 0;
}
inline wall_time time_of(int64_t stamp) {
  return wall_time{std::chrono::nanoseconds{stamp}};
}
inline std::optional<wall_time> maybe_time_of(int64_t stamp) {
  return stamp == 0 ? std::nullopt : std::optional{time_of(stamp)};
}

} // namespace jackfield::storage
