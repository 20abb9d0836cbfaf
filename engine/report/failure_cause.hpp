#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jackfield::report {

/// Why a call, a registration or a request failed: a final SIP status of 300 to 699, or a cause of
/// our own. Two bytes, so that a call can keep it.
class failure_cause {
public:
  /// Causes that no peer sent us.
  enum own : uint16_t {
    none = 0,            ///< did not fail
    timeout,             ///< no final response: timer B or F (RFC 3261 section 17.1)
    ring_timeout,        ///< rang until the caller gave up; cancelled
    cancelled,           ///< the caller gave up before the answer
    no_ack,              ///< our 2xx or error answer was never acknowledged (64*T1, timer H)
    bye_timeout,         ///< answered, but the BYE had no final response
    dialog_gone,         ///< answered, but the BYE was refused with 481 or 408
    early_hangup,        ///< the peer hung up before the call had run its length
    callee_stayed,       ///< the peer was to hang up, and did not
    auth_failed,         ///< challenged, and no credentials, or refused with the ones we have
    bad_answer,          ///< a response that does not parse or lacks what RFC 3261 demands
    bad_sdp,             ///< no usable session description in the answer
    no_media,            ///< answered, but not one packet arrived
    one_way_media,       ///< packets in one direction only
    media_timeout,       ///< the peer's audio stopped, and it did not hang up
    dtmf_not_negotiated, ///< digits were to be dialled, and the peer takes none
    not_heard,           ///< what was to be heard (a tone, silence) was not
    media_setup,         ///< no port, no keys: the audio could not begin
    ice_gathering,       ///< ICE found no address of our own (RFC 8445 section 5.1.1)
    ice_checks,          ///< ICE found no pair of addresses that works (section 6.1.2)
    ice_consent,         ///< the peer stopped answering ICE (RFC 7675)
    dtls_failed,         ///< the DTLS handshake failed (RFC 5763)
    dtls_identity,       ///< the peer's certificate is not the one that its description announced
    resolve_failed,      ///< RFC 3263 look-up gave no address
    connect_failed,      ///< TCP, TLS or WebSocket connection refused or not established
    tls_failed,          ///< certificate or handshake rejected
    lapsed,              ///< a binding ended before it was refreshed
    transport_error,     ///< the flow broke, or the system refused to send
    refused_locally,     ///< an overloaded lane refused to carry on
    indeterminate,       ///< the engine ended before it knew
    engine_restart,      ///< was up when the engine ended
    not_recorded,        ///< the call's state could not be written, so it was not placed
    stopped,             ///< the run was ended before the call was
    internal,            ///< a fault of this program
    own_causes           ///< how many there are
  };

  constexpr failure_cause() = default;
  constexpr failure_cause(own cause) : code_(cause) {}

  /// A final response of 300 to 699; anything else is `bad_answer`.
  static constexpr failure_cause from_status(int status) {
    failure_cause result{bad_answer};
    if (status >= 300 && status <= 699)
      result.code_ = static_cast<uint16_t>(status);
    return result;
  }

  [[nodiscard]] constexpr uint16_t code() const { return code_; }
  /// The one of that name (`name`; "" and "completed": none), if there is one.
  static std::optional<failure_cause> from_name(std::string_view name);
  /// The SIP status, or 0 if the cause is one of our own.
  [[nodiscard]] constexpr int status() const { return code_ >= 300 ? code_ : 0; }
  [[nodiscard]] constexpr bool failed() const { return code_ != none; }

  /// A stable name for files: "timeout", "sip_503".
  [[nodiscard]] std::string name() const;
  /// A few words for people: "no final response", "503 Service Unavailable".
  [[nodiscard]] std::string text() const;

  friend constexpr auto operator<=>(failure_cause, failure_cause) = default;

private:
  uint16_t code_ = none;
};

} // namespace jackfield::report
