#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sip/dialog.hpp"
#include "engine/sip/digest.hpp"
#include "engine/sip/transaction.hpp"
#include "engine/sip/ua.hpp"

namespace jackfield::sip {

/// A dialog that an INVITE has established, from either side: requests within it both ways, its
/// re-INVITEs and UPDATEs with their glare (RFC 3261 §14, RFC 3311), and its end (§15). The part
/// that `invite_client` and `invite_server` have in common; not used alone.
class session {
public:
  session() = default;
  session(dialog d, bool is_caller) : dialog_(std::move(d)), is_caller_(is_caller) {}

  [[nodiscard]] bool valid() const noexcept { return dialog_.valid(); }
  [[nodiscard]] dialog& state() noexcept { return dialog_; }
  [[nodiscard]] const dialog& state() const noexcept { return dialog_; }

  /// A request of this dialog other than the first INVITE and its ACK, or a response to a request
  /// that this session sent. Returns true if it was used.
  bool on_request(time_point now, const message& m, const ua_profile& profile, ua_sink& sink);
  bool on_response(time_point now, const message& m, const ua_profile& profile,
                   std::span<const credential> credentials, digest_session& digest, ua_sink& sink);
  void on_time(time_point now, const ua_profile& profile, ua_sink& sink);
  [[nodiscard]] time_point next_deadline() const noexcept;

  /// Sends BYE. `cause` is that of the `ended` event when it has been answered.
  void hang_up(time_point now, const ua_profile& profile, digest_session& digest, end_cause cause,
               int status, std::string_view headers, ua_sink& sink);
  /// Sends a request; false if one is on its way, or the session is ending.
  bool send_request(time_point now, const ua_profile& profile, digest_session& digest, method what,
                    std::string_view headers, std::string_view body, std::string_view content_type,
                    ua_sink& sink);
  bool answer_offer(time_point now, const ua_profile& profile, std::string_view body,
                    std::string_view content_type, ua_sink& sink);
  bool refuse_offer(time_point now, const ua_profile& profile, int status, ua_sink& sink);
  bool acknowledge(time_point now, const ua_profile& profile, std::string_view body,
                   std::string_view content_type, ua_sink& sink);
  void on_transport_failed(time_point now, const ua_profile& profile, ua_sink& sink);

  [[nodiscard]] bool ending() const noexcept { return end_cause_ != end_cause::none; }
  [[nodiscard]] bool over() const noexcept { return over_; }

private:
  dialog dialog_;
  end_cause end_cause_ = end_cause::none;
  bool is_caller_ = false;
  bool over_ = false;
};

} // namespace jackfield::sip
