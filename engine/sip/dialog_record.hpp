#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace jackfield::sip {

/// A confirmed dialog as plain data, to be kept in a store and taken up again by `leg::adopt`. What
/// is on its way when it is made (requests without answer, offers) is not part of it.
struct dialog_record {
  /// Text of the leg's identifier, which is the local tag too.
  std::string leg;
  std::string call_id;
  /// Whole From or To value with its tag: ours, whichever side called.
  std::string local_party;
  std::string local_tag;
  std::string remote_party;
  /// Empty: an RFC 2543 peer.
  std::string remote_tag;
  /// URI without angle brackets.
  std::string remote_target;
  /// Values as they stand in Route headers, separated by ", ", the next hop first; empty: none.
  std::string route_set;
  /// Whole Contact value of ours; empty: the profile's.
  std::string contact;
  /// Of our last request. The next has the number behind it.
  uint32_t local_cseq = 0;
  /// Of the peer's last request.
  std::optional<uint32_t> remote_cseq;
  /// Of the 2xx that we ACKed last, so that a copy of it is ACKed again; 0: none.
  uint32_t acked_cseq = 0;
  /// Counter of the next transaction's branch.
  uint32_t next_branch = 0;
  bool is_caller = false;
  /// Called by a "sips:" URI.
  bool secure = false;

  friend bool operator==(const dialog_record&, const dialog_record&) = default;
};

} // namespace jackfield::sip
