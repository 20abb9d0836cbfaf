#include "actors/centre/queued_call.hpp"

#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/behavior.hpp>

#include "actors/call/failure_of.hpp"
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

/// The URI of a From or To; empty: it has none.
std::string uri_in(const std::string& value) {
  const auto parsed = sip::parse_name_addr(value);
  return parsed ? std::string{parsed->uri} : std::string{};
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
    : agent_served_call(config, home, context, std::move(manner), std::move(music),
                        std::move(shards), std::move(owner), std::move(ticket),
                        invite->message().call_id(), context.keeps != nullptr),
      invite_(std::move(invite)), transaction_(transaction), clocks_(clocks) {
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
    : agent_served_call(config, home, context, std::move(manner), std::move(music),
                        std::move(shards), std::move(owner), std::move(ticket), left.caller.record,
                        clocks),
      transaction_(0), clocks_(clocks), from_(in_brackets(left.caller.record.from)),
      to_(in_brackets(left.caller.record.to)), answered_(true) {
  agents_.use({from_, to_, {}, 69});
  if (left.agent) {
    how_ = queue_exit::answered;
    waited_ = clocks_.lane_of(*line_.kept()->taken) - line_.who().since;
  }
  resumption_.expect(std::move(left), std::move(agent), owner_);
}

caf::behavior queued_call::make_behavior() {
  if (resumption_.under_way())
    resumption_.begin(context_, *manner_, music_, clocks_, agent_);
  else
    far_.leg = home().spawn<call_leg>(
      context_.router,
      std::make_unique<leg_reporter>(leg_settings(*this, far_, manner_->media),
                                     kept_call::queued_leg(context_.keeps, line_.kept())),
      std::exchange(invite_, nullptr), transaction_, manner_->connections);
  far_.begun = true;
  return behavior_with(
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
    [this](const media_silent& silent) {
      if (silent.heard && !ending_) {
        failure_ = report::failure_cause::media_timeout;
        end_all(how_);
      }
    },
    [this](const servers_located& found) { agents_.on_located(found); },
    [this](const connect_agent& connect) { on_connect(connect.offer); },
    [this](const queue_dismissed& dismissed) { on_dismissed(dismissed); },
    [this](const wait_told& told) { on_told(told); },
    [this](ask_talk) {
      const auto* const agent = agents_.talking();
      return talk_streams{far_.stream, agent != nullptr ? agent->stream : nullptr, agent_.name()};
    },
    [this](const struct hang_up&) {
      if (!answered_)
        failure_ = report::failure_cause::stopped;
      end_all(queue_exit::closed);
    });
}

void queued_call::on_exit() {
  announcer_.stop();
  agent_served_call::on_exit();
  resumption_.let_go();
  menu_ = nullptr;
  invite_ = nullptr;
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
  line_.come_from(uri_in(from_));
  agents_.use({from_, to_, call.has_offer ? call.codecs : codec_list{}, call.max_forwards - 1});
  const auto& preferred = manner_->media->capabilities().protections.front();
  open_stream(*this, context_, music_, far_, call.has_offer ? call.protection : preferred,
              call.controls_ice);
}

void queued_call::on_opened(const media_opened& opened) {
  auto* const of = player();
  if (resumption_.under_way() && !opened.local && (of == &far_ || of == agents_.talking())) {
    end_all(agents_.talking() != nullptr ? how_ : queue_exit::closed);
    return;
  }
  if (of != &far_) {
    agents_.on_opened(opened);
    return;
  }
  if (resumption_.under_way()) {
    resumption_.on_opened(opened);
    return;
  }
  if (!opened.local) {
    failure_ = failure_of(opened.local.error());
    refuse(503);
    return;
  }
  take(far_, opened);
  command(*this, far_, leg_commands::use_stream{far_.stream, far_.port, far_.transport});
  command(*this, far_, leg_commands::accept{}, [this](const leg_result& r) {
    answered_ = answered_ || r.what == leg_result::outcome::done;
  });
}

void queued_call::on_confirmed() {
  answered_ = true;
  if (line_.waits() || ending_ || !far_.up())
    return;
  if (agents_.talking() != nullptr) {
    if (resumption_.talker_is_back(music_))
      talk_on();
    return;
  }
  if (menu_) {
    heed(menu_->begin(far_.stream));
    return;
  }
  if (resumption_.under_way())
    resumption_.waiter_is_back();
  else
    line_.come(arrival(), clocks_);
  enter();
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
  if (line == nullptr) {
    end_all(queue_exit::closed);
    return;
  }
  music_ = line->music;
  line_.come(arrival(), clocks_, line->to);
  enter();
}

void queued_call::on_offered(const leg_events::offered& anew) {
  auto* const by = speaker();
  if (by == nullptr)
    return;
  if (resumption_.under_way())
    resumption_.on_offered(*by, anew);
  else
    answer_offer(*this, *by, other_than(by), anew, music_, [this] { fall_apart(); });
}

void queued_call::on_requested(leg_events::requested& asked) {
  auto* const by = speaker();
  if (by == nullptr)
    return;
  if ((menu_ || (line_.waits() && line_.ticket().calls_back)) && by == &far_ &&
      asked.what == sip::method::info) {
    const auto key = sip::read_info_digit(asked.content_type, asked.body);
    command(*this, far_, leg_commands::answer_request{asked.number, key ? 200 : 415});
    if (key && menu_)
      heed(menu_->on_key(*key));
    else if (key)
      on_key(*key);
    return;
  }
  pass_request(*this, *by, other_than(by), asked);
}

void queued_call::on_prepared(const leg_events::prepared& prepared) {
  if (prepared.tag != 0)
    agents_.on_prepared(prepared);
  else
    resumption_.on_prepared();
}

// -- in the line -------------------------------------------------------------------

void queued_call::enter() {
  if (!line_.ticket().queue) {
    end_all(queue_exit::closed);
    return;
  }
  line_.enter();
  if (line_.ticket().calls_back && far_.stream)
    lane::tell(home(), far_.stream, media_play{.what = music_, .tells_keys = true});
}

void queued_call::on_told(const wait_told& told) {
  const auto& queue = line_.ticket();
  if (!line_.waits() || !queue.announces)
    return;
  auto said = said_of(*queue.announces, told.position, told.expected_wait);
  if (queue.calls_back && queue.calls_back->offer)
    said.push_back(*queue.calls_back->offer);
  announcer_.begin(std::move(said), far_.stream, music_, queue.calls_back != nullptr);
}

void queued_call::on_key(char digit) {
  const auto& queue = line_.ticket();
  if (!line_.waits() || ending_ || !owner_ || !queue.calls_back || digit != queue.calls_back->key ||
      std::exchange(asked_to_be_called_, true))
    return;
  promise_callback wish;
  auto& what = wish.what;
  what.call_id = line_.who().call_id;
  what.from = line_.who().from;
  what.to = uri_in(to_);
  what.number = user_of(what.from);
  what.queue = queue.name;
  what.priority = queue.priority;
  what.since = clocks_.wall_of(line_.who().since);
  request(caf::actor_cast<caf::actor>(owner_), caf::infinite, std::move(wish))
    .then([this](callback_promised promised) {
      if (!promised.done)
        asked_to_be_called_ = false; // it waits on
      else if (line_.waits() && !ending_)
        be_called_back();
      else if (owner_)
        lane::tell_from(*this, owner_, callback_unneeded{});
    });
}

void queued_call::be_called_back() {
  how_ = queue_exit::called_back;
  waited_ = waited_until_now();
  line_.leave({.to_be_called = true});
  agents_.withdraw();
  line_.keep_exit(how_);
  const auto& promise = line_.ticket().calls_back->promise;
  announcer_.begin({promise}, far_.stream, music_);
  farewell_.arm(home().now() + promise.length);
}

void queued_call::on_dismissed(const queue_dismissed& dismissed) {
  if (ending_)
    return;
  announcer_.stop();
  if (!line_.waits())
    return;
  agents_.withdraw();
  if (line_.move_on(dismissed))
    enter();
  else
    end_all(dismissed.why);
}

// -- the agent ---------------------------------------------------------------------

void queued_call::on_connect(const offer_key& key) {
  if (!give_to_agent(key))
    return;
  agent_.talks_since(home().now());
  const auto leg = agents_.leg().text();
  line_.keep_talk(agent_.name(), {leg.data(), leg.size()});
  announcer_.stop();
  line_.leave(call_taken{key.bid, agent_.name()});
  join();
  agents_.withdraw();
}

void queued_call::join() {
  if (ending_ || !far_.stream || !agents_.talking()->stream)
    return; // it has ended, and says so
  request(caf::actor_cast<caf::actor>(far_.stream), caf::infinite,
          media_join{agents_.talking()->stream})
    .then(
      [this](const media_join_result& r) {
        using outcome = media_join_result::outcome;
        if (r.what == outcome::done)
          begin_recording();
        else if (r.what != outcome::not_connected || !resumption_.joins_later())
          fall_apart();
      },
      [](const caf::error&) {}); // it has ended, and says so
}

// Nothing can be made of what the one says for the other.
void queued_call::fall_apart() {
  failure_ = report::failure_cause::bad_sdp;
  end_all(how_);
}

// Who held the other goes on with that.
void queued_call::talk_on() {
  auto* const agent = agents_.talking();
  const auto* const held = holds(far_) ? agent : holds(*agent) ? &far_ : nullptr;
  if (held == nullptr || !held->stream || !music_) {
    join();
    return;
  }
  lane::tell(home(), held->stream, media_play{music_});
  begin_recording();
}

void queued_call::begin_recording() {
  agent_.record(line_, far_.stream, agents_.talking()->stream);
}

// -- the end ---------------------------------------------------------------------------

void queued_call::on_ended(const leg_events::ended& ended) {
  const bool of_caller = current_sender() == far_.leg || (!far_.leg && ended.tag == 0);
  auto* const one = of_caller ? &far_ : agents_.speaker(ended.tag);
  if (!is_side(one)) {
    agents_.on_ended(ended);
    settle();
    return;
  }
  one->ended = ended;
  if (one == &far_)
    by_far_ = !ending_;
  end_all(how_);
}

void queued_call::end_all(queue_exit how) {
  menu_ = nullptr;
  auto* const agent = agents_.talking();
  const bool first = !std::exchange(ending_, true);
  if (first && agent == nullptr) {
    how_ = how;
    if (answered_ && line_.waits())
      waited_ = waited_until_now();
    line_.note_exit(how_);
  }
  const bool cut_off = resumption_.give_up();
  if (cut_off && !failure_.failed())
    failure_ = report::failure_cause::engine_restart;
  agent_.end([this] { settle(); });
  announcer_.stop();
  line_.leave();
  agents_.withdraw();
  if (answered_)
    end_leg(*this, far_, cut_off);
  else
    refuse(how == queue_exit::closed ? 503 : 480);
  if (agent != nullptr)
    end_leg(*this, *agent, cut_off);
  settle();
}

void queued_call::refuse(int status) {
  ending_ = true;
  if (!std::exchange(far_.unwanted, true))
    command(*this, far_, leg_commands::refuse{status});
}

report::failure_cause queued_call::failure() const {
  if (failure_.failed())
    return failure_;
  if (!far_.ended)
    return {};
  const auto of_caller = failure_of(*far_.ended);
  const auto* const agent = agents_.talking();
  if (of_caller.failed() || agent == nullptr || !agent->ended)
    return of_caller;
  return failure_of(*agent->ended);
}

void queued_call::report() {
  auto over = account();
  over.failure = failure();
  over.answered = answered_;
  if (const auto owner = std::exchange(owner_, nullptr))
    lane::tell(home(), owner, std::move(over));
}

} // namespace jackfield
