#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <caf/actor_control_block.hpp>

#include "actors/call/call_settings.hpp"
#include "actors/call/kept_registration.hpp"
#include "actors/call/leg_actor.hpp"
#include "engine/report/failure_cause.hpp"
#include "engine/sip/registration.hpp"

namespace jackfield {

/// To a registration's owner: what happened to it.
struct registration_report {
  enum class kind : uint8_t {
    registered, ///< the first success
    refreshed,  ///< a later one
    failed,     ///< an attempt; it will try again unless `over` follows
    over,       ///< the registration is gone, as asked or for `failure`
  };
  uint64_t number = 0;
  kind what{};
  report::failure_cause failure;
  int status = 0;
  lane::duration took{};        ///< registered: from when it was due; refreshed: from its REGISTER
  bool had_registered = false;  ///< over: it once stood
  bool left = false;            ///< over: as it was told to, or had planned
  report::failure_cause missed; ///< over: why a refresh failed, the first that did
  std::string detail;           ///< what was said of the failure: see `failure_detail`
  lane::time_point due{};
  unsigned refreshes = 0;      ///< that succeeded
  lane::duration first_took{}; ///< over: how long the first success took, if `had_registered`
  std::shared_ptr<const call_target> target;
  wire_counters wire;
};

/// Asking again brings the same answer.
[[nodiscard]] bool refuses_for_good(int status) noexcept;

/// Keeps one user registered (RFC 3261 §10): refreshes before the binding lapses, retries with
/// backoff, removes the binding when told to hang up or after as many refreshes as asked for. Where
/// something is kept of it, its first REGISTER leaves once the journal has that.
class registration final : public leg_actor<sip::registration> {
public:
  struct plan {
    uint64_t number = 0;
    lane::time_point due{};
    unsigned expires = 3600;
    /// Leaves after this many refreshes and `stay` since it registered, if `leave` is set; else
    /// stays until told.
    bool leave = false;
    unsigned refreshes = 0;
    lane::duration stay{};
    /// So often a first registration that failed is tried again, with backoff; then it is over, as
    /// it is once a refresh was refused for good. Unset: for ever, whatever the answer.
    std::optional<unsigned> retries;
  };

  registration(caf::actor_config& config, lane::lane& home, sip_router& router,
               std::shared_ptr<const call_manner> manner, std::shared_ptr<const call_target> target,
               const plan& p, kept_registration kept, caf::strong_actor_ptr owner);

  const char* name() const override { return "registration"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  static constexpr unsigned stay_clock = protocol_clock + 1;

  void begin();
  void on_recorded(const recorded& answer);
  void leave();
  // leg_actor and sip::ua_sink
  void on_clock(unsigned id) override;
  void before_time() override;
  void on_over() override;
  void on_lost() override;
  void send(const sip::outgoing& message) override;
  void on_event(const sip::ua_event& event) override;
  void tell_owner(registration_report::kind what, report::failure_cause failure = {},
                  int status = 0, lane::duration took = {});
  void leave_if_due();
  /// After a failure.
  void give_up_if_due(report::failure_cause why, int status);
  void finish();
  /// Its record, as things stand.
  [[nodiscard]] storage::registration_record record() const;
  /// A REGISTER asks for this; whether it is ever heard is open.
  void expect_binding();

  caf::strong_actor_ptr owner_;
  std::shared_ptr<const call_manner> manner_;
  std::shared_ptr<const call_target> target_;
  lane::actor_timer stay_timer_;
  plan plan_;
  kept_registration kept_;
  storage::wall_time started_{};
  std::optional<storage::wall_time> registered_;
  storage::wall_time until_{}; // the registrar has the binding no longer than that
  lane::time_point sent_{};    // the REGISTER under way
  unsigned successes_ = 0;
  uint32_t kept_alive_ = 0; // which server is sent keep-alives, counted from 1
  report::failure_cause failure_;
  report::failure_cause missed_;
  std::string detail_; // of the latest failure
  int status_ = 0;     // the latest that decided
  lane::duration first_took_{};
  unsigned failures_ = 0; // before the first success
  bool stayed_ = false;
  bool leaving_ = false;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::registration_report)
