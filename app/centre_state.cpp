#include "app/centre_state.hpp"

#include <algorithm>
#include <cstdio>
#include <set>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>
#include <caf/send.hpp>

#include "storage/centre_records.hpp"

namespace jackfield::app {

void declare_centre_keep(CLI::App& app, keep_texts& t, keep_options& o) {
  app.add_option("--state", o.directory,
                 "keep calls, registrations, agents' states and queues in this directory; see "
                 "jackfield state");
  app.add_flag("--state-durable", t.durable,
               "calls that are kept survive the loss of power too; without it the end of the "
               "process");
  app.add_option(
    "--recover", t.recover,
    "calls that a crash left in the state directory: resume, which has callers wait on "
    "in their places and talk on with their agents, calls back who was promised that, and hangs up "
    "all others on both sides; hang-up, or forget, which closes their records only (resume)");
}

void read_centre_keep(option_reader& r, const keep_texts& t, keep_options& o) {
  read_keep(r, t, o, true);
  if (t.recover.empty())
    o.recover = keep_options::recovery::resume;
}

centre_state::centre_state(std::string directory, std::unique_ptr<kept_state> opened, bool resumes)
    : directory_(std::move(directory)), state_(std::move(opened)), resumes_(resumes) {
  // nop
}

storage::outcome<std::unique_ptr<centre_state>> centre_state::open(const keep_options& options) {
  auto opened = kept_state::open(options);
  if (!opened)
    return tl::unexpected{std::move(opened.error())};
  if (!*opened)
    return nullptr;
  std::unique_ptr<centre_state> made{new centre_state{
    options.directory, std::move(*opened), options.recover == keep_options::recovery::resume}};
  const auto& store = made->state_->store();
  auto heard = storage::last_heard(store);
  auto kept = heard ? storage::read_centre(store)
                    : storage::outcome<storage::kept_centre>{tl::unexpect, heard.error()};
  if (!kept) {
    auto why = std::move(kept.error());
    why.why.place = options.directory + ": " + why.why.place;
    return tl::unexpected{std::move(why)};
  }
  made->memory_.heard = *heard;
  made->memory_.kept = std::move(*kept);
  return made;
}

storage::outcome<void> centre_state::begin(node& engine, const centre_plan& plan,
                                           std::string command, const caf::actor& watcher) {
  std::set<std::string_view> queues;
  for (const auto& each : plan.queues)
    queues.insert(each.name);
  std::set<storage::call_key> returning;
  if (resumes_)
    returning = find_returning(
      state_->left(), [&](const std::string& queue) { return queues.contains(queue); }, memory_);
  returning_ = state_->resumable(engine.lanes(), [&](const storage::interrupted_call& call) {
    const bool returns = returning.contains(call.key);
    if (!returns)
      note_end(call);
    return returns;
  });
  bring_together(returning_);
  storage::run_record run;
  run.kind = "serve";
  run.command = std::move(command);
  if (auto begun = state_->begin(engine, std::move(run), watcher); !begun)
    return begun;
  for (unsigned i = 0; i < engine.lanes(); ++i) {
    auto& context = engine.context(i);
    last_records_.push_back(context.home.spawn<last_record>(*context.keeps));
    engine.keep(last_records_.back());
  }
  return {};
}

void centre_state::note_end(const storage::interrupted_call& call) {
  const auto& queueing = call.record.queueing;
  if (!queueing || !queueing->since || !(queueing->left.empty() || queueing->taken))
    return;
  centre_event event;
  event.what = queueing->taken ? centre_event::kind::completed : centre_event::kind::abandoned;
  event.at = std::chrono::system_clock::now();
  event.call_id = call.record.call_id;
  event.queue = queueing->queue;
  event.agent = queueing->agent;
  event.from = call.record.from;
  event.detail = storage::call_ended::engine_restart;
  event.waited = queueing->waited(memory_.heard);
  event.talked = queueing->talked(memory_.heard);
  ends_.push_back(std::move(event));
}

storage::outcome<void> centre_state::go_on(node& engine, const std::vector<caf::actor>& services,
                                           const caf::actor& watcher) {
  if (auto restored = state_->restore_bindings(services); !restored)
    return restored;
  tell_callbacks(services);
  resuming_ = hand_over(std::exchange(returning_, {}), services,
                        caf::actor_cast<caf::strong_actor_ptr>(watcher));
  recovering_ = state_->recover(engine, nullptr, watcher);
  return {};
}

void centre_state::tell_callbacks(const std::vector<caf::actor>& services) {
  std::vector<callbacks_left> left(services.size(), {{}, resumes_});
  size_t next = 0;
  for (auto& each : std::exchange(memory_.kept.callbacks, {}))
    left[next++ % left.size()].all.push_back(std::move(each));
  for (size_t i = 0; i < services.size(); ++i)
    if (!left[i].all.empty())
      caf::anon_send(services[i], std::move(left[i]));
}

void centre_state::take(const calls_recovered& lane) {
  for (size_t i = 0; i < parted_.size(); ++i)
    parted_.at(i) += lane.counts.at(i);
  if (--recovering_ == 0)
    state_->tell_recovered(parted_);
}

void centre_state::take(const calls_resumed& lane) {
  resumed_.merge(lane);
  if (--resuming_ == 0)
    state_->tell_resumed(resumed_);
}

void centre_state::take(const journal_failing& failing) {
  unwritten_ = failing.why;
  std::fprintf(stderr, "%s; no more calls are taken\n", failing.why.why.to_string().c_str());
}

void centre_state::take(journal_recovered) {
  unwritten_.reset();
  std::fprintf(stderr, "%s: is written again; calls are taken\n", directory_.c_str());
}

void centre_state::keep_last(caf::scoped_actor& self) {
  size_t waiting = 0;
  for (const auto& each : last_records_) {
    self->monitor(each); // it ends with its answer, or by an error within
    self->send(each, keep_all{});
    ++waiting;
  }
  while (waiting > 0)
    self->receive(
      [&](const caf::down_msg& down) {
        waiting -= std::ranges::any_of(
          last_records_, [&](const caf::actor& each) { return down.source == each.address(); });
      },
      [](const all_kept&) {}, [&](const calls_recovered& lane) { take(lane); },
      [&](const calls_resumed& lane) { take(lane); },
      [&](const journal_failing& failing) { take(failing); },
      [&](journal_recovered again) { take(again); });
  last_records_.clear();
}

int centre_state::end(bool lost) {
  if (unwritten_)
    return tell_fault(*unwritten_);
  const auto ended = state_->end(lost ? "an error within" : "");
  return ended ? 0 : tell_fault(ended.error());
}

} // namespace jackfield::app
