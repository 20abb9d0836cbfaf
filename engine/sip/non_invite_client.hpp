#pragma once

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

/// A request out of dialog. Views are copied, except `credentials`.
struct request_options {
  /// "OPTIONS", "MESSAGE", or any token but INVITE, ACK and CANCEL.
  std::string_view method_name = "OPTIONS";
  std::string_view uri = {};
  std::string_view from = {}; // without tag
  std::string_view to = {};   // without tag; empty: the URI in angle brackets
  /// Route values separated by commas.
  std::string_view route = {};
  /// Whole header lines.
  std::string_view headers = {};
  std::string_view body = {};
  std::string_view content_type = {};
  /// Send the profile's Contact.
  bool contact = false;
  /// Must outlive the machine.
  std::span<const credential> credentials = {};
  uint64_t random = 0;
  uint32_t cseq = 1;
};

/// One request out of dialog with its retries by digest, at other servers and by redirection.
/// Events: `provisional`, `retrying`, and `ended` with the status and `source`: `succeeded`,
/// `auth_failed`, `timeout_f`
/// ... Nothing needs to outlive it: responses that come later are for nobody.
class non_invite_client {
public:
  non_invite_client(const ua_profile& profile, const leg_id& id);
  ~non_invite_client();
  non_invite_client(non_invite_client&&) noexcept;
  non_invite_client& operator=(non_invite_client&&) noexcept;

  /// Sends the request. Fails, with nothing sent, if something in it cannot be sent. Once.
  result<void> start(time_point now, const request_options& options, ua_sink& sink);
  /// A response whose Via branch names this leg. What does not fit is dropped.
  void on_message(time_point now, const message& m, ua_sink& sink);
  void on_time(time_point now, ua_sink& sink);
  void on_transport_failed(time_point now, ua_sink& sink);
  [[nodiscard]] time_point next_deadline() const noexcept;

  [[nodiscard]] bool over() const noexcept { return over_; }
  [[nodiscard]] const leg_id& id() const noexcept { return id_; }
  [[nodiscard]] size_t heap_bytes() const noexcept;

private:
  struct state;

  void send(time_point now, ua_sink& sink);
  void on_final(time_point now, const message& m, ua_sink& sink);
  /// RFC 3263 §4.3: the same request, but for its branch, to another server of the next hop.
  bool try_next_server(time_point now, const message* m, ua_sink& sink);
  void end(end_cause cause, int status, const message* source, ua_sink& sink);

  const ua_profile* profile_;
  leg_id id_;
  std::unique_ptr<state> state_; // while it runs
  bool over_ = false;
};

} // namespace jackfield::sip
