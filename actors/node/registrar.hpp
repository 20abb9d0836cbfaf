#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include "actors/node/lane_context.hpp"
#include "actors/node/login_guard.hpp"
#include "actors/node/recorder.hpp"
#include "engine/report/run_metrics.hpp"
#include "engine/sip/digest.hpp"
#include "storage/kept_bindings.hpp"

namespace jackfield {

class registrar;

/// Where a user is reached.
struct registered_contact {
  std::string value; ///< of Contact, without expires
  /// The connection that it was registered over, of whichever lane; invalid: it is reached by its
  /// URI.
  transport::flow flow;

  friend bool operator==(const registered_contact&, const registered_contact&) = default;
};

/// To whoever asked `registrar::look_up`.
struct contacts_found {
  uint64_t ticket = 0;
  std::vector<registered_contact> contacts; ///< latest first; empty: not registered
};

/// To whoever asked `registrar::identify`.
struct caller_identified {
  enum class outcome : uint8_t {
    known,     ///< `user` sent it
    absent,    ///< no credentials for our realm: to be challenged
    stale,     ///< its nonce is too old, or was used: to be challenged
    wrong,     ///< no such user, another password, or another request's: to be challenged
    malformed, ///< cannot be read: 400
    banned,    ///< comes from where passwords are guessed (`login_guard`): not to be answered
  };
  uint64_t ticket = 0;
  outcome how = outcome::absent;
  std::string user; ///< unless known: nothing
};

/// The registrars of a node's lanes, each entry touched on its own lane only.
struct registrar_shards {
  explicit registrar_shards(size_t lanes) : of_lane(lanes) {}
  std::vector<registrar*> of_lane; ///< null: none serves there now
  std::atomic<uint64_t> bans{0};   ///< by the `login_guard`s of all; for any thread
};

/// To a service that registers, before all else: what was kept before, of all lanes.
struct bindings_left {
  std::shared_ptr<const std::vector<storage::kept_bindings>> all;
};

/// Who may register, and for how long.
struct registrar_settings {
  std::string realm = "jackfield";
  /// Key of the nonces, shared by the lanes of a node: 16 bytes and more.
  std::string secret;
  /// HA1 by user, in the order of `sip::digest_algorithm`. Empty: nobody is asked for credentials.
  std::unordered_map<std::string, std::array<std::string, 3>> users;
  /// Once `realm` is what it is to be; the password is not kept.
  void add_user(std::string_view user, std::string_view password);
  unsigned max_expires = 3600;
  unsigned min_expires = 1;
  size_t max_bindings = 1'000'000; ///< of the node
  size_t max_contacts = 16;        ///< of one address of record
  /// What is longer is refused with 400: it would be kept.
  static constexpr size_t max_contact_bytes = 1024;
  static constexpr size_t max_name_bytes = 1024; ///< address of record and Call-ID
};

/// The same, with a key drawn if there is none: what the registrars of one node share.
[[nodiscard]] std::shared_ptr<const registrar_settings>
with_secret(const registrar_settings& settings, lane::lane& home);

/// Learns for which addresses of record there is a phone. On the registrar's thread.
class presence_watcher {
public:
  virtual ~presence_watcher() = default;
  /// The first contact of this address came, or the last one has gone; at most half a minute after
  /// it expired.
  virtual void on_presence(const std::string& address_of_record, bool present) = 0;
};

/// Bindings of addresses of record to contacts (RFC 3261 §10.3). One a lane; answers without a
/// transaction's state, since the same REGISTER gets the same answer.
///
/// Where routers serve as one, so do their registrars: an address of record belongs to one lane,
/// which all compute, and its requests go there.
///
/// A contact that was registered over a connection is reached over it while it lives (RFC 5626
/// §5.3). A client that has no other way to be reached (a WebSocket's, or one that said `reg-id`)
/// is gone with its connection, and registers anew.
///
/// What is kept in a store outlives the process, but for those that go with a connection: a client
/// that was told that it is registered is, also after a crash.
class registrar final : private flow_watcher {
public:
  /// `shards`: those of the lanes that serve as one; null: this one is alone. `owner`: the actor
  /// whose part this is. Where the context keeps calls, it has bindings kept, too: a REGISTER that
  /// changes one is answered once that is in the store, and by 503 if it cannot be written. The
  /// owner gets `recorded` for each, and says so by `on_recorded`. Null: nothing is kept.
  explicit registrar(lane_context& context, std::shared_ptr<const registrar_settings> settings,
                     std::shared_ptr<registrar_shards> shards = nullptr,
                     lane::lane_actor* owner = nullptr);
  ~registrar() override;
  registrar(const registrar&) = delete;
  registrar& operator=(const registrar&) = delete;

  void on_recorded(const recorded& written);
  /// Takes up what was kept and belongs to this lane, but for what has expired, or was registered
  /// anew by now.
  void take_up(const std::vector<storage::kept_bindings>& left);

  /// Of this lane's addresses of record. Null: nobody wants to know. It outlives the registrar, or
  /// is taken away before it ends.
  void set_presence_watcher(presence_watcher* watcher) noexcept { watcher_ = watcher; }
  /// This lane's addresses of record with a contact that has not expired, in their order.
  [[nodiscard]] std::vector<std::string> present() const;

  /// From now on, but for the secret, which stays. Who is registered stays so until it expires.
  void use(registrar_settings settings);

  /// Answers a REGISTER, or hands it to the lane whose it is.
  void on_register(const sip_arrival_ptr& request);

  /// Who is registered under a SIP URI, whichever lane knows: `asker`, an actor of any lane,
  /// receives `contacts_found` with `ticket`.
  void look_up(std::string_view uri, const caf::strong_actor_ptr& asker, uint64_t ticket);

  /// Users have passwords: who is to be known is asked for one.
  [[nodiscard]] bool asks() const noexcept { return verifier_ != nullptr; }
  /// Which user sent a request, by its digest; only if it `asks`. A user's requests are all judged
  /// on one lane, so that none can be sent again on another: `asker`, on this lane, receives
  /// `caller_identified` with `ticket`.
  void identify(const sip_arrival& request, const caf::strong_actor_ptr& asker, uint64_t ticket);
  /// Asks by 401 for digest credentials; only if it `asks`.
  void challenge(const sip_arrival& request, bool stale);

  /// The lane's that it serves.
  [[nodiscard]] const lane_context& context() const noexcept { return context_; }

  /// Addresses of record of this lane with a contact that has not expired.
  [[nodiscard]] size_t bindings(lane::time_point now);
  /// How requests to register here went, `current` as `bindings`. One for an address of record that
  /// has a contact already is a refresh, from whichever phone. Not counted are challenges of
  /// requests without credentials, or with a nonce that is too old; removals, queries and copies.
  [[nodiscard]] report::registration_counts counted(lane::time_point now);

private:
  struct contact {
    std::string value; ///< without the expires parameter
    lane::time_point expires;
    std::string call_id;
    uint32_t cseq = 0;
    /// Kept as long as an earlier REGISTER may still be on its way, which must not bring it back.
    bool removed = false;
    transport::flow flow;   ///< invalid: over no connection, or it is over
    bool flow_only = false; ///< not reached by its URI
  };
  /// What a REGISTER asks for, done to the contacts of its address.
  struct change {
    int refusal = 0; ///< status; 0: it is done
    bool bound = false;
  };
  [[nodiscard]] change apply(const sip_arrival& request, std::vector<contact>& contacts,
                             lane::time_point now) const;
  /// Puts them in the place of those before.
  void replace(const std::string& aor, const std::vector<contact>& before,
               std::vector<contact>&& contacts);
  void tell_presence(const std::string& aor, bool before, bool after);
  /// Some of them outlive this process.
  [[nodiscard]] static bool is_kept(const std::vector<contact>& contacts) noexcept;
  /// Those that do.
  [[nodiscard]] storage::bindings_record record_of(const std::vector<contact>& contacts) const;
  void save(const std::string& aor, const std::vector<contact>& contacts, bool tell_owner);
  [[nodiscard]] recorder* keeps() const noexcept { return owner_ ? context_.keeps : nullptr; }
  void welcome(const sip_arrival& request, const change& done, bool refreshed,
               std::string_view lines);
  void on_flow_over(const transport::flow& gone) override;
  void on_client_awaited(const client_name& who) override;
  /// A contact is reached over another connection than before, or for the first time.
  void tell_way(const std::string& aor, const contact& known, const transport::flow& before);
  /// Remembers, and forgets unless one of `contacts` still has it, that an address of record hangs
  /// on a connection.
  void hold(const transport::flow& f, const std::string& aor);
  void release(const transport::flow& f, const std::string& aor,
               const std::vector<contact>& contacts);
  [[nodiscard]] uint8_t lane_of(const std::string& aor) const;
  [[nodiscard]] contacts_found find(const std::string& aor, uint64_t ticket) const;
  void expire(lane::time_point now);
  /// Of one address; true: nothing is left of it.
  bool expire(const std::string& aor, std::vector<contact>& contacts, lane::time_point now);
  void sweep();
  /// The REGISTER is older than what made the contact what it is: it changes nothing (RFC 3261
  /// §10.3, steps 6 and 7).
  [[nodiscard]] static bool overtaken(const contact& known, const sip::message& request) noexcept;
  static void remove(contact& known, const sip::message& request, lane::time_point now);
  [[nodiscard]] bool admitted(const sip_arrival& request, const std::string& aor);
  [[nodiscard]] caller_identified::outcome identity_of(const sip_arrival& request,
                                                       std::string& user);
  void refuse(const sip_arrival& request, const std::string& aor, int status,
              std::string_view headers = {});
  void make_verifier();
  void count_refusal(const std::string& aor, int status);
  [[nodiscard]] static bool holds(const std::vector<contact>& contacts,
                                  lane::time_point now) noexcept;

  lane_context& context_;
  sip_router& router_;
  std::shared_ptr<const registrar_settings> settings_;
  std::shared_ptr<registrar_shards> shards_;
  std::unique_ptr<sip::digest_verifier> verifier_;
  login_guard guesses_;                                            // of passwords
  std::unordered_map<std::string, std::vector<contact>> bindings_; // by address of record
  /// Connection -> the addresses of record that have a contact over it.
  std::unordered_map<transport::flow, std::unordered_set<std::string>> by_flow_;
  /// What has expired is looked for this often in a part of the table, so that all of it is looked
  /// through in half a minute; and in the whole of it, as often at the most, when it is full.
  static constexpr lane::duration sweep_interval = std::chrono::seconds{1};
  static constexpr size_t sweep_parts = 32;
  lane::time_point next_sweep_{};
  lane::timer sweep_timer_;
  size_t next_bucket_ = 0; // of `bindings_`
  report::registration_counts counts_;
  lane::lane_actor* owner_;
  presence_watcher* watcher_ = nullptr;
  struct waiting {
    sip_arrival_ptr request;
    std::string aor;
    change done;
    bool refreshed;
    std::string lines; // of its answer
  };
  std::deque<waiting> waiting_; // for the store; bounded by what the recorder takes
};

} // namespace jackfield

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::contacts_found)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::caller_identified)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jackfield::bindings_left)
