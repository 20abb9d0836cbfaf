#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/ice/credentials.hpp"
#include "engine/ice/random_source.hpp"
#include "engine/ice/stun.hpp"
#include "engine/lane/endpoint.hpp"
#include "engine/lane/timer_wheel.hpp"

namespace jackfield::ice {

/// What a `connectivity` has around it. It is handed to each call and not kept; none of these may
/// call back into it.
class connectivity_host {
public:
  /// A STUN message for the component's socket. The bytes are gone when the call returns.
  virtual void send(const lane::endpoint& to, std::span<const std::byte> message) = 0;
  /// Media goes to `remote` from now on.
  virtual void on_remote_changed(const lane::endpoint& remote) = 0;
  /// Nothing may be sent to the peer any more (RFC 7675 §5.1). Told once.
  virtual void on_consent_lost() = 0;

protected:
  connectivity_host() = default;
  connectivity_host(const connectivity_host&) = default;
  connectivity_host& operator=(const connectivity_host&) = default;
  ~connectivity_host() = default;
};

/// What became of the messages that came. They wrap.
struct connectivity_counts {
  uint32_t answered = 0;        ///< authenticated requests, success sent
  uint32_t confirmed = 0;       ///< responses to requests of ours
  uint32_t malformed = 0;       ///< no binding message, or without what ICE wants in it
  uint32_t unauthenticated = 0; ///< requests with a wrong ufrag or password, or with none
  uint32_t unmatched = 0;       ///< responses that are forged, late or from elsewhere
  uint32_t conflicts = 0;       ///< of roles, whoever saw them
  uint32_t strange_media = 0;   ///< media from an address that was never validated
};

/// What a `connectivity` starts from.
struct connectivity_settings {
  credentials local;
  credentials remote;
  /// The selected one. Not valid, of a lite end alone: the peer will nominate one.
  lane::endpoint remote_address;
  uint64_t tie_breaker = 0;
  uint32_t priority = 0x6effffff; ///< PRIORITY of own checks: peer-reflexive, first component
  bool controlling = false;
  bool lite = false; ///< answers only, and never has the controlling role (RFC 8445 §2.5)
};

/// One ICE component once a pair is selected, on a socket that carries media: answers checks,
/// keeps consent (RFC 7675), and follows the peer to another of its addresses. A state machine: no
/// I/O, no clock. The lane calls `on_timer` when `deadline` has passed, and then asks for the next
/// one, as it does after each `on_stun`. At most 600 bytes beside the texts of the credentials.
///
/// A lite end (RFC 8445 §2.5) makes no checks, and so has none for consent; it answers the peer's
/// (RFC 7675). It judges by silence instead: a peer's checks, keepalives, media or reports come
/// each 15 s at least (RFC 8445 §11), whatever is on hold. It goes where a check with the right
/// password tells it to, without trying whether somebody is there.
class connectivity {
public:
  /// Basic time between consent checks; each is 80 to 120 % of it (RFC 7675 §5.1).
  static constexpr std::chrono::seconds consent_interval{5};
  /// Without an answer for this long there is no consent any more (RFC 7675 §5.1); for a lite end,
  /// without anything at all from the peer's address.
  static constexpr std::chrono::seconds consent_expiry{30};
  /// Without one for this long, checks go out beside the consent checks, one a second: six consent
  /// checks are too few to tell a lossy path from a dead one.
  static constexpr std::chrono::seconds doubt_after{10};

  /// The selected pair counts as answered at `now`. A controlling end begins at once to say again
  /// which pair it nominated, until one of these checks is answered: the one that selected the pair
  /// may not have been heard. `random` must outlive this.
  connectivity(const connectivity_settings& settings, lane::time_point now, random_source& random);

  /// A datagram for which `is_stun` is true.
  void on_stun(const lane::endpoint& from, std::span<const std::byte> datagram,
               lane::time_point now, connectivity_host& host);
  /// Says of each other datagram whether it comes from where the peer is known to be; what does
  /// not is to be dropped. Media itself proves nothing, and neither renews consent nor moves it.
  [[nodiscard]] bool on_media_heard(const lane::endpoint& from, lane::time_point now) noexcept;
  /// May be called early.
  void on_timer(lane::time_point now, connectivity_host& host);

  /// `time_point::max()` if there is nothing to wait for.
  [[nodiscard]] lane::time_point deadline() const noexcept;
  [[nodiscard]] const lane::endpoint& remote() const noexcept { return remote_; }
  /// The role as it is now: a conflict may change it.
  [[nodiscard]] bool controlling() const noexcept { return controlling_; }
  [[nodiscard]] bool lost() const noexcept { return lost_; }
  /// True while the peer has not been heard to know the pair that a controlling end selected.
  [[nodiscard]] bool nominating() const noexcept { return nominating_; }
  [[nodiscard]] const connectivity_counts& counts() const noexcept { return counts_; }

private:
  /// A check that is sent again, the same each time, until it is answered.
  struct repeated_check {
    transaction_id id{};
    uint8_t sent = 0;
    bool active = false;
    lane::time_point next = lane::time_point::max();
  };
  /// An address from which the peer sent authenticated checks.
  struct alternative {
    lane::endpoint address; // not valid: a free place
    bool nominated = false;
    repeated_check check;
    lane::time_point validated = lane::time_point::min(); // min: not yet
  };

  void on_request(const lane::endpoint& from, std::span<const std::byte> datagram,
                  const binding_message& message, lane::time_point now, connectivity_host& host);
  void on_response(const lane::endpoint& from, std::span<const std::byte> datagram,
                   const binding_message& message, lane::time_point now, connectivity_host& host);
  void refuse(const lane::endpoint& to, const binding_message& message, stun_error error,
              bool authenticated, connectivity_host& host);
  /// Returns false if the peer was told to change its role.
  bool settle_roles(const binding_message& message, lane::time_point now);
  void take_role(bool controlling, lane::time_point now);
  void consider(const lane::endpoint& from, bool nominated, lane::time_point now,
                connectivity_host& host);
  void on_validated(alternative& place, lane::time_point now, connectivity_host& host);
  void move_to(alternative& place, lane::time_point now, connectivity_host& host);
  void note_heard(const lane::endpoint& from, lane::time_point now) noexcept;
  [[nodiscard]] alternative* find(const lane::endpoint& address) noexcept;
  [[nodiscard]] alternative& free_place() noexcept;
  [[nodiscard]] bool validated(const alternative& place, lane::time_point now) const noexcept;
  void begin(repeated_check& check, lane::time_point now);
  void check_pair(lane::time_point now, connectivity_host& host);
  void check_alternatives(lane::time_point now, connectivity_host& host);
  void send_check(const lane::endpoint& to, const transaction_id& id, bool use_candidate,
                  connectivity_host& host);
  void schedule_consent(lane::time_point now);
  [[nodiscard]] transaction_id new_id();

  credentials local_;
  credentials remote_credentials_;
  random_source* random_;
  uint64_t tie_breaker_;
  lane::time_point answered_;
  lane::time_point next_consent_;
  std::array<alternative, 3> alternatives_;
  repeated_check check_; // of the current pair: nominates it, or finds out whether it still lives
  // Consent checks are never sent twice, and may be answered when the next is under way.
  std::array<transaction_id, 4> consent_ids_{};
  connectivity_counts counts_;
  uint32_t priority_;
  lane::endpoint remote_;
  uint8_t next_consent_id_ = 0;
  uint8_t consent_ids_used_ = 0;
  bool controlling_;
  bool lite_;
  bool nominating_ = false;
  bool lost_ = false;
};

static_assert(sizeof(connectivity) <= 600);

} // namespace jackfield::ice
