#include "actors/node/registrar.hpp"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "engine/sip/fields.hpp"
#include "engine/sip/uri.hpp"

namespace jackfield {

namespace {

std::optional<std::string> address_in(const sip::message& request) {
  const auto to = sip::parse_name_addr(request.first(sip::header::to));
  return to ? address_of_record(to->uri) : std::nullopt;
}

struct user_lookup {
  const registrar_settings& settings;

  static std::string_view find(void* context, std::string_view username,
                               sip::digest_algorithm algorithm) {
    const auto& users = static_cast<user_lookup*>(context)->settings.users;
    const auto found = users.find(std::string{username});
    return found == users.end() ? std::string_view{}
                                : found->second[static_cast<size_t>(algorithm)];
  }
};

/// A contact's value without its expires parameter, which the answer gives anew.
std::string without_expires(const sip::name_addr& contact) {
  std::string out{"<"};
  out += contact.uri;
  out += '>';
  sip::append_parameters_without(out, contact.parameters, "expires");
  return out;
}

} // namespace

void registrar_settings::add_user(std::string_view user, std::string_view password) {
  auto& hashes = users[std::string{user}];
  for (const auto a : {sip::digest_algorithm::md5, sip::digest_algorithm::sha256,
                       sip::digest_algorithm::sha512_256})
    hashes[static_cast<size_t>(a)] = sip::digest_ha1(a, user, realm, password);
}

std::shared_ptr<const registrar_settings> with_secret(const registrar_settings& settings,
                                                      lane::lane& home) {
  auto own = std::make_shared<registrar_settings>(settings);
  if (own->secret.empty()) {
    own->secret.resize(32);
    home.random_bytes(std::as_writable_bytes(std::span{own->secret}));
  }
  return own;
}

registrar::registrar(lane_context& context, std::shared_ptr<const registrar_settings> settings,
                     std::shared_ptr<registrar_shards> shards, lane::lane_actor* owner)
    : context_(context), router_(context.router), settings_(std::move(settings)),
      shards_(std::move(shards)),
      sweep_timer_([](void* self) { static_cast<registrar*>(self)->sweep(); }, this),
      owner_(owner) {
  if (shards_)
    shards_->of_lane.at(router_.peers().position()) = this;
  router_.set_flow_watcher(this);
  make_verifier();
}

void registrar::make_verifier() {
  verifier_ = nullptr;
  if (settings_->users.empty())
    return;
  sip::digest_verifier::settings options;
  options.realm = settings_->realm;
  options.secret = settings_->secret;
  verifier_ = std::make_unique<sip::digest_verifier>(std::move(options));
}

registrar::~registrar() {
  router_.set_flow_watcher(nullptr);
  if (shards_)
    shards_->of_lane[router_.peers().position()] = nullptr;
}

std::vector<std::string> registrar::present() const {
  std::vector<std::string> all;
  for (const auto& [aor, contacts] : bindings_)
    if (holds(contacts, router_.home().now()))
      all.push_back(aor);
  std::ranges::sort(all);
  return all;
}

void registrar::use(registrar_settings settings) {
  const bool asks_alike =
    settings.realm == settings_->realm && settings.users.empty() == settings_->users.empty();
  settings.secret = settings_->secret;
  settings_ = std::make_shared<const registrar_settings>(std::move(settings));
  if (!asks_alike)
    make_verifier();
}

uint8_t registrar::lane_of(const std::string& aor) const {
  return shards_ ? router_.peers().home_of(std::hash<std::string>{}(aor))
                 : router_.peers().position();
}

contacts_found registrar::find(const std::string& aor, uint64_t ticket) const {
  contacts_found out{ticket, {}};
  if (const auto known = bindings_.find(aor); known != bindings_.end())
    for (auto c = known->second.rbegin(); c != known->second.rend(); ++c)
      if (!c->removed && c->expires > router_.home().now())
        out.contacts.push_back({c->value, c->flow});
  return out;
}

void registrar::look_up(std::string_view uri, const caf::strong_actor_ptr& asker, uint64_t ticket) {
  const auto aor = address_of_record(uri);
  const auto lane = aor ? lane_of(*aor) : router_.peers().position();
  if (lane == router_.peers().position()) {
    lane::tell(router_.home(), asker, aor ? find(*aor, ticket) : contacts_found{ticket, {}});
    return;
  }
  router_.peers().post(lane, [shards = shards_, aor = *aor, asker, ticket](sip_router& router) {
    const auto* const there = shards->of_lane[router.peers().position()];
    lane::tell(router.home(), asker,
               there != nullptr ? there->find(aor, ticket) : contacts_found{ticket, {}});
  });
}

caller_identified::outcome registrar::identity_of(const sip_arrival& request, std::string& user) {
  using verdict = sip::digest_verifier::verdict;
  using outcome = caller_identified::outcome;
  const auto now = router_.home().now();
  const auto& source = request.from().remote;
  if (guesses_.is_banned(source, now))
    return outcome::banned;
  user_lookup lookup{*settings_};
  switch (verifier_->verify(request.message(), now, &user_lookup::find, &lookup, user)) {
  case verdict::accepted:
    guesses_.on_success(source);
    return outcome::known;
  case verdict::again:
    // Over a stream nothing is lost, so it is somebody else's copy. So is an INVITE that comes when
    // its own transaction is over.
    return transport::is_reliable(request.from().protocol) ||
               request.message().request_method() == sip::method::invite
             ? outcome::stale
             : outcome::known;
  case verdict::absent:
    return outcome::absent;
  case verdict::stale:
    return outcome::stale;
  case verdict::wrong:
    if (guesses_.on_failure(source, now) && shards_)
      ++shards_->bans;
    return outcome::wrong;
  case verdict::malformed:
    break;
  }
  return outcome::malformed;
}

bool registrar::admitted(const sip_arrival& request, const std::string& aor) {
  if (!verifier_)
    return true;
  using outcome = caller_identified::outcome;
  std::string who;
  const auto how = identity_of(request, who);
  if (how == outcome::banned)
    return false;
  if (how == outcome::malformed) {
    refuse(request, aor, 400);
    return false;
  }
  if (how == outcome::known) {
    if (who == std::string_view{aor}.substr(0, aor.find('@')))
      return true;
    refuse(request, aor, 403); // somebody else's address
    return false;
  }
  if (how == outcome::wrong)
    count_refusal(aor, 401);
  challenge(request, how == outcome::stale);
  return false;
}

void registrar::challenge(const sip_arrival& request, bool stale) {
  std::string challenges;
  verifier_->append_challenges(challenges, router_.home().now(), router_.home().random(), stale);
  router_.answer(request, 401, challenges);
}

void registrar::identify(const sip_arrival& request, const caf::strong_actor_ptr& asker,
                         uint64_t ticket) {
  const auto told_by = [asker, ticket](registrar& there, const sip_arrival& asked) {
    caller_identified said{ticket, {}, {}};
    said.how = there.identity_of(asked, said.user);
    if (said.how != caller_identified::outcome::known)
      said.user.clear();
    return said;
  };
  std::string claimed; // by the credentials that will be verified, which are the first
  for (const auto& field : request.message().fields()) {
    if (field.id != sip::header::authorization)
      continue;
    const auto given = sip::digest_credentials::parse(field.value);
    if (given && given->realm == settings_->realm) {
      claimed = given->username;
      break;
    }
  }
  const auto lane = lane_of(claimed);
  if (claimed.empty() || lane == router_.peers().position()) {
    lane::tell(router_.home(), asker, told_by(*this, request));
    return;
  }
  router_.peers().post(lane, [shards = shards_, asker, ticket, told_by, from = request.from(),
                              bytes = std::string{request.bytes()},
                              arrived = request.arrived()](sip_router& router) {
    auto* const there = shards->of_lane[router.peers().position()];
    caller_identified said{ticket, {}, {}};
    if (there != nullptr)
      said = told_by(*there, *sip_arrival::make(from, bytes, arrived));
    lane::tell(router.home(), asker, std::move(said));
  });
}

void registrar::refuse(const sip_arrival& request, const std::string& aor, int status,
                       std::string_view headers) {
  count_refusal(aor, status);
  router_.answer(request, status, headers);
}

void registrar::count_refusal(const std::string& aor, int status) {
  const auto known = bindings_.find(aor);
  if (known != bindings_.end() && holds(known->second, router_.home().now())) {
    ++counts_.refresh_failed;
  } else {
    ++counts_.attempted;
    ++counts_.failed;
  }
  ++counts_.failures[report::failure_cause::from_status(status)];
}

bool registrar::holds(const std::vector<contact>& contacts, lane::time_point now) noexcept {
  return std::any_of(contacts.begin(), contacts.end(),
                     [now](const contact& c) { return !c.removed && c.expires > now; });
}

void registrar::on_register(const sip_arrival_ptr& arrival) {
  const auto& request = *arrival;
  const auto now = router_.home().now();
  const auto aor = address_in(request.message());
  if (!aor) {
    refuse(request, {}, 400);
    return;
  }
  if (const auto lane = lane_of(*aor); lane != router_.peers().position()) {
    router_.hand_over(lane, request);
    return;
  }
  if (!admitted(request, *aor))
    return;
  if (aor->size() + request.message().call_id().size() > registrar_settings::max_name_bytes) {
    refuse(request, *aor, 400);
    return;
  }
  const auto known = bindings_.find(*aor);
  const auto most = std::max<size_t>(settings_->max_bindings / router_.peers().count(), 1);
  // All else waits while they are looked through: not for each that would be one more.
  if (known == bindings_.end() && bindings_.size() >= most && now >= next_sweep_) {
    next_sweep_ = now + sweep_interval;
    expire(now);
  }
  if ((known == bindings_.end() && bindings_.size() >= most) ||
      (keeps() != nullptr && !keeps()->takes_work())) {
    refuse(request, *aor, 503, "Retry-After: 30\r\n");
    return;
  }
  const auto before = known == bindings_.end() ? std::vector<contact>{} : known->second;
  auto contacts = before;
  std::erase_if(contacts, [&](const contact& c) { return c.expires <= now; });
  const auto done = apply(request, contacts, now);
  if (done.refusal != 0) {
    refuse(request, *aor, done.refusal,
           done.refusal == 423 ? "Min-Expires: " + std::to_string(settings_->min_expires) + "\r\n"
                               : std::string{});
    return;
  }
  const bool refreshed = holds(before, now);
  std::string lines;
  for (const auto& c : contacts) {
    if (c.removed)
      continue;
    const auto left = std::chrono::ceil<std::chrono::seconds>(c.expires - now).count();
    lines += "Contact: " + c.value + ";expires=" + std::to_string(left) + "\r\n";
  }
  // A copy of what waits for the store waits, too: nobody is told sooner than that.
  const bool asks = !request.message().first(sip::header::contact).empty();
  if (keeps() != nullptr && asks && (is_kept(before) || is_kept(contacts))) {
    save(*aor, contacts, true);
    waiting_.push_back({arrival, *aor, done, refreshed, std::move(lines)});
  } else {
    welcome(request, done, refreshed, lines);
  }
  for (const auto& c : contacts)
    if (c.flow.valid() && c.flow == request.from()) {
      const auto old = std::find_if(before.begin(), before.end(),
                                    [&](const contact& b) { return b.value == c.value; });
      tell_way(*aor, c, old != before.end() ? old->flow : transport::flow{});
    }
  replace(*aor, before, std::move(contacts));
}

void registrar::tell_way(const std::string& aor, const contact& known,
                         const transport::flow& before) {
  if (known.flow == before)
    return;
  const auto uri = sip::parse_name_addr(known.value);
  if (const auto who = uri ? client_name::of(aor, uri->uri) : std::nullopt)
    router_.client_is_back(*who, before, known.flow);
}

void registrar::welcome(const sip_arrival& request, const change& done, bool refreshed,
                        std::string_view lines) {
  if (done.bound && refreshed) {
    ++counts_.refreshed;
  } else if (done.bound) {
    ++counts_.attempted;
    ++counts_.succeeded;
  }
  router_.answer(request, 200, lines);
}

registrar::change registrar::apply(const sip_arrival& request, std::vector<contact>& contacts,
                                   lane::time_point now) const {
  const auto& m = request.message();
  const auto& from = request.from();
  const auto flow = transport::is_reliable(from.protocol) ? from : transport::flow{};
  const auto header_expires = sip::parse_uint(m.first(sip::header::expires), UINT32_MAX);
  change done;
  m.each_value(sip::header::contact, [&](std::string_view value) {
    const auto parsed = sip::parse_name_addr(value);
    if (!parsed) {
      done.refusal = 400;
      return false;
    }
    if (parsed->uri == "*") {
      // Only by itself and with Expires: 0 (RFC 3261 §10.2.2).
      if (header_expires != uint64_t{0})
        done.refusal = 400;
      for (auto& c : contacts)
        if (done.refusal == 0 && !overtaken(c, m))
          remove(c, m, now);
      return done.refusal == 0;
    }
    uint64_t seconds = settings_->max_expires;
    if (const auto own = parsed->expires())
      seconds = *own;
    else if (header_expires)
      seconds = *header_expires;
    seconds = std::min<uint64_t>(seconds, settings_->max_expires);
    if (seconds > 0 && seconds < settings_->min_expires) {
      done.refusal = 423;
      return false;
    }
    const auto shown = without_expires(*parsed);
    if (shown.size() > registrar_settings::max_contact_bytes) {
      done.refusal = 400;
      return false;
    }
    const auto old = std::find_if(contacts.begin(), contacts.end(),
                                  [&](const contact& c) { return c.value == shown; });
    if (old != contacts.end()) {
      if (overtaken(*old, m))
        return true;
      if (seconds == 0) {
        remove(*old, m, now);
        return true;
      }
      contacts.erase(old);
    }
    if (seconds == 0)
      return true;
    if (contacts.size() >= settings_->max_contacts) {
      // Those that are gone are remembered only where there is room.
      const auto gone =
        std::find_if(contacts.begin(), contacts.end(), [](const contact& c) { return c.removed; });
      if (gone == contacts.end()) {
        done.refusal = 403;
        return false;
      }
      contacts.erase(gone);
    }
    contacts.push_back({shown, now + std::chrono::seconds{seconds}, std::string{m.call_id()},
                        m.cseq_number(), false, flow,
                        transport::is_websocket(from.protocol) || parsed->parameter("reg-id")});
    done.bound = true;
    return true;
  });
  return done;
}

void registrar::replace(const std::string& aor, const std::vector<contact>& before,
                        std::vector<contact>&& contacts) {
  for (const auto& c : before)
    release(c.flow, aor, contacts);
  for (const auto& c : contacts)
    hold(c.flow, aor);
  const auto now = router_.home().now();
  const bool present = holds(contacts, now);
  if (contacts.empty())
    bindings_.erase(aor);
  else
    bindings_[aor] = std::move(contacts);
  if (!bindings_.empty() && !sweep_timer_.armed())
    router_.home().arm(sweep_timer_, now + sweep_interval);
  // Who has expired but was not swept is present to the watcher still.
  tell_presence(aor, std::ranges::any_of(before, [](const contact& c) { return !c.removed; }),
                present);
}

void registrar::tell_presence(const std::string& aor, bool before, bool after) {
  if (watcher_ != nullptr && before != after)
    watcher_->on_presence(aor, after);
}

// -- what is kept ------------------------------------------------------------------

bool registrar::is_kept(const std::vector<contact>& contacts) noexcept {
  return std::any_of(contacts.begin(), contacts.end(),
                     [](const contact& c) { return !c.flow_only; });
}

storage::bindings_record registrar::record_of(const std::vector<contact>& contacts) const {
  const auto& home = router_.home();
  storage::bindings_record record;
  for (const auto& c : contacts)
    if (!c.flow_only)
      record.contacts.push_back(
        {c.value, home.wall_now() + (c.expires - home.now()), c.call_id, c.cseq, c.removed});
  return record;
}

void registrar::save(const std::string& aor, const std::vector<contact>& contacts,
                     bool tell_owner) {
  const auto record = record_of(contacts);
  auto key = storage::bindings_key(aor);
  storage::change c;
  if (record.contacts.empty())
    c.writes.erase(storage::keyspace::registrations, std::move(key));
  else
    c.writes.put(storage::keyspace::registrations, std::move(key), storage::pack(record));
  c.how = keeps()->calls();
  keeps()->write(std::move(c),
                 tell_owner ? caf::strong_actor_ptr{owner_->ctrl()} : caf::strong_actor_ptr{});
}

void registrar::on_recorded(const recorded& written) {
  if (waiting_.empty())
    return;
  const auto first = std::move(waiting_.front());
  waiting_.pop_front();
  if (written.not_yet) // it will be; but nobody is to rely on it before
    refuse(*first.request, first.aor, 503, "Retry-After: 30\r\n");
  else
    welcome(*first.request, first.done, first.refreshed, first.lines);
}

void registrar::take_up(const std::vector<storage::kept_bindings>& left) {
  const auto now = router_.home().now();
  const auto wall = router_.home().wall_now();
  const auto latest = now + std::chrono::seconds{settings_->max_expires};
  for (const auto& [aor, record] : left) {
    if (lane_of(aor) != router_.peers().position() || bindings_.contains(aor))
      continue;
    std::vector<contact> contacts;
    for (const auto& c : record.contacts)
      if (c.expires > wall)
        contacts.push_back({c.value,
                            std::min(now + (c.expires - wall), latest),
                            c.call_id,
                            c.cseq,
                            c.removed,
                            {},
                            false});
    if (contacts.size() < record.contacts.size() && keeps() != nullptr)
      save(aor, contacts, false);
    tell_presence(aor, false, holds(contacts, now));
    if (!contacts.empty())
      bindings_.emplace(aor, std::move(contacts));
  }
  if (!bindings_.empty() && !sweep_timer_.armed())
    router_.home().arm(sweep_timer_, now + sweep_interval);
}

bool registrar::overtaken(const contact& known, const sip::message& request) noexcept {
  return known.call_id == request.call_id() && request.cseq_number() <= known.cseq;
}

void registrar::remove(contact& known, const sip::message& request, lane::time_point now) {
  constexpr auto late = sip::timer_values{}.transaction_limit();
  if (!known.removed)
    known.expires = now + late;
  known.removed = true;
  known.flow = {};
  known.call_id = request.call_id();
  known.cseq = request.cseq_number();
}

void registrar::expire(lane::time_point now) {
  for (auto binding = bindings_.begin(); binding != bindings_.end();)
    binding =
      expire(binding->first, binding->second, now) ? bindings_.erase(binding) : std::next(binding);
}

bool registrar::expire(const std::string& aor, std::vector<contact>& contacts,
                       lane::time_point now) {
  const bool were_kept = is_kept(contacts);
  const auto count = contacts.size();
  const auto is_there = [](const contact& c) { return !c.removed; };
  const bool present = std::ranges::any_of(contacts, is_there);
  for (auto c = contacts.begin(); c != contacts.end();) {
    if (c->expires > now) {
      ++c;
      continue;
    }
    const auto flow = c->flow;
    c = contacts.erase(c);
    release(flow, aor, contacts);
  }
  if (keeps() != nullptr && were_kept && contacts.size() < count)
    save(aor, contacts, false);
  tell_presence(aor, present, std::ranges::any_of(contacts, is_there));
  return contacts.empty();
}

void registrar::sweep() {
  const auto now = router_.home().now();
  std::vector<std::string> over;
  const auto most = bindings_.bucket_count() / sweep_parts + 1;
  for (size_t i = 0; i < most; ++i) {
    const auto bucket = next_bucket_++ % bindings_.bucket_count();
    for (auto binding = bindings_.begin(bucket); binding != bindings_.end(bucket); ++binding)
      if (expire(binding->first, binding->second, now))
        over.push_back(binding->first);
  }
  for (const auto& aor : over)
    bindings_.erase(aor);
  if (bindings_.empty())
    bindings_ = {}; // the table, too
  else
    router_.home().arm(sweep_timer_, now + sweep_interval);
}

// -- connections -------------------------------------------------------------------

void registrar::hold(const transport::flow& f, const std::string& aor) {
  if (!f.valid())
    return;
  by_flow_[f].insert(aor);
  router_.watch(f);
}

void registrar::release(const transport::flow& f, const std::string& aor,
                        const std::vector<contact>& contacts) {
  const auto held = f.valid() ? by_flow_.find(f) : by_flow_.end();
  if (held == by_flow_.end() ||
      std::any_of(contacts.begin(), contacts.end(), [&](const contact& c) { return c.flow == f; }))
    return;
  held->second.erase(aor);
  if (held->second.empty())
    by_flow_.erase(held);
}

void registrar::on_flow_over(const transport::flow& gone) {
  const auto held = by_flow_.find(gone);
  if (held == by_flow_.end())
    return;
  for (const auto& aor : held->second) {
    const auto known = bindings_.find(aor);
    if (known == bindings_.end())
      continue;
    auto& contacts = known->second;
    const auto now = router_.home().now();
    const bool present = holds(contacts, now);
    std::erase_if(contacts, [&](const contact& c) { return c.flow == gone && c.flow_only; });
    for (auto& c : contacts)
      if (c.flow == gone)
        c.flow = {};
    tell_presence(aor, present, holds(contacts, now));
    if (contacts.empty())
      bindings_.erase(known);
  }
  by_flow_.erase(held);
}

void registrar::on_client_awaited(const client_name& who) {
  if (const auto lane = lane_of(who.address_of_record); lane != router_.peers().position()) {
    router_.peers().post(lane, [shards = shards_, who](sip_router& router) {
      if (auto* const there = shards->of_lane[router.peers().position()])
        there->on_client_awaited(who);
    });
    return;
  }
  const auto known = bindings_.find(who.address_of_record);
  if (known == bindings_.end())
    return;
  for (const auto& c : known->second)
    if (!c.removed && c.flow.valid() && c.expires > router_.home().now())
      tell_way(who.address_of_record, c, {});
}

size_t registrar::bindings(lane::time_point now) {
  expire(now);
  return static_cast<size_t>(
    std::count_if(bindings_.begin(), bindings_.end(),
                  [now](const auto& binding) { return holds(binding.second, now); }));
}

report::registration_counts registrar::counted(lane::time_point now) {
  auto made = counts_;
  made.current = bindings(now);
  return made;
}

} // namespace jackfield
