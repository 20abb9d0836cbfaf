#include "app/webhooks/webhooks.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "app/webhooks/webhook_post.hpp"

namespace jackfield::webhooks {

namespace {

using clock = webhook_delivery::clock;

/// Who is told of few events passes over many: where it has come is said so often.
constexpr uint64_t silent_steps = 1000;
/// For what is under way to hear that nobody wants it any more.
constexpr std::chrono::milliseconds farewell{100};

uint64_t random_number() {
  std::random_device from;
  return (uint64_t{from()} << 32U) | from();
}

} // namespace

class webhooks::service {
public:
  explicit service(moved tell) : tell_(std::move(tell)) {}

  ~service() {
    stop();
    all_.clear();
    busy_.reset();
    context_->restart();
    context_->run_for(farewell);
    // The system's resolver cannot be told to leave it, and may take half a minute: the process,
    // which ends, does not wait for that.
    if (webhook_post::lookups() > 0)
      (void)context_.release();
  }

  void change(std::vector<webhook_settings> settings,
              const std::map<std::string, webhook_cursor>& known, uint64_t last) {
    if (!settings.empty() && !thread_.joinable())
      thread_ = std::thread{[this] { context_->run(); }};
    boost::asio::post(*context_, [this, settings = std::move(settings), known, last]() mutable {
      take_up(std::move(settings), known, last);
    });
    if (!thread_.joinable())
      context_->poll(); // nobody else does
  }

  void add(uint64_t seq, event_backlog::event what) {
    boost::asio::post(*context_, [this, seq, what = std::move(what)]() mutable {
      const std::lock_guard lock{mutex_};
      backlog_.add(seq, std::move(what));
      for (auto& each : all_)
        go_on(*each);
    });
    if (!thread_.joinable())
      context_->poll();
  }

  void drain(std::chrono::milliseconds patience) {
    if (thread_.joinable()) {
      boost::asio::post(*context_, [this] {
        const std::lock_guard lock{mutex_};
        draining_ = true;
        for (auto& each : all_)
          if (!each->delivery.is_stopped() && !each->delivery.is_sending()) {
            each->delivery.begin_anew(each->settings.events);
            go_on(*each);
          }
        look_whether_drained();
      });
      std::unique_lock lock{mutex_};
      drained_changed_.wait_for(lock, patience, [this] { return drained_; });
    }
    stop();
    const std::lock_guard lock{mutex_};
    for (const auto& each : all_)
      say_where(*each);
  }

  [[nodiscard]] std::vector<webhook_state> states() const {
    const std::lock_guard lock{mutex_};
    std::vector<webhook_state> out;
    for (const auto& each : all_) {
      const auto& is = each->delivery;
      webhook_state one;
      one.name = each->settings.name;
      one.url = each->settings.url.shown();
      one.cursor = is.cursor().after;
      one.behind = backlog_.last() > one.cursor ? backlog_.last() - one.cursor : 0;
      one.dropped = is.dropped();
      one.deliveries = is.deliveries();
      one.failures = is.failures();
      one.last_error = is.last_error();
      if (is.next_try())
        one.next_try = std::chrono::system_clock::now() +
                       std::chrono::duration_cast<std::chrono::system_clock::duration>(
                         *is.next_try() - clock::now());
      one.stopped = is.is_stopped();
      out.push_back(std::move(one));
    }
    return out;
  }

private:
  struct hook : std::enable_shared_from_this<hook> {
    hook(webhook_settings how, const webhook_cursor& from, boost::asio::io_context& on)
        : settings(std::move(how)), delivery(settings.events, from), again(on) {}

    webhook_settings settings;
    webhook_delivery delivery;
    boost::asio::steady_timer again;
    std::optional<webhook_post> post; // that is out
    webhook_cursor said;              // as far as `tell_` was told
  };

  void take_up(std::vector<webhook_settings> settings,
               const std::map<std::string, webhook_cursor>& known, uint64_t last) {
    const std::lock_guard lock{mutex_};
    backlog_.pass(last);
    auto before = std::exchange(all_, {});
    for (auto& each : settings) {
      const auto was = std::ranges::find_if(
        before, [&](const auto& one) { return one && one->settings.name == each.name; });
      if (was != before.end()) {
        (*was)->post.reset();
        (*was)->delivery.begin_anew(each.events);
        (*was)->settings = std::move(each);
        all_.push_back(std::move(*was));
      } else {
        const auto found = known.find(each.name);
        const auto from = found != known.end()
                            ? found->second
                            : webhook_cursor{backlog_.last(), 0, random_number()};
        all_.push_back(std::make_shared<hook>(std::move(each), from, *context_));
        if (found == known.end())
          say_where(*all_.back());
        else
          all_.back()->said = from;
      }
      go_on(*all_.back());
    }
  }

  /// Sends what there is to send now. `mutex_` is locked in what follows.
  void go_on(hook& of) {
    const auto now = clock::now();
    if (const auto* const next = of.delivery.begin(now, backlog_)) {
      const auto at = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
      posted_message what{
        next->id, at, webhook_signature(of.settings.secret, next->id, at, next->body), next->body};
      of.post.emplace(*context_, of.settings, std::move(what),
                      [this, &of](tl::expected<unsigned, std::string> how) {
                        const std::lock_guard lock{mutex_};
                        on_told(of, std::move(how));
                      });
      return;
    }
    if (of.delivery.cursor().after >= of.said.after + silent_steps)
      say_where(of);
    const auto when = of.delivery.next_try();
    if (!when || of.again.expiry() == *when)
      return;
    of.again.expires_at(*when);
    of.again.async_wait(
      [this, which = of.weak_from_this()](const boost::system::error_code& cancelled) {
        const auto still = which.lock();
        if (cancelled || !still)
          return;
        const std::lock_guard lock{mutex_};
        go_on(*still);
      });
  }

  void on_told(hook& of, tl::expected<unsigned, std::string> how) {
    of.post.reset();
    if (how)
      of.delivery.on_answer(*how, clock::now());
    else
      of.delivery.on_failure(std::move(how.error()), clock::now());
    if (of.delivery.last_error().empty())
      say_where(of);
    go_on(of);
    if (draining_)
      look_whether_drained();
  }

  void say_where(hook& of) {
    if (of.delivery.cursor() != of.said)
      tell_(of.settings.name, of.said = of.delivery.cursor());
  }

  void look_whether_drained() {
    if (std::ranges::any_of(all_, [](const auto& each) { return each->delivery.is_sending(); }))
      return;
    drained_ = true;
    drained_changed_.notify_one();
  }

  void stop() {
    context_->stop();
    if (thread_.joinable())
      thread_.join();
  }

  const moved tell_;
  std::unique_ptr<boost::asio::io_context> context_ = std::make_unique<boost::asio::io_context>(1);
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> busy_{
    context_->get_executor()};
  mutable std::mutex mutex_; // of what follows, which changes on the thread alone
  event_backlog backlog_{kept_events, kept_bytes};
  std::vector<std::shared_ptr<hook>> all_;
  bool draining_ = false;
  bool drained_ = false;
  std::condition_variable drained_changed_;
  std::thread thread_;
};

webhooks::webhooks(moved tell) : service_(std::make_unique<service>(std::move(tell))) {}
webhooks::~webhooks() = default;

void webhooks::change(std::vector<webhook_settings> all,
                      const std::map<std::string, webhook_cursor>& known, uint64_t last) {
  service_->change(std::move(all), known, last);
}

void webhooks::add(uint64_t seq, event_backlog::event what) {
  service_->add(seq, std::move(what));
}

void webhooks::drain(std::chrono::milliseconds patience) {
  service_->drain(patience);
}

std::vector<webhook_state> webhooks::states() const {
  return service_->states();
}

} // namespace jackfield::webhooks
