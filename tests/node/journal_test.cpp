#include <memory>
#include <optional>
#include <string_view>

#include <caf/scoped_actor.hpp>
#include <gtest/gtest.h>

#include "actors/node/node.hpp"
#include "actors/node/recorder.hpp"
#include "storage/memory_store.hpp"
#include "storage/records.hpp"

namespace jackfield {
namespace {

constexpr uint64_t writes_a_lane = 500;

/// Two lanes that write at once, and the journal's own thread.
class journal_test : public testing::Test {
protected:
  void SetUp() override {
    node_settings settings;
    settings.lanes = 2;
    auto made = node::make(settings);
    ASSERT_TRUE(made) << made.error().to_string();
    engine_ = std::move(*made);
    self_.emplace(engine_->system());
    auto log = storage::commit_log::begin(store_);
    ASSERT_TRUE(log);
    engine_->keep_calls(std::move(*log), 1, storage::durability::durable,
                        caf::actor_cast<caf::actor>(*self_));
    engine_->start();
  }
  void TearDown() override {
    self_.reset();
    engine_.reset();
  }
  /// From each lane, so many changes, of which each writes a key and an event; the writer waits
  /// until all are in the store.
  void write_all() {
    const auto self = caf::actor_cast<caf::strong_actor_ptr>(*self_);
    for (unsigned i = 0; i < engine_->lanes(); ++i)
      engine_->context(i).home.post([this, i, self] {
        auto& keeps = *engine_->context(i).keeps;
        for (uint64_t n = 0; n < writes_a_lane; ++n) {
          const storage::call_key key{1, keeps.take_number()};
          storage::change c;
          c.writes.put(storage::keyspace::calls, storage::key_of(key), "x");
          c.events.push_back(storage::pack(storage::event_record{{}, storage::run_started{i + 1}}));
          keeps.write(std::move(c), self);
        }
        keeps.when_idle(self);
      });
  }

  storage::memory_store store_;
  std::unique_ptr<node> engine_;
  std::optional<caf::scoped_actor> self_;
};

TEST_F(journal_test, what_lanes_write_at_once_is_all_there_and_each_writer_is_told_once) {
  write_all();
  uint64_t written = 0;
  for (unsigned idle = 0; idle < engine_->lanes();)
    (*self_)->receive([&](const recorded& answer) { written += answer.not_yet ? 0 : 1; },
                      [&](recorder_idle) { ++idle; });
  EXPECT_EQ(written, 2 * writes_a_lane);
  self_.reset();
  engine_.reset(); // its thread reads the store no more
  uint64_t keys = 0, events = 0;
  EXPECT_TRUE(
    store_.scan(storage::keyspace::calls, {}, {}, [&](auto, auto) { return ++keys > 0; }));
  EXPECT_TRUE(store_.scan(storage::keyspace::events, {}, {}, [&](std::string_view key, auto) {
    EXPECT_EQ(storage::number_of_key(key), ++events);
    return true;
  }));
  EXPECT_EQ(keys, 2 * writes_a_lane);
  EXPECT_EQ(events, 2 * writes_a_lane);
  EXPECT_LT(store_.writes(), writes_a_lane) << "they share commits";
}

TEST_F(journal_test, who_watches_hears_that_it_fails) {
  store_.fail_writes(storage::fault{storage::fault_kind::disk_full, {"D", "no space is left"}});
  write_all();
  uint64_t not_yet = 0;
  bool told = false;
  while (not_yet < 2 * writes_a_lane || !told)
    (*self_)->receive([&](const recorded& answer) { not_yet += answer.not_yet ? 1 : 0; },
                      [&](const journal_failing& failing) {
                        told = true;
                        EXPECT_EQ(failing.why.kind, storage::fault_kind::disk_full);
                      });
}

} // namespace
} // namespace jackfield
