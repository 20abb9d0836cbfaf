#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/error/error.hpp"
#include "engine/sdp/codec.hpp"
#include "engine/sdp/session.hpp"
#include "engine/sdp/stream_transport.hpp"

/// Offer/answer (RFC 3264) for calls with one audio stream. Plain functions on values.
namespace jackfield::sdp {

/// What follows "sdp offer" or "sdp answer" in the place of an error about where the other side
/// wants its audio: what RFC 3261 §20.43 has warnings of their own for.
inline constexpr std::string_view network_fault = " network";
inline constexpr std::string_view address_fault = " address";
inline constexpr std::string_view multicast_fault = " multicast";

/// What this side can do and wants.
struct media_capabilities {
  std::vector<codec> codecs{pcmu(), pcma(), telephone_event()}; ///< preferred first
  std::uint8_t ptime_ms = 20;
  direction wanted = direction::sendrecv;
  bool rtcp_mux = false;                        ///< offer it, and accept it when offered
  bool rtcp_rsize = false;                      ///< the same (RFC 5506)
  bool bundle = false;                          ///< offer a group of one, as browsers want it
  std::vector<std::string> profiles{"RTP/AVP"}; ///< accepted; the first one is offered
  std::vector<protection> protections{protection::none}; ///< accepted; the first one is offered
  std::vector<std::string> suites = {};                  ///< of SDES
};

/// What our own offers call their stream where they name it.
inline constexpr std::string_view own_mid = "0";

/// What both sides agreed on for the audio stream, as seen by the side that asked.
struct negotiated_audio {
  std::size_t media_index = 0; ///< which m-line carries it
  codec audio;                 ///< `payload_type` and `parameters` are those to send with
  std::uint8_t send_payload_type = 0;
  std::uint8_t receive_payload_type = 0;
  /// Others that the peer may send, in turn, if ours was the offer and its answer lists them (RFC
  /// 3264 section 7): those with the clock of `audio`. `payload_type` is as they come.
  std::vector<codec> also_heard;
  std::optional<std::uint8_t> send_event_payload_type; ///< telephone-event, none if not agreed
  std::optional<std::uint8_t> receive_event_payload_type;
  std::uint8_t send_ptime_ms = 20;
  direction way = direction::sendrecv; ///< as seen from here: `sends(way)` means we send
  std::string remote_host;             ///< where to send RTP; empty if `0.0.0.0` or `::`
  std::uint16_t remote_port = 0;
  std::string remote_rtcp_host;
  std::uint16_t remote_rtcp_port = 0; ///< equals `remote_port` if muxed; 0 if there is none
  bool muxed = false;
  protection protected_by = protection::none;
  setup role = setup::active; ///< ours in DTLS
  /// What the peer's description says of it, of SDES keys the chosen one; null for plain RTP.
  std::shared_ptr<const stream_transport> remote;

  friend bool operator==(const negotiated_audio&, const negotiated_audio&) = default;
};

struct answer_outcome {
  session answer;
  negotiated_audio audio;
};

/// Makes an offer of one audio stream, but for what a `stream_transport` adds. `host` is an IP
/// literal, or a name.
[[nodiscard]] session make_offer(std::string_view host, std::uint16_t port,
                                 const media_capabilities& capabilities, std::uint64_t session_id,
                                 std::uint64_t version = 1);

/// Answers an offer: the first usable audio m-line is accepted, all others are refused in place
/// with port 0. Fails (the caller answers 488 or clears the call) if no stream is acceptable; the
/// error's place is "sdp offer", or begins so (`address_fault`). `version` is that of our own o=
/// line.
[[nodiscard]] result<answer_outcome>
make_answer(const session& offer, const media_capabilities& capabilities, std::string_view host,
            std::uint16_t port, std::uint64_t session_id, std::uint64_t version = 1);

/// What was agreed on earlier in the session and binds its later answers.
struct settled_terms {
  std::optional<protection> protected_by;
  std::optional<setup> role; ///< ours in DTLS
};

/// The same with `wanted` in place of `capabilities.wanted`, within a session.
[[nodiscard]] result<answer_outcome>
make_answer(const session& offer, const media_capabilities& capabilities, direction wanted,
            std::string_view host, std::uint16_t port, std::uint64_t session_id,
            std::uint64_t version = 1, const settled_terms& settled = {});

/// Adds to our answer what we say of the accepted stream ourselves: our key for the suite that was
/// chosen, or fingerprints, role and ICE. Fails, place "sdp answer", if `local` lacks what `audio`
/// needs.
result<void> add_own_transport(session& answer, const negotiated_audio& audio,
                               const stream_transport* local);

/// Judges the answer to our offer, which had `local` added to it. Fails (the caller ends the call)
/// if the answer doesn't fit the offer or refuses every stream; the error's place is "sdp answer",
/// or begins so.
[[nodiscard]] result<negotiated_audio> accept_answer(const session& offer, const session& answer,
                                                     const stream_transport* local = nullptr);

/// Replaces the direction of an m-line, or adds one.
void set_direction(media_description& media, direction wanted);

/// The next offer within a call: what we sent last, with another direction and the o= version one
/// up (RFC 3264 section 8). Hold is `sendonly` or `inactive`, resume is `sendrecv`.
[[nodiscard]] session make_reoffer(const session& last_sent, direction wanted);

/// The offer of thousands of calls that differ by port and session id only, printed once and
/// rendered by copying. Immutable after construction, so any thread may render.
class offer_template {
public:
  /// The ports that can be rendered: they are all five digits wide.
  static constexpr std::uint16_t min_port = 10'000;
  static constexpr std::uint16_t max_port = 65'535;
  /// Session ids are printed as `session_id_base + id`, all of one width.
  static constexpr std::uint64_t session_id_base = 1'000'000'000;
  static constexpr std::uint64_t max_session_id = 8'999'999'999;

  offer_template(std::string_view host, media_capabilities capabilities);

  [[nodiscard]] const std::string& host() const noexcept { return host_; }
  [[nodiscard]] const media_capabilities& capabilities() const noexcept { return capabilities_; }

  /// What all of its offers have in common, for `accept_answer` without making a description for
  /// each: port and session id are some that can be rendered, the direction is `sendrecv`.
  [[nodiscard]] const session& shape() const noexcept { return shape_; }

  /// Bytes that `render` writes.
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }

  /// Writes the offer to the front of `out` and returns true; returns false and writes nothing if
  /// `out` is smaller than `size()`, or `port` or `session_id` is out of range.
  [[nodiscard]] bool render(std::uint16_t port, std::uint64_t session_id,
                            std::span<char> out) const noexcept;

  /// The same offer as a value, for `accept_answer`.
  [[nodiscard]] session description(std::uint16_t port, std::uint64_t session_id) const;

private:
  std::string host_;
  media_capabilities capabilities_;
  session shape_;
  std::string bytes_;
  std::size_t session_id_at_ = 0;
  std::size_t port_at_ = 0;
};

} // namespace jackfield::sdp
