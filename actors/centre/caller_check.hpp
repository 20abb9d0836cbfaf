#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include <caf/actor_control_block.hpp>

#include "actors/centre/trunk_book.hpp"
#include "actors/node/registrar.hpp"
#include "actors/wire/sip_arrival.hpp"
#include "actors/wire/sip_router.hpp"
#include "engine/lane/lane_actor.hpp"

namespace jackfield {

struct centre_roster;

/// Who sent a request that belongs to no dialog.
struct centre_caller {
  enum class kind : uint8_t {
    stranger, ///< nobody knows; may call queues where the roster says so
    agent,    ///< whose name it has proved
    trunk,    ///< from whose address it came
    local,    ///< nobody has a password: whoever reaches us is believed
  };
  kind what = kind::stranger;
  std::string agent = {}; ///< its name
  trunk_line* trunk = nullptr;
};

/// The unescaped user part of a URI; empty: it has none.
[[nodiscard]] std::string user_of(std::string_view uri);

/// Looks at each request out of dialog before a centre does what it asks for: who sent it, and may
/// they? What the sender has to prove (that it is an agent: by digest, as the registrar asks for
/// it) is asked for by 401, and From has to name who has proved it, else 403. Nothing tells a
/// stranger which agents and numbers there are. A part of a centre's service, on its lane.
class caller_check {
public:
  /// Whose part it is.
  class user {
  public:
    virtual ~user() = default;
    /// The request may be served. `transaction` as it was given to `check`.
    virtual void on_admitted(const sip_arrival_ptr& request, uint64_t transaction,
                             const centre_caller& who) = 0;
    /// It may not: to be answered with this status.
    virtual void on_forbidden(const sip_arrival_ptr& request, uint64_t transaction, int status) = 0;
  };

  /// `self`, whose messages `caller_identified` go to `on_identified`, outlives the check.
  caller_check(sip_router& router, registrar& users, user& service, lane::lane_actor& self)
      : router_(router), users_(users), service_(service), self_(self) {}

  /// `transaction`: of an INVITE, as the `uas_service` was given it; 0: of another method. The user
  /// is told at once or later, or the sender is challenged.
  void check(const centre_roster& roster, const sip_arrival_ptr& request, uint64_t transaction);
  void on_identified(const caller_identified& said);

  /// Nobody waits to be told.
  [[nodiscard]] bool idle() const noexcept { return waiting_.empty(); }
  /// Answers 480 to those who wait.
  void stop();

private:
  struct waiting {
    sip_arrival_ptr request;
    uint64_t transaction;
  };

  sip_router& router_;
  registrar& users_;
  user& service_;
  lane::lane_actor& self_;
  std::unordered_map<uint64_t, waiting> waiting_; // by ticket
  uint64_t tickets_ = 0;
};

} // namespace jackfield
