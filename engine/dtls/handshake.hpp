#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/dtls/fingerprint.hpp"
#include "engine/dtls/flight_copies.hpp"
#include "engine/dtls/handshake_sink.hpp"
#include "engine/dtls/identity.hpp"
#include "engine/dtls/srtp_keys.hpp"
#include "engine/error/error.hpp"
#include "engine/lane/timer_wheel.hpp"

struct ssl_st;

namespace jackfield::dtls {

/// Client: a=setup:active, sends first. Server: a=setup:passive.
enum class role : uint8_t { client, server };

/// One DTLS-SRTP association (RFC 5764) up to its keys, without I/O: datagrams and times come in,
/// datagrams go to the sink. It costs some 75 KB while it lives, so it is destroyed once
/// `lingers_until` has passed; the SRTP keys are good without it.
///
/// Give it only what comes from the peer's validated address (ICE's pair, or without ICE the
/// address in SDP). From there a fatal alert that came before there were keys is believed, though
/// nothing proves it; what is no record of the handshake is discarded and counted (RFC 6347
/// §4.1.2.7).
///
/// All time is the caller's. OpenSSL looks at a clock of its own to retransmit, so it is told that
/// a flight timed out at once, several times: what it then sends is kept and goes out when
/// `on_timer` says so, after 100 ms and then twice as long, up to 4 s, `flight_copies::max_copies`
/// times.
class handshake final : private certificate_check {
public:
  /// The most that is sent in one datagram.
  static constexpr size_t mtu = 1200;
  /// Larger datagrams are ignored.
  static constexpr size_t max_datagram = 4096;
  static constexpr std::chrono::milliseconds first_wait{100};
  static constexpr std::chrono::milliseconds longest_wait{4000};
  /// How long a server can be asked again for its last flight. A client that waits a second at
  /// first (RFC 6347 §4.2.4.1) has asked three times by then.
  static constexpr std::chrono::seconds linger{8};

  enum class state : uint8_t {
    idle,    ///< not yet started
    running, ///< includes: finished, but waits for `expect`
    done,    ///< there are keys
    closed,  ///< done, and the peer has since said goodbye
    failed
  };
  enum class failure : uint8_t {
    none,
    fingerprint,     ///< the peer's certificate is not the one expected
    no_certificate,  ///< the peer has none
    no_srtp_profile, ///< no profile in common
    alert,           ///< the peer gave up
    protocol,        ///< the peer broke the protocol, or has no version or cipher in common
    timeout
  };

  /// `out` must outlive the handshake. `limit`: from `start` until it fails with `timeout`.
  static result<std::unique_ptr<handshake>> make(std::shared_ptr<const identity> own, role r,
                                                 handshake_sink& out,
                                                 lane::duration limit = std::chrono::seconds{30});
  virtual ~handshake();
  handshake(const handshake&) = delete;
  handshake& operator=(const handshake&) = delete;

  /// What SDP says of the peer's certificate. May come at any time, also after datagrams: until
  /// then there are no keys. While the handshake runs a later list replaces an earlier one. A list
  /// that is not `usable` fails the handshake.
  void expect(fingerprint_list expected);

  /// Once, before all that follows; the client sends its hello.
  void start(lane::time_point now);
  void on_datagram(std::span<const std::byte> datagram, lane::time_point now);
  /// To be called at `deadline()`; at another time it does nothing.
  void on_timer(lane::time_point now);
  /// `time_point::max()` if there is none.
  [[nodiscard]] lane::time_point deadline() const noexcept;
  /// Says goodbye (close_notify) if `done`, and is `closed` then.
  void close();

  [[nodiscard]] state now() const noexcept { return state_; }
  [[nodiscard]] failure reason() const noexcept { return failure_; }
  /// Why it failed or the peer closed, for a log line; empty if neither.
  [[nodiscard]] std::string_view cause() const noexcept { return cause_; }
  /// Null unless `done` or `closed`; valid as long as the handshake.
  [[nodiscard]] const srtp_keys* keys() const noexcept { return keys_ ? &*keys_ : nullptr; }

  /// Until when it should be kept after it is done, so that the peer gets to the end as well: not
  /// at all for a client, `linger` after the last flight for a server. `time_point::max()` before
  /// that.
  [[nodiscard]] lane::time_point lingers_until() const noexcept { return lingers_until_; }
  [[nodiscard]] bool may_be_freed(lane::time_point now) const noexcept {
    return state_ == state::failed || state_ == state::closed ||
           (state_ == state::done && now >= lingers_until_);
  }
  /// Datagrams that had no effect on it, as they were no DTLS, malformed, or too many.
  [[nodiscard]] uint64_t ignored() const noexcept { return ignored_; }

private:
  struct hooks;

  // Records that came before their keys, which OpenSSL keeps, each with a buffer of 16 KB.
  static constexpr size_t max_early_encrypted = 32;

  handshake(std::shared_ptr<const identity> own, role r, handshake_sink& out,
            lane::duration limit) noexcept;

  result<void> attach();
  bool accepts(const x509_st* certificate) override;
  [[nodiscard]] std::span<const std::byte> worth_reading(std::span<const std::byte> datagram);
  void advance(lane::time_point now);
  void drain();
  void conclude();
  void export_keys(const srtp_profile& profile);
  void say_goodbye();
  void fail_by_openssl(const char* what);
  void give_up(failure why, std::string cause);

  std::shared_ptr<const identity> identity_;
  handshake_sink* out_;
  ssl_st* ssl_ = nullptr;
  std::optional<fingerprint_list> expected_;
  std::optional<srtp_keys> keys_;
  std::string cause_;
  std::span<const std::byte> input_; // of the call under way
  flight_copies copies_;
  lane::duration limit_;
  lane::duration wait_{};
  lane::time_point fails_at_ = lane::time_point::max();
  lane::time_point resends_at_ = lane::time_point::max();
  lane::time_point lingers_until_ = lane::time_point::max();
  uint64_t ignored_ = 0;
  size_t early_encrypted_ = 0;
  role role_;
  state state_ = state::idle;
  failure failure_ = failure::none;
  bool finished_ = false;   // the handshake's messages are all exchanged
  bool new_flight_ = false; // sent by the call under way, and will be answered
  bool copying_ = false;    // what OpenSSL writes is a retransmission
  bool refused_ = false;    // the certificate
};

} // namespace jackfield::dtls
