#pragma once

#include <cstdint>
#include <string>

namespace jackfield::sip {

/// An INVITE of ours that has no final answer as plain data, to be kept in a store, so that whoever
/// comes after a crash can have it end at the peer: `leg::take_back`. It says what a CANCEL must
/// share with it (RFC 3261 §9.1), but for the sent-by of its Via, which is the profile's.
struct attempt_record {
  /// Text of the leg's identifier, which is the Call-ID and the From tag too.
  std::string leg;
  /// Request-URI.
  std::string uri;
  /// From and To values without tag.
  std::string from, to;
  /// Values as they stand in Route headers, separated by commas; empty: none.
  std::string route;
  uint32_t cseq = 0;
  /// Counter of the INVITE's branch.
  uint32_t branch = 0;

  friend bool operator==(const attempt_record&, const attempt_record&) = default;
};

} // namespace jackfield::sip
