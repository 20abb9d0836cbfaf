#pragma once

#include <cstdint>
#include <string>

#include "engine/sip/leg_id.hpp"
#include "engine/sip/message.hpp"
#include "engine/sip/transaction.hpp"
#include "engine/sip/ua.hpp"

namespace jackfield::sip {

/// An early dialog may have had requests of ours (PRACK) of which its 2xx says nothing, but never
/// so many: a CSeq so far behind the INVITE's is behind all of theirs.
inline constexpr uint32_t unseen_requests = 0x1'0000;

/// A BYE to a dialog that nobody wanted: another 2xx of a forked INVITE, or one that came when the
/// call had been given up (RFC 3261 §13.2.2.4).
class parting_bye {
public:
  /// ACKs the 2xx and sends the BYE; all they need is in the 2xx. `m` is a 2xx to an INVITE of
  /// `leg`.
  parting_bye(time_point now, const leg_id& leg, const message& m, const ua_profile& profile,
              ua_sink& sink);

  /// ACKs the 2xx that came again.
  static void repeat_ack(const leg_id& leg, const message& m, const ua_profile& profile,
                         ua_sink& sink);

  /// A response whose branch is this BYE's.
  void on_response(time_point now, int status);
  void on_time(time_point now, ua_sink& sink);
  [[nodiscard]] time_point next_deadline() const noexcept { return transaction_.next_deadline(); }
  /// Answered, or given up.
  [[nodiscard]] bool over() const noexcept { return !transaction_.awaits_final(); }

  [[nodiscard]] const branch_id& branch() const noexcept { return branch_; }
  /// Of the To tag.
  [[nodiscard]] uint64_t tag_hash() const noexcept { return tag_hash_; }
  [[nodiscard]] size_t heap_bytes() const noexcept {
    return text_.capacity() + next_hop_.capacity();
  }

private:
  const ua_profile* profile_;
  client_transaction transaction_;
  branch_id branch_;
  uint64_t tag_hash_ = 0;
  std::string text_;
  std::string next_hop_;
};

/// Tells the dialogs of one INVITE apart. Never 0.
[[nodiscard]] uint64_t hash_of_tag(std::string_view tag) noexcept;

} // namespace jackfield::sip
