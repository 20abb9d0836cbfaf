#include "actors/centre/agent_served_call.hpp"

#include "actors/call/failure_of.hpp"

namespace jackfield {

// An error within: the legs hang up by themselves, for whom they are for is gone, and the queue and
// the agent see it, too.
void agent_served_call::on_exit() {
  close_stream(*this, far_);
  if (owner_) {
    failure_ = report::failure_cause::internal;
    report();
  }
  far_ = {};
  agents_.let_go();
  agent_.let_go();
  line_.let_go();
}

// -- who is who --------------------------------------------------------------------

call_side* agent_served_call::speaker() {
  return current_sender() == far_.leg ? &far_ : agents_.speaker();
}

call_side* agent_served_call::player() {
  return current_sender() == far_.stream ? &far_ : agents_.player();
}

call_side* agent_served_call::other_than(const call_side* side) {
  auto* const agent = agents_.talking();
  if (side == &far_)
    return agent;
  return side == agent ? &far_ : nullptr;
}

// -- agents ------------------------------------------------------------------------

void agent_served_call::on_ring(const ring_agent& ring) {
  if (!line_.waits() || ending_)
    agents_.decline(ring);
  else
    agents_.ring(ring, owner_);
}

bool agent_served_call::give_to_agent(const offer_key& by) {
  const auto* const agent = ending_ ? nullptr : agents_.connect(by);
  if (agent == nullptr)
    return false;
  how_ = queue_exit::answered;
  waited_ = waited_until_now();
  agent_.take(*agent, by);
  return true;
}

// A queue or an agent is gone, which none is while it has calls, but for an error within.
void agent_served_call::on_down(const caf::down_msg& down) {
  agents_.on_down(down);
  if (ending_ || !line_.is_over_by(down))
    return;
  if (agents_.talking() != nullptr) // it goes on by itself
    return;
  failure_ = report::failure_cause::internal;
  end_all(queue_exit::closed);
}

// -- the end -----------------------------------------------------------------------

void agent_served_call::on_closed(const media_closed& closed) {
  auto* const of = player();
  if (!is_side(of)) {
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

// Legs first, streams then: what is still on its way is heard.
void agent_served_call::settle() {
  if (!ending_ || far_.up() || agents_.up())
    return;
  const bool closed = close_stream(*this, far_);
  if (!agents_.close() || !closed || agent_.records())
    return;
  report();
  quit();
}

queued_call_over agent_served_call::account() const {
  queued_call_over over;
  over.call = id();
  over.call_id = line_.who().call_id;
  over.from = line_.who().from;
  over.queue = line_.ticket().name;
  over.agent = agent_.name();
  over.how = how_;
  over.by_caller = by_far_;
  over.waited = waited_;
  over.talked = agent_.talked();
  if (far_.outcome)
    over.media.push_back(*far_.outcome);
  if (const auto* const agent = agents_.talking(); agent != nullptr && agent->outcome)
    over.media.push_back(*agent->outcome);
  over.recording = agent_.recorded();
  return over;
}

} // namespace jackfield
