#include "engine/lane/lane_actor.hpp"

#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

#include "engine/lane/io_lane.hpp"

namespace jackfield::lane {
namespace {

using namespace std::chrono_literals;

/// What the actors of one test found out; written on their lane only.
struct tally {
  explicit tally(int expected) : left(expected) {}
  void count(bool on_lane) {
    off_lane += on_lane ? 0 : 1;
    if (--left == 0)
      complete.set_value();
  }
  int left;
  int off_lane = 0;
  std::promise<void> complete;
};

/// Counts numbers, passing some on to another actor, and ticks all the while.
class counter : public lane_actor {
public:
  counter(caf::actor_config& config, lane& home, tally& sum)
      : lane_actor(config, home), sum_(sum), timer_(*this, 1) {}

  caf::behavior make_behavior() override {
    return {[this](int) {
              sum_.count(home().on_lane());
              if (!timer_.armed())
                timer_.arm(home().now() + 1ms);
            },
            [this](timer_fired) { late_off_lane_ += home().on_lane() ? 0 : 1; },
            [this](const caf::actor& next) {
              sum_.count(home().on_lane() && late_off_lane_ == 0);
              if (next)
                send(next, 1);
            }};
  }

private:
  tally& sum_;
  int late_off_lane_ = 0;
  actor_timer timer_;
};

class lane_actor_test : public testing::Test {
protected:
  lane_actor_test() : lane_(io_lane::make(system_, 0).value()) {}

  /// Runs `f` on the lane and returns when it is done.
  void on_lane(const std::function<void()>& f) {
    std::promise<void> done;
    lane_->post([&] {
      f();
      done.set_value();
    });
    done.get_future().get();
  }

  void spawn(int count, tally& sum) {
    on_lane([&] {
      for (int i = 0; i < count; ++i)
        actors_.emplace_back(lane_->spawn<counter>(sum));
    });
  }

  void end() {
    on_lane([&] { actors_.clear(); });
    // Whatever still held an actor while it was let go has run by the next pass.
    on_lane([] {});
    on_lane([&] {
      EXPECT_EQ(lane_->live_actors(), 0U);
      EXPECT_EQ(lane_->wheel().size(), 0U);
    });
    lane_->stop();
    lane_->join();
  }

  caf::actor_system_config config_;
  caf::actor_system system_{config_};
  std::unique_ptr<io_lane> lane_;
  std::vector<caf::actor> actors_;
};

TEST_F(lane_actor_test, messages_of_foreign_threads_are_handled_on_the_lane) {
  constexpr int threads = 4;
  constexpr int messages = 5'000;
  lane_->start();
  tally sum{threads * messages};
  spawn(50, sum);
  std::vector<std::thread> senders;
  senders.reserve(threads);
  for (int t = 0; t < threads; ++t)
    senders.emplace_back([this, t] {
      for (int i = 0; i < messages; ++i)
        caf::anon_send(actors_[static_cast<size_t>(t * 7 + i) % actors_.size()], i);
    });
  for (auto& t : senders)
    t.join();
  sum.complete.get_future().get();
  EXPECT_EQ(sum.off_lane, 0);
  end();
}

// ThreadSanitizer does not see how CAF's library, which is built without it, hands an actor to a
// worker, and takes that for a race; foreign threads, above, are what it can judge.
#ifndef __SANITIZE_THREAD__
TEST_F(lane_actor_test, messages_of_caf_workers_are_handled_on_the_lane) {
  constexpr int workers = 20;
  constexpr int messages = 500;
  lane_->start();
  tally sum{workers * messages};
  spawn(10, sum);
  for (int w = 0; w < workers; ++w)
    system_.spawn(
      [this](caf::event_based_actor* self, int first) {
        for (int i = 0; i < messages; ++i)
          self->send(actors_[static_cast<size_t>(first + i) % actors_.size()], i);
      },
      w);
  sum.complete.get_future().get();
  EXPECT_EQ(sum.off_lane, 0);
  system_.await_all_actors_done(); // hidden ones, as ours are, do not count
  end();
}
#endif

TEST_F(lane_actor_test, actors_of_the_lane_reach_one_another_on_it) {
  lane_->start();
  tally sum{2 * 1'000};
  spawn(2, sum);
  for (int i = 0; i < 1'000; ++i)
    caf::anon_send(actors_[static_cast<size_t>(i) % 2], actors_[static_cast<size_t>(i + 1) % 2]);
  sum.complete.get_future().get();
  EXPECT_EQ(sum.off_lane, 0);
  end();
}

TEST_F(lane_actor_test, actors_spawned_before_the_lane_runs_are_its_own) {
  tally sum{100};
  for (int i = 0; i < 10; ++i)
    actors_.emplace_back(lane_->spawn<counter>(sum));
  for (int i = 0; i < 100; ++i)
    caf::anon_send(actors_[static_cast<size_t>(i) % actors_.size()], i);
  lane_->start();
  sum.complete.get_future().get();
  EXPECT_EQ(sum.off_lane, 0);
  end();
}

TEST_F(lane_actor_test, two_lanes_exchange_messages_without_leaving_them) {
  auto other = io_lane::make(system_, 1).value();
  lane_->start();
  other->start();
  tally here{500};
  tally there{500};
  spawn(1, here);
  caf::actor far;
  std::promise<void> spawned;
  other->post([&] {
    far = other->spawn<counter>(there);
    spawned.set_value();
  });
  spawned.get_future().get();
  for (int i = 0; i < 500; ++i)
    caf::anon_send(actors_[0], far); // counted here, and passed on to be counted there
  here.complete.get_future().get();
  there.complete.get_future().get();
  EXPECT_EQ(here.off_lane, 0);
  EXPECT_EQ(there.off_lane, 0);
  // A message that the other lane has not let go of yet holds its sender.
  other->post([&] { far = nullptr; });
  other->stop();
  other->join();
  end();
}

/// Tells where it ended.
class last_words : public lane_actor {
public:
  last_words(caf::actor_config& config, lane& home, std::promise<bool>& ended_on_lane)
      : lane_actor(config, home), ended_on_lane_(ended_on_lane), timer_(*this, 1) {
    timer_.arm(home.now() + 1h);
  }
  ~last_words() override { ended_on_lane_.set_value(home().on_lane()); }
  last_words(const last_words&) = delete;
  last_words& operator=(const last_words&) = delete;
  caf::behavior make_behavior() override {
    return {[](int) {}};
  }

private:
  std::promise<bool>& ended_on_lane_;
  actor_timer timer_;
};

TEST_F(lane_actor_test, an_actor_that_another_thread_lets_go_of_last_ends_on_its_lane) {
  lane_->start();
  std::promise<bool> ended_on_lane;
  caf::actor last;
  on_lane([&] { last = lane_->spawn<last_words>(ended_on_lane); });
  on_lane([] {}); // it has begun, and the lane holds it no more
  last = nullptr;
  EXPECT_TRUE(ended_on_lane.get_future().get());
  end();
}

TEST_F(lane_actor_test, an_actor_let_go_of_after_the_lane_ran_ends_with_it) {
  lane_->start();
  std::promise<bool> ended_on_lane;
  caf::actor last;
  on_lane([&] { last = lane_->spawn<last_words>(ended_on_lane); });
  lane_->stop();
  lane_->join();
  auto ended = ended_on_lane.get_future();
  std::thread{[&last] { last = nullptr; }}.join();
  EXPECT_EQ(ended.wait_for(0s), std::future_status::timeout) << "not by a thread that is not its";
  EXPECT_EQ(lane_->live_actors(), 1U);
  lane_.reset();
  EXPECT_TRUE(ended.get());
}

} // namespace
} // namespace jackfield::lane
