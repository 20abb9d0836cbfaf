#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/sip/digest_types.hpp"
#include "engine/sip/message.hpp"

namespace jackfield::sip {

/// Digest authentication for SIP: RFC 3261 §22, RFC 7616, RFC 8760.

/// "MD5", "SHA-256", "SHA-512-256"; with `session`, "-sess" after it.
[[nodiscard]] std::string_view to_string(digest_algorithm a, bool session = false) noexcept;

/// Lower-case hexadecimal digest of `text`. Empty if the library has no such algorithm (FIPS).
[[nodiscard]] std::string digest_hex(digest_algorithm a, std::string_view text);

/// One Digest challenge. Quoted values are unescaped.
struct digest_challenge {
  std::string realm, nonce, opaque;
  digest_algorithm algorithm = digest_algorithm::md5;
  bool session = false; // -sess
  bool stale = false;
  bool userhash = false;
  bool qop_auth = false;
  bool qop_auth_int = false;
  /// From Proxy-Authenticate: answered with Proxy-Authorization.
  bool proxy = false;

  /// Reads one challenge ("Digest realm=..., nonce=..."). Nothing if it is of another scheme, has
  /// an unknown algorithm or only unknown qop values, lacks realm or nonce, repeats a parameter, or
  /// is over the size limit.
  [[nodiscard]] static std::optional<digest_challenge> parse(std::string_view value);

  /// All usable challenges of a 401/407, of all its WWW-Authenticate and Proxy-Authenticate fields,
  /// several to a field too. At most 16.
  [[nodiscard]] static std::vector<digest_challenge> all_of(const message& response);
};

/// The hash of "username:realm:password" (A1) for one algorithm, in hexadecimal.
[[nodiscard]] std::string digest_ha1(digest_algorithm a, std::string_view username,
                                     std::string_view realm, std::string_view password);

/// Who we are to one realm at some hosts. Holds hashes, not the password, once its realm is known.
class credential {
public:
  /// `hosts` are the hosts (of the Request-URI or next hop, case-insensitive, no port) that may be
  /// answered; a challenge from elsewhere never is (SEC-24). `realm` must be the challenge's; "*"
  /// answers any realm of those hosts, and keeps the password for it.
  credential(std::string username, std::string realm, std::string_view password,
             std::vector<std::string> hosts);

  /// From stored hashes, each `digest_ha1` of its algorithm; empty ones cannot be used.
  credential(std::string username, std::string realm, std::array<std::string, 3> ha1,
             std::vector<std::string> hosts);

  [[nodiscard]] const std::string& username() const noexcept { return username_; }
  [[nodiscard]] bool serves(std::string_view realm, std::string_view host) const noexcept;
  [[nodiscard]] bool has(digest_algorithm a) const noexcept;
  /// Hexadecimal HA1 for a realm that it serves.
  [[nodiscard]] std::string ha1(digest_algorithm a, std::string_view realm) const;

private:
  std::string username_, realm_, password_;
  std::array<std::string, 3> ha1_;
  std::vector<std::string> hosts_;
};

/// The challenges that a leg has answered, with their counters: next requests carry credentials at
/// once (nonce reuse, nc rising). A few hundred bytes when used, 8 when not.
class digest_session {
public:
  /// What to do about a 401/407.
  enum class verdict : uint8_t {
    /// Send the request again with `append_authorization`.
    retry,
    /// No credential serves any of its challenges.
    no_credential,
    /// The same realm has refused our credential, and not because the nonce was stale.
    refused,
  };

  /// Takes the challenges of a 401/407, for each realm the strongest that a credential has. A realm
  /// that challenges again with stale=true or with another nonce after an earlier success is
  /// answered once more; a realm that refuses the answer just given is not.
  /// `credentials` must outlive the session. `request_host` is the host of the Request-URI,
  /// `next_hop_host` of the URI it was sent towards: a 401 is answered if the former is configured,
  /// a 407 if either is.
  verdict on_challenge(const message& response, std::span<const credential> credentials,
                       std::string_view request_host, std::string_view next_hop_host,
                       uint64_t random);

  /// Notes a success: reads Authentication-Info's nextnonce, and forgets refusals.
  void on_success(const message& response);

  /// Appends an Authorization and/or Proxy-Authorization line for each realm known, as far as the
  /// hosts are theirs; counts nc up. Appends nothing for a credential over `max_credential_bytes`.
  void append_authorization(std::string& out, const digest_request& request,
                            std::string_view request_host, std::string_view next_hop_host);

  [[nodiscard]] bool empty() const noexcept { return !state_; }
  /// Bytes on the heap.
  [[nodiscard]] size_t heap_bytes() const noexcept;

private:
  struct answered {
    digest_challenge challenge;
    std::string username;
    std::string ha1;
    std::string cnonce;
    const credential* who = nullptr;
    uint32_t nc = 0;
    bool pending = false; // an answer is out and has not succeeded yet
    bool proven = false;  // one has succeeded since the credential was last refused
    bool stale_retried = false;
  };
  struct state {
    std::vector<answered> realms;
  };
  struct free_state {
    void operator()(state* s) const noexcept;
  };
  std::unique_ptr<state, free_state> state_;
};

/// One Authorization or Proxy-Authorization value. Quoted values are unescaped.
struct digest_credentials {
  std::string username, realm, nonce, uri, response, cnonce, opaque;
  uint32_t nc = 0;
  digest_algorithm algorithm = digest_algorithm::md5;
  bool session = false;
  bool userhash = false;
  digest_qop qop = digest_qop::none;

  /// Nothing if malformed, of another scheme, or over the size limit.
  [[nodiscard]] static std::optional<digest_credentials> parse(std::string_view value);
};

/// The response value for credentials, RFC 7616 §3.4.1. `ha1` is hexadecimal, before -sess.
[[nodiscard]] std::string digest_response(const digest_credentials& c, std::string_view ha1,
                                          const digest_request& request);

/// The server's side: challenges without keeping state, verifies with a bounded replay cache.
/// Nonces are "time, random, HMAC(secret, realm)" and live five minutes. One for each lane; times
/// are of the caller's clock.
class digest_verifier {
public:
  static constexpr std::chrono::minutes nonce_lifetime{5};

  struct settings {
    std::string realm;
    /// Key of the nonces' HMAC, at least 16 unpredictable bytes; lanes of one node share it.
    std::string secret;
    /// Strongest first is the order in which challenges are offered.
    bool offer_md5 = true;
    bool offer_sha256 = true;
    bool offer_sha512_256 = true;
    bool offer_auth_int = false;
    /// Nonces whose counters are remembered; beyond it the oldest are forgotten and then stale.
    size_t replay_entries = 65'536;
  };

  enum class verdict : uint8_t {
    accepted,
    /// The very request that was accepted last by this nonce, within a transaction's time: its
    /// response may have been lost (RFC 3261 §17.2.2). From a stream it is none of ours.
    again,
    /// No credentials for our realm: challenge.
    absent,
    /// Nonce too old, forged or forgotten, or its counter not rising: challenge with stale=true if
    /// the response was otherwise right.
    stale,
    /// Wrong user or password, or another URI than the request's: challenge.
    wrong,
    /// Cannot be read: 400.
    malformed,
  };

  explicit digest_verifier(settings s);

  /// Appends WWW-Authenticate (or Proxy-Authenticate) lines, strongest first.
  void append_challenges(std::string& out, std::chrono::steady_clock::time_point now,
                         uint64_t random, bool stale, bool proxy = false) const;

  /// Finds HA1 of a user: hexadecimal, for the algorithm; empty if there is no such user. The same
  /// work is done either way.
  using find_ha1 = std::string_view (*)(void* context, std::string_view username,
                                        digest_algorithm algorithm);

  /// Checks the request's credentials. On `accepted` and `wrong`, `username` is who it claims to
  /// be.
  verdict verify(const message& request, std::chrono::steady_clock::time_point now, find_ha1 find,
                 void* context, std::string& username, bool proxy = false);

  /// Nonces in the replay cache.
  [[nodiscard]] size_t remembered() const noexcept { return order_.size(); }

private:
  [[nodiscard]] std::string make_nonce(std::chrono::steady_clock::time_point now,
                                       uint64_t random) const;
  bool check_nonce(std::string_view nonce, std::chrono::steady_clock::time_point now, uint64_t& key,
                   uint32_t& issued) const;
  /// The last use of a nonce.
  struct use {
    uint32_t nc = 0;
    uint32_t second = 0;
    uint64_t request = 0; // hash of what makes it that one
  };
  verdict take(uint64_t key, uint32_t issued, const use& latest,
               std::chrono::steady_clock::time_point now);

  settings settings_;
  std::unordered_map<uint64_t, use> uses_;          // by the nonce's random part
  std::deque<std::pair<uint64_t, uint32_t>> order_; // with its time, in seconds
  uint32_t floor_ = 0; // nonces of this second or before that are not known have been forgotten
  bool has_floor_ = false;
};

} // namespace jackfield::sip
