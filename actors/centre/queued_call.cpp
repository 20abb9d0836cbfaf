#include "actors/centre/queued_call.hpp"

#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/behavior.hpp>

#include "actors/call/failure_of.hpp"
#include "actors/call/resumption_tally.hpp"
#include "actors/centre/callback_book.hpp"
#include "actors/centre/caller_check.hpp"
#include "actors/centre/centre_keeping.hpp"
#include "actors/centre/hold.hpp"
#include "actors/centre/supervisor_call.hpp"
#include "actors/media/media_play.hpp"
#include "actors/media/media_stream.hpp"
#include "engine/sip/fields.hpp"
#include "engine/sip/info_digit.hpp"

namespace jackfield {

namespace {

constexpr unsigned menu_clock = 0;

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
  case queue_exit::called_back:
    return "callback";
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
      ticket_(std::move(ticket)), clocks_(clocks), owner_(std::move(owner)),
      call_id_(invite_->message().call_id()), agents_(*this, context_, manner_, std::move(shards)) {
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
                         std::shared_ptr<const audio_settings> music, returning_call left,
                         queue_ticket ticket, std::shared_ptr<const registrar_shards> shards,
                         const two_clocks& clocks, caf::strong_actor_ptr owner,
                         caf::strong_actor_ptr agent)
    : lane::lane_actor(config, home), context_(context), manner_(std::move(manner)),
      music_(std::move(music)), transaction_(0), ticket_(std::move(ticket)), clocks_(clocks),
      owner_(std::move(owner)), call_id_(left.caller.record.call_id),
      place_(std::make_shared<storage::queueing_record>(*left.caller.record.queueing)),
      returns_(true), agents_(*this, context_, manner_, std::move(shards)),
      from_(in_brackets(left.caller.record.from)), answered_(true) {
  to_ = in_brackets(left.caller.record.to);
  agents_.use({from_, to_, {}, 69});
  ticket_.priority = place_->priority;
  entered_ = clocks_.lane_of(*place_->since);
  if (left.agent) {
    how_ = queue_exit::answered;
    talking_since_ = clocks_.lane_of(*place_->taken);
    waited_ = talking_since_ - entered_;
    agent_ = place_->agent;
    agent_actor_ = std::move(agent);
    taken_ = offer_before_restart;
  }
  left_ = std::make_unique<returning_call>(std::move(left));
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
    [this](const leg_events::answered& answered) { agents_.on_answered(answered); },
    [this](const leg_events::confirmed&) { on_confirmed(); },
    [this](const leg_events::not_resumed&) {
      if (agents_.talking() != nullptr) // who waits is seen to at the leg's end
        end_all(how_);
    },
    [this](const leg_events::offered& anew) { on_offered(anew); },
    [](const leg_events::offer_withdrawn&) {}, // our answer will be told that it is too late
    [this](leg_events::requested& asked) { on_requested(asked); },
    [this](const lane::timer_fired& fired) {
      if (fired.id == farewell_clock)
        end_all(how_);
      else if (fired.id == announcer_clock)
        announcer_.on_time();
      else if (fired.id == join_clock)
        join();
      else if (menu_)
        heed(menu_->on_timer());
    },
    [this](const media_key& key) {
      if (menu_)
        heed(menu_->on_key(key.digit));
      else
        on_key(key.digit);
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
    [this](const servers_located& found) { agents_.on_located(found); },
    [this](const contacts_found& found) { agents_.on_contacts(found); },
    [this](const ring_agent& ring) { on_ring(ring); },
    [this](const stop_ringing& stop) { agents_.on_stop(stop); },
    [this](const connect_agent& connect) { on_connect(connect.offer); },
    [this](const queue_dismissed& dismissed) { on_dismissed(dismissed); },
    [this](const wait_told& told) {
      if (!queued_ || !ticket_.announces)
        return;
      auto said = said_of(*ticket_.announces, told.position, told.expected_wait);
      if (ticket_.calls_back && ticket_.calls_back->offer)
        said.push_back(*ticket_.calls_back->offer);
      announcer_.begin(std::move(said), caller_.stream, music_, ticket_.calls_back != nullptr);
    },
    [this](ask_talk) {
      const auto* const agent = agents_.talking();
      return talk_streams{caller_.stream, agent != nullptr ? agent->stream : nullptr, agent_};
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
  join_timer_.cancel();
  close_stream(*this, caller_);
  if (owner_) {
    failure_ = report::failure_cause::internal;
    report();
  }
  caller_ = {};
  agents_.let_go();
  agent_actor_ = nullptr;
  recorder_ = nullptr;
  ticket_ = {};
  menu_ = nullptr;
  invite_ = nullptr;
}

// -- who is who --------------------------------------------------------------------

call_side* queued_call::speaker() {
  return current_sender() == caller_.leg ? &caller_ : agents_.speaker();
}

call_side* queued_call::player() {
  return current_sender() == caller_.stream ? &caller_ : agents_.player();
}

call_side* queued_call::other_than(const call_side* side) {
  auto* const agent = agents_.talking();
  if (agent == nullptr)
    return nullptr;
  if (side == &caller_)
    return agent;
  return side == agent ? &caller_ : nullptr;
}

// -- the caller --------------------------------------------------------------------

void queued_call::on_incoming(const leg_events::incoming& call) {
  if (!call.unacceptable.empty() || call.max_forwards == 0) {
    failure_ = call.max_forwards == 0 ? report::failure_cause::from_status(483)
                                      : report::failure_cause::bad_sdp;
    refuse(call.max_forwards == 0 ? 483 : 488);
    return;
  }
  from_ = without_tag(call.from);
  to_ = without_tag(call.to);
  agents_.use({from_, to_, call.has_offer ? call.codecs : codec_list{}, call.max_forwards - 1});
  const auto& preferred = manner_->media->capabilities().protections.front();
  open_stream(*this, context_, music_, caller_, call.has_offer ? call.protection : preferred,
              call.controls_ice);
}

void queued_call::on_opened(const media_opened& opened) {
  auto* const of = player();
  if (returns_ && !opened.local && (of == &caller_ || of == agents_.talking())) {
    end_all(agents_.talking() != nullptr ? how_ : queue_exit::closed);
    return;
  }
  if (of != &caller_) {
    agents_.on_opened(opened);
    return;
  }
  if (returns_) {
    take(caller_, opened);
    give_stream(*this, caller_);
    return;
  }
  if (!opened.local) {
    failure_ = failure_of(opened.local.error());
    refuse(503);
    return;
  }
  take(caller_, opened);
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
  if (agents_.talking() != nullptr) {
    on_back();
    return;
  }
  if (menu_) {
    heed(menu_->begin(caller_.stream));
    return;
  }
  if (returns_)
    tell_resumed(true);
  else
    entered_ = arrival();
  if (place_ && !place_->since) { // its leg kept another clock's
    place_->since = clocks_.wall_of(entered_);
    keep();
  }
  enter(ticket_);
}

// The order of the line goes by it, and a crash must not change that: two who come in one pass of
// the lane are told apart by their actors' numbers, in the line and in what is kept of them.
lane::time_point queued_call::arrival() const {
  constexpr auto apart = uint64_t{1} << 16U; // nanoseconds
  return home().now() - lane::duration{static_cast<int64_t>(id() % apart)};
}

void queued_call::heed(const std::optional<caller_menu::exit>& menu) {
  if (!menu || ending_)
    return;
  const auto* const line = *menu;
  menu_ = nullptr;
  entered_ = arrival();
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

// Nobody hears who comes back before the other does: it holds nobody either.
void queued_call::on_offered(const leg_events::offered& anew) {
  auto* const by = speaker();
  if (by == nullptr)
    return;
  if (!returns_) {
    answer_offer(*this, *by, other_than(by), anew, music_, [this] { fall_apart(); });
    return;
  }
  if (anew.has_offer)
    by->way = anew.way;
  pass_offer(*this, *by, nullptr, anew);
}

void queued_call::on_requested(leg_events::requested& asked) {
  auto* const by = speaker();
  if (by == nullptr)
    return;
  if ((menu_ || (queued_ && ticket_.calls_back)) && by == &caller_ &&
      asked.what == sip::method::info) {
    const auto key = sip::read_info_digit(asked.content_type, asked.body);
    command(*this, caller_, leg_commands::answer_request{asked.number, key ? 200 : 415});
    if (key && menu_)
      heed(menu_->on_key(*key));
    else if (key)
      on_key(*key);
    return;
  }
  pass_request(*this, *by, other_than(by), asked);
}

// -- after a crash -----------------------------------------------------------------

// Their dialogs are taken up at once: nobody else is to have their names.
void queued_call::come_back() {
  const auto left = std::exchange(left_, nullptr);
  const auto& media = *left->caller.record.media;
  if (left->agent && media.agreed.held)
    caller_.way = sdp::direction::recvonly;
  open_stream(*this, context_, left->agent ? manner_->audio : music_, caller_,
              media.agreed.protected_by, true, media.port);
  auto settings = leg_settings(*this, caller_, media_of(media, *manner_->media, false));
  take_up_leg(context_, nullptr, std::move(left->caller), place_, std::move(settings),
              manner_->connections);
  if (!left->agent)
    return;
  if (agent_actor_)
    lane::tell_from(*this, agent_actor_, talk_goes_on{});
  agents_.take_back(std::move(*left->agent));
}

void queued_call::on_prepared(const leg_events::prepared& prepared) {
  if (prepared.tag != 0) {
    agents_.on_prepared(prepared);
    return;
  }
  caller_.leg = caf::actor_cast<caf::actor>(current_sender());
  if (caller_.unwanted)
    command(*this, caller_, leg_commands::hang_up{{}, true});
  else
    give_stream(*this, caller_);
}

void queued_call::on_back() {
  (current_sender() == caller_.leg ? caller_is_back_ : agent_is_back_) = true;
  if (!returns_)
    return;
  if (!agent_is_back_ && caller_.stream && music_) // a browser may take its time
    lane::tell(home(), caller_.stream, media_play{music_});
  if (!caller_is_back_ || !agent_is_back_)
    return;
  returns_ = false;
  tell_resumed(true);
  talk_on();
}

void queued_call::talk_on() {
  auto* const agent = agents_.talking();
  const auto* const held = holds(caller_) ? agent : holds(*agent) ? &caller_ : nullptr;
  if (held == nullptr || !held->stream || !music_) {
    join();
    return;
  }
  lane::tell(home(), held->stream, media_play{music_});
  begin_recording();
}

bool queued_call::give_up_return() {
  if (!returns_)
    return false;
  const auto has_hung_up = [](const call_side* one) {
    return one != nullptr && one->ended && one->ended->cause == sip::end_cause::remote_bye;
  };
  const auto* const agent = agents_.talking();
  const bool hung_up = has_hung_up(&caller_) || has_hung_up(agent);
  if (agent == nullptr)
    lane::tell_from(*this, ticket_.queue, caller_lost{entrance(), hung_up});
  else if (!hung_up && !failure_.failed())
    failure_ = report::failure_cause::engine_restart;
  tell_resumed(hung_up && agent == nullptr);
  returns_ = false;
  return agent != nullptr && !hung_up;
}

void queued_call::tell_resumed(bool resumed) {
  if (owner_)
    lane::tell_from(*this, owner_, call_resumed{resumed});
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
  if (ticket_.calls_back && caller_.stream)
    lane::tell(home(), caller_.stream, media_play{.what = music_, .tells_keys = true});
}

// -- called back -------------------------------------------------------------------

void queued_call::on_key(char digit) {
  if (!queued_ || ending_ || !owner_ || !ticket_.calls_back || digit != ticket_.calls_back->key ||
      std::exchange(asked_to_be_called_, true))
    return;
  const auto uri_in = [](const std::string& value) {
    const auto parsed = sip::parse_name_addr(value);
    return parsed ? std::string{parsed->uri} : std::string{};
  };
  promise_callback wish;
  auto& what = wish.what;
  what.call_id = call_id_;
  what.from = uri_in(from_);
  what.to = uri_in(to_);
  what.number = user_of(what.from);
  what.queue = ticket_.name;
  what.priority = ticket_.priority;
  what.since = clocks_.wall_of(entered_);
  request(caf::actor_cast<caf::actor>(owner_), caf::infinite, std::move(wish))
    .then([this](callback_promised promised) {
      if (!promised.done)
        asked_to_be_called_ = false; // it waits on
      else if (queued_ && !ending_)
        be_called_back();
      else if (owner_)
        lane::tell_from(*this, owner_, callback_unneeded{});
    });
}

void queued_call::be_called_back() {
  how_ = queue_exit::called_back;
  waited_ = home().now() - entered_;
  leave();
  lane::tell_from(*this, ticket_.queue, leave_queue{true});
  agents_.withdraw();
  if (place_) {
    place_->left = name_of(how_);
    keep();
  }
  const auto& promise = ticket_.calls_back->promise;
  announcer_.begin({promise}, caller_.stream, music_);
  farewell_.arm(home().now() + promise.length);
}

enter_queue queued_call::entrance() const {
  const auto parsed = sip::parse_name_addr(from_);
  return {call_id_, parsed ? std::string{parsed->uri} : "", ticket_.priority, entered_, returns_};
}

void queued_call::on_dismissed(const queue_dismissed& dismissed) {
  if (ending_ || !leave())
    return;
  agents_.withdraw();
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
  agents_.on_down(down);
  if (ending_ || down.source != ticket_.queue)
    return;
  queued_ = false;
  if (agents_.talking() != nullptr) // it goes on by itself
    return;
  failure_ = report::failure_cause::internal;
  end_all(queue_exit::closed);
}

// -- agents ------------------------------------------------------------------------

void queued_call::on_ring(const ring_agent& ring) {
  if (!queued_ || ending_)
    agents_.decline(ring);
  else
    agents_.ring(ring, owner_);
}

void queued_call::on_connect(const offer_key& key) {
  const auto* const agent = ending_ ? nullptr : agents_.connect(key);
  if (agent == nullptr)
    return;
  how_ = queue_exit::answered;
  talking_since_ = home().now();
  waited_ = talking_since_ - entered_;
  agent_ = agent->name;
  agent_actor_ = agent->actor;
  taken_ = key;
  if (place_) {
    place_->agent = agent_;
    place_->taken = home().wall_now();
    const auto leg = agents_.leg().text();
    place_->agent_leg.assign(leg.data(), leg.size());
    place_->left = name_of(how_);
    keep();
  }
  if (leave())
    lane::tell_from(*this, ticket_.queue, call_taken{key.bid, agent_});
  join();
  agents_.withdraw();
}

void queued_call::join() {
  if (ending_ || !caller_.stream || !agents_.talking()->stream)
    return; // it has ended, and says so
  request(caf::actor_cast<caf::actor>(caller_.stream), caf::infinite,
          media_join{agents_.talking()->stream})
    .then(
      [this](const media_join_result& r) {
        using outcome = media_join_result::outcome;
        if (r.what == outcome::done)
          begin_recording();
        else if (r.what == outcome::not_connected && caller_is_back_ && joins_++ < most_joins)
          join_timer_.arm(home().now() + join_again_after);
        else
          fall_apart();
      },
      [](const caf::error&) {}); // it has ended, and says so
}

// Nothing can be made of what the one says for the other.
void queued_call::fall_apart() {
  failure_ = report::failure_cause::bad_sdp;
  end_all(how_);
}

void queued_call::begin_recording() {
  const auto& agent = agents_.talking()->stream;
  if (!ticket_.record || ending_ || !caller_.stream || !agent)
    return;
  const auto parsed = sip::parse_name_addr(from_);
  recorder_ = std::make_unique<talk_recorder>(
    *this, ticket_.record,
    talk_names{call_id_, ticket_.name, agent_, parsed ? std::string{parsed->uri} : ""});
  recorder_->hear(caller_.stream, recording::leg::caller);
  recorder_->hear(agent, recording::leg::agent);
}

// -- the end ---------------------------------------------------------------------------

void queued_call::on_ended(const leg_events::ended& ended) {
  const bool of_caller = current_sender() == caller_.leg || (!caller_.leg && ended.tag == 0);
  auto* const one = of_caller ? &caller_ : agents_.speaker(ended.tag);
  if (one == nullptr || (one != &caller_ && one != agents_.talking())) {
    agents_.on_ended(ended);
    settle();
    return;
  }
  one->ended = ended;
  if (one == &caller_)
    by_caller_ = !ending_;
  end_all(how_);
}

void queued_call::on_closed(const media_closed& closed) {
  auto* const of = player();
  if (of == nullptr || (of != &caller_ && of != agents_.talking())) {
    agents_.on_closed(closed);
    settle();
    return;
  }
  of->stream = nullptr;
  of->outcome = closed.outcome;
  if (closed.failure) {
    if (!failure_.failed())
      failure_ = failure_of(*closed.failure);
    end_all(how_);
  }
  settle();
}

void queued_call::end_all(queue_exit how) {
  menu_ = nullptr;
  auto* const agent = agents_.talking();
  const bool first = !std::exchange(ending_, true);
  if (first && agent == nullptr) {
    how_ = how;
    if (answered_ && queued_)
      waited_ = home().now() - entered_;
    if (place_ && place_->left.empty()) // what its leg says last, if that has not ended by itself
      place_->left = name_of(how_);
  }
  const bool cut_off = give_up_return();
  if (first && agent != nullptr) {
    talked_ = home().now() - talking_since_;
    if (agent_actor_)
      lane::tell_from(*this, std::exchange(agent_actor_, nullptr), talk_over{taken_});
    if (recorder_)
      recorder_->finish([this](const recording_over& over) {
        recorded_ = over;
        settle();
      });
  }
  if (leave())
    lane::tell_from(*this, ticket_.queue, leave_queue{});
  agents_.withdraw();
  if (answered_)
    end_leg(*this, caller_, cut_off);
  else
    refuse(how == queue_exit::closed ? 503 : 480);
  if (agent != nullptr)
    end_leg(*this, *agent, cut_off);
  settle();
}

// Legs first, streams then: what is still on its way is heard.
void queued_call::settle() {
  if (!ending_ || caller_.up() || agents_.up())
    return;
  const bool closed = close_stream(*this, caller_);
  if (!agents_.close() || !closed || (recorder_ && !recorded_))
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
  const auto* const agent = agents_.talking();
  if (of_caller.failed() || agent == nullptr || !agent->ended)
    return of_caller;
  return failure_of(*agent->ended);
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
  if (const auto* const agent = agents_.talking(); agent != nullptr && agent->outcome)
    over.media.push_back(*agent->outcome);
  over.recording = recorded_;
  if (const auto owner = std::exchange(owner_, nullptr))
    lane::tell(home(), owner, std::move(over));
}

} // namespace jackfield
