#include "actors/centre/queued_call.hpp"

#include <algorithm>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/behavior.hpp>

#include "actors/call/failure_of.hpp"
#include "actors/call/resumption_tally.hpp"
#include "actors/centre/centre_keeping.hpp"
#include "actors/centre/hold.hpp"
#include "actors/centre/supervisor_call.hpp"
#include "actors/media/media_stream.hpp"
#include "engine/sip/fields.hpp"
#include "engine/sip/info_digit.hpp"

namespace jackfield {

namespace {

constexpr unsigned menu_clock = 0;

/// What an agent's phone that ended so without an answer says of the agent.
policy::ring_result outcome_of(const leg_events::ended& leg) {
  using sip::end_cause;
  switch (leg.cause) {
  case end_cause::busy:
    return policy::ring_result::busy;
  case end_cause::rejected:
    return leg.status == 408 || leg.status == 480 ? policy::ring_result::no_answer
                                                  : policy::ring_result::rejected;
  case end_cause::no_answer:
  case end_cause::cancelled:
    return policy::ring_result::no_answer;
  default:
    return policy::ring_result::unreachable;
  }
}

std::string in_brackets(std::string_view uri) {
  return std::string{'<'}.append(uri).append(1, '>');
}

std::string_view name_of(queue_exit how) {
  switch (how) {
  case queue_exit::answered:
    return "answered";
  case queue_exit::abandoned:
    return "abandoned";
  case queue_exit::timed_out:
    return "timed_out";
  case queue_exit::full:
    return "full";
  case queue_exit::no_agents:
    return "no_agents";
  case queue_exit::closed:
    break;
  }
  return "closed";
}

} // namespace

queued_call::queued_call(caf::actor_config& config, lane::lane& home, lane_context& context,
                         std::shared_ptr<const bridge_manner> manner,
                         std::shared_ptr<const audio_settings> music, sip_arrival_ptr invite,
                         uint64_t transaction, queue_ticket ticket,
                         std::shared_ptr<const registrar_shards> shards, const two_clocks& clocks,
                         caf::strong_actor_ptr owner,
                         const std::shared_ptr<const centre_menus>& menus,
                         std::optional<size_t> menu)
    : lane::lane_actor(config, home), context_(context), manner_(std::move(manner)),
      music_(std::move(music)), invite_(std::move(invite)), transaction_(transaction),
      ticket_(std::move(ticket)), shards_(std::move(shards)), clocks_(clocks),
      owner_(std::move(owner)), call_id_(invite_->message().call_id()) {
  if (context_.keeps != nullptr) {
    place_ = std::make_shared<storage::queueing_record>();
    place_->queue = ticket_.name;
    place_->priority = ticket_.priority;
  }
  if (!menu)
    return;
  menu_ = std::make_unique<caller_menu>(*this, menus, *menu, menu_clock);
  auto silence = std::make_shared<audio_settings>(*menus->prompts.at(*menu)); // until the ACK
  silence->source = audio::source_spec::silence();
  music_ = std::move(silence);
}

queued_call::queued_call(caf::actor_config& config, lane::lane& home, lane_context& context,
                         std::shared_ptr<const bridge_manner> manner,
                         std::shared_ptr<const audio_settings> music,
                         storage::interrupted_call left, queue_ticket ticket,
                         std::shared_ptr<const registrar_shards> shards, const two_clocks& clocks,
                         caf::strong_actor_ptr owner)
    : lane::lane_actor(config, home), context_(context), manner_(std::move(manner)),
      music_(std::move(music)), transaction_(0), ticket_(std::move(ticket)),
      shards_(std::move(shards)), clocks_(clocks), owner_(std::move(owner)),
      call_id_(left.record.call_id),
      place_(std::make_shared<storage::queueing_record>(*left.record.queueing)), returns_(true),
      from_(in_brackets(left.record.from)), to_(in_brackets(left.record.to)), max_forwards_(69),
      answered_(true) {
  ticket_.priority = place_->priority;
  entered_ = clocks_.lane_of(*place_->since);
  left_ = std::move(left);
}

caf::behavior queued_call::make_behavior() {
  set_down_handler([this](const caf::down_msg& down) { on_down(down); });
  if (returns_)
    come_back();
  else
    caller_.leg = home().spawn<call_leg>(
      context_.router,
      std::make_unique<leg_reporter>(leg_settings(*this, caller_, manner_->media),
                                     kept_call::queued_leg(context_.keeps, place_)),
      std::exchange(invite_, nullptr), transaction_, manner_->connections);
  caller_.begun = true;
  return {
    [this](const leg_events::incoming& call) { on_incoming(call); },
    [this](const leg_events::prepared& prepared) { on_prepared(prepared); },
    [](const leg_events::ringing&) {}, // the music goes on
    [this](const leg_events::answered& answered) { on_answered(answered); },
    [this](const leg_events::confirmed&) { on_confirmed(); },
    [this](const leg_events::offered& anew) {
      if (auto* const by = speaker())
        answer_offer(*this, *by, other_than(by), anew, music_, [this] { fall_apart(); });
    },
    [](const leg_events::offer_withdrawn&) {}, // our answer will be told that it is too late
    [this](leg_events::requested& asked) { on_requested(asked); },
    [this](const lane::timer_fired& fired) {
      if (fired.id == announcer_clock)
        announcer_.on_time();
      else if (menu_)
        heed(menu_->on_timer());
    },
    [this](const media_key& key) {
      if (menu_)
        heed(menu_->on_key(key.digit));
    },
    [this](const media_played& played) {
      if (menu_)
        menu_->on_played(played);
    },
    [this](const leg_events::ended& ended) { on_ended(ended); },
    [this](const media_opened& opened) { on_opened(opened); },
    [](const media_parted&) {}, // of one whose other has closed
    [this](const media_silent& silent) {
      if (silent.heard && !ending_) {
        failure_ = report::failure_cause::media_timeout;
        end_all(how_);
      }
    },
    [this](const media_closed& closed) { on_closed(closed); },
    [this](const servers_located& found) { on_located(found); },
    [this](const contacts_found& found) { on_contacts(found); },
    [this](const ring_agent& ring) { on_ring(ring); },
    [this](const stop_ringing& stop) { on_stop_ringing(stop.offer); },
    [this](const connect_agent& connect) { on_connect(connect.offer); },
    [this](const queue_dismissed& dismissed) { on_dismissed(dismissed); },
    [this](const wait_told& told) {
      if (queued_ && ticket_.announces)
        announcer_.begin(said_of(*ticket_.announces, told.position, told.expected_wait),
                         caller_.stream, music_);
    },
    [this](ask_talk) {
      return talk_streams{caller_.stream, talking_ != nullptr ? talking_->stream : nullptr, agent_};
    },
    [this](const struct hang_up&) {
      if (!answered_)
        failure_ = report::failure_cause::stopped;
      end_all(queue_exit::closed);
    },
  };
}

void queued_call::on_exit() {
  // An error within: the legs hang up by themselves, for whom they are for is gone, and the queue
  // and the agent see it, too.
  announcer_.stop();
  close_stream(*this, caller_);
  for (auto& each : phones_)
    close_stream(*this, each);
  if (owner_) {
    failure_ = report::failure_cause::internal;
    report();
  }
  caller_ = {};
  phones_.clear();
  talking_ = nullptr;
  offers_.clear();
  agent_actor_ = nullptr;
  recorder_ = nullptr;
  ticket_ = {};
  menu_ = nullptr;
  invite_ = nullptr;
}

// -- who is who --------------------------------------------------------------------

call_side* queued_call::speaker() {
  const auto& from = current_sender();
  if (from == caller_.leg)
    return &caller_;
  const auto found =
    std::ranges::find_if(phones_, [&](const phone& one) { return from == one.leg; });
  return found == phones_.end() ? nullptr : &*found;
}

call_side* queued_call::player() {
  const auto& from = current_sender();
  if (from == caller_.stream)
    return &caller_;
  const auto found =
    std::ranges::find_if(phones_, [&](const phone& one) { return from == one.stream; });
  return found == phones_.end() ? nullptr : &*found;
}

queued_call::phone* queued_call::phone_of(const call_side* side) {
  const auto found = std::ranges::find_if(phones_, [&](const phone& one) { return &one == side; });
  return found == phones_.end() ? nullptr : &*found;
}

call_side* queued_call::other_than(const call_side* side) {
  if (talking_ == nullptr)
    return nullptr;
  if (side == &caller_)
    return talking_;
  return side == talking_ ? &caller_ : nullptr;
}

queued_call::offer* queued_call::offer_of(const offer_key& key) {
  const auto found = std::ranges::find(offers_, key, &offer::key);
  return found == offers_.end() ? nullptr : &*found;
}

// -- the caller --------------------------------------------------------------------

void queued_call::on_incoming(const leg_events::incoming& call) {
  if (!call.unacceptable.empty() || call.max_forwards == 0) {
    failure_ = call.max_forwards == 0 ? report::failure_cause::from_status(483)
                                      : report::failure_cause::bad_sdp;
    refuse(call.max_forwards == 0 ? 483 : 488);
    return;
  }
  max_forwards_ = call.max_forwards - 1;
  from_ = without_tag(call.from);
  to_ = without_tag(call.to);
  if (call.has_offer)
    spoken_ = call.codecs;
  const auto& preferred = manner_->media->capabilities().protections.front();
  open_stream(*this, context_, music_, caller_, call.has_offer ? call.protection : preferred,
              call.controls_ice);
}

void queued_call::on_opened(const media_opened& opened) {
  auto* const of = player();
  if (of == nullptr)
    return;
  auto* const ringing = phone_of(of);
  if (of == &caller_ && left_) {
    if (opened.local)
      take(*of, opened);
    on_reopened();
    return;
  }
  if (!opened.local) {
    if (ringing != nullptr) {
      phone_over(*ringing);
      return;
    }
    failure_ = failure_of(opened.local.error());
    refuse(503);
    return;
  }
  take(*of, opened);
  if (ringing != nullptr) {
    if (!ringing->unwanted)
      call_phone(*ringing);
    return;
  }
  command(*this, caller_,
          leg_commands::use_stream{caller_.stream, caller_.port, caller_.transport});
  command(*this, caller_, leg_commands::accept{}, [this](const leg_result& r) {
    answered_ = answered_ || r.what == leg_result::outcome::done;
  });
}

void queued_call::on_confirmed() {
  answered_ = true;
  if (queued_ || ending_ || !caller_.up())
    return;
  if (menu_) {
    heed(menu_->begin(caller_.stream));
    return;
  }
  if (returns_)
    tell_resumed(true);
  else
    entered_ = home().now();
  if (place_ && !place_->since) { // its leg kept another clock's
    place_->since = clocks_.wall_of(entered_);
    keep();
  }
  enter(ticket_);
}

void queued_call::heed(const std::optional<caller_menu::exit>& menu) {
  if (!menu || ending_)
    return;
  const auto* const line = *menu;
  menu_ = nullptr;
  entered_ = home().now();
  if (line != nullptr) {
    music_ = line->music;
    if (place_) {
      place_->queue = line->to.name;
      place_->priority = line->to.priority;
      place_->since = clocks_.wall_of(entered_);
      keep();
    }
  }
  enter(line != nullptr ? line->to : queue_ticket{}); // or hangs up, where there is no queue
}

void queued_call::on_requested(leg_events::requested& asked) {
  auto* const by = speaker();
  if (by == nullptr)
    return;
  if (menu_ && by == &caller_ && asked.what == sip::method::info) {
    const auto key = sip::read_info_digit(asked.content_type, asked.body);
    command(*this, caller_, leg_commands::answer_request{asked.number, key ? 200 : 415});
    if (key)
      heed(menu_->on_key(*key));
    return;
  }
  pass_request(*this, *by, other_than(by), asked);
}

// -- after a crash -----------------------------------------------------------------

void queued_call::come_back() {
  const auto& media = *left_->record.media;
  open_stream(*this, context_, music_, caller_, media.agreed.protected_by, true, media.port);
}

// Without a stream it comes back to be hung up.
void queued_call::on_reopened() {
  caller_.leg = home().spawn<call_leg>(
    context_.router, std::make_unique<leg_reporter>(
                       leg_settings(*this, caller_, manner_->media),
                       kept_call{context_.keeps, *std::exchange(left_, std::nullopt), place_},
                       manner_->connections));
  if (ending_)
    command(*this, caller_, leg_commands::hang_up{});
  else if (caller_.port == 0)
    end_all(queue_exit::closed);
}

void queued_call::tell_resumed(bool resumed) {
  if (owner_)
    lane::tell(home(), owner_, call_resumed{resumed});
}

void queued_call::keep() {
  if (place_)
    command(*this, caller_, leg_commands::keep{});
}

void queued_call::enter(const queue_ticket& ticket) {
  if (!ticket.queue) {
    end_all(queue_exit::closed);
    return;
  }
  ticket_ = ticket;
  queued_ = true;
  monitor(caf::actor_cast<caf::actor>(ticket_.queue));
  lane::tell_from(*this, ticket_.queue, entrance());
  returns_ = false;
}

enter_queue queued_call::entrance() const {
  const auto parsed = sip::parse_name_addr(from_);
  return {call_id_, parsed ? std::string{parsed->uri} : "", ticket_.priority, entered_, returns_};
}

void queued_call::on_dismissed(const queue_dismissed& dismissed) {
  if (ending_ || !leave())
    return;
  for (auto& each : offers_)
    end_offer(each, policy::ring_result::caller_gone);
  // Queues that are full may send it round in a circle.
  if (dismissed.next && moves_++ < most_moves) {
    if (place_) {
      place_->queue = dismissed.next->name;
      place_->priority = dismissed.next->priority;
      keep();
    }
    enter(*dismissed.next);
  } else
    end_all(dismissed.why);
}

bool queued_call::leave() {
  announcer_.stop();
  if (!std::exchange(queued_, false))
    return false;
  demonitor(caf::actor_cast<caf::actor_addr>(ticket_.queue));
  return true;
}

void queued_call::refuse(int status) {
  ending_ = true;
  if (!std::exchange(caller_.unwanted, true))
    command(*this, caller_, leg_commands::refuse{status});
}

// A queue or an agent is gone, which none is while it has calls, but for an error within.
void queued_call::on_down(const caf::down_msg& down) {
  for (auto& each : offers_)
    if (!each.over && down.source == each.agent.actor) { // nobody would connect who answers
      each.over = true;
      stop_phones(each, nullptr);
    }
  if (ending_ || down.source != ticket_.queue)
    return;
  queued_ = false;
  if (talking_ != nullptr) // it goes on by itself
    return;
  failure_ = report::failure_cause::internal;
  end_all(queue_exit::closed);
}

// -- agents ------------------------------------------------------------------------

void queued_call::on_ring(const ring_agent& ring) {
  auto& made = offers_.emplace_back();
  made.key = ring.offer;
  made.agent = ring.agent;
  made.look_up = ++look_ups_;
  monitor(caf::actor_cast<caf::actor>(made.agent.actor));
  if (!queued_ || ending_)
    end_offer(made, policy::ring_result::caller_gone);
  else
    lane::tell_from(*this, owner_, look_up_contacts{ring.agent.address_of_record, made.look_up});
}

void queued_call::on_contacts(const contacts_found& found) {
  const auto of = std::ranges::find(offers_, found.ticket, &offer::look_up);
  if (of == offers_.end() || of->over)
    return;
  for (const auto& contact : found.contacts)
    ring(*of, contact);
  if (found.contacts.empty())
    end_offer(*of, policy::ring_result::unreachable);
}

void queued_call::ring(offer& of, const registered_contact& contact) {
  auto& made = phones_.emplace_back();
  made.tag = ++tags_;
  made.offer = of.key;
  made.contact = contact;
  const auto how = protection_for(contact);
  made.media = callee_media(*manner_->media, spoken_, how);
  open_stream(*this, context_, manner_->audio, made, how, true);
}

void queued_call::call_phone(phone& one) {
  if (one.contact.flow.valid()) {
    place(one, {});
    return;
  }
  one.look_up = context_.router.hops().next_ticket();
  const auto contact = sip::parse_name_addr(one.contact.value);
  context_.router.hops().locate(contact ? contact->uri : std::string_view{}, *this, one.look_up);
}

void queued_call::on_located(const servers_located& found) {
  const auto one = std::ranges::find_if(phones_, [&](const phone& each) {
    return each.look_up == found.ticket && !each.begun && !each.unwanted;
  });
  if (one == phones_.end())
    return;
  if (found.where)
    place(*one, *found.where);
  else
    phone_over(*one);
}

void queued_call::place(phone& one, const transport::target_selection& servers) {
  auto whom = std::make_shared<call_target>();
  const auto contact = sip::parse_name_addr(one.contact.value);
  whom->uri = contact ? contact->uri : std::string_view{};
  whom->from = from_;
  whom->to = to_;
  leg_reporter::calling calling;
  calling.servers = servers;
  calling.connections = manner_->connections;
  calling.whom = std::move(whom);
  calling.max_forwards = max_forwards_;
  calling.ringing_limit = manner_->ringing_limit; // the queue's patience ends before
  auto settings = leg_settings(*this, one, one.media);
  settings.tag = one.tag;
  one.begun = true;
  call_contact(context_, shards_, one.contact, std::move(settings), std::move(calling));
}

void queued_call::on_prepared(const leg_events::prepared& prepared) {
  const auto one = std::ranges::find(phones_, prepared.tag, &phone::tag);
  if (one == phones_.end())
    return;
  one->leg = caf::actor_cast<caf::actor>(current_sender());
  if (one->unwanted)
    command(*this, *one, leg_commands::hang_up{});
}

void queued_call::on_answered(const leg_events::answered& answered) {
  auto* const one = phone_of(speaker());
  if (one == nullptr || one->unwanted)
    return;
  auto* const of = offer_of(one->offer);
  if (ending_ || of == nullptr || of->over || of->answered != nullptr || !answered.audio) {
    end_leg(*this, *one);
    return;
  }
  of->answered = one;
  const auto& all = manner_->media->capabilities().codecs;
  command(*this, *one, leg_commands::narrow{with_codecs(*one->media, only(all, *answered.audio))});
  stop_phones(*of, one);
  lane::tell_from(*this, of->agent.actor, ring_over{of->key, policy::ring_result::answered});
}

void queued_call::on_connect(const offer_key& key) {
  auto* const of = offer_of(key);
  if (ending_ || of == nullptr || of->over || of->answered == nullptr)
    return; // it was told
  of->over = true;
  demonitor(caf::actor_cast<caf::actor_addr>(of->agent.actor));
  talking_ = of->answered;
  how_ = queue_exit::answered;
  talking_since_ = home().now();
  waited_ = talking_since_ - entered_;
  agent_ = of->agent.name;
  agent_actor_ = of->agent.actor;
  taken_ = key;
  if (place_) {
    place_->agent = agent_;
    place_->taken = home().wall_now();
    place_->left = name_of(how_);
    keep();
  }
  if (leave())
    lane::tell_from(*this, ticket_.queue, call_taken{key.bid, agent_});
  request(caf::actor_cast<caf::actor>(caller_.stream), caf::infinite, media_join{talking_->stream})
    .then(
      [this](const media_join_result& r) {
        if (r.what == media_join_result::outcome::done) {
          begin_recording();
          return;
        }
        fall_apart();
      },
      [](const caf::error&) {}); // it has ended, and says so
  for (auto& each : offers_)
    end_offer(each, policy::ring_result::caller_gone);
}

// Nothing can be made of what the one says for the other.
void queued_call::fall_apart() {
  failure_ = report::failure_cause::bad_sdp;
  end_all(how_);
}

void queued_call::begin_recording() {
  if (!ticket_.record || ending_ || !caller_.stream || !talking_->stream)
    return;
  const auto parsed = sip::parse_name_addr(from_);
  recorder_ = std::make_unique<talk_recorder>(
    *this, ticket_.record,
    talk_names{call_id_, ticket_.name, agent_, parsed ? std::string{parsed->uri} : ""});
  recorder_->hear(caller_.stream, recording::leg::caller);
  recorder_->hear(talking_->stream, recording::leg::agent);
}

void queued_call::on_stop_ringing(const offer_key& key) {
  if (auto* const of = offer_of(key))
    end_offer(*of, policy::ring_result::no_answer);
}

void queued_call::end_offer(offer& one, policy::ring_result how) {
  if (std::exchange(one.over, true))
    return;
  demonitor(caf::actor_cast<caf::actor_addr>(one.agent.actor));
  stop_phones(one, nullptr);
  lane::tell_from(*this, one.agent.actor, ring_over{one.key, how});
}

void queued_call::stop_phones(const offer& of, const phone* but) {
  for (auto& each : phones_)
    if (each.offer == of.key && &each != but) {
      end_leg(*this, each);
      if (!each.begun)
        close_stream(*this, each);
    }
}

// One of several phones: the offer is over with the last of them.
void queued_call::phone_over(phone& one) {
  one.unwanted = true;
  if (!one.begun)
    close_stream(*this, one);
  auto* const of = offer_of(one.offer);
  if (of == nullptr || of->over)
    return;
  const auto said = of->answered == &one ? policy::ring_result::rejected // hung up at once
                    : one.ended          ? outcome_of(*one.ended)
                                         : policy::ring_result::unreachable;
  of->said = std::min(of->said, said);
  const bool others = std::ranges::any_of(
    phones_, [&](const phone& each) { return each.offer == one.offer && !each.unwanted; });
  // Who refuses on one phone does so on all (RFC 3261 §21.6).
  if (!others || said == policy::ring_result::rejected)
    end_offer(*of, of->said);
}

// -- the end ---------------------------------------------------------------------------

void queued_call::on_ended(const leg_events::ended& ended) {
  auto* one = speaker();
  if (one == nullptr && ended.tag != 0) { // it never spoke before
    const auto found = std::ranges::find(phones_, ended.tag, &phone::tag);
    one = found == phones_.end() ? nullptr : &*found;
  }
  if (one == nullptr)
    return;
  one->ended = ended;
  if (one == &caller_) {
    by_caller_ = !ending_;
    end_all(how_);
    return;
  }
  auto& telephone = *phone_of(one);
  if (talking_ == &telephone) {
    end_all(how_);
    return;
  }
  phone_over(telephone);
  if (close_stream(*this, telephone))
    forget(telephone);
}

void queued_call::on_closed(const media_closed& closed) {
  auto* const of = player();
  if (of == nullptr)
    return;
  of->stream = nullptr;
  of->outcome = closed.outcome;
  auto* const telephone = phone_of(of);
  if (closed.failure && (telephone == nullptr || telephone == talking_)) {
    if (!failure_.failed())
      failure_ = failure_of(*closed.failure);
    end_all(how_);
  } else if (closed.failure) {
    end_leg(*this, *telephone);
  }
  if (telephone != nullptr && telephone != talking_ && !telephone->up())
    forget(*telephone);
  settle();
}

// A caller may wait long, and ring many.
void queued_call::forget(const phone& one) {
  phones_.remove_if([&](const phone& each) { return &each == &one; });
  std::erase_if(offers_, [this](const offer& each) {
    return each.over && std::ranges::find(phones_, each.key, &phone::offer) == phones_.end();
  });
  settle();
}

void queued_call::end_all(queue_exit how) {
  menu_ = nullptr;
  if (!std::exchange(ending_, true) && talking_ == nullptr) {
    how_ = how;
    if (answered_ && queued_)
      waited_ = home().now() - entered_;
    if (place_ && place_->left.empty()) // what its leg says last, if that has not ended by itself
      place_->left = name_of(how_);
  }
  if (returns_) { // it has not come back
    const bool hung_up = caller_.ended && caller_.ended->cause == sip::end_cause::remote_bye;
    lane::tell_from(*this, ticket_.queue, caller_lost{entrance(), hung_up});
    tell_resumed(hung_up);
    returns_ = false;
  }
  if (talking_ != nullptr && agent_actor_) {
    talked_ = home().now() - talking_since_;
    lane::tell_from(*this, std::exchange(agent_actor_, nullptr), talk_over{taken_});
    if (recorder_)
      recorder_->finish([this](const recording_over& over) {
        recorded_ = over;
        settle();
      });
  }
  if (leave())
    lane::tell_from(*this, ticket_.queue, leave_queue{});
  for (auto& each : offers_)
    end_offer(each, policy::ring_result::caller_gone);
  if (answered_)
    end_leg(*this, caller_);
  else
    refuse(how == queue_exit::closed ? 503 : 480);
  if (talking_ != nullptr)
    end_leg(*this, *talking_);
  settle();
}

// Legs first, streams then: what is still on its way is heard.
void queued_call::settle() {
  if (!ending_ || caller_.up() ||
      std::ranges::any_of(phones_, [](const phone& each) { return each.up(); }))
    return;
  bool closed = close_stream(*this, caller_);
  for (const auto& each : phones_)
    closed = close_stream(*this, each) && closed;
  if (!closed || (recorder_ && !recorded_))
    return;
  report();
  quit();
}

report::failure_cause queued_call::failure() const {
  if (failure_.failed())
    return failure_;
  if (!caller_.ended)
    return {};
  const auto of_caller = failure_of(*caller_.ended);
  if (of_caller.failed() || talking_ == nullptr || !talking_->ended)
    return of_caller;
  return failure_of(*talking_->ended);
}

void queued_call::report() {
  queued_call_over over;
  over.call = id();
  over.call_id = call_id_;
  const auto parsed = sip::parse_name_addr(from_);
  over.from = parsed ? parsed->uri : std::string_view{};
  over.queue = ticket_.name;
  over.agent = agent_;
  over.how = how_;
  over.by_caller = by_caller_;
  over.waited = waited_;
  over.talked = talked_;
  over.failure = failure();
  over.answered = answered_;
  if (caller_.outcome)
    over.media.push_back(*caller_.outcome);
  if (talking_ != nullptr && talking_->outcome)
    over.media.push_back(*talking_->outcome);
  over.recording = recorded_;
  if (const auto owner = std::exchange(owner_, nullptr))
    lane::tell(home(), owner, std::move(over));
}

} // namespace jackfield
