#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/error/error.hpp"
#include "engine/sip/dialog.hpp"
#include "engine/sip/dialog_record.hpp"
#include "engine/sip/digest.hpp"
#include "engine/sip/response_text.hpp"
#include "engine/sip/transaction.hpp"
#include "engine/sip/ua.hpp"

namespace jackfield::sip {

/// A dialog that an INVITE makes, from either side, early or confirmed: requests within it both
/// ways, its re-INVITEs and UPDATEs with their glare (RFC 3261 §14, RFC 3311), and its end (§15).
/// The part that `invite_client` and `invite_server` have in common; not used alone.
class session {
public:
  /// What the leg lends for a step.
  struct context {
    time_point now;
    const ua_profile*& current; // the leg's, which another server may change
    std::span<const credential> credentials;
    digest_session& digest;
    ua_sink& sink;

    [[nodiscard]] const ua_profile& profile() const noexcept { return *current; }
  };

  /// Requests of ours on their way, and requests of the peer's that wait for the user, at once.
  static constexpr size_t max_pending = 8;
  /// Forks that may have branches of their own.
  static constexpr unsigned max_forks = 64;

  session();
  ~session();
  session(session&&) noexcept;
  session& operator=(session&&) noexcept;
  /// `is_caller`: chooses the glare's time (§14.1). `contact`: whole value, empty: the profile's.
  /// `fork`: under `max_forks`; keeps the branches of one leg's dialogs apart.
  session(dialog d, bool is_caller, std::string_view contact, unsigned fork = 0);

  /// One that was kept; see `leg_core::adopt`.
  static result<session> restore(const leg_id& leg, const dialog_record& record, uint32_t skip);
  [[nodiscard]] dialog_record record() const;
  /// So many requests of ours may have been sent in it before: CSeq and branches go on behind them.
  void skip(uint32_t requests) noexcept {
    dialog_.skip_local_cseq(requests);
    branches_ += requests;
  }

  [[nodiscard]] bool valid() const noexcept { return dialog_.valid(); }
  [[nodiscard]] const dialog& state() const noexcept { return dialog_; }

  // -- before the INVITE's transaction is over --------------------------------------------

  /// The dialog is early: nothing that happens in it ends the call. Offers of the peer's are
  /// refused with `offer_refusal` (RFC 3311 §5.2: 491 or 500) until `allow_offers`.
  void begin_early(int offer_refusal) noexcept;
  /// The first offer has its answer, and the peer knows that we know.
  void allow_offers() noexcept { offer_refusal_ = 0; }
  [[nodiscard]] int offer_refusal() const noexcept { return offer_refusal_; }
  /// The caller's 2xx came: its route set and target count from now on (§13.2.2.4).
  void confirm(dialog d);
  /// The called party's 2xx was ACKed, or is not going to be.
  void confirm() noexcept;
  /// Another dialog won: refuses what the peer asked, and tells the user about requests of ours
  /// that nobody will answer now.
  void abandon(const context& c);
  /// Answers the requests of the peer's that wait for the user: there is no call any more.
  void refuse_open(const context& c, int status);

  /// Acknowledges a reliable provisional response (RFC 3262 §4). False if too much is on its way.
  bool send_prack(const context& c, uint32_t rseq, uint32_t invite_cseq, std::string_view body,
                  std::string_view content_type);
  /// The response came again.
  void repeat_prack(const context& c, uint32_t rseq, uint32_t invite_cseq);
  /// Takes the CSeq of a PRACK that the leg answers; false if it was answered here: it is too low.
  bool take_prack(const context& c, const message& m);

  // -- input ----------------------------------------------------------------------------------

  /// A request within the dialog, other than the first INVITE, its ACK and its CANCEL. Requests of
  /// other dialogs are answered 481.
  void on_request(const context& c, const message& m);
  /// A response whose branch is `counter` of this leg. Returns false if it is not to a request of
  /// this session.
  bool on_response(const context& c, const message& m, uint32_t counter);
  void on_time(const context& c);
  [[nodiscard]] time_point next_deadline() const noexcept;

  // -- commands -------------------------------------------------------------------------------

  /// Sends the ACK to a 2xx of ours with this CSeq.
  void send_ack(const context& c, uint32_t cseq, std::string_view body,
                std::string_view content_type, bool retransmission = false);
  /// Sends the last ACK again.
  void repeat_ack(const context& c, uint32_t cseq);

  /// The ACK to the 2xx with this CSeq waits for `acknowledge`; behind `hang_up`, for the end.
  void owe_ack(uint32_t cseq) noexcept;
  [[nodiscard]] bool owes_ack() const noexcept { return ack_owed_ != 0; }

  /// Sends BYE, once. `cause` is that of the `ended` event, which follows its answer.
  void hang_up(const context& c, end_cause cause, std::string_view headers);
  /// Ends without a word.
  void end(const context& c, end_cause cause, int status, const message* source);

  /// See `leg_core` for these.
  uint32_t send_request(const context& c, method what, std::string_view headers,
                        std::string_view body, std::string_view content_type);
  bool answer_request(const context& c, uint32_t number, int status, std::string_view headers,
                      std::string_view body, std::string_view content_type);
  bool defer_request(const context& c, uint32_t number);
  bool answer_offer(const context& c, std::string_view headers, std::string_view body,
                    std::string_view content_type);
  bool refuse_offer(const context& c, int status);
  /// Answers the offer in a 2xx to a re-INVITE that had none.
  bool acknowledge(const context& c, std::string_view body, std::string_view content_type);

  /// The connection that our requests use is over: those on their way are made again over another,
  /// after pauses of up to 4 s. False: one of them has tried for long enough.
  [[nodiscard]] bool outlive_connection(const context& c);
  [[nodiscard]] bool ending() const noexcept { return end_cause_ != end_cause::none; }
  [[nodiscard]] bool over() const noexcept { return over_; }
  /// A BYE was sent or received.
  [[nodiscard]] bool parted() const noexcept { return parted_; }

  /// Which fork a number (of `send_request`, or a branch's counter) belongs to.
  [[nodiscard]] static constexpr unsigned fork_of(uint32_t number) noexcept {
    return (number - first_branch) / fork_branches;
  }
  /// True for branch counters of transactions within a dialog.
  [[nodiscard]] static constexpr bool is_branch(uint32_t counter) noexcept {
    return counter >= first_branch;
  }

  [[nodiscard]] size_t heap_bytes() const noexcept;

private:
  /// Branch counters: INVITEs of a call count from 0, ACKs to 2xx and the BYEs of surplus dialogs
  /// have ranges of their own, and all transactions within a fork's dialog count from here.
  static constexpr uint32_t first_branch = 0x8000'0000;
  static constexpr uint32_t fork_branches = 0x0100'0000;

  struct own_request;  // ours, on its way
  struct offer;        // a re-INVITE or UPDATE of the peer's
  struct peer_request; // any other request of the peer's
  using own_slot = std::unique_ptr<own_request>;
  using peer_slot = std::unique_ptr<peer_request>;

  [[nodiscard]] std::string_view contact(const ua_profile& profile) const noexcept;
  [[nodiscard]] unsigned fork() const noexcept { return fork_of(branches_); }
  void report(const context& c, ua_event e) const;

  // Requests of ours.
  template <class Predicate>
  void erase_own(Predicate&& gone);
  uint32_t begin_own(const context& c, method what, std::string_view headers, std::string_view body,
                     std::string_view content_type);
  [[nodiscard]] bool own_offer_pending(bool waiting_too) const noexcept;
  void send_own(const context& c, own_request& r);
  void send_numbered(const context& c, own_request& r);
  /// RFC 3263 §4.3. False if there is no other server; `failure`: what this one said, if anything.
  bool send_to_next_server(const context& c, own_request& r, const message* failure);
  void acknowledge_failure(const context& c, const own_request& r, bool again);
  void on_final(const context& c, const message& m, own_slot& slot);
  void on_request_timeout(const context& c, own_slot gone);
  bool retry_with_digest(const context& c, const message& m, own_request& r);
  /// False if the list has changed, and must be looked at from its start.
  bool own_on_time(const context& c, own_slot& slot);

  // Requests of the peer's.
  bool is_copy(const context& c, const message& m);
  void on_offer(const context& c, const message& m);
  void on_peer_request(const context& c, const message& m, bool again);
  void on_bye(const context& c, const message& m);
  void on_cancel(const context& c, const message& m);
  void on_ack(const context& c, const message& m);
  void answer_offer_with(const context& c, int status, std::string_view headers,
                         std::string_view body, std::string_view content_type, send_to to);
  [[nodiscard]] peer_request* find_open(uint32_t number) const noexcept;
  void answer_peer(const context& c, peer_request& p, const response_text& r);
  void answer_by_default(const context& c, peer_request& p);
  void prune_peer() noexcept;
  void offer_on_time(const context& c);
  void peer_on_time(const context& c);
  void reply(const context& c, const message& m, int status, std::string_view headers = {},
             bool capabilities = false);

  dialog dialog_;
  own_slot requests_;
  own_slot bye_;
  std::unique_ptr<offer> offer_;
  peer_slot peer_requests_;
  std::unique_ptr<std::string> contact_;
  std::unique_ptr<std::string> ack_; // with a body: cannot be made again
  uint32_t branches_ = first_branch; // counters of this session's transactions, and their numbers
  uint32_t acked_cseq_ = 0;
  uint32_t ack_owed_ = 0;      // CSeq of a 2xx whose offer waits for `acknowledge`
  uint16_t offer_refusal_ = 0; // status that the peer's offers get now; 0: they are taken
  end_cause end_cause_ = end_cause::none;
  bool is_caller_ : 1 = false;
  bool early_ : 1 = false;
  bool over_ : 1 = false;
  bool parted_ : 1 = false;
};

} // namespace jackfield::sip
