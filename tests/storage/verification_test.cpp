#include <chrono>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/memory_store.hpp"
#include "storage/records.hpp"
#include "storage/verification.hpp"

namespace jackfield::storage {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class verification_of : public testing::Test {
protected:
  void put(keyspace space, std::string key, std::string value) {
    batch b;
    b.put(space, std::move(key), std::move(value));
    EXPECT_TRUE(store_.write(b, durability::async));
  }
  void put_run(uint64_t number, bool ended = false) {
    run_record run;
    run.kind = "load";
    if (ended)
      run.ended = wall_time{std::chrono::seconds{1}};
    put(keyspace::runs, run_key(number), pack(run));
  }
  void put_end(uint64_t sequence, const call_key& call) {
    call_ended end;
    end.call = call;
    put(keyspace::events, event_key(sequence), pack(event_record{{}, end}));
  }
  void put_call(const call_key& call) { put(keyspace::calls, key_of(call), pack(call_record{})); }

  [[nodiscard]] verification verified() const {
    auto v = verify(store_);
    EXPECT_TRUE(v) << v.error().why.to_string();
    return v ? *v : verification{};
  }
  /// The only finding, as text.
  [[nodiscard]] std::string finding() const {
    const auto v = verified();
    EXPECT_EQ(v.findings.size(), 1U);
    EXPECT_EQ(v.more_findings, 0U);
    return v.findings.empty() ? "" : v.findings.front().to_string();
  }

  memory_store store_;
};

TEST_F(verification_of, an_empty_store_finds_nothing) {
  EXPECT_TRUE(verified().sound());
}

TEST_F(verification_of, a_sound_store_counts_what_it_holds) {
  put_run(1, true);
  put_run(2);
  // In the order in which calls end, which is not that of their numbers; trimmed from the front.
  uint64_t sequence = 7;
  for (const uint64_t number : {5, 1, 0, 3, 2, 4})
    put_end(sequence++, {1, number});
  put_end(sequence, {2, 0});
  put_call({2, 1});
  put(keyspace::registrations, bindings_key("alice@example.com"), pack(bindings_record{}));
  put(keyspace::registrations, registration_key({1, 6}), pack(registration_record{}));
  put(keyspace::registrations, registration_key({2, 2}), pack(registration_record{}));
  const auto v = verified();
  EXPECT_THAT(v.findings, IsEmpty());
  EXPECT_EQ(v.addresses, 1U);
  EXPECT_EQ(v.registrations, 2U);
  EXPECT_EQ(v.runs, 2U);
  EXPECT_EQ(v.calls_finished, 7U);
  EXPECT_EQ(v.calls_under_way, 1U);
  EXPECT_EQ(v.events, 7U);
  EXPECT_EQ(v.first_event, 7U);
  EXPECT_EQ(v.last_event, 13U);
}

TEST_F(verification_of, a_gap_in_events_is_found) {
  put_run(1);
  put_end(1, {1, 0});
  put_end(4, {1, 1});
  EXPECT_EQ(finding(), "event 4: follows event 1, those between are missing");
}

TEST_F(verification_of, a_call_that_finished_twice_is_found) {
  put_run(1);
  uint64_t sequence = 0;
  for (const uint64_t number : {3, 0, 1, 2, 1})
    put_end(++sequence, {1, number});
  EXPECT_EQ(finding(), "call 1-1: finished a second time by event 5");
}

TEST_F(verification_of, the_same_number_in_two_runs_is_two_calls) {
  put_run(1);
  put_run(2);
  put_end(1, {1, 0});
  put_end(2, {2, 0});
  EXPECT_TRUE(verified().sound());
}

TEST_F(verification_of, a_finished_call_that_is_under_way_is_found) {
  put_run(1);
  put_end(1, {1, 4});
  put_call({1, 4});
  EXPECT_EQ(finding(), "call 1-4: is under way, though it has finished");
}

TEST_F(verification_of, calls_of_a_missing_run_are_found) {
  put_run(1);
  put_call({2, 4});
  put_end(1, {3, 0});
  const auto v = verified();
  ASSERT_EQ(v.findings.size(), 2U);
  EXPECT_EQ(v.findings[0].to_string(), "event 1: names run 3, which is missing");
  EXPECT_EQ(v.findings[1].to_string(), "call 2-4: its run is missing");
}

TEST_F(verification_of, registrations_of_a_missing_run_are_found) {
  put_run(1);
  put(keyspace::registrations, registration_key({2, 4}), pack(registration_record{}));
  EXPECT_EQ(finding(), "registration 2-4: its run is missing");
}

TEST_F(verification_of, the_events_of_a_missing_run_are_found) {
  put(keyspace::events, event_key(1), pack(event_record{{}, run_started{9}}));
  EXPECT_EQ(finding(), "event 1: names run 9, which is missing");
}

TEST_F(verification_of, a_call_under_way_in_a_run_that_ended_is_found) {
  put_run(1, true);
  put_call({1, 0});
  EXPECT_EQ(finding(), "call 1-0: is under way, though its run has ended");
}

TEST_F(verification_of, records_that_do_not_unpack_are_found) {
  put(keyspace::runs, run_key(1), "x");
  put(keyspace::events, event_key(1), "x");
  put(keyspace::calls, key_of({1, 0}), "x");
  put(keyspace::registrations, bindings_key("a@b"), "x");
  put(keyspace::registrations, registration_key({1, 2}), "x");
  const auto v = verified();
  ASSERT_EQ(v.findings.size(), 5U);
  EXPECT_EQ(v.findings[0].place, "run 1");
  EXPECT_EQ(v.findings[1].place, "bindings of a@b");
  EXPECT_EQ(v.findings[2].place, "registration 1-2");
  EXPECT_EQ(v.findings[3].place, "event 1");
  EXPECT_EQ(v.findings[4].place, "call 1-0");
}

TEST_F(verification_of, keys_without_their_form_are_found) {
  put(keyspace::meta, "format", "one");
  put(keyspace::runs, "ab", pack(run_record{}));
  put(keyspace::events, "abc", pack(event_record{}));
  put(keyspace::calls, "abcd", pack(call_record{}));
  put(keyspace::registrations, "bcde", pack(bindings_record{}));
  const auto v = verified();
  ASSERT_EQ(v.findings.size(), 5U);
  EXPECT_EQ(v.findings[0].to_string(), "format: \"one\" is no number");
  EXPECT_THAT(v.findings[1].to_string(), HasSubstr("runs: a key 0x6162 "));
  EXPECT_THAT(v.findings[2].to_string(), HasSubstr("registrations: a key 0x62636465 "));
  EXPECT_THAT(v.findings[3].to_string(), HasSubstr("events: a key 0x616263 "));
  EXPECT_THAT(v.findings[4].to_string(), HasSubstr("calls: a key 0x61626364 "));
}

TEST_F(verification_of, many_findings_are_counted) {
  put_run(1);
  for (uint64_t i = 0; i < 50; ++i)
    put_end(i + 1, {1, 0});
  const auto v = verified();
  EXPECT_EQ(v.findings.size(), verification::most_findings);
  EXPECT_EQ(v.more_findings, 29U);
}

} // namespace
} // namespace jackfield::storage
