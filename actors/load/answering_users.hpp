#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include "actors/call/call_settings.hpp"
#include "actors/call/registration.hpp"
#include "actors/load/answer_script.hpp"
#include "actors/node/lane_context.hpp"
#include "engine/lane/lane_actor.hpp"
#include "engine/report/failure_cause.hpp"
#include "engine/report/run_metrics.hpp"
#include "engine/sip/message.hpp"

namespace jackfield {

/// The users who are registered somewhere, and answered for: the `contact_user` of each says who is
/// called, and its audio is what callers hear. One value for all lanes, immutable.
class user_directory {
public:
  explicit user_directory(std::vector<std::shared_ptr<const call_target>> users);

  [[nodiscard]] const std::vector<std::shared_ptr<const call_target>>& all() const noexcept {
    return users_;
  }
  /// Whose Contact that is, by its place in `all`; nothing: nobody's.
  [[nodiscard]] std::optional<size_t> find(std::string_view request_uri) const;

private:
  std::vector<std::shared_ptr<const call_target>> users_;
  std::unordered_map<std::string, size_t> by_contact_; // without escapes
};

/// To a listener to users' calls: the user's phone rings.
struct user_rung {
  size_t user = 0; ///< its place in the directory
  caf::actor_id call = 0;
  std::vector<std::string> callers; ///< users of P-Asserted-Identity and From
};

/// The user and its caller talk: the answer is acknowledged.
struct user_talks {
  size_t user = 0;
  caf::actor_id call = 0;
};

/// The call is over, and the user has none.
struct user_free {
  size_t user = 0;
  caf::actor_id call = 0;
};

/// What becomes of users' calls, where that is not left to the manner of all.
struct user_calls {
  /// How the user at that place answers its n-th call, from 0; on any lane. Null: as all.
  std::function<answer_plan(size_t user, uint64_t n)> answers;
  /// Gets `user_rung`, `user_talks` and `user_free`, and each user has one call at a time: another
  /// is refused with 486. Null: nobody does, and a user may have any number.
  caf::strong_actor_ptr listener;
};

/// To an answering service: register your share of these users, every `count`-th from `index` on,
/// and answer their calls. Once.
struct register_users {
  std::shared_ptr<const user_directory> directory;
  /// Where this lane's REGISTERs go, and how.
  std::shared_ptr<const call_manner> manner;
  unsigned expires = 3600;
  double rate = 100; ///< registrations that begin, and end, a second, of all lanes
  unsigned index = 0;
  unsigned count = 1;
  /// Nobody else is served: other calls are refused with 404.
  bool alone = false;
  /// Gets `users_standing` and `user_failed`; null: nobody does.
  caf::strong_actor_ptr watcher;
  user_calls calls;
};

/// How a lane's share of the users stands, after each change.
struct users_standing {
  unsigned index = 0;
  uint64_t answered = 0;   ///< whose first REGISTER had an answer, or will have none
  uint64_t registered = 0; ///< whose last one succeeded
  uint64_t refused = 0;    ///< for good

  friend bool operator==(const users_standing&, const users_standing&) = default;
};

/// A user could not be registered; said once, and again if it is given up.
struct user_failed {
  std::string user; ///< address of record
  report::failure_cause why;
  bool for_good = false;
};

/// The users of one lane who are registered elsewhere: has them registered one after the other, and
/// leave likewise. A part of the actor that answers for them, on its lane.
class answering_users {
public:
  /// The owner hands on `timer_fired` and `registration_report`. `context` outlives this.
  answering_users(lane::lane_actor& owner, lane_context& context, register_users all);
  ~answering_users();
  answering_users(const answering_users&) = delete;
  answering_users& operator=(const answering_users&) = delete;

  void on_timer();
  void on_report(const registration_report& report);
  /// Removes their bindings, in their time or at once. Nobody registers any more.
  void leave(bool at_once);
  /// None is registered, nor tries to be.
  [[nodiscard]] bool gone() const noexcept;

  /// As `user_directory::find`, for an INVITE.
  [[nodiscard]] std::optional<size_t> called_by(const sip::message& invite) const;
  [[nodiscard]] const std::shared_ptr<const call_target>& user(size_t place) const {
    return all_.directory->all()[place];
  }
  [[nodiscard]] bool serves_others() const noexcept { return !all_.alone; }

  /// How it answers its next call; nothing: the manner of all says so.
  [[nodiscard]] std::optional<answer_plan> plan_of(size_t place, uint64_t n) const {
    return all_.calls.answers ? std::optional{all_.calls.answers(place, n)} : std::nullopt;
  }
  [[nodiscard]] bool has_listener() const noexcept { return all_.calls.listener != nullptr; }
  // Of their calls, where somebody listens.
  [[nodiscard]] bool may_have(size_t place) const { return !engaged_.contains(place); }
  void on_call(size_t place, caf::actor_id call, const sip::message& invite);
  void on_call_up(caf::actor_id call);
  /// Whose it was, once; nothing: nobody's.
  std::optional<size_t> on_call_over(caf::actor_id call);
  [[nodiscard]] const report::registration_counts& counts() const noexcept { return counts_; }

private:
  struct member {
    caf::strong_actor_ptr actor;
    bool answered = false;
    bool registered = false; // by its last REGISTER
    bool told = false;       // that it failed
    bool refused = false;    // for good
  };

  /// When the n-th user of all begins or leaves, after the first.
  [[nodiscard]] lane::duration offset_of(size_t n) const noexcept;
  void enrol(size_t place);
  void dismiss(const member& who);
  void note_answer(member& who);
  void set_registered(member& who, bool is);
  void give_up(size_t place, member& who, report::failure_cause why);
  void tell_failure(size_t place, report::failure_cause why, bool for_good);
  void tell_standing();

  lane::lane_actor& owner_;
  lane_context& context_;
  register_users all_;
  report::registration_counts counts_;
  std::unordered_map<size_t, member> members_;      // by place in the directory
  std::unordered_map<caf::actor_id, size_t> calls_; // whose they are, where somebody listens
  std::unordered_set<size_t> engaged_;
  lane::actor_timer timer_;
  lane::time_point began_{};
  size_t next_;                 // to register
  std::vector<size_t> leaving_; // who have not been told yet, the next one last
  lane::duration leave_gap_{};
  users_standing standing_;
  users_standing told_; // to the watcher
  bool started_ = false;
  bool closing_ = false;
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::user_rung)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::user_talks)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::user_free)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::register_users)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::users_standing)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::user_failed)
