#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/error/error.hpp"
#include "engine/sdp/negotiation_record.hpp"
#include "engine/sip/attempt_record.hpp"
#include "engine/sip/dialog_record.hpp"
#include "storage/call_figures.hpp"
#include "storage/store.hpp"

/// What is kept, as plain values; `pack` and `unpack` make the bytes that FORMAT.md describes.
namespace jackfield::storage {

using wall_time = std::chrono::sys_time<std::chrono::nanoseconds>;

/// A run of a command that keeps state.
struct run_record {
  std::string command; ///< as typed, without passwords
  std::string kind;    ///< "load", "answer"
  wall_time started{};
  std::optional<wall_time> ended; ///< unset: under way, or cut off
  std::string ended_by;           ///< empty: its own end
  uint64_t seed = 0;
  bool embedded = false; ///< it called an engine of its own process: no peer outlives it
  std::string plan;      ///< what it was to do, as options; of a load run
  uint32_t lanes = 0;
  uint32_t resumed = 0; ///< so often it went on after a crash

  /// `ended_by` of one that ended without a word, as the next start found.
  static constexpr std::string_view crashed = "crash";
  friend bool operator==(const run_record&, const run_record&) = default;
};

/// Names a call, and the one attempt that it is, in this store: the run, and the call's number
/// there. As text "12-1042".
struct call_key {
  uint64_t run = 0;
  uint64_t number = 0;

  [[nodiscard]] std::string text() const;
  friend auto operator<=>(const call_key&, const call_key&) = default;
};

/// The audio of a call that is up.
struct media_record {
  uint16_t port = 0; ///< where it is heard
  sdp::negotiation_record agreed;
  /// Ours, as in `rtpmap`, in the order that the numbers in `agreed` have; of a bridged leg.
  std::vector<std::string> codecs;

  friend bool operator==(const media_record&, const media_record&) = default;
};

/// A call's place in the line of a contact centre's queue, and how it left that.
struct queueing_record {
  std::string queue;
  int32_t priority = 0;
  /// It waits since then, which is its place; unset: it has not come in.
  std::optional<wall_time> since;
  std::string agent;              ///< who took it; empty: nobody
  std::optional<wall_time> taken; ///< when caller and agent were to hear each other
  /// "answered", "abandoned", "timed_out", "full", "no_agents", "closed", or
  /// `call_ended::engine_restart`; empty while it waits.
  std::string left;
  std::string agent_leg; ///< text of the leg of the agent's phone; with `taken`

  /// Until it was taken, or until `ended`.
  [[nodiscard]] std::chrono::nanoseconds waited(wall_time ended) const noexcept;
  /// With the agent; nothing if nobody took it.
  [[nodiscard]] std::chrono::nanoseconds talked(wall_time ended) const noexcept;

  friend bool operator==(const queueing_record&, const queueing_record&) = default;
};

/// A call under way.
struct call_record {
  bool incoming = false;
  bool bridged = false; ///< a leg of two: it is of no use without the other
  std::string call_id;
  std::string from; ///< URI
  std::string to;   ///< URI
  wall_time started{};
  std::optional<wall_time> answered;
  std::string leg;    ///< text of its `sip::leg_id`
  std::string target; ///< where its first request goes: "udp 192.0.2.1:5060"
  std::string host;   ///< the name of that, which its certificate must have; empty: none was given
  std::string local;  ///< our end of the way there: "192.0.2.10:5060"
  /// Until it is answered, of one that goes out: what it takes to have it end.
  std::optional<sip::attempt_record> attempt;
  std::optional<sip::dialog_record> dialog; ///< once answered
  std::optional<media_record> media;        ///< once agreed on
  /// Once answered, of one that a load run made.
  std::optional<wall_time> due, first_response, ringing;
  std::optional<queueing_record> queueing; ///< of a caller's leg, in a queue
  /// URI of the user who registered over the connection that the leg goes over, and who made that;
  /// empty: it goes over none such.
  std::string registered_as;

  friend bool operator==(const call_record&, const call_record&) = default;
};

/// A contact of an address of record, at a registrar of ours.
struct contact_record {
  std::string value; ///< of Contact, without expires
  wall_time expires{};
  std::string call_id; ///< of the REGISTER that made it what it is
  uint32_t cseq = 0;
  bool removed = false; ///< by that

  friend bool operator==(const contact_record&, const contact_record&) = default;
};

/// Where the user of an address of record is reached, latest last. Without contacts that went with
/// the connection that they were registered over.
struct bindings_record {
  std::vector<contact_record> contacts;

  friend bool operator==(const bindings_record&, const bindings_record&) = default;
};

/// A registration that a load run made, at somebody's registrar: what it takes to remove its
/// binding there. Nothing of the user's password is in it.
struct registration_record {
  std::string aor;     ///< URI
  std::string contact; ///< as it was sent, without expires
  std::string call_id;
  uint32_t cseq = 0;               ///< of its latest REGISTER, which was sent or is about to be
  std::string leg;                 ///< text of its `sip::leg_id`
  std::string registrar;           ///< Request-URI of its REGISTERs
  std::string route;               ///< Route values
  std::string target, host, local; ///< as in `call_record`
  uint32_t expires = 0;            ///< seconds that were asked for
  wall_time started{};
  std::optional<wall_time> registered; ///< when it was first confirmed
  wall_time until{}; ///< then the registrar has forgotten it, whatever it had heard

  friend bool operator==(const registration_record&, const registration_record&) = default;
};

/// A finished call.
struct call_ended {
  call_key call;
  bool incoming = false;
  std::string call_id;
  std::string from; ///< URI
  std::string to;   ///< URI
  wall_time started{};
  std::optional<wall_time> answered;
  wall_time ended{};
  /// `report::failure_cause`'s name, or one of those below; empty: completed.
  std::string cause;
  uint32_t status = 0;                     ///< final status of the INVITE; 0: none
  std::optional<call_figures> figures;     ///< of a call that a load run made
  std::optional<queueing_record> queueing; ///< of a caller's leg, in a queue

  // Two of those names, of what a crash left.
  /// An attempt whose outcome nobody knows. It may have rung, and is never made again by itself.
  static constexpr std::string_view indeterminate = "indeterminate";
  /// A call that was up when the engine ended.
  static constexpr std::string_view engine_restart = "engine_restart";
  friend bool operator==(const call_ended&, const call_ended&) = default;
};

struct run_started {
  uint64_t run = 0;
  friend bool operator==(const run_started&, const run_started&) = default;
};

struct run_ended {
  uint64_t run = 0;
  std::string ended_by;
  friend bool operator==(const run_ended&, const run_ended&) = default;
};

/// After a crash: its calls go on.
struct run_resumed {
  uint64_t run = 0;
  friend bool operator==(const run_resumed&, const run_resumed&) = default;
};

/// How far a lane of a load run is, about once a second.
struct run_progress {
  uint64_t run = 0;
  uint32_t lane = 0;
  /// The lane's arrivals below that number are made, or were missed.
  uint64_t next = 0;
  uint64_t missed_by_limit = 0;
  uint64_t missed_by_generator = 0;
  friend bool operator==(const run_progress&, const run_progress&) = default;
};

/// What happened, in the order of sequence numbers. `monostate`: a kind that a later version wrote
/// within the same format.
struct event_record {
  wall_time at{};
  std::variant<std::monostate, call_ended, run_started, run_ended, run_resumed, run_progress> what;

  friend bool operator==(const event_record&, const event_record&) = default;
};

[[nodiscard]] std::string pack(const run_record& record);
[[nodiscard]] std::string pack(const call_record& record);
[[nodiscard]] std::string pack(const event_record& record);
[[nodiscard]] std::string pack(const bindings_record& record);
[[nodiscard]] std::string pack(const registration_record& record);
/// Fails on bytes that are no such record, and on a version that is not ours; `place` of the error
/// is left to the caller.
[[nodiscard]] result<run_record> unpack_run(std::string_view bytes);
[[nodiscard]] result<call_record> unpack_call(std::string_view bytes);
[[nodiscard]] result<event_record> unpack_event(std::string_view bytes);
[[nodiscard]] result<bindings_record> unpack_bindings(std::string_view bytes);
[[nodiscard]] result<registration_record> unpack_registration(std::string_view bytes);

/// Keys: big-endian, so that their order is that of the numbers.
[[nodiscard]] std::string run_key(uint64_t run);
[[nodiscard]] std::string key_of(const call_key& call);
[[nodiscard]] std::string event_key(uint64_t sequence);
/// Of the bindings of an address of record, "user@host".
[[nodiscard]] std::string bindings_key(std::string_view address_of_record);
[[nodiscard]] std::optional<std::string_view> address_of_key(std::string_view key);
/// Of a registration that a load run made: it counts among that run's calls.
[[nodiscard]] std::string registration_key(const call_key& registration);
[[nodiscard]] std::optional<call_key> registration_of_key(std::string_view key);
/// All of these are from that key on and before the other.
[[nodiscard]] std::string_view first_registration_key() noexcept;
[[nodiscard]] std::string_view end_of_registration_keys() noexcept;
/// A run's or an event's.
[[nodiscard]] std::optional<uint64_t> number_of_key(std::string_view key);
[[nodiscard]] std::optional<call_key> call_of_key(std::string_view key);

} // namespace jackfield::storage
