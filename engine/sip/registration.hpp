#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/error/error.hpp"
#include "engine/sip/digest.hpp"
#include "engine/sip/leg_id.hpp"
#include "engine/sip/message.hpp"
#include "engine/sip/transaction.hpp"
#include "engine/sip/ua.hpp"

namespace jackfield::sip {

/// What to register. Views are copied, except `credentials`.
struct registration_options {
  /// Request-URI: "sip:example.com".
  std::string_view registrar = {};
  /// Address of record, a URI: "sip:alice@example.com". To and From.
  std::string_view aor = {};
  /// Whole Contact value with its parameters; empty: the profile's. Its `expires` is ours to add.
  std::string_view contact = {};
  /// User of the profile's Contact, escaped, where `contact` is empty: requests to the binding say
  /// by it whose they are.
  std::string_view contact_user = {};
  /// Route values separated by commas.
  std::string_view route = {};
  /// Whole header lines.
  std::string_view headers = {};
  /// Lifetime to ask for, in seconds.
  unsigned expires = 3600;
  /// Must outlive the registration.
  std::span<const credential> credentials = {};
  uint64_t random = 0;
  /// Of the REGISTERs; empty: the leg's text. To go on with a binding that another process made,
  /// its Call-ID, and a `cseq` above those that it may have used (RFC 3261 §10.2.4).
  std::string_view call_id = {};
  uint32_t cseq = 1;
  /// 0 .. 1, uniform: spreads refreshes and retries of many registrations; from the caller's random
  /// source.
  double jitter = 0.5;
  /// Retries after a failure begin here and double up to `retry_max`; each is drawn from the upper
  /// half of its interval by `jitter`.
  duration retry_base = std::chrono::seconds{30};
  duration retry_max = std::chrono::seconds{1800};
  /// Do not try again after a failure; `ended` follows.
  bool once = false;
  /// Remove the binding, by the first REGISTER already; with `once`.
  bool remove = false;
};

/// Keeps one binding (RFC 3261 §10.2): REGISTER, refresh at 85 .. 95 % of the granted lifetime
/// (never later than 5 s before its end if it is long enough, never oftener than once a second),
/// digest with nonce reuse, 423, 3xx, Retry-After, backoff, and removal.
///
/// Events: `registered` after each success, `retrying`, `registration_failed` after each failure
/// with the time to the next attempt, `ended` last: `unregistered`, or a cause if `once`, or the
/// credential was refused (retrying would lock the account).
class registration {
public:
  registration(const ua_profile& profile, const leg_id& id);
  ~registration();
  registration(registration&&) noexcept;
  registration& operator=(registration&&) noexcept;

  /// Takes what to register; nothing is sent until `begin`. Once.
  result<void> prepare(const registration_options& options);
  /// Sends the first REGISTER of one that was prepared and not told to `unregister`. Once.
  void begin(time_point now, ua_sink& sink);
  /// Both at once.
  result<void> start(time_point now, const registration_options& options, ua_sink& sink);
  void on_message(time_point now, const message& m, ua_sink& sink);
  void on_time(time_point now, ua_sink& sink);
  /// The flow broke: registers again, at another server if a REGISTER was on its way and there is
  /// one, else after the retry interval.
  void on_transport_failed(time_point now, ua_sink& sink);
  [[nodiscard]] time_point next_deadline() const noexcept;

  /// Registers now, if no REGISTER is on its way: a new flow, a new address.
  void refresh(time_point now, ua_sink& sink);
  /// Removes the binding (Expires: 0) and ends. While a REGISTER is on its way it waits for that.
  void unregister(time_point now, ua_sink& sink);
  /// The next REGISTER goes another way: it is written so, with the Contact of that way, and the
  /// binding of the Contact before it is removed.
  void use_profile(const ua_profile& profile);
  /// New value of `registration_options::jitter`, for the next time one is drawn.
  void set_jitter(double jitter) noexcept;

  /// The binding stands as far as we know.
  [[nodiscard]] bool registered(time_point now) const noexcept;
  [[nodiscard]] bool over() const noexcept { return over_; }
  [[nodiscard]] const leg_id& id() const noexcept { return id_; }
  /// Of the latest REGISTER; before the first, one less than it will have.
  [[nodiscard]] uint32_t cseq() const noexcept { return cseq_; }
  /// Seconds that a REGISTER asks for: as given, or what a 423 demanded.
  [[nodiscard]] unsigned expires() const noexcept { return expires_; }
  /// The Contact value of REGISTERs, without expires.
  [[nodiscard]] std::string_view contact() const noexcept;
  /// Their Request-URI: as given, or where a redirection led.
  [[nodiscard]] std::string_view target() const noexcept;
  [[nodiscard]] size_t heap_bytes() const noexcept;

private:
  enum class aim : uint8_t { bind, remove };

  [[nodiscard]] std::string_view piece(size_t i) const noexcept;
  /// Of our own address: a SIPS URI where one is registered, or sent to.
  [[nodiscard]] std::string_view profile_contact() const noexcept;
  void name_contact();
  void send(time_point now, ua_sink& sink);
  void on_final(time_point now, const message& m, ua_sink& sink);
  void on_success(time_point now, const message& m, ua_sink& sink);
  void fail_attempt(time_point now, end_cause cause, int status, const message* m, ua_sink& sink);
  bool follow(const message& m);
  /// RFC 3263 §4.3: registers at another server of the next hop.
  bool try_next_server(time_point now, const message* m, ua_sink& sink);
  void end(end_cause cause, int status, const message* source, ua_sink& sink);
  [[nodiscard]] std::string_view next_hop() const noexcept;
  /// `tag`: the leg's text.
  [[nodiscard]] std::string_view call_id(std::string_view tag) const noexcept;
  [[nodiscard]] unsigned granted(const message& m) const;

  // registrar, aor, contact, route, headers, next hop, Call-ID, user of the Contact
  static constexpr size_t pieces = 8;

  const ua_profile* profile_;
  leg_id id_;
  std::string text_; // the options' texts, one behind the other
  std::array<uint16_t, pieces> ends_{};
  std::unique_ptr<std::string> redirected_; // the target a 3xx led to
  std::string request_;                     // for retransmission
  std::string user_contact_;                // the profile's with its user, if that was given
  std::string former_contact_;              // which may be bound still; empty: there is none
  client_transaction transaction_;
  digest_session digest_;
  std::span<const credential> credentials_;
  uint64_t random_ = 0;
  time_point next_at_ = never; // refresh or retry
  time_point bound_until_{};
  duration retry_base_{}, retry_max_{};
  uint32_t cseq_ = 0;
  uint32_t expires_ = 0;
  float jitter_ = 0;
  uint16_t failures_ = 0;
  uint8_t redirects_ = 0;
  aim aim_ = aim::bind;
  bool bound_ = false;
  bool once_ = false;
  bool unregister_ = false; // wanted, waits for the transaction
  bool interval_raised_ = false;
  bool started_ = false;
  bool over_ = false;
};

} // namespace jackfield::sip
