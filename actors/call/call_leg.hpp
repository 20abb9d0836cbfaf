#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <caf/actor_control_block.hpp>

#include "actors/call/leg_actor.hpp"
#include "actors/call/leg_user.hpp"
#include "engine/sdp/negotiation.hpp"
#include "engine/sip/leg.hpp"

namespace jackfield {

class leg_trickle;

/// A call's leg: one INVITE dialog with all its early forks, of either direction, as an actor. It
/// keeps the SIP machine, the state of offer and answer, and the handle of the media stream that
/// was handed in; what the call is for is its user's (`leg_user`), who lives inside the actor.
///
/// The methods are commands of the user's, on the leg's lane, from inside its handlers. One that
/// cannot be done now changes nothing and says why. Others command by message: `leg_reporter`.
class call_leg final : public leg_actor<sip::leg> {
public:
  /// So long a client is waited for that lost the WebSocket by which alone it is reached, and did
  /// not say goodbye; as long as its media's consent lasts (RFC 7675 §5.1).
  static constexpr lane::duration return_patience = std::chrono::seconds{30};

  /// A leg of which nothing is known yet.
  call_leg(caf::actor_config& config, lane::lane& home, sip_router& router,
           std::unique_ptr<leg_user> user);
  /// A leg for an INVITE that was handed to a `uas_service` with this `transaction`.
  call_leg(caf::actor_config& config, lane::lane& home, sip_router& router,
           std::unique_ptr<leg_user> user, sip_arrival_ptr invite, uint64_t transaction,
           std::shared_ptr<const transport::open_settings> connections);

  ~call_leg() override;

  const char* name() const override { return "call_leg"; }

  // -- media ---------------------------------------------------------------------------

  /// What this side shows in its descriptions: address, codecs and direction. Once the leg has its
  /// identity (`open`, or a call that came in), before anything else.
  void describe(std::shared_ptr<const sdp::offer_template> media, uint16_t port);
  /// The same for a dialog from a store (`adopt`), which goes on from what was agreed on in it.
  result<void> describe(std::shared_ptr<const sdp::offer_template> media, uint16_t port,
                        const sdp::negotiation_record& agreed);
  /// What a store keeps of the media; nothing before anything was agreed on.
  [[nodiscard]] std::optional<sdp::negotiation_record> described() const;
  /// Where we hear, by our last description; 0: there is none.
  [[nodiscard]] uint16_t media_port() const noexcept {
    return negotiation_ ? negotiation_->port() : uint16_t{0};
  }
  /// Hands in the stream that follows what is agreed on; `port` is where it hears. Null: signalling
  /// only, and no answer is judged. May be called again: what was agreed last is told to the new
  /// stream, the next description shows the new port. `transport` is what is said of the stream
  /// beside that; null for plain RTP.
  void use_stream(caf::strong_actor_ptr stream, uint16_t port,
                  std::shared_ptr<const sdp::stream_transport> transport = nullptr);
  [[nodiscard]] const caf::strong_actor_ptr& stream() const noexcept { return stream_; }
  /// How the stream has to be protected for the offer that the peer made and we have not answered.
  [[nodiscard]] sdp::protection offered_protection() const noexcept;
  /// Our role in ICE for the next description: see `sdp::negotiation::controls_ice`.
  [[nodiscard]] bool controls_ice() const noexcept;
  /// Its codecs that we have too: see `sdp::negotiation::offered_codecs`.
  [[nodiscard]] std::vector<sdp::codec> offered_codecs() const;
  /// Fewer codecs from now on, or others preferred: see `sdp::negotiation::narrow`.
  result<void> narrow(std::shared_ptr<const sdp::offer_template> media);
  /// Has the stream follow an early answer.
  void hear_early(const sdp::negotiated_audio& audio);

  // -- a call that goes out ---------------------------------------------------------------

  /// Takes an identity and a way: the first request goes to `target`. Fails if there is no way
  /// there, or no room for another leg.
  result<void> open(const transport::target_selection& servers,
                    std::shared_ptr<const transport::open_settings> connections);
  /// The same for a client that registered over a connection, which is its only way: see
  /// `leg_wire::open_over`. `registered_as`: the URI of its user, by which it is found when it has
  /// made another connection; empty: that is who is called.
  result<void> open_over(const transport::flow& connection,
                         std::shared_ptr<const transport::open_settings> connections,
                         std::string_view registered_as = {});
  /// Fixes Call-ID, tags and branch, and the offer in the INVITE (none if `delayed_offer`);
  /// `on_prepared` is called before it returns. Nothing is sent until `send_invite`. `options.body`
  /// is the leg's own.
  result<void> prepare(sip::call_options options, bool delayed_offer = false);
  /// Lets the INVITE go.
  result<void> send_invite();
  /// Sends the ACK to the 2xx, where `options.hold_ack` has it wait. Until then the peer repeats
  /// the 2xx, and there are no requests within the dialog.
  result<void> acknowledge();

  // -- a dialog from a store ------------------------------------------------------------------

  /// Takes up a confirmed dialog with the identity that it had; its requests go to `target` first,
  /// those of `credentials` may be asked for (they outlive the leg). `describe` and `offer` follow
  /// where there is media to be had again. `skip`: so many requests may have been sent since the
  /// record was made.
  result<void> adopt(const sip::dialog_record& record, const transport::target_selection& servers,
                     std::shared_ptr<const transport::open_settings> connections,
                     std::span<const sip::credential> credentials = {}, uint32_t skip = 0);
  /// The same where only the peer can make a connection: the dialog has no way until its next
  /// request comes over `p`, or its client registers anew with our registrar (`registered_as` as in
  /// `open_over`).
  result<void> adopt_waiting(const sip::dialog_record& record, transport::protocol p,
                             std::shared_ptr<const transport::open_settings> connections,
                             std::span<const sip::credential> credentials = {}, uint32_t skip = 0,
                             std::string_view registered_as = {});
  /// Has an attempt end that was in the air, with the identity that it had: see
  /// `sip::leg::take_back`.
  result<void> take_back(const sip::attempt_record& record,
                         const transport::target_selection& servers,
                         std::shared_ptr<const transport::open_settings> connections);
  /// What a store keeps of a leg that has a dialog: an answered one, and one that came in.
  [[nodiscard]] sip::dialog_record record() const;
  /// The same of a prepared one, until it is answered.
  [[nodiscard]] std::optional<sip::attempt_record> attempt() const;

  // -- a call that came in -----------------------------------------------------------------

  /// Sends 101..199 without a description: 180.
  result<void> ring(int status = 180);
  /// Sends the answer in a provisional response, for media before the 2xx, which repeats it.
  result<void> send_early_media(int status = 183);
  /// Sends 200 with our answer, or our offer.
  result<void> accept();
  /// 300..699; `headers` are whole lines.
  result<void> refuse(int status, std::string_view headers = {});
  /// 302 to these URIs.
  result<void> redirect(const std::vector<std::string>& uris);

  // -- within the dialog -------------------------------------------------------------------

  /// Offers anew (`sip::method::invite` or `update`): hold is `sendonly` or `inactive`. Returns the
  /// request's number; `on_settled` tells how it ended.
  result<uint32_t> offer(sdp::direction wanted, sip::method what = sip::method::invite);
  /// Has ICE begin anew: once the stream has its new description, offers that, and the direction;
  /// `on_settled` tells how it ended. The stream is heard the old way until the new one works.
  result<void> restart_ice(sdp::direction wanted);
  /// Answers (or, asked for it, makes) the offer of that number. Fails if it is not the open one.
  /// Where the peer begins ICE anew, so does our stream first.
  result<void> answer_offer(uint32_t number) { return answer_offer(number, wanted_); }
  result<void> answer_offer(uint32_t number, sdp::direction wanted);
  result<void> refuse_offer(uint32_t number, int status = 488);
  /// Sends a request that is no offer: INFO, MESSAGE, REFER ... Returns its number; `on_response`
  /// tells how it ended.
  result<uint32_t> request(sip::method what, std::string_view body = {},
                           std::string_view content_type = {}, std::string_view headers = {});
  result<void> answer_request(uint32_t number, int status, std::string_view headers = {},
                              std::string_view body = {}, std::string_view content_type = {});
  /// To be called in `on_request`: the answer comes later, in time (`ua_profile::offer_limit`).
  result<void> defer_request(uint32_t number);
  /// Dials digits in the media.
  result<void> dial(const std::string& digits, media_dial::way by = media_dial::way::events);

  // -- the end -------------------------------------------------------------------------------

  /// Ends the call whatever its state: CANCEL, BYE, or 480. `headers` are whole lines, such as
  /// "Reason: Q.850;cause=16". Nothing happens for a leg that ends already.
  void hang_up(std::string_view headers = {});
  /// The user has all it wanted: the leg lets go of what it is, and its actor ends.
  void finish();

  // -- what is known ---------------------------------------------------------------------------

  /// Its text is the Call-ID of a call that goes out, and the local tag of any.
  [[nodiscard]] const sip::leg_id& identity() const noexcept { return wire_.id(); }
  /// Empty before there is one.
  [[nodiscard]] std::string call_id() const;
  /// Where its requests go: "udp 192.0.2.1:5060".
  [[nodiscard]] std::string peer() const { return wire_.current().to_string(); }
  [[nodiscard]] transport::protocol protocol() const noexcept { return wire_.current().protocol; }
  /// Our end of the way there; the name of the peer, if it was found by one.
  [[nodiscard]] const lane::endpoint& local() const noexcept { return wire_.current().local; }
  [[nodiscard]] std::string_view peer_host() const noexcept { return wire_.host(); }
  [[nodiscard]] const wire_counters& wire() const noexcept { return wire_.counters(); }
  /// What became of its latest way to the peer, if one failed and that is known; else null.
  [[nodiscard]] const transport::flow_end* failed_way() const noexcept {
    return wire_.failure().get();
  }
  [[nodiscard]] sip::leg::phase phase() const noexcept;
  /// Nothing more comes from the peer.
  [[nodiscard]] bool over() const noexcept { return over_; }

  /// Has `on_wake` called at that time, instead of one set before.
  void wake_at(lane::time_point when) { user_timer_.arm(when); }
  void do_not_wake() { user_timer_.cancel(); }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  static constexpr unsigned user_clock = protocol_clock + 1;
  static constexpr unsigned return_clock = protocol_clock + 2;

  void begin();
  void take_invite();
  /// Of the peer, while there is a dialog.
  [[nodiscard]] std::optional<client_name> client() const;
  void await_client();
  void note_user(std::string_view registered_as);
  void on_client_back(const client_back& back);
  /// Of a leg from a store.
  result<sip::leg_id> identity_for(std::string_view command, const std::string& text) const;

  // leg_actor and sip::ua_sink
  void send(const sip::outgoing& message) override;
  void on_clock(unsigned id) override;
  void on_connection_lost(const flow_lost& lost) override;
  void on_peer_refused() override;
  void on_way_back() override;
  void on_send_failed() override;
  void on_over() override;
  void on_lost() override;
  void on_event(const sip::ua_event& event) override;

  void on_incoming(const sip::ua_event& event);
  void on_provisional(const sip::ua_event& event);
  void on_answered(const sip::ua_event& event);
  void on_acknowledged(const sip::ua_event& event);
  void on_peer_offer(const sip::ua_event& event);
  void on_peer_answer(const sip::ua_event& event);
  void on_withdrawn();
  void on_response(const sip::ua_event& event);
  void on_ended(const sip::ua_event& event);

  /// Asks the stream for a new description; `number`: of the peer's offer, 0: for one of ours.
  void begin_ice(uint32_t number, sdp::direction wanted);
  void on_ice_begun(const media_restarted& begun);
  /// An offer of ours came to nothing; so did the description that was made for it.
  void roll_back();
  result<void> answer_peer(uint32_t number, sdp::direction wanted);

  // Candidates in INFO.
  /// Our description says that we take them.
  [[nodiscard]] bool trickles() const noexcept;
  /// The header lines that say so; empty: we do not.
  [[nodiscard]] std::string_view trickle_lines() const noexcept;
  [[nodiscard]] leg_trickle& trickle();
  void note_trickle(const sip::message* said);
  void on_request(const sip::ua_event& event);
  /// Returns the status to answer with.
  [[nodiscard]] int take_candidates(const sip::ua_event& event);
  void hand_on_candidates();
  void connect_trickle();
  void on_candidates(const media_candidates& found);
  void send_candidates();

  /// Tells the stream what was agreed on.
  void connect(const sdp::negotiated_audio& audio, bool unconfirmed = false);
  /// The text that accepts the call: our answer, or our offer.
  result<std::string> describe_acceptance();
  [[nodiscard]] result<void> usable(std::string_view command) const;

  std::unique_ptr<leg_user> user_;
  sip_arrival_ptr invite_; // until the machine has it
  std::shared_ptr<const transport::open_settings> connections_;
  uint64_t transaction_ = 0;
  lane::actor_timer user_timer_;
  std::optional<sdp::negotiation> negotiation_; // from `describe` on
  caf::strong_actor_ptr stream_;
  std::unique_ptr<const std::string> user_address_; // null: the remote party's
  /// What only some legs have, for as long as they do.
  struct extra;
  std::unique_ptr<extra> extra_;
  bool hold_ack_ = false;
  uint32_t open_offer_ = 0; // of the negotiation: ours or theirs, until settled
  uint32_t asked_ = 0;      // an offer that the peer asks for: its number
  uint32_t times_asked_ = 0;
  uint32_t offer_request_ = 0;  // of the machine: the request that carries ours
  bool offer_outdated_ = false; // that has, as the peer's was taken
  sdp::direction wanted_ = sdp::direction::sendrecv;
  bool called_ = false;
};

} // namespace jackfield
