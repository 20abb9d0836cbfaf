#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/sip/leg_id.hpp"
#include "engine/sip/message.hpp"
#include "engine/sip/parting_bye.hpp"
#include "engine/sip/transaction.hpp"
#include "engine/sip/ua.hpp"

namespace jackfield::sip {

/// Names a server transaction of an INVITE (RFC 3261 §17.2.3): a hash of branch and sent-by, or of
/// the fields of §17.2.3's second rule where the branch lacks the cookie. The same for an INVITE,
/// its retransmissions, its CANCEL, and the ACK to a non-2xx. `seed` keeps others from making
/// collisions; one value for a process.
[[nodiscard]] uint64_t transaction_key(const message& request, uint64_t seed) noexcept;

/// Answers a request that no leg is made for: a fault of `check_request`, 482 for a merged request
/// (§8.2.2.2), 481 where no dialog matches, 503 under overload, 200 to OPTIONS. The To tag is made
/// of the request, so that retransmissions get the same (§8.2.7). Never answers an ACK. `headers`:
/// whole lines.
void reject_statelessly(const message& request, int status, const ua_profile& profile,
                        ua_sink& sink, std::string_view headers = {});

/// Names what RFC 3261 §8.2.2.2 calls a merged request: a hash of From tag, Call-ID, CSeq and
/// Request-URI. Users of one server are UASs each of their own: a proxy that forks a call to two of
/// them, or tries them in turn, sends both the same but for that.
[[nodiscard]] uint64_t merge_key(const message& request, uint64_t seed) noexcept;

/// Names an attempt at a call: a hash of From tag, Call-ID and CSeq number. The same for an INVITE,
/// its retransmissions, its CANCEL, the ACK to a non-2xx, and what is merged with it: whoever
/// spreads them over lanes by it keeps them together.
[[nodiscard]] uint64_t attempt_key(const message& request, uint64_t seed) noexcept;

/// What must outlive a leg for 64*T1, so that its actor may end at once: answers to what is
/// retransmitted or comes late. Timers I, J, K, L, M of legs that are over are this table's
/// lifetime.
///
/// A record is small because all else needed is in the message that comes. All records live equally
/// long, so expiry is a FIFO; adding, finding and expiring cost O(1). At `capacity` the oldest give
/// way and are counted. One for each lane.
class linger_table {
public:
  /// `lifetime`: 64*T1. `capacity` records are allocated as they are needed, 40 bytes each
  /// and 8 to 16 for the index.
  linger_table(size_t capacity, duration lifetime, uint64_t seed);

  // -- what legs leave behind ------------------------------------------------------

  /// A BYE for this leg that comes (again) is answered `status`.
  void answer_bye(time_point now, const leg_id& leg, int status);
  /// A 2xx for this leg's INVITE that comes late is ACKed; and hung up unless its To tag hashes to
  /// `keep_tag` (`hash_of_tag`), that of the dialog which was used. 0: none.
  void answer_late_2xx(time_point now, const leg_id& leg, uint64_t keep_tag);
  /// An INVITE of this transaction that comes again is absorbed, its CANCEL answered 200.
  void absorb_invite(time_point now, uint64_t transaction_key);

  /// A BYE on its way whose answer nobody waits for is sent again until it has one.
  void finish(parting_bye bye);

  /// To be given to `transaction_key`.
  [[nodiscard]] uint64_t seed() const noexcept { return seed_; }

  // -- what comes --------------------------------------------------------------------

  /// To be asked about a message that belongs to no living leg. Returns true if it was one of a leg
  /// that is over, and so has been answered or absorbed. `profile` is that of the socket it came
  /// by.
  bool on_message(time_point now, const message& m, const ua_profile& profile, ua_sink& sink);

  /// Retransmits BYEs to late 2xx, and expires. Call it at `next_deadline`, or when convenient.
  void on_time(time_point now, ua_sink& sink);
  [[nodiscard]] time_point next_deadline() const noexcept;

  [[nodiscard]] size_t size() const noexcept { return size_; }
  /// Records that gave way before their time.
  [[nodiscard]] uint64_t evicted() const noexcept { return evicted_; }
  /// Late 2xx that were ACKed and hung up.
  [[nodiscard]] uint64_t late_answers() const noexcept { return late_answers_; }
  /// Bytes on the heap.
  [[nodiscard]] size_t heap_bytes() const noexcept;

private:
  enum class kind : uint8_t { bye, late_2xx, invite };
  struct record {
    uint64_t key_low = 0, key_high = 0;
    time_point expires{};
    uint64_t keep_tag = 0;
    uint16_t status = 0;
    kind what{};
  };
  static_assert(sizeof(record) <= 40);

  bool on_request(const message& m, const ua_profile& profile, ua_sink& sink);
  bool on_response(time_point now, const message& m, const ua_profile& profile, ua_sink& sink);
  static void acknowledge_failure(const message& m, const branch_id& branch,
                                  const ua_profile& profile, ua_sink& sink);
  void add(const record& r);
  record* find(kind what, uint64_t low, uint64_t high) noexcept;
  void drop_oldest() noexcept;
  void expire(time_point now) noexcept;
  void grow();
  void index_insert(uint32_t position) noexcept;
  void index_erase(uint32_t position) noexcept;
  [[nodiscard]] size_t home_of(const record& r) const noexcept;

  size_t capacity_;
  duration lifetime_;
  uint64_t seed_;
  std::vector<record> ring_;
  std::vector<uint32_t> index_; // open addressing; position + 1, 0 free
  size_t head_ = 0, size_ = 0;
  uint64_t evicted_ = 0, late_answers_ = 0;
  std::vector<parting_bye> byes_;
};

} // namespace jackfield::sip
