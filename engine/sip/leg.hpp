#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "engine/error/error.hpp"
#include "engine/sip/attempt_record.hpp"
#include "engine/sip/dialog_record.hpp"
#include "engine/sip/invite_client.hpp"
#include "engine/sip/invite_server.hpp"
#include "engine/sip/leg_core.hpp"
#include "engine/sip/linger_table.hpp"
#include "engine/sip/message.hpp"
#include "engine/sip/ua.hpp"

namespace jackfield::sip {

/// One call, whichever side called: what it begins with (`prepare` and `send`, `start`, `adopt` or
/// `take_back`) makes the direction, and all that comes later is called by the same names. A value:
/// one thread, no I/O, time by argument only. Events are those of `invite_client` and
/// `invite_server`, `ended` last.
class leg {
public:
  using phase = leg_phase;

  leg(const ua_profile& profile, const leg_id& id);

  // -- how it begins: one of these, once ---------------------------------------------------

  /// Calling: fixes what the INVITE will be, and sends nothing. From then on `call_id`, `local_tag`
  /// and `invite_branch` are known. Fails, with nothing changed, if it could not be sent.
  result<void> prepare(const call_options& options);
  /// Calling: lets the INVITE go that was prepared. Fails if there is none: a leg that is hung up
  /// between the two sends nothing and ends with `cancelled`.
  result<void> send(time_point now, ua_sink& sink);
  /// Called: takes an INVITE; see `invite_server::start`.
  void start(time_point now, const message& invite, uint64_t transaction,
             const answer_options& options, ua_sink& sink);
  /// Takes up a dialog that was kept; see `leg_core::adopt`. The leg is `established` then.
  result<void> adopt(const dialog_record& record, std::span<const credential> credentials = {},
                     uint32_t skip = 0);
  /// Takes back an INVITE that was kept; see `invite_client::take_back`. The leg is `cancelling`
  /// then.
  result<void> take_back(time_point now, const attempt_record& record, ua_sink& sink,
                         std::span<const credential> credentials = {});

  // -- input ---------------------------------------------------------------------------------

  /// A message for this leg, parsed and without fault. What does not fit is answered 481 or
  /// dropped. Views are not kept.
  void on_message(time_point now, const message& m, ua_sink& sink);
  /// To be called at `next_deadline` (or later; early calls do nothing).
  void on_time(time_point now, ua_sink& sink);
  /// The flow broke, or what was sent last could not be sent.
  void on_transport_failed(time_point now, ua_sink& sink);
  /// The connection that the leg's requests use is over. A connection is no dialog (RFC 3261
  /// §18.1.1): one that was answered goes on, and what it has to say opens another, five times at
  /// most within 8 s. All else has failed.
  void on_connection_lost(time_point now, ua_sink& sink);
  /// `never` if nothing is due.
  [[nodiscard]] time_point next_deadline() const noexcept;

  // -- commands ------------------------------------------------------------------------------

  /// Ends the call whatever its state. Calling it again does nothing. `headers`: whole lines.
  void hang_up(time_point now, ua_sink& sink, std::string_view headers = {});

  /// Called: sends 101..199, with early media in `body` if any. False once a final response was
  /// sent, and always for a calling leg; so are `answer` and `reject`.
  bool progress(time_point now, int status, ua_sink& sink, std::string_view body = {},
                std::string_view content_type = "application/sdp", std::string_view headers = {});
  /// Called: sends 200 with our answer, or with our offer if the INVITE had none.
  bool answer(time_point now, std::string_view body, ua_sink& sink,
              std::string_view content_type = "application/sdp", std::string_view headers = {});
  /// Called: sends 300..699. `headers`: whole lines.
  bool reject(time_point now, int status, ua_sink& sink, std::string_view headers = {});

  /// See `leg_core`, and `invite_client` for `fork`: which early dialog of a calling leg that has
  /// no answer yet; of no meaning else.
  uint32_t send_request(time_point now, method what, std::string_view body, ua_sink& sink,
                        std::string_view content_type = "application/sdp",
                        std::string_view headers = {}, unsigned fork = 0);
  bool answer_request(time_point now, uint32_t number, int status, ua_sink& sink,
                      std::string_view headers = {}, std::string_view body = {},
                      std::string_view content_type = {});
  bool defer_request(time_point now, uint32_t number, ua_sink& sink);
  bool acknowledge(time_point now, std::string_view body, ua_sink& sink,
                   std::string_view content_type = "application/sdp", unsigned fork = 0);
  bool answer_offer(time_point now, std::string_view body, ua_sink& sink,
                    std::string_view content_type = "application/sdp",
                    std::string_view headers = {}, unsigned fork = 0);
  bool refuse_offer(time_point now, int status, ua_sink& sink, unsigned fork = 0);

  /// After `ended`: leaves in the table what must outlive the leg.
  void leave(time_point now, linger_table& table);

  // -- what it is ----------------------------------------------------------------------------

  [[nodiscard]] leg_phase current() const noexcept;
  /// True for a calling leg, and for one that has not begun.
  [[nodiscard]] bool is_caller() const noexcept { return machine_.index() == 0; }
  [[nodiscard]] const leg_id& id() const noexcept { return core().id(); }
  /// Of a calling leg that is prepared, of any later; empty before.
  [[nodiscard]] std::string call_id() const;
  [[nodiscard]] std::string local_tag() const;
  /// Of the INVITE that is to be sent or on its way; else empty.
  [[nodiscard]] std::string invite_branch() const;
  /// The dialog once there is one (calling: 2xx); invalid before.
  [[nodiscard]] const dialog& established() const noexcept { return core().established(); }
  /// Of an established leg, to be kept; without one its `leg` is empty.
  [[nodiscard]] dialog_record record() const { return core().record(); }
  /// Of a calling leg from `prepare` to its answer, to be kept; see `invite_client::attempt`.
  [[nodiscard]] std::optional<attempt_record> attempt() const;

  /// Bytes on the heap, for the memory budget.
  [[nodiscard]] size_t heap_bytes() const noexcept;

private:
  [[nodiscard]] const leg_core& core() const noexcept;
  [[nodiscard]] leg_core& core() noexcept;
  [[nodiscard]] invite_client* calling() noexcept { return std::get_if<invite_client>(&machine_); }
  [[nodiscard]] invite_server* called() noexcept { return std::get_if<invite_server>(&machine_); }
  /// Gives the leg the direction of a called one; false if something has begun.
  bool become_called();

  const ua_profile* profile_;
  std::variant<invite_client, invite_server> machine_;
};

} // namespace jackfield::sip
