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

/// A dialog that an INVITE has established, from either side: requests within it both ways, its
/// re-INVITEs and UPDATEs with their glare (RFC 3261 §14, RFC 3311), and its end (§15). The part
/// that `invite_client` and `invite_server` have in common; not used alone.
class session {
public:
  /// What the leg lends for a step.
  struct context {
    time_point now;
    const ua_profile& profile;
    std::span<const credential> credentials;
    digest_session& digest;
    ua_sink& sink;
  };

  session();
  ~session();
  session(session&&) noexcept;
  session& operator=(session&&) noexcept;
  /// `is_caller`: chooses the glare's time (§14.1). `contact`: whole value, empty: the profile's.
  session(dialog d, bool is_caller, std::string_view contact);

  /// One that was kept; see `leg_core::adopt`.
  static result<session> restore(const leg_id& leg, const dialog_record& record, uint32_t skip);
  [[nodiscard]] dialog_record record() const;

  [[nodiscard]] bool valid() const noexcept { return dialog_.valid(); }
  [[nodiscard]] const dialog& state() const noexcept { return dialog_; }

  /// A request within the dialog, other than the first INVITE, its ACK and its CANCEL. Requests of
  /// other dialogs are answered 481.
  void on_request(const context& c, const message& m);
  /// A response whose branch is `counter` of this leg. Returns false if it is not to a request of
  /// this session.
  bool on_response(const context& c, const message& m, uint32_t counter);
  void on_time(const context& c);
  [[nodiscard]] time_point next_deadline() const noexcept;

  /// Sends the ACK to a 2xx of ours with this CSeq.
  void send_ack(const context& c, uint32_t cseq, std::string_view body,
                std::string_view content_type, bool retransmission = false);
  /// Sends the last ACK again.
  void repeat_ack(const context& c, uint32_t cseq);

  /// The 2xx with this CSeq brought an offer: `acknowledge` will send its ACK.
  void owe_ack(uint32_t cseq) noexcept;
  [[nodiscard]] bool owes_ack() const noexcept { return ack_owed_ != 0; }

  /// Sends BYE, once. `cause` is that of the `ended` event, which follows its answer.
  void hang_up(const context& c, end_cause cause, std::string_view headers);
  /// Ends without a word.
  void end(const context& c, end_cause cause, int status, const message* source);

  bool send_request(const context& c, method what, std::string_view headers, std::string_view body,
                    std::string_view content_type);
  bool answer_offer(const context& c, std::string_view body, std::string_view content_type);
  bool refuse_offer(const context& c, int status);
  /// Answers the offer in a 2xx to a re-INVITE that had none.
  bool acknowledge(const context& c, std::string_view body, std::string_view content_type);

  [[nodiscard]] bool ending() const noexcept { return end_cause_ != end_cause::none; }
  [[nodiscard]] bool over() const noexcept { return over_; }
  /// A BYE was sent or received.
  [[nodiscard]] bool parted() const noexcept { return parted_; }

  [[nodiscard]] size_t heap_bytes() const noexcept;

private:
  /// Branch counters: INVITEs of a call count from 0, ACKs to 2xx and the BYEs of surplus dialogs
  /// have ranges of their own, and all transactions within a dialog count from here.
  static constexpr uint32_t first_branch = 0x8000'0000;

  struct own_request; // ours, on its way
  struct offer;       // a re-INVITE or UPDATE of the peer's

  [[nodiscard]] std::string_view contact(const ua_profile& profile) const noexcept;
  void send_own(const context& c, own_request& r, std::string_view credentials);
  void on_final(const context& c, const message& m, std::unique_ptr<own_request>& slot);
  void on_request_timeout(const context& c, std::unique_ptr<own_request>& slot);
  bool retry_with_digest(const context& c, const message& m, own_request& r);
  void on_offer(const context& c, const message& m);
  void on_bye(const context& c, const message& m);
  void on_cancel(const context& c, const message& m);
  void on_ack(const context& c, const message& m);
  void answer_offer_with(const context& c, int status, std::string_view headers,
                         std::string_view body, std::string_view content_type, send_to to);
  void reply(const context& c, const message& m, int status, std::string_view headers = {},
             bool capabilities = false);

  dialog dialog_;
  std::unique_ptr<own_request> request_;
  std::unique_ptr<own_request> bye_;
  std::unique_ptr<offer> offer_;
  std::unique_ptr<std::string> contact_;
  std::unique_ptr<std::string> ack_; // with a body: cannot be made again
  uint32_t branches_ = first_branch; // counters of this session's transactions
  uint32_t acked_cseq_ = 0;
  uint32_t ack_owed_ = 0; // CSeq of a 2xx whose offer waits for `acknowledge`
  end_cause end_cause_ = end_cause::none;
  bool is_caller_ = false;
  bool over_ = false;
  bool parted_ = false;
};

} // namespace jackfield::sip
