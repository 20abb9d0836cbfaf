#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/error/error.hpp"
#include "engine/sdp/media_layout.hpp"
#include "engine/sdp/negotiation_record.hpp"
#include "engine/sdp/offer_answer.hpp"
#include "engine/sdp/session.hpp"

namespace jackfield::sdp {

/// An offer of ours and the number that its answer has to be taken with.
struct made_offer {
  std::uint32_t number = 0;
  std::string text;
};

/// Our answer, and what it agrees on.
struct made_answer {
  std::string text;
  negotiated_audio audio;
};

/// The offer/answer state of one dialog (RFC 3264, RFC 6337; RFC 3261 sections 13.2.1 and 14): who
/// has an offer open, which version our next description has, what was agreed last.
///
/// Each offer has a number, rising and never 0. An answer is made and taken for a number, so that
/// one that is late, a second one or one to an offer that was withdrawn cannot apply.
///
/// A small value. While stable it owns nothing on the heap, unless an offer of the peer's gave the
/// session another layout than ours (more m-lines, other payload types). Copied while an offer of
/// ours is open it makes one negotiation for each early dialog. Copies of one with an open offer
/// stay on one thread.
class negotiation {
public:
  enum class state : std::uint8_t { stable, local_offer, remote_offer };

  /// `local` is not null. `port` is that of our RTP, 0 if it isn't known yet. Of `session_id` as
  /// much is used as `offer_template` can render.
  negotiation(std::shared_ptr<const offer_template> local, std::uint16_t port,
              std::uint64_t session_id) noexcept;

  [[nodiscard]] state current() const noexcept { return state_; }

  /// What was agreed last: our direction, as seen from here; nothing before the first agreement.
  [[nodiscard]] std::optional<direction> agreed() const noexcept {
    return agreed_ ? std::optional(way_) : std::nullopt;
  }

  /// What a store keeps of a session in which something was agreed on; nothing before.
  [[nodiscard]] std::optional<negotiation_record> record() const;
  /// Goes on from what a store kept of this session; the next step is an offer, of either side. For
  /// one in which nothing was described. Fails, place "sdp", if that was of other codecs than ours.
  result<void> take_up(const negotiation_record& kept);

  /// Taken up was a session with ICE, of which nothing is left but what is described here: the next
  /// step is an offer of ours, which begins ICE anew (RFC 8839 section 4.4.1.1.1). Until it is
  /// settled.
  [[nodiscard]] bool has_lost_ice() const noexcept { return lost_ice_; }

  /// True if the peer, by the description it was last free to choose, doesn't want our media. Our
  /// own hold doesn't count.
  [[nodiscard]] bool held_by_peer() const noexcept { return held_; }

  /// The port of our RTP, shown by the next description that is made.
  void set_port(std::uint16_t port) noexcept { port_ = port; }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

  /// What else we say of our stream; null, as at first, for plain RTP. Shown like the port.
  void set_transport(std::shared_ptr<const stream_transport> transport) noexcept {
    transport_ = std::move(transport);
  }
  [[nodiscard]] const std::shared_ptr<const stream_transport>& transport() const noexcept {
    return transport_;
  }

  /// stable -> local_offer. Hold is `sendonly` or `inactive`, resume is `sendrecv`. A description
  /// that differs from the one before has the next o= version, one that doesn't has the same (RFC
  /// 3264 section 8); where the peer asked for an offer (`asked_for`), the next in any case, as
  /// some peers take the same for a copy. Fails, place "sdp offer", if an offer is open or there is
  /// no port.
  [[nodiscard]] result<made_offer> offer(direction wanted, bool asked_for = false);

  /// The answer in an unreliable provisional response (RFC 6337 section 3.1.1): what it would agree
  /// on, good for early media. Still local_offer, whether it fails or not. Place "sdp answer".
  [[nodiscard]] result<negotiated_audio> preview(std::uint32_t number, std::string_view text);

  /// local_offer -> stable. An empty text confirms the last preview, as some peers answer in the
  /// 183 only. Fails, place "sdp answer", if that offer is not open, and changes nothing; or if the
  /// answer doesn't fit: then the offer is closed, and what was agreed before stays in force.
  [[nodiscard]] result<negotiated_audio> take_answer(std::uint32_t number, std::string_view text);

  /// stable -> remote_offer, returns its number. Fails, place "sdp offer", if nothing in it is
  /// acceptable (488), or if an offer is open (`current` tells: 491 or 500, RFC 3261 section 14.2),
  /// and changes nothing.
  [[nodiscard]] result<std::uint32_t> take_offer(std::string_view text);

  /// In remote_offer: the most that the offer allows, as seen from here.
  [[nodiscard]] direction offered_way() const noexcept;
  /// In remote_offer: how the stream would be protected; the answer wants a transport for that.
  [[nodiscard]] protection offered_protection() const noexcept;
  /// In remote_offer: the codecs of the accepted stream that we have too, as we write them, in the
  /// offer's order; telephone events are among them.
  [[nodiscard]] std::vector<codec> offered_codecs() const;
  /// From now on `local`, which has fewer codecs, or those in another order, and is else as before,
  /// is what this side can do; an open offer of the peer's is judged anew. Fails, place "sdp
  /// offer", if an offer of ours is open or the peer's has none of what is left, and changes
  /// nothing.
  result<void> narrow(std::shared_ptr<const offer_template> local);

  /// In remote_offer: true if the peer begins ICE anew (RFC 8839 section 4.4.1.1.1); the answer
  /// wants a transport with new credentials.
  [[nodiscard]] bool offers_ice_restart() const noexcept;

  /// Our role in ICE by the description of ours that is next: true if that is an offer, and if the
  /// peer whose offer is open is lite, as such an end never has it (RFC 8445 section 6.1.1).
  [[nodiscard]] bool controls_ice() const noexcept;

  /// The answer for an unreliable provisional response. Still remote_offer: `answer` with the same
  /// direction and port makes the same text again, as it must be (RFC 3261 section 13.2.1).
  [[nodiscard]] result<made_answer> early_answer(std::uint32_t number, direction wanted);

  /// remote_offer -> stable. Of `wanted` as much is answered as the offer allows. Fails, place "sdp
  /// answer", if that offer is not open or there is no port, and changes nothing.
  [[nodiscard]] result<made_answer> answer(std::uint32_t number, direction wanted);

  /// The offer of that number, ours or the peer's, came to nothing: back to stable, what was agreed
  /// before stays in force. Fails, place "sdp offer", if it is not open.
  result<void> refuse(std::uint32_t number);

  /// The same for whichever offer is open, if any.
  void rollback() noexcept;

private:
  /// What an open offer has led to so far: our answer to be, or a preview of the peer's.
  struct exchange;

  [[nodiscard]] std::uint32_t open(state next) noexcept;
  [[nodiscard]] result<std::shared_ptr<exchange>> answer_to(session offer) const;
  [[nodiscard]] std::string not_open(std::uint32_t number) const;
  [[nodiscard]] std::string offer_text(direction wanted) const;
  [[nodiscard]] std::string stamped(std::string text);
  [[nodiscard]] result<negotiated_audio> judged(std::string_view text) const;
  void agree(const negotiated_audio& audio, bool held) noexcept;

  std::shared_ptr<const offer_template> local_;
  std::shared_ptr<const stream_transport> transport_;
  std::shared_ptr<exchange> exchange_; // set in remote_offer, and in local_offer after a preview
  media_layout_ptr layout_;
  std::uint64_t session_id_;
  std::size_t digest_ = 0;    // of the last description, without its version
  std::size_t peer_ice_ = 0;  // digest of the peer's credentials, agreed last
  std::uint32_t version_ = 0; // of the last description, 0 before the first
  std::uint32_t number_ = 0;  // of the last offer
  std::uint16_t port_;
  state state_ = state::stable;
  direction offered_ = direction::sendrecv; // by us, in local_offer
  direction way_ = direction::sendrecv;
  protection protected_by_ = protection::none; // agreed last, as the role
  setup role_ = setup::active;
  bool agreed_ = false;
  bool held_ = false;
  bool lost_ice_ = false;
};

} // namespace jackfield::sdp
