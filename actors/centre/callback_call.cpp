#include "actors/centre/callback_call.hpp"

#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/behavior.hpp>

#include "actors/call/failure_of.hpp"
#include "actors/centre/hold.hpp"
#include "actors/centre/supervisor_call.hpp"
#include "actors/media/media_play.hpp"
#include "actors/media/media_stream.hpp"

namespace jackfield {

namespace {

/// The place that they had; nothing of it is kept before they are called.
place_in_line place_of(lane::lane_actor& call, const call_side& callee,
                       const storage::callback_record& what, queue_ticket ticket,
                       const two_clocks& clocks, const recorder* keeps) {
  std::shared_ptr<storage::queueing_record> kept;
  if (keeps != nullptr) {
    kept = std::make_shared<storage::queueing_record>();
    kept->since = what.since;
  }
  ticket.priority = what.priority;
  return {call,
          callee,
          std::move(ticket),
          {what.call_id, what.from, 0, clocks.lane_of(what.since), false, true},
          std::move(kept)};
}

} // namespace

callback_call::callback_call(caf::actor_config& config, lane::lane& home, lane_context& context,
                             std::shared_ptr<const bridge_manner> manner, terms how,
                             std::shared_ptr<const registrar_shards> shards,
                             const two_clocks& clocks, caf::strong_actor_ptr owner)
    : lane::lane_actor(config, home), context_(context), manner_(std::move(manner)),
      what_(std::move(how.what)), music_(std::move(how.music)), hunt_(std::move(how.hunt)),
      owner_(std::move(owner)),
      line_(place_of(*this, callee_, what_, std::move(how.ticket), clocks, context_.keeps)),
      agents_(*this, context_, manner_, std::move(shards)) {
  agents_.use({in_brackets(what_.from), in_brackets(what_.to), {}, 69});
}

caf::behavior callback_call::make_behavior() {
  set_down_handler([this](const caf::down_msg& down) { on_down(down); });
  line_.enter();
  return {
    [this](const leg_events::prepared& prepared) { on_prepared(prepared); },
    [this](const leg_events::ringing& ringing) { on_ringing(ringing); },
    [this](const leg_events::answered& answered) { on_answered(answered); },
    [this](const leg_events::offered& anew) {
      if (auto* const by = speaker())
        answer_offer(*this, *by, reached_ ? other_than(by) : nullptr, anew, music_,
                     [this] { end_all(how_); });
    },
    [](const leg_events::offer_withdrawn&) {}, // our answer will be told that it is too late
    [this](leg_events::requested& asked) {
      if (auto* const by = speaker())
        pass_request(*this, *by, reached_ ? other_than(by) : nullptr, asked);
    },
    [this](const leg_events::ended& ended) { on_ended(ended); },
    [this](const media_opened& opened) { on_opened(opened); },
    [](const media_parted&) {}, // of one whose other has closed
    [this](const media_silent& silent) {
      if (silent.heard && reached_ && !ending_) {
        failure_ = report::failure_cause::media_timeout;
        end_all(how_);
      }
    },
    [this](const media_closed& closed) { on_closed(closed); },
    [this](const servers_located& found) { on_located(found); },
    [this](const contacts_found& found) { agents_.on_contacts(found); },
    [this](const ring_agent& ring) { on_ring(ring); },
    [this](const stop_ringing& stop) { agents_.on_stop(stop); },
    [this](const connect_agent& connect) { on_connect(connect.offer); },
    [this](const queue_dismissed& dismissed) { on_dismissed(dismissed); },
    [](const wait_told&) {}, // nobody listens
    [this](ask_talk) {
      const auto* const agent = reached_ ? agents_.talking() : nullptr;
      return talk_streams{callee_.stream, agent != nullptr ? agent->stream : nullptr,
                          agent_.name()};
    },
    [this](put_off) {
      if (!dialled_)
        end_all(queue_exit::closed);
    },
    [this](const struct hang_up&) { end_all(queue_exit::closed); },
  };
}

void callback_call::on_exit() {
  close_stream(*this, callee_);
  if (owner_) {
    failure_ = report::failure_cause::internal;
    report();
  }
  callee_ = {};
  agents_.let_go();
  agent_.let_go();
  line_.let_go();
  hunt_ = nullptr;
}

// -- who is who --------------------------------------------------------------------

call_side* callback_call::speaker() {
  return current_sender() == callee_.leg ? &callee_ : agents_.speaker();
}

call_side* callback_call::player() {
  return current_sender() == callee_.stream ? &callee_ : agents_.player();
}

call_side* callback_call::other_than(const call_side* side) {
  auto* const agent = agents_.talking();
  if (side == &callee_)
    return agent;
  return side == agent ? &callee_ : nullptr;
}

// -- in the line -------------------------------------------------------------------

void callback_call::on_dismissed(const queue_dismissed& dismissed) {
  if (ending_ || !line_.waits())
    return;
  agents_.withdraw();
  if (line_.move_on(dismissed))
    line_.enter();
  else
    end_all(dismissed.why);
}

void callback_call::on_down(const caf::down_msg& down) {
  agents_.on_down(down);
  if (ending_ || !line_.is_over_by(down))
    return;
  if (agents_.talking() != nullptr) // it goes on by itself
    return;
  failure_ = report::failure_cause::internal;
  end_all(queue_exit::closed);
}

void callback_call::on_ring(const ring_agent& ring) {
  if (!line_.waits() || ending_)
    agents_.decline(ring);
  else
    agents_.ring(ring, owner_);
}

void callback_call::on_connect(const offer_key& key) {
  const auto* const agent = ending_ ? nullptr : agents_.connect(key);
  if (agent == nullptr)
    return;
  how_ = queue_exit::answered;
  waited_ = home().now() - line_.who().since;
  agent_.take(*agent, key);
  line_.leave(call_taken{key.bid, agent_.name()});
  agents_.withdraw();
  dialled_ = true;
  lane::tell_from(*this, owner_, callback_dials{});
  if (const auto& stream = agents_.talking()->stream)
    lane::tell(home(), stream, media_play{.what = music_});
  const auto how = sdp::protection::none;
  media_ = callee_media(*manner_->media, {}, how);
  open_stream(*this, context_, manner_->audio, callee_, how, true);
}

// -- who is called back ------------------------------------------------------------

bool callback_call::call_next_trunk() {
  if (!hunt_->next(home().now()))
    return false;
  callee_.leg = nullptr;
  callee_.begun = false;
  callee_.ended.reset();
  look_up_ = context_.router.hops().next_ticket();
  context_.router.hops().locate(hunt_->server(), *this, look_up_);
  return true;
}

void callback_call::on_located(const servers_located& found) {
  if (found.ticket != look_up_) {
    agents_.on_located(found);
    return;
  }
  if (ending_)
    return;
  if (!found.where) {
    hunt_->not_found(home().now());
    if (!call_next_trunk()) {
      failure_ = report::failure_cause::resolve_failed;
      end_all(how_);
    }
    return;
  }
  leg_reporter::calling calling;
  calling.servers = context_.router.hops().servers().order(*found.where, home().now());
  calling.connections = hunt_->connections();
  calling.whom = hunt_->whom();
  const auto& back = line_.ticket().calls_back;
  calling.ringing_limit = back ? back->ringing_limit : callback_terms{}.ringing_limit;
  auto settings = leg_settings(*this, callee_, media_);
  settings.tag = own_tag;
  callee_.begun = true;
  home().spawn<call_leg>(context_.router, std::make_unique<leg_reporter>(
                                            std::move(settings), std::move(calling),
                                            kept_call::queued_leg(context_.keeps, line_.kept())));
}

void callback_call::on_prepared(const leg_events::prepared& prepared) {
  if (prepared.tag != own_tag) {
    agents_.on_prepared(prepared);
    return;
  }
  callee_.leg = caf::actor_cast<caf::actor>(current_sender());
  if (callee_.unwanted)
    command(*this, callee_, leg_commands::hang_up{});
}

// The agent hears what the network says.
void callback_call::on_ringing(const leg_events::ringing& ringing) {
  if (!called(speaker()) || ending_)
    return;
  rang_ = true;
  if (ringing.early_media)
    join(false);
}

void callback_call::on_answered(const leg_events::answered& answered) {
  if (!called(speaker())) {
    agents_.on_answered(answered);
    return;
  }
  if (ending_ || !answered.audio) {
    end_leg(*this, callee_);
    return;
  }
  const auto& all = manner_->media->capabilities().codecs;
  command(*this, callee_, leg_commands::narrow{with_codecs(*media_, only(all, *answered.audio))});
  reached_ = true;
  agent_.talks_since(home().now());
  line_.keep_talk(agent_.name());
  join(true);
}

void callback_call::join(bool talks) {
  if (!callee_.stream || !agents_.talking()->stream)
    return;
  request(caf::actor_cast<caf::actor>(agents_.talking()->stream), caf::infinite,
          media_join{callee_.stream})
    .then(
      [this, talks](const media_join_result& r) {
        if (!talks || ending_)
          return;
        if (r.what != media_join_result::outcome::done) {
          failure_ = report::failure_cause::bad_sdp;
          end_all(how_);
        } else {
          agent_.record(line_, callee_.stream, agents_.talking()->stream);
        }
      },
      [](const caf::error&) {}); // it has ended, and says so
}

// -- streams -----------------------------------------------------------------------

void callback_call::on_opened(const media_opened& opened) {
  if (!called(player())) {
    agents_.on_opened(opened);
    return;
  }
  if (!opened.local) {
    failure_ = failure_of(opened.local.error());
    end_all(how_);
    return;
  }
  take(callee_, opened);
  if (!ending_ && !call_next_trunk()) {
    failure_ = report::failure_cause::from_status(503);
    end_all(how_);
  }
}

void callback_call::on_closed(const media_closed& closed) {
  auto* const of = player();
  if (of == nullptr || (of != &callee_ && of != agents_.talking())) {
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

// -- the end -----------------------------------------------------------------------

void callback_call::on_ended(const leg_events::ended& ended) {
  auto* const one = ended.tag == own_tag ? &callee_ : speaker();
  if (one == nullptr || (one != &callee_ && one != agents_.talking())) {
    agents_.on_ended(ended);
    settle();
    return;
  }
  one->ended = ended;
  if (one == &callee_) {
    if (!ending_ && !rang_ && !reached_ && hunt_->was_trunk(ended, home().now()) &&
        call_next_trunk())
      return;
    by_callee_ = !ending_;
  }
  end_all(how_);
}

void callback_call::end_all(queue_exit how) {
  auto* const agent = agents_.talking();
  if (!std::exchange(ending_, true) && agent == nullptr) {
    how_ = how;
    waited_ = home().now() - line_.who().since;
  }
  agent_.end([this] { settle(); });
  line_.leave({.to_be_called = true});
  agents_.withdraw();
  end_leg(*this, callee_);
  if (agent != nullptr)
    end_leg(*this, *agent);
  settle();
}

// Legs first, streams then: what is still on its way is heard.
void callback_call::settle() {
  if (!ending_ || callee_.up() || agents_.up())
    return;
  const bool closed = close_stream(*this, callee_);
  if (!agents_.close() || !closed || agent_.records())
    return;
  report();
  quit();
}

void callback_call::report() {
  callback_over told;
  told.how = reached_   ? callback_outcome::reached
             : dialled_ ? callback_outcome::not_reached
                        : callback_outcome::not_tried;
  auto& over = told.call;
  over.call = id();
  over.call_id = what_.call_id;
  over.from = what_.from;
  over.queue = line_.ticket().name;
  over.agent = agent_.name();
  over.how = how_;
  over.by_caller = by_callee_;
  over.waited = waited_;
  over.talked = agent_.talked();
  over.failure = failure_;
  if (!failure_.failed() && callee_.ended)
    over.failure = failure_of(*callee_.ended);
  over.answered = reached_;
  if (callee_.outcome)
    over.media.push_back(*callee_.outcome);
  if (const auto* const agent = agents_.talking(); agent != nullptr && agent->outcome)
    over.media.push_back(*agent->outcome);
  over.recording = agent_.recorded();
  if (const auto owner = std::exchange(owner_, nullptr))
    lane::tell(home(), owner, std::move(told));
}

} // namespace jackfield
