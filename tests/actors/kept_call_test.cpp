#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/sip/message.hpp"
#include "storage/memory_store.hpp"
#include "storage/records.hpp"
#include "storage/run_book.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;
using report::failure_cause;
using storage::durability;
using storage::keyspace;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

/// Counts the INVITEs that come to a site, by Call-ID; copies of one are one.
class invite_count final : public wire_tap {
public:
  void on_message(wire_direction direction, const transport::flow& /*over*/,
                  lane::time_point /*at*/, std::string_view bytes) override {
    if (direction != wire_direction::received || !bytes.starts_with("INVITE "))
      return;
    const auto value = [&](std::string_view name) {
      const auto at = bytes.find(name);
      const auto begin = at + name.size();
      return at == std::string_view::npos
               ? std::string{}
               : std::string{bytes.substr(begin, bytes.find('\r', begin) - begin)};
    };
    branches_[value("\r\nCall-ID: ")].insert(value("branch="));
  }
  /// Different INVITEs by Call-ID.
  [[nodiscard]] const std::map<std::string, std::set<std::string>>& seen() const {
    return branches_;
  }

private:
  std::map<std::string, std::set<std::string>> branches_;
};

struct content {
  std::vector<storage::call_ended> ended;
  std::map<storage::call_key, storage::call_record> under_way;
  std::vector<uint64_t> numbers; ///< of all events
};

content content_of(const storage::store& s) {
  content c;
  EXPECT_TRUE(s.scan(keyspace::events, {}, {}, [&](std::string_view key, std::string_view value) {
    c.numbers.push_back(storage::number_of_key(key).value());
    const auto event = storage::unpack_event(value).value();
    if (const auto* call = std::get_if<storage::call_ended>(&event.what))
      c.ended.push_back(*call);
    return true;
  }));
  EXPECT_TRUE(s.scan(keyspace::calls, {}, {}, [&](std::string_view key, std::string_view value) {
    c.under_way.emplace(storage::call_of_key(key).value(), storage::unpack_call(value).value());
    return true;
  }));
  return c;
}

class kept_call_test : public testing::Test {
protected:
  kept_call_test()
      : world_(7, link()), caller_(world_.add_site("10.0.0.1")),
        callee_(world_.add_site("10.0.0.2")) {
    callee_.context.router.set_tap(&invites_);
    storage::run_record run;
    run.command = "jackfield load";
    run.kind = "load";
    run_ = storage::begin_run(store_, run).value();
  }
  ~kept_call_test() override { callee_.context.router.set_tap(nullptr); }

  static lane::sim_link link() {
    lane::sim_link made;
    made.delay = 10ms;
    made.jitter = 3ms;
    return made;
  }
  std::shared_ptr<const call_manner> manner() {
    return std::make_shared<const call_manner>(manner_between(caller_, callee_.target()));
  }
  std::shared_ptr<load_plan> plan(uint64_t calls, double rate, lane::duration length) {
    auto made = std::make_shared<load_plan>();
    made->arrivals.calls = calls;
    made->arrivals.phases = {{rate, rate, 1h}};
    made->length.mean = length;
    made->arrivals.poisson = true;
    made->targets = {target_of(callee_.address)};
    return made;
  }

  storage::memory_store store_;       // the caller's
  storage::memory_store other_store_; // the callee's
  invite_count invites_;
  sim_world world_;
  sim_site& caller_;
  sim_site& callee_;
  uint64_t run_ = 0;
};

TEST_F(kept_call_test, every_call_of_a_run_has_one_record_and_nothing_is_under_way_at_its_end) {
  world_.answer(callee_, answer_manner_of(callee_));
  world_.keep_calls(caller_, store_, run_);
  world_.run_load(caller_, plan(50, 100, 300ms), manner());
  ASSERT_TRUE(world_.run_until_finished(1min));
  const auto c = content_of(store_);
  EXPECT_THAT(c.under_way, IsEmpty());
  ASSERT_THAT(c.ended, SizeIs(50));
  std::set<storage::call_key> calls;
  for (const auto& call : c.ended) {
    EXPECT_TRUE(calls.insert(call.call).second) << call.call.text();
    EXPECT_EQ(call.call.run, run_);
    EXPECT_EQ(call.cause, "");
    EXPECT_EQ(call.status, 200U);
    EXPECT_EQ(call.to, "sip:service@10.0.0.2:5060");
    EXPECT_EQ(call.from, "sip:caller@10.0.0.1");
    ASSERT_TRUE(call.answered);
    EXPECT_GE(*call.answered - call.started, 14ms);
    EXPECT_GE(call.ended - *call.answered, 314ms) << "its length, and BYE's way there and back";
    EXPECT_EQ(invites_.seen().count(call.call_id), 1U) << call.call_id;
  }
  for (size_t i = 0; i < c.numbers.size(); ++i)
    EXPECT_EQ(c.numbers[i], i + 1);
}

TEST_F(kept_call_test, what_is_kept_of_a_call_that_is_up_is_enough_to_take_up_its_dialog) {
  world_.answer(callee_, answer_manner_of(callee_));
  world_.keep_calls(caller_, store_, run_);
  world_.keep_calls(callee_, other_store_, run_);
  (void)world_.call(caller_, manner(), target_of(callee_.address), 10s);
  world_.pass(1s);
  const auto callers = content_of(store_);
  const auto callees = content_of(other_store_);
  ASSERT_THAT(callers.under_way, SizeIs(1));
  ASSERT_THAT(callees.under_way, SizeIs(1));
  const auto& out = callers.under_way.begin()->second;
  const auto& in = callees.under_way.begin()->second;
  EXPECT_FALSE(out.incoming);
  EXPECT_TRUE(in.incoming);
  EXPECT_EQ(out.call_id, in.call_id);
  EXPECT_EQ(out.target, "udp 10.0.0.2:5060");
  EXPECT_EQ(in.target, "udp 10.0.0.1:5060");
  ASSERT_TRUE(out.dialog && in.dialog);
  EXPECT_EQ(out.dialog->local_tag, in.dialog->remote_tag);
  EXPECT_EQ(out.dialog->remote_tag, in.dialog->local_tag);
  EXPECT_EQ(out.dialog->local_cseq, 1U);
  EXPECT_EQ(out.leg, out.dialog->leg);
  EXPECT_TRUE(out.dialog->is_caller);
  EXPECT_FALSE(in.dialog->is_caller);
}

TEST_F(kept_call_test, refused_and_unanswered_calls_have_records_too) {
  auto refusing = answer_manner_of(callee_);
  refusing.refuse_with = 486;
  world_.answer(callee_, refusing);
  world_.keep_calls(caller_, store_, run_);
  world_.keep_calls(callee_, other_store_, run_);
  (void)world_.call(caller_, manner(), target_of(callee_.address), 1s);
  auto nobody =
    manner_between(caller_, transport::target{transport::protocol::udp,
                                              lane::endpoint::parse("10.0.0.9", 5060).value()});
  (void)world_.call(caller_, std::make_shared<const call_manner>(nobody),
                    target_of(callee_.address), 1s);
  world_.pass(2min);
  const auto c = content_of(store_);
  EXPECT_THAT(c.under_way, IsEmpty());
  std::vector<std::string> ended;
  ended.reserve(c.ended.size());
  for (const auto& call : c.ended)
    ended.push_back(call.call.text() + " " + call.cause + " " + std::to_string(call.status));
  EXPECT_THAT(ended, UnorderedElementsAre("1-0 sip_486 486", "1-1 timeout 0"));
  const auto answering = content_of(other_store_);
  EXPECT_THAT(answering.under_way, IsEmpty());
  ASSERT_THAT(answering.ended, SizeIs(1));
  EXPECT_TRUE(answering.ended[0].incoming);
  EXPECT_EQ(answering.ended[0].cause, "sip_486");
  EXPECT_EQ(answering.ended[0].status, 486U);
}

/// The promise: at whatever moment it ends, no INVITE has left that the store does not know, and
/// each attempt gets one record.
TEST_F(kept_call_test, killed_at_every_event_it_has_lost_no_attempt_and_doubles_none) {
  world_.answer(callee_, answer_manner_of(callee_));
  world_.keep_calls(caller_, store_, run_);
  world_.run_load(caller_, plan(200, 400, 150ms), manner());
  size_t events = 0;
  while (!world_.heard().finished) {
    ASSERT_TRUE(world_.lane().step()) << "the run has not ended";
    ++events;
    storage::memory_store left{store_};
    left.lose(storage::memory_store::crash::process);
    const auto before = content_of(left);
    ASSERT_TRUE(storage::close_interrupted(left));
    const auto after = content_of(left);
    ASSERT_THAT(after.under_way, IsEmpty());
    ASSERT_EQ(after.ended.size(), before.ended.size() + before.under_way.size());
    std::set<std::string> known;
    for (const auto& call : after.ended)
      ASSERT_TRUE(known.insert(call.call_id).second)
        << call.call.text() << " has two records after event " << events;
    for (const auto& [call_id, branches] : invites_.seen()) {
      ASSERT_EQ(known.count(call_id), 1U) << "an attempt is lost after event " << events;
      ASSERT_THAT(branches, SizeIs(1)) << "an attempt was made twice";
    }
    ASSERT_TRUE(storage::close_interrupted(left));
    ASSERT_EQ(content_of(left).ended.size(), after.ended.size()) << "closed again";
  }
  EXPECT_GT(events, 1000U);
  EXPECT_THAT(invites_.seen(), SizeIs(200));
}

TEST_F(kept_call_test, after_the_loss_of_power_durable_attempts_are_known_too) {
  world_.answer(callee_, answer_manner_of(callee_));
  world_.keep_calls(caller_, store_, run_, durability::durable);
  world_.run_load(caller_, plan(50, 400, 100ms), manner());
  while (!world_.heard().finished) {
    ASSERT_TRUE(world_.lane().step()) << "the run has not ended";
    storage::memory_store left{store_};
    left.lose(storage::memory_store::crash::power);
    ASSERT_TRUE(storage::close_interrupted(left));
    std::set<std::string> known;
    for (const auto& call : content_of(left).ended)
      ASSERT_TRUE(known.insert(call.call_id).second) << call.call.text() << " has two records";
    for (const auto& [call_id, branches] : invites_.seen())
      ASSERT_EQ(known.count(call_id), 1U) << "an attempt is lost";
  }
}

TEST_F(kept_call_test, without_a_store_that_can_be_written_nothing_is_dialled) {
  world_.answer(callee_, answer_manner_of(callee_));
  world_.keep_calls(caller_, store_, run_);
  store_.fail_writes(storage::fault{storage::fault_kind::disk_full, {"D", "no space is left"}});
  (void)world_.call(caller_, manner(), target_of(callee_.address), 1s);
  world_.pass(1s);
  ASSERT_THAT(world_.heard().calls, SizeIs(1));
  EXPECT_EQ(world_.heard().calls[0].failure, failure_cause{failure_cause::not_recorded});
  EXPECT_THAT(invites_.seen(), IsEmpty());
  EXPECT_FALSE(caller_.context.keeps->takes_work());

  store_.fail_writes(std::nullopt);
  world_.pass(1s);
  EXPECT_TRUE(caller_.context.keeps->takes_work()) << "it is tried again";
  (void)world_.call(caller_, manner(), target_of(callee_.address), 100ms);
  world_.pass(1s);
  EXPECT_THAT(invites_.seen(), SizeIs(1));
  const auto c = content_of(store_);
  EXPECT_THAT(c.under_way, IsEmpty());
  ASSERT_THAT(c.ended, SizeIs(2)) << "nothing that was to be written is forgotten";
  EXPECT_EQ(c.ended[0].cause, "not_recorded");
  EXPECT_EQ(c.ended[1].cause, "");
}

TEST_F(kept_call_test, a_run_whose_store_fails_in_the_middle_loses_no_record_of_what_was_dialled) {
  world_.answer(callee_, answer_manner_of(callee_));
  world_.keep_calls(caller_, store_, run_);
  const auto hasty = plan(200, 100, 500ms);
  hasty->start_within = 0s;
  world_.run_load(caller_, hasty, manner());
  world_.at(500ms, [this] {
    store_.fail_writes(storage::fault{storage::fault_kind::disk_full, {"D", "no space is left"}});
  });
  world_.at(1200ms, [this] { store_.fail_writes(std::nullopt); });
  ASSERT_TRUE(world_.run_until_finished(1min));
  const auto& calls = world_.heard().finished->metrics->calls;
  EXPECT_GT(calls.missed_by_generator, 30U) << "while it failed no calls were placed";
  const auto c = content_of(store_);
  EXPECT_THAT(c.under_way, IsEmpty());
  EXPECT_EQ(c.ended.size(), calls.started);
  std::set<std::string> completed;
  for (const auto& call : c.ended)
    if (call.cause.empty())
      completed.insert(call.call_id);
  EXPECT_EQ(completed.size(), calls.completed);
  for (const auto& [call_id, branches] : invites_.seen())
    EXPECT_EQ(completed.count(call_id), 1U);
}

TEST_F(kept_call_test, a_run_ends_although_its_store_fails_for_good) {
  world_.answer(callee_, answer_manner_of(callee_));
  world_.keep_calls(caller_, store_, run_);
  world_.run_load(caller_, plan(20, 100, 500ms), manner());
  world_.at(300ms, [this] {
    store_.fail_writes(storage::fault{storage::fault_kind::failed, {"D", "the disk is gone"}});
  });
  EXPECT_TRUE(world_.run_until_finished(1min));
}

TEST_F(kept_call_test, answering_without_a_store_that_can_be_written_is_refused) {
  world_.answer(callee_, answer_manner_of(callee_));
  world_.keep_calls(callee_, store_, run_);
  store_.fail_writes(storage::fault{storage::fault_kind::disk_full, {"D", "no space is left"}});
  for (int i = 0; i < 2; ++i) { // the first finds out, the second is not begun
    (void)world_.call(caller_, manner(), target_of(callee_.address), 1s);
    world_.pass(200ms);
  }
  ASSERT_THAT(world_.heard().calls, SizeIs(2));
  for (const auto& call : world_.heard().calls)
    EXPECT_EQ(call.status, 503);
  store_.fail_writes(std::nullopt);
  world_.pass(1s);
  (void)world_.call(caller_, manner(), target_of(callee_.address), 1s);
  world_.pass(5s);
  EXPECT_EQ(world_.heard().calls.back().failure, failure_cause{});
}

} // namespace
} // namespace jackfield
