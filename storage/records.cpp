#include "storage/records.hpp"

#include <algorithm>
#include <utility>

#include <storage/records.pb.h>

#include "storage/figures_record.hpp"
#include "storage/packing.hpp"

namespace jackfield::storage {

namespace {

void write(const sip::dialog_record& d, proto::Dialog& out) {
  out.set_leg(d.leg);
  out.set_call_id(d.call_id);
  out.set_local_party(d.local_party);
  out.set_local_tag(d.local_tag);
  out.set_remote_party(d.remote_party);
  out.set_remote_tag(d.remote_tag);
  out.set_remote_target(d.remote_target);
  out.set_route_set(d.route_set);
  out.set_contact(d.contact);
  out.set_local_cseq(d.local_cseq);
  if (d.remote_cseq)
    out.set_remote_cseq(*d.remote_cseq);
  out.set_acked_cseq(d.acked_cseq);
  out.set_next_branch(d.next_branch);
  out.set_is_caller(d.is_caller);
  out.set_secure(d.secure);
}

sip::dialog_record read(const proto::Dialog& in) {
  sip::dialog_record d;
  d.leg = in.leg();
  d.call_id = in.call_id();
  d.local_party = in.local_party();
  d.local_tag = in.local_tag();
  d.remote_party = in.remote_party();
  d.remote_tag = in.remote_tag();
  d.remote_target = in.remote_target();
  d.route_set = in.route_set();
  d.contact = in.contact();
  d.local_cseq = in.local_cseq();
  if (in.has_remote_cseq())
    d.remote_cseq = in.remote_cseq();
  d.acked_cseq = in.acked_cseq();
  d.next_branch = in.next_branch();
  d.is_caller = in.is_caller();
  d.secure = in.secure();
  return d;
}

void write(const sip::attempt_record& a, proto::Attempt& out) {
  out.set_leg(a.leg);
  out.set_uri(a.uri);
  out.set_from(a.from);
  out.set_to(a.to);
  out.set_route(a.route);
  out.set_cseq(a.cseq);
  out.set_branch(a.branch);
}

sip::attempt_record read(const proto::Attempt& in) {
  return {in.leg(), in.uri(), in.from(), in.to(), in.route(), in.cseq(), in.branch()};
}

void write(const media_record& m, proto::Media& out) {
  const auto& agreed = m.agreed;
  out.set_port(m.port);
  out.set_version(agreed.version);
  out.set_way(static_cast<uint32_t>(agreed.way));
  out.set_held(agreed.held);
  out.set_protected_by(static_cast<uint32_t>(agreed.protected_by));
  out.set_role(static_cast<uint32_t>(agreed.role));
  for (const auto& codec : m.codecs)
    out.add_codecs(codec);
  if (!agreed.layout)
    return;
  auto& layout = *out.mutable_layout();
  for (const auto& line : agreed.layout->lines) {
    auto& kept = *layout.add_lines();
    kept.set_type(line.type);
    kept.set_profile(line.profile);
    kept.set_format(line.format);
  }
  layout.set_audio(static_cast<uint32_t>(agreed.layout->audio));
  if (agreed.layout->mid)
    layout.set_mid(*agreed.layout->mid);
  layout.set_bundled(agreed.layout->bundled);
  layout.set_payload_types(agreed.layout->payload_types.data(),
                           agreed.layout->payload_types.size());
}

/// Nothing if it is of no use.
std::optional<media_record> read(const proto::Media& in) {
  if (in.port() > UINT16_MAX || in.way() > static_cast<uint32_t>(sdp::direction::inactive) ||
      in.protected_by() > static_cast<uint32_t>(sdp::protection::dtls) ||
      in.role() > static_cast<uint32_t>(sdp::setup::holdconn))
    return std::nullopt;
  media_record m;
  m.port = static_cast<uint16_t>(in.port());
  m.agreed.version = in.version();
  m.agreed.way = static_cast<sdp::direction>(in.way());
  m.agreed.held = in.held();
  m.agreed.protected_by = static_cast<sdp::protection>(in.protected_by());
  m.agreed.role = static_cast<sdp::setup>(in.role());
  m.codecs.assign(in.codecs().begin(), in.codecs().end());
  if (!in.has_layout())
    return m;
  const auto& kept = in.layout();
  auto& layout = m.agreed.layout.emplace();
  for (const auto& line : kept.lines())
    layout.lines.push_back({line.type(), line.profile(), line.format()});
  layout.audio = kept.audio();
  if (layout.audio >= layout.lines.size())
    return std::nullopt;
  if (kept.has_mid())
    layout.mid = kept.mid();
  layout.bundled = kept.bundled();
  layout.payload_types.assign(kept.payload_types().begin(), kept.payload_types().end());
  return m;
}

void write(const queueing_record& q, proto::Queueing& out) {
  out.set_queue(q.queue);
  out.set_priority(q.priority);
  out.set_since(stamp(q.since));
  out.set_agent(q.agent);
  out.set_taken(stamp(q.taken));
  out.set_left(q.left);
  out.set_agent_leg(q.agent_leg);
}

queueing_record read(const proto::Queueing& in) {
  return {
    in.queue(), in.priority(), maybe_time_of(in.since()), in.agent(), maybe_time_of(in.taken()),
    in.left(),  in.agent_leg()};
}

run_progress read(const proto::RunProgress& in) {
  return {in.run(), in.lane(), in.next(), in.missed_by_limit(), in.missed_by_generator()};
}

void write(const call_ended& c, proto::CallEnded& out) {
  out.set_run(c.call.run);
  out.set_number(c.call.number);
  out.set_incoming(c.incoming);
  out.set_call_id(c.call_id);
  out.set_from(c.from);
  out.set_to(c.to);
  out.set_started(stamp(c.started));
  out.set_answered(stamp(c.answered));
  out.set_ended(stamp(c.ended));
  out.set_cause(c.cause);
  out.set_status(c.status);
  if (c.figures)
    write(*c.figures, *out.mutable_figures());
  if (c.queueing)
    write(*c.queueing, *out.mutable_queueing());
}

call_ended read(const proto::CallEnded& in) {
  call_ended c;
  c.call = {in.run(), in.number()};
  c.incoming = in.incoming();
  c.call_id = in.call_id();
  c.from = in.from();
  c.to = in.to();
  c.started = time_of(in.started());
  c.answered = maybe_time_of(in.answered());
  c.ended = time_of(in.ended());
  c.cause = in.cause();
  c.status = in.status();
  if (in.has_figures())
    c.figures = storage::read(in.figures());
  if (in.has_queueing())
    c.queueing = read(in.queueing());
  return c;
}

void append(std::string& key, uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8)
    key += static_cast<char>(number >> static_cast<unsigned>(shift));
}

uint64_t number_at(std::string_view eight) {
  uint64_t number = 0;
  for (const char c : eight)
    number = number << 8U | static_cast<unsigned char>(c);
  return number;
}

constexpr size_t number_size = 8;
// Of keys among registrations: of bindings, and of those that load runs made.
constexpr char bindings_prefix = 'a';
constexpr std::string_view registration_prefix = "r";
constexpr std::string_view behind_registrations = "s";

void write(std::monostate, proto::Event&) {}

void write(const call_ended& what, proto::Event& out) {
  write(what, *out.mutable_call_ended());
}

void write(const run_started& what, proto::Event& out) {
  out.mutable_run_started()->set_run(what.run);
}

void write(const run_ended& what, proto::Event& out) {
  auto& kept = *out.mutable_run_ended();
  kept.set_run(what.run);
  kept.set_ended_by(what.ended_by);
}

void write(const run_resumed& what, proto::Event& out) {
  out.mutable_run_resumed()->set_run(what.run);
}

void write(const run_progress& what, proto::Event& out) {
  auto& kept = *out.mutable_run_progress();
  kept.set_run(what.run);
  kept.set_lane(what.lane);
  kept.set_next(what.next);
  kept.set_missed_by_limit(what.missed_by_limit);
  kept.set_missed_by_generator(what.missed_by_generator);
}

} // namespace

std::chrono::nanoseconds queueing_record::waited(wall_time ended) const noexcept {
  using std::chrono::nanoseconds;
  return since ? std::max(nanoseconds{taken.value_or(ended) - *since}, nanoseconds::zero())
               : nanoseconds::zero();
}

std::chrono::nanoseconds queueing_record::talked(wall_time ended) const noexcept {
  using std::chrono::nanoseconds;
  return taken ? std::max(nanoseconds{ended - *taken}, nanoseconds::zero()) : nanoseconds::zero();
}

std::string call_key::text() const {
  return std::to_string(run) + "-" + std::to_string(number);
}

std::string pack(const run_record& record) {
  proto::Run out;
  out.set_command(record.command);
  out.set_kind(record.kind);
  out.set_started(stamp(record.started));
  out.set_ended(stamp(record.ended));
  out.set_ended_by(record.ended_by);
  out.set_seed(record.seed);
  out.set_embedded(record.embedded);
  out.set_plan(record.plan);
  out.set_lanes(record.lanes);
  out.set_resumed(record.resumed);
  return bytes_of(out);
}

std::string pack(const call_record& record) {
  proto::Call out;
  out.set_incoming(record.incoming);
  out.set_call_id(record.call_id);
  out.set_from(record.from);
  out.set_to(record.to);
  out.set_started(stamp(record.started));
  out.set_answered(stamp(record.answered));
  out.set_leg(record.leg);
  out.set_target(record.target);
  out.set_host(record.host);
  out.set_local(record.local);
  if (record.attempt)
    write(*record.attempt, *out.mutable_attempt());
  if (record.dialog)
    write(*record.dialog, *out.mutable_dialog());
  if (record.media)
    write(*record.media, *out.mutable_media());
  out.set_due(stamp(record.due));
  out.set_first_response(stamp(record.first_response));
  out.set_ringing(stamp(record.ringing));
  out.set_bridged(record.bridged);
  if (record.queueing)
    write(*record.queueing, *out.mutable_queueing());
  out.set_registered_as(record.registered_as);
  return bytes_of(out);
}

std::string pack(const event_record& record) {
  proto::Event out;
  out.set_at(stamp(record.at));
  std::visit([&out](const auto& what) { write(what, out); }, record.what);
  return bytes_of(out);
}

std::string pack(const bindings_record& record) {
  proto::Bindings out;
  for (const auto& contact : record.contacts) {
    auto& kept = *out.add_contacts();
    kept.set_value(contact.value);
    kept.set_expires(stamp(contact.expires));
    kept.set_call_id(contact.call_id);
    kept.set_cseq(contact.cseq);
    kept.set_removed(contact.removed);
  }
  return bytes_of(out);
}

std::string pack(const registration_record& record) {
  proto::Registration out;
  out.set_aor(record.aor);
  out.set_contact(record.contact);
  out.set_call_id(record.call_id);
  out.set_cseq(record.cseq);
  out.set_leg(record.leg);
  out.set_registrar(record.registrar);
  out.set_route(record.route);
  out.set_target(record.target);
  out.set_host(record.host);
  out.set_local(record.local);
  out.set_expires(record.expires);
  out.set_started(stamp(record.started));
  out.set_registered(stamp(record.registered));
  out.set_until(stamp(record.until));
  return bytes_of(out);
}

result<run_record> unpack_run(std::string_view bytes) {
  return message_in<proto::Run>(bytes, "a run").map([](const proto::Run& in) {
    run_record record;
    record.command = in.command();
    record.kind = in.kind();
    record.started = time_of(in.started());
    record.ended = maybe_time_of(in.ended());
    record.ended_by = in.ended_by();
    record.seed = in.seed();
    record.embedded = in.embedded();
    record.plan = in.plan();
    record.lanes = in.lanes();
    record.resumed = in.resumed();
    return record;
  });
}

result<call_record> unpack_call(std::string_view bytes) {
  return message_in<proto::Call>(bytes, "a call").map([](const proto::Call& in) {
    call_record record;
    record.incoming = in.incoming();
    record.bridged = in.bridged();
    record.call_id = in.call_id();
    record.from = in.from();
    record.to = in.to();
    record.started = time_of(in.started());
    record.answered = maybe_time_of(in.answered());
    record.leg = in.leg();
    record.target = in.target();
    record.host = in.host();
    record.local = in.local();
    if (in.has_attempt())
      record.attempt = read(in.attempt());
    if (in.has_dialog())
      record.dialog = read(in.dialog());
    if (in.has_media())
      record.media = read(in.media());
    record.due = maybe_time_of(in.due());
    record.first_response = maybe_time_of(in.first_response());
    record.ringing = maybe_time_of(in.ringing());
    if (in.has_queueing())
      record.queueing = read(in.queueing());
    record.registered_as = in.registered_as();
    return record;
  });
}

result<bindings_record> unpack_bindings(std::string_view bytes) {
  return message_in<proto::Bindings>(bytes, "bindings").map([](const proto::Bindings& in) {
    bindings_record record;
    record.contacts.reserve(static_cast<size_t>(in.contacts_size()));
    for (const auto& kept : in.contacts())
      record.contacts.push_back(
        {kept.value(), time_of(kept.expires()), kept.call_id(), kept.cseq(), kept.removed()});
    return record;
  });
}

result<registration_record> unpack_registration(std::string_view bytes) {
  return message_in<proto::Registration>(bytes, "a registration")
    .map([](const proto::Registration& in) {
      registration_record record;
      record.aor = in.aor();
      record.contact = in.contact();
      record.call_id = in.call_id();
      record.cseq = in.cseq();
      record.leg = in.leg();
      record.registrar = in.registrar();
      record.route = in.route();
      record.target = in.target();
      record.host = in.host();
      record.local = in.local();
      record.expires = in.expires();
      record.started = time_of(in.started());
      record.registered = maybe_time_of(in.registered());
      record.until = time_of(in.until());
      return record;
    });
}

result<event_record> unpack_event(std::string_view bytes) {
  return message_in<proto::Event>(bytes, "an event").map([](const proto::Event& in) {
    event_record record;
    record.at = time_of(in.at());
    if (in.has_call_ended())
      record.what = read(in.call_ended());
    else if (in.has_run_started())
      record.what = run_started{in.run_started().run()};
    else if (in.has_run_ended())
      record.what = run_ended{in.run_ended().run(), in.run_ended().ended_by()};
    else if (in.has_run_resumed())
      record.what = run_resumed{in.run_resumed().run()};
    else if (in.has_run_progress())
      record.what = read(in.run_progress());
    return record;
  });
}

std::string run_key(uint64_t run) {
  return event_key(run);
}

std::string key_of(const call_key& call) {
  std::string key;
  append(key, call.run);
  append(key, call.number);
  return key;
}

std::string bindings_key(std::string_view address_of_record) {
  return bindings_prefix + std::string{address_of_record};
}

std::optional<std::string_view> address_of_key(std::string_view key) {
  if (key.size() < 2 || key.front() != bindings_prefix)
    return std::nullopt;
  return key.substr(1);
}

std::string registration_key(const call_key& registration) {
  return std::string{registration_prefix} + key_of(registration);
}

std::optional<call_key> registration_of_key(std::string_view key) {
  if (!key.starts_with(registration_prefix))
    return std::nullopt;
  return call_of_key(key.substr(registration_prefix.size()));
}

std::string_view first_registration_key() noexcept {
  return registration_prefix;
}

std::string_view end_of_registration_keys() noexcept {
  return behind_registrations;
}

std::string event_key(uint64_t sequence) {
  std::string key;
  append(key, sequence);
  return key;
}

std::optional<uint64_t> number_of_key(std::string_view key) {
  return key.size() == number_size ? std::optional{number_at(key)} : std::nullopt;
}

std::optional<call_key> call_of_key(std::string_view key) {
  if (key.size() != 2 * number_size)
    return std::nullopt;
  return call_key{number_at(key.substr(0, number_size)), number_at(key.substr(number_size))};
}

} // namespace jackfield::storage
