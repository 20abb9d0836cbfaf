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

callback_call::callback_call(caf::actor_config& config, lane::lane& home, lane_context& context,
                             std::shared_ptr<const bridge_manner> manner, terms how,
                             std::shared_ptr<const registrar_shards> shards,
                             const two_clocks& clocks, caf::strong_actor_ptr owner)
    : agent_served_call(config, home, context, std::move(manner), std::move(how.music),
                        std::move(shards), std::move(owner), std::move(how.ticket), how.what,
                        clocks, context.keeps != nullptr),
      what_(std::move(how.what)), hunt_(std::move(how.hunt)) {
  agents_.use({in_brackets(what_.from), in_brackets(what_.to), {}, 69});
}

caf::behavior callback_call::make_behavior() {
  line_.enter();
  return behavior_with(
    [this](const leg_events::prepared& prepared) { on_prepared(prepared); },
    [this](const leg_events::ringing& ringing) { on_ringing(ringing); },
    [this](const leg_events::answered& answered) { on_answered(answered); },
    [this](const leg_events::offered& anew) {
      if (auto* const by = speaker())
        answer_offer(*this, *by, reached_ ? other_than(by) : nullptr, anew, music_,
                     [this] { end_all(how_); });
    },
    [this](leg_events::requested& asked) {
      if (auto* const by = speaker())
        pass_request(*this, *by, reached_ ? other_than(by) : nullptr, asked);
    },
    [this](const leg_events::ended& ended) { on_ended(ended); },
    [this](const media_opened& opened) { on_opened(opened); },
    [this](const media_silent& silent) {
      if (silent.heard && reached_ && !ending_) {
        failure_ = report::failure_cause::media_timeout;
        end_all(how_);
      }
    },
    [this](const servers_located& found) { on_located(found); },
    [this](const connect_agent& connect) { on_connect(connect.offer); },
    [this](const queue_dismissed& dismissed) { on_dismissed(dismissed); },
    [](const wait_told&) {}, // nobody listens
    [this](ask_talk) {
      const auto* const agent = reached_ ? agents_.talking() : nullptr;
      return talk_streams{far_.stream, agent != nullptr ? agent->stream : nullptr, agent_.name()};
    },
    [this](put_off) {
      if (!dialled_)
        end_all(queue_exit::closed);
    },
    [this](const struct hang_up&) { end_all(queue_exit::closed); });
}

void callback_call::on_exit() {
  agent_served_call::on_exit();
  hunt_ = nullptr;
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

void callback_call::on_connect(const offer_key& key) {
  if (!give_to_agent(key))
    return;
  line_.leave(call_taken{key.bid, agent_.name()});
  agents_.withdraw();
  dialled_ = true;
  lane::tell_from(*this, owner_, callback_dials{});
  if (const auto& stream = agents_.talking()->stream)
    lane::tell(home(), stream, media_play{.what = music_});
  const auto how = sdp::protection::none;
  media_ = callee_media(*manner_->media, {}, how);
  open_stream(*this, context_, manner_->audio, far_, how, true);
}

// -- who is called back ------------------------------------------------------------

bool callback_call::call_next_trunk() {
  if (!hunt_->next(home().now()))
    return false;
  far_.leg = nullptr;
  far_.begun = false;
  far_.ended.reset();
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
  auto settings = leg_settings(*this, far_, media_);
  settings.tag = own_tag;
  far_.begun = true;
  home().spawn<call_leg>(context_.router, std::make_unique<leg_reporter>(
                                            std::move(settings), std::move(calling),
                                            kept_call::queued_leg(context_.keeps, line_.kept())));
}

void callback_call::on_prepared(const leg_events::prepared& prepared) {
  if (prepared.tag != own_tag) {
    agents_.on_prepared(prepared);
    return;
  }
  far_.leg = caf::actor_cast<caf::actor>(current_sender());
  if (far_.unwanted)
    command(*this, far_, leg_commands::hang_up{});
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
    end_leg(*this, far_);
    return;
  }
  const auto& all = manner_->media->capabilities().codecs;
  command(*this, far_, leg_commands::narrow{with_codecs(*media_, only(all, *answered.audio))});
  reached_ = true;
  agent_.talks_since(home().now());
  line_.keep_talk(agent_.name());
  join(true);
}

void callback_call::join(bool talks) {
  if (!far_.stream || !agents_.talking()->stream)
    return;
  request(caf::actor_cast<caf::actor>(agents_.talking()->stream), caf::infinite,
          media_join{far_.stream})
    .then(
      [this, talks](const media_join_result& r) {
        if (!talks || ending_)
          return;
        if (r.what != media_join_result::outcome::done) {
          failure_ = report::failure_cause::bad_sdp;
          end_all(how_);
        } else {
          agent_.record(line_, far_.stream, agents_.talking()->stream);
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
  take(far_, opened);
  if (!ending_ && !call_next_trunk()) {
    failure_ = report::failure_cause::from_status(503);
    end_all(how_);
  }
}

// -- the end -----------------------------------------------------------------------

void callback_call::on_ended(const leg_events::ended& ended) {
  auto* const one = ended.tag == own_tag ? &far_ : speaker();
  if (!is_side(one)) {
    agents_.on_ended(ended);
    settle();
    return;
  }
  one->ended = ended;
  if (one == &far_) {
    if (!ending_ && !rang_ && !reached_ && hunt_->was_trunk(ended, home().now()) &&
        call_next_trunk())
      return;
    by_far_ = !ending_;
  }
  end_all(how_);
}

void callback_call::end_all(queue_exit how) {
  auto* const agent = agents_.talking();
  if (!std::exchange(ending_, true) && agent == nullptr) {
    how_ = how;
    waited_ = waited_until_now();
  }
  agent_.end([this] { settle(); });
  line_.leave({.to_be_called = true});
  agents_.withdraw();
  end_leg(*this, far_);
  if (agent != nullptr)
    end_leg(*this, *agent);
  settle();
}

void callback_call::report() {
  callback_over over;
  over.how = reached_   ? callback_outcome::reached
             : dialled_ ? callback_outcome::not_reached
                        : callback_outcome::not_tried;
  over.call = account();
  over.call.failure = failure_;
  if (!failure_.failed() && far_.ended)
    over.call.failure = failure_of(*far_.ended);
  over.call.answered = reached_;
  if (const auto owner = std::exchange(owner_, nullptr))
    lane::tell(home(), owner, std::move(over));
}

} // namespace jackfield
