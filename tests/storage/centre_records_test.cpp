#include "storage/centre_records.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/kept_bindings.hpp"
#include "storage/memory_store.hpp"
#include "storage/run_book.hpp"
#include "storage/verification.hpp"
#include "tests/storage/sample_records.hpp"

namespace jackfield::storage {
namespace {

using std::string_literals::operator""s;
using testing::HasSubstr;

TEST(centre_records, come_back_with_every_field_and_with_none) {
  EXPECT_EQ(unpack_agent(pack(sample_agent())).value(), sample_agent());
  EXPECT_EQ(unpack_agent(pack(agent_record{})).value(), agent_record{});
  EXPECT_EQ(unpack_queue(pack(sample_queue())).value(), sample_queue());
  EXPECT_EQ(unpack_queue(pack(queue_record{})).value(), queue_record{});
  EXPECT_EQ(unpack_callback(pack(sample_callback())).value(), sample_callback());
  EXPECT_EQ(unpack_callback(pack(callback_record{})).value(), callback_record{});
}

TEST(centre_records, that_are_garbage_or_of_another_version_are_refused) {
  for (const auto& bytes : {""s, "\x01\xff"s, "\x01\x12\x7f short"s, "\x02"s}) {
    EXPECT_FALSE(unpack_agent(bytes)) << testing::PrintToString(bytes);
    EXPECT_FALSE(unpack_queue(bytes)) << testing::PrintToString(bytes);
    EXPECT_FALSE(unpack_callback(bytes)) << testing::PrintToString(bytes);
  }
  EXPECT_THAT(unpack_agent("\x02").error().cause, HasSubstr("an agent of layout version 2"));
  EXPECT_THAT(unpack_queue("\x02").error().cause, HasSubstr("a queue of layout version 2"));
}

TEST(centre_records, of_a_queue_say_how_many_wait) {
  EXPECT_EQ(sample_queue().waiting(), 2U); // 20 - 3 - 4 - 5 - 6
  EXPECT_EQ(queue_record{}.waiting(), 0U);
  queue_record odd;
  odd.answered = 1;
  EXPECT_EQ(odd.waiting(), 0U);
}

TEST(centre_records, stand_beside_the_format_and_are_looked_at_by_verify) {
  memory_store store;
  batch b;
  b.put(keyspace::meta, "format", "1");
  b.put(keyspace::meta, agent_key("alice/2"), pack(sample_agent()));
  b.put(keyspace::meta, queue_key("support"), pack(sample_queue()));
  auto later = sample_callback();
  later.since += std::chrono::seconds{5};
  later.call_id = "a later one";
  for (const auto& each : {later, sample_callback()})
    b.put(keyspace::meta, callback_key(each.call_id), pack(each));
  ASSERT_TRUE(store.write(b, durability::async));
  const auto all = read_centre(store).value();
  ASSERT_EQ(all.agents.size(), 1U);
  EXPECT_EQ(all.agents.at("alice/2"), sample_agent());
  ASSERT_EQ(all.queues.size(), 1U);
  EXPECT_EQ(all.queues.at("support"), sample_queue());
  EXPECT_THAT(all.callbacks, testing::ElementsAre(sample_callback(), later)) << "as they stand";
  EXPECT_TRUE(verify(store).value().sound());
  for (const auto& key : {agent_key("bob"), queue_key("bob"), callback_key("bob")}) {
    memory_store damaged{store};
    batch bad;
    bad.put(keyspace::meta, key, "\x01\xff");
    ASSERT_TRUE(damaged.write(bad, durability::async));
    const auto found = verify(damaged).value();
    ASSERT_EQ(found.findings.size(), 1U);
    EXPECT_THAT(found.findings.front().to_string(), HasSubstr(" bob: "));
    const auto read = read_centre(damaged);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().kind, fault_kind::corrupt);
    EXPECT_THAT(read.error().why.to_string(), HasSubstr(" bob: "));
  }
}

TEST(centre_records, of_a_call_that_is_closed_say_that_it_left_the_line_by_the_restart) {
  memory_store store;
  const auto run = begin_run(store, {}).value();
  auto waiting = sample_call();
  waiting.queueing->agent.clear();
  waiting.queueing->taken.reset();
  waiting.queueing->left.clear();
  batch b;
  b.put(keyspace::calls, key_of({run, 0}), pack(waiting));
  b.put(keyspace::calls, key_of({run, 1}), pack(sample_call()));
  ASSERT_TRUE(store.write(b, durability::async));
  ASSERT_TRUE(close_interrupted(store));
  std::vector<std::string> left;
  ASSERT_TRUE(store.scan(keyspace::events, {}, {}, [&](std::string_view, std::string_view value) {
    const auto event = unpack_event(value).value();
    if (const auto* call = std::get_if<call_ended>(&event.what)) {
      EXPECT_EQ(call->queueing.value().queue, "support");
      left.push_back(call->queueing->left);
    }
    return true;
  }));
  EXPECT_THAT(left, testing::ElementsAre("engine_restart", "answered"));
}

} // namespace
} // namespace jackfield::storage
