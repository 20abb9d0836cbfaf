#include "app/serve_command.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include <CLI/CLI.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include "actors/centre/centre.hpp"
#include "actors/node/node.hpp"
#include "app/centre_api.hpp"
#include "app/centre_config.hpp"
#include "app/centre_records.hpp"
#include "app/centre_reload.hpp"
#include "app/centre_state.hpp"
#include "app/centre_telling.hpp"
#include "app/http/token.hpp"
#include "app/interrupts.hpp"
#include "app/option_reader.hpp"
#include "app/serving/centre_engine.hpp"
#include "app/serving/running_centre.hpp"
#include "app/usable_lanes.hpp"
#include "app/version.hpp"
#include "engine/report/exit_code.hpp"
#include "engine/scenario/arrivals.hpp"

namespace jackfield::app {

namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds poll_interval{50};

struct serve_options {
  std::string config;
  std::string events;
  std::string queue_log;
  keep_options kept;
  std::string command;                    ///< as typed
  std::chrono::nanoseconds drain_limit{}; ///< 0: none
  bool check = false;
  bool quiet = false;
};

int tell(const error& e) {
  std::fprintf(stderr, "%s\n", e.to_string().c_str());
  return static_cast<int>(report::exit_code::usage);
}

/// Nothing: help was asked for, and given.
result<std::optional<serve_options>> parse_options(const std::vector<std::string>& arguments) {
  serve_options o;
  keep_texts kept;
  std::string drain_limit;
  CLI::App app{"Serves a contact centre: agents' phones register here, calls to a queue's number\n"
               "wait there until an agent takes them.",
               "jackfield serve"};
  app.add_option("-c,--config", o.config, "what it is made of (config/contact-centre.toml)")
    ->required();
  app.add_flag("--check", o.check, "say what is wrong with the configuration, and end");
  app.add_option("--events", o.events, "append what happens to this file, a line of JSON each");
  app.add_option("--queue-log", o.queue_log, "append it in the format of Asterisk's queue_log");
  app.add_option("--drain-limit", drain_limit,
                 "calls that are up this long after SIGTERM are hung up (never)");
  declare_centre_keep(app, kept, o.kept);
  app.add_flag("-q,--quiet", o.quiet, "say nothing unless something is wrong");
  take_one_text_each(app);
  try {
    app.parse(std::vector<std::string>{arguments.rbegin(), arguments.rend()});
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return std::nullopt;
  } catch (const CLI::ParseError& e) {
    return fail("serve", e.what());
  }
  if (auto given = demand_texts(app); !given)
    return tl::unexpected{std::move(given.error())};
  option_reader r;
  read_centre_keep(r, kept, o.kept);
  r.read(drain_limit, o.drain_limit,
         [](std::string_view s) { return scenario::parse_duration("--drain-limit", s); });
  if (r.failure())
    return tl::unexpected{*r.failure()};
  o.command = "jackfield serve";
  for (const auto& each : arguments)
    o.command.append(1, ' ').append(each);
  return o;
}

centre_site site_of(const centre_config& config) {
  centre_site site;
  site.lanes = usable_lanes(config.lanes);
  site.user_agent = "Jackfield/" + std::string{version};
  site.media_address =
    config.media_address.valid() ? config.media_address : config.listening.at.front().address;
  site.first_media_port = config.first_media_port;
  site.last_media_port = config.last_media_port;
  return site;
}

void tell_queues(const std::vector<queue_state>& queues) {
  std::fprintf(stderr, "%-20s %9s %9s %9s %9s %9s %10s %10s\n", "queue", "offered", "answered",
               "abandoned", "sent on", "waiting", "mean wait", "in time");
  for (const auto& each : queues) {
    const auto& f = each.figures;
    const auto mean = f.mean_answered_wait();
    const auto level = f.service_level_of_offered();
    std::fprintf(
      stderr, "%-20s %9llu %9llu %9llu %9llu %9zu %8.1f s %8.1f %%\n", each.name.c_str(),
      static_cast<unsigned long long>(f.offered), static_cast<unsigned long long>(f.answered),
      static_cast<unsigned long long>(f.abandoned), static_cast<unsigned long long>(f.overflowed),
      each.waiting, mean ? std::chrono::duration<double>(*mean).count() : 0.0,
      level ? *level * 100 : 0.0);
  }
}

/// The running centre, as its command sees it.
class serving {
public:
  /// `state`, `api`: null: none is wanted.
  serving(const serve_options& options, node& engine, centre_records& records, centre_state* state,
          std::unique_ptr<centre_api> api)
      : options_(options), engine_(engine), records_(records), state_(state),
        self_(engine.system()), centre_(engine, self_), telling_(self_, records),
        api_(std::move(api)) {}

  storage::outcome<void> begin(const centre_config& config) {
    const auto watcher = caf::actor_cast<caf::actor>(self_);
    if (state_ != nullptr)
      if (auto begun = state_->begin(engine_, config.plan, options_.command, watcher); !begun)
        return begun;
    centre_.begin(config.plan, bridge_manner_at(site_of(config).media_address, config.hold_music),
                  config.registrations, caf::actor_cast<caf::strong_actor_ptr>(self_),
                  state_ != nullptr ? &state_->memory() : nullptr);
    centre_telling::start start;
    start.api = api_.get();
    start.actors = centre_.actors();
    if (state_ != nullptr) {
      start.told = state_->take_told();
      start.keeper = state_->keeper();
      start.records = &state_->records();
    }
    telling_.begin(std::move(start), config.webhooks);
    if (state_ == nullptr)
      return {};
    for (const auto& each : state_->take_ends())
      telling_.take(each);
    return state_->go_on(engine_, centre_.actors().services, watcher);
  }

  int run() {
    while (!centre_.over() || (state_ != nullptr && state_->busy())) {
      self_->receive([&](const centre_event& event) { telling_.take(event); },
                     [&](const centre_stopped& last) { centre_.on_stopped(last); },
                     [&](const caf::down_msg& down) { on_down(down); },
                     [&](const calls_recovered& lane) { state_->take(lane); },
                     [&](const calls_resumed& lane) { state_->take(lane); },
                     [&](const journal_failing& failing) { state_->take(failing); },
                     [&](journal_recovered again) { state_->take(again); },
                     [&](const told_kept& kept) { telling_.take(kept); },
                     [&](const webhook_moved& hook) { telling_.take(hook); },
                     caf::after(poll_interval) >> [] {});
      flush_now_and_then();
      if (api_)
        api_->on_time();
      heed_reloads();
      heed_interrupts();
    }
    return end();
  }

private:
  void heed_reloads() {
    const auto asked = reloads();
    const auto askers = api_ ? api_->take_reload_requests() : std::vector<http::reply>{};
    if ((std::exchange(reloads_, asked) == asked && askers.empty()) || draining_) {
      for (const auto& each : askers)
        each(http::problem(503, "no more calls are taken: it ends"));
      return;
    }
    const auto said = reload();
    for (const auto& each : askers)
      each(said);
  }

  // What is wrong with the new configuration is told, and the old one stays.
  http::answer reload() {
    auto config = read_centre_config(options_.config);
    if (!config) {
      for (const auto& each : config.error())
        tell(each);
      std::fputs("nothing is changed\n", stderr);
      return reload_problem(config.error());
    }
    const auto plan = centre_.plan();
    const auto hooks = telling_.hooks();
    change_to(std::move(*config));
    return reload_answer({plan, hooks}, {centre_.plan(), telling_.hooks()});
  }

  void change_to(centre_config config) {
    centre_.change(std::move(config.plan), config.registrations,
                   caf::actor_cast<caf::strong_actor_ptr>(self_));
    if (api_)
      api_->change(centre_.plan(), centre_.actors());
    telling_.change(std::move(config.webhooks));
    if (!options_.quiet)
      std::fprintf(stderr, "reloaded: serving %zu queues and %zu agents\n",
                   centre_.plan().queues.size(), centre_.plan().agents.size());
  }

  void on_down(const caf::down_msg& down) {
    if (centre_.on_down(down))
      std::fputs("an error within ended a part; calls that are up end, no more are taken\n",
                 stderr);
  }

  void flush_now_and_then() {
    const auto now = steady_clock::now();
    if (now < next_flush_)
      return;
    next_flush_ = now + std::chrono::milliseconds{200};
    if (const auto written = records_.flush(); !written) {
      tell(written.error());
      unwritten_ = true;
    }
  }

  void heed_interrupts() {
    const auto now = steady_clock::now();
    const bool over = draining_ && options_.drain_limit > std::chrono::nanoseconds::zero() &&
                      now - *draining_ >= options_.drain_limit;
    const auto wanted = std::max(interrupts(), centre_.lost() || unwritten_ ? 1 : 0);
    if (wanted >= 1 && !draining_) {
      draining_ = now;
      if (api_)
        api_->drain();
      centre_.drain();
    }
    if ((wanted >= 2 || over) && !std::exchange(stopping_, true))
      centre_.hang_up();
  }

  int end() {
    telling_.leave_api();
    api_ = nullptr; // nobody asks the actors any more
    // What is on its way to us was said before the answers to these.
    const auto queues = centre_.ask_queues();
    for (bool more = true; more;)
      self_->receive([&](const centre_event& event) { telling_.take(event); },
                     [](const caf::down_msg&) {},
                     caf::after(std::chrono::milliseconds::zero()) >> [&] { more = false; });
    telling_.finish();
    centre_.let_go();
    if (state_ != nullptr)
      state_->keep_last(self_);
    if (const auto written = records_.flush(); !written) {
      tell(written.error());
      unwritten_ = true;
    }
    if (!options_.quiet) {
      std::fprintf(stderr, "%llu calls, %llu refused\n",
                   static_cast<unsigned long long>(centre_.calls()),
                   static_cast<unsigned long long>(centre_.refused()));
      tell_queues(queues);
    }
    return centre_.lost() || unwritten_ ? static_cast<int>(report::exit_code::internal_error) : 0;
  }

  const serve_options& options_;
  node& engine_;
  centre_records& records_;
  centre_state* state_;
  caf::scoped_actor self_;
  running_centre centre_;
  centre_telling telling_;
  std::unique_ptr<centre_api> api_;
  int reloads_ = 0;                                  // that were heeded
  std::optional<steady_clock::time_point> draining_; // since
  steady_clock::time_point next_flush_{};
  bool stopping_ = false;
  bool unwritten_ = false;
};

/// None, where none is wanted.
result<std::unique_ptr<centre_api>> open_api(const serve_options& options,
                                             const centre_config& config, node& engine) {
  if (!config.api_address.valid())
    return std::unique_ptr<centre_api>{};
  auto token = http::read_or_make_token(config.api_token_file);
  if (!token)
    return tl::unexpected{std::move(token.error())};
  auto api =
    centre_api::listen(config.api_address, std::move(*token), config.plan, engine.system());
  if (!api)
    return fail(options.config + ": [api] listen", api.error().to_string());
  if (!options.quiet)
    std::fprintf(stderr, "API on http://%s, token in %s\n", (*api)->address().to_string().c_str(),
                 config.api_token_file.c_str());
  return api;
}

int serve(const serve_options& options, const centre_config& config) {
  auto state = centre_state::open(options.kept);
  if (!state)
    return tell_fault(state.error());
  auto engine = node::make(node_settings_of(site_of(config)));
  if (!engine)
    return tell(engine.error());
  if (auto usable = (*engine)->context(0).media.check_address(); !usable)
    return tell(error{options.config + ": media_ip", usable.error().to_string()});
  auto records = centre_records::open(options.events, options.queue_log);
  if (!records)
    return tell(records.error());
  catch_interrupts(); // who reads that we listen may interrupt us
  catch_reloads();
  if (auto opened = open_listeners(config.listening, options.quiet, **engine); !opened)
    return tell(error{options.config + ": listen", opened.error().to_string()});
  auto api = open_api(options, config, **engine);
  if (!api)
    return tell(api.error());
  std::optional<serving> centre;
  centre.emplace(options, **engine, *records, state->get(), std::move(*api));
  if (auto begun = centre->begin(config); !begun)
    return tell_fault(begun.error());
  (*engine)->start();
  if (!options.quiet)
    std::fprintf(stderr, "serving %zu queues and %zu agents\n", config.plan.queues.size(),
                 config.plan.agents.size());
  const int status = centre->run();
  if (!*state)
    return status;
  centre.reset();
  engine->reset();
  const int kept = (*state)->end(status != 0);
  return status != 0 ? status : kept;
}

} // namespace

int serve_command(const std::vector<std::string>& arguments) {
  const auto options = parse_options(arguments);
  if (!options)
    return tell(options.error());
  if (!*options)
    return 0;
  const auto config = read_centre_config((*options)->config);
  if (!config) {
    for (const auto& each : config.error())
      tell(each);
    return static_cast<int>(report::exit_code::usage);
  }
  if ((*options)->check) {
    if (!(*options)->quiet)
      std::printf("%s: %zu queues and %zu agents, nothing is wrong\n", (*options)->config.c_str(),
                  config->plan.queues.size(), config->plan.agents.size());
    if (!(*options)->quiet)
      for (const auto& each : config->webhooks)
        std::printf("webhook \"%s\": %s\n", each.name.c_str(), each.url.shown().c_str());
    return 0;
  }
  raise_file_limit();
  return serve(**options, *config);
}

} // namespace jackfield::app
