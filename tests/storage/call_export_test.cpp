#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/call_export.hpp"
#include "storage/memory_store.hpp"
#include "storage/records.hpp"

namespace jackfield::storage {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr wall_time began{std::chrono::milliseconds{1'767'323'045'678}};

call_ended completed() {
  call_ended call;
  call.call = {12, 1042};
  call.call_id = "aeaaaaiaaaaad";
  call.from = "sip:alice@192.0.2.1";
  call.to = "sip:bob@192.0.2.2";
  call.started = began;
  call.answered = began + std::chrono::seconds{1};
  call.ended = began + std::chrono::seconds{2};
  call.status = 200;
  return call;
}

call_ended refused() {
  call_ended call;
  call.call = {12, 1043};
  call.incoming = true;
  call.call_id = "say \"hi\", \x1b\n";
  call.from = "sip:\xe2\x80\xae@192.0.2.1";
  call.started = began;
  call.ended = began;
  call.cause = "sip_486";
  return call;
}

class export_of : public testing::Test {
protected:
  export_of() {
    put(1, run_started{12});
    put(2, completed());
    put(3, refused());
    put(4, std::monostate{});
    put(5, run_ended{12, "crash"});
    put(6, run_ended{13, ""});
  }
  template <class What>
  void put(uint64_t sequence, What what) {
    put_bytes(sequence, pack(event_record{began, std::move(what)}));
  }
  void put_bytes(uint64_t sequence, std::string bytes) {
    batch b;
    b.put(keyspace::events, event_key(sequence), std::move(bytes));
    EXPECT_TRUE(store_.write(b, durability::async));
  }
  std::string calls(uint64_t from, line_format format) {
    std::string all;
    EXPECT_TRUE(export_calls(store_, from, format, [&](std::string_view lines) {
      all += lines;
      return true;
    }));
    return all;
  }

  memory_store store_;
};

TEST_F(export_of, calls_as_json_lines) {
  EXPECT_EQ(
    calls(1, line_format::json_lines),
    R"({"seq":2,"id":"12-1042","call_id":"aeaaaaiaaaaad","attempt":"12-1042",)"
    R"("started":"2026-01-02T03:04:05.678Z","answered":"2026-01-02T03:04:06.678Z",)"
    R"("ended":"2026-01-02T03:04:07.678Z","cause":"completed","from":"sip:alice@192.0.2.1",)"
    R"("to":"sip:bob@192.0.2.2","direction":"outgoing","status":200,)"
    R"("queue":null,"agent":null,"waited":null,"talked":null,"left":null})"
    "\n"
    R"({"seq":3,"id":"12-1043","call_id":"say \"hi\", \u001b\u000a","attempt":null,)"
    R"("started":"2026-01-02T03:04:05.678Z","answered":null,)"
    R"("ended":"2026-01-02T03:04:05.678Z","cause":"sip_486","from":"sip:\u202e@192.0.2.1",)"
    R"("to":"","direction":"incoming","status":null,)"
    R"("queue":null,"agent":null,"waited":null,"talked":null,"left":null})"
    "\n");
}

TEST_F(export_of, calls_as_csv) {
  EXPECT_EQ(
    calls(1, line_format::csv),
    "seq,id,call_id,attempt,started,answered,ended,cause,from,to,direction,status,queue,agent,"
    "waited,talked,left\r\n"
    "2,12-1042,aeaaaaiaaaaad,12-1042,2026-01-02T03:04:05.678Z,2026-01-02T03:04:06.678Z,"
    "2026-01-02T03:04:07.678Z,completed,sip:alice@192.0.2.1,sip:bob@192.0.2.2,outgoing,"
    "200,,,,,\r\n"
    "3,12-1043,\"say \"\"hi\"\", <U+001B><U+000A>\",,2026-01-02T03:04:05.678Z,,"
    "2026-01-02T03:04:05.678Z,sip_486,sip:<U+202E>@192.0.2.1,,incoming,,,,,,\r\n");
}

call_ended of_a_queue(bool taken) {
  auto call = completed();
  call.incoming = true;
  auto& queueing = call.queueing.emplace();
  queueing.queue = "support";
  queueing.since = *call.answered;
  queueing.left = "abandoned";
  if (taken) {
    queueing.agent = "alice, desk 2";
    queueing.taken = *call.answered + std::chrono::milliseconds{250};
    queueing.left = "answered";
  }
  return call;
}

TEST_F(export_of, calls_to_queues_with_who_took_them) {
  put(7, of_a_queue(true));
  put(8, of_a_queue(false));
  const auto lines = calls(7, line_format::json_lines);
  EXPECT_THAT(lines, HasSubstr(R"("status":200,"queue":"support","agent":"alice, desk 2",)"
                               R"("waited":0.250,"talked":0.750,"left":"answered"})"));
  EXPECT_THAT(lines, HasSubstr(R"("status":200,"queue":"support","agent":null,)"
                               R"("waited":1.000,"talked":0.000,"left":"abandoned"})"));
  const auto table = calls(7, line_format::csv);
  EXPECT_THAT(table, HasSubstr(",200,support,\"alice, desk 2\",0.250,0.750,answered\r\n"));
  EXPECT_THAT(table, HasSubstr(",200,support,,1.000,0.000,abandoned\r\n"));
}

TEST_F(export_of, calls_a_page_at_a_time) {
  put(7, of_a_queue(true));
  const auto first = read_calls(store_, 0, 2).value();
  ASSERT_EQ(first.calls.size(), 2U);
  EXPECT_EQ(first.calls[0] + "\n" + first.calls[1] + "\n" + read_calls(store_, 3, 1)->calls[0] +
              "\n",
            calls(1, line_format::json_lines));
  EXPECT_EQ(first.last, 3U);
  EXPECT_TRUE(first.more);
  const auto last = read_calls(store_, first.last, 2).value();
  EXPECT_EQ(last.calls.size(), 1U);
  EXPECT_EQ(last.last, 7U);
  EXPECT_FALSE(last.more);
  EXPECT_THAT(read_calls(store_, 7, 2)->calls, IsEmpty());
  const auto nothing_yet = read_calls(store_, 3, 2, 2).value();
  EXPECT_THAT(nothing_yet.calls, IsEmpty()) << "two events that are no calls";
  EXPECT_EQ(nothing_yet.last, 5U);
  EXPECT_TRUE(nothing_yet.more);
  put_bytes(8, "\x01\xff");
  const auto damaged = read_calls(store_, 7, 2);
  ASSERT_FALSE(damaged);
  EXPECT_THAT(damaged.error().why.to_string(), HasSubstr("event 8: "));
}

TEST_F(export_of, calls_begins_at_the_number_that_was_asked_for) {
  EXPECT_THAT(calls(3, line_format::json_lines), StartsWith("{\"seq\":3,"));
  EXPECT_THAT(calls(4, line_format::json_lines), IsEmpty());
  EXPECT_THAT(calls(UINT64_MAX, line_format::csv), StartsWith("seq,"));
}

TEST_F(export_of, all_events) {
  std::string all;
  EXPECT_TRUE(export_events(store_, 3, [&](std::string_view lines) {
    all += lines;
    return true;
  }));
  EXPECT_THAT(all, StartsWith(R"({"seq":3,"at":"2026-01-02T03:04:05.678Z","event":"call_ended",)"
                              R"("id":"12-1043",)"));
  EXPECT_THAT(all, HasSubstr("\n"
                             R"({"seq":4,"at":"2026-01-02T03:04:05.678Z","event":"unknown"})"
                             "\n"
                             R"({"seq":5,"at":"2026-01-02T03:04:05.678Z","event":"run_ended",)"
                             R"("run":12,"by":"crash"})"
                             "\n"
                             R"({"seq":6,"at":"2026-01-02T03:04:05.678Z","event":"run_ended",)"
                             R"("run":13,"by":null})"
                             "\n"));
}

TEST_F(export_of, a_run_that_went_on) {
  put(7, run_resumed{12});
  put(8, run_progress{12, 1, 77, 8, 9});
  std::string all;
  EXPECT_TRUE(export_events(store_, 7, [&](std::string_view lines) {
    all += lines;
    return true;
  }));
  EXPECT_EQ(all, R"({"seq":7,"at":"2026-01-02T03:04:05.678Z","event":"run_resumed","run":12})"
                 "\n"
                 R"({"seq":8,"at":"2026-01-02T03:04:05.678Z","event":"run_progress","run":12,)"
                 R"("lane":1,"next":77,"missed_by_limit":8,"missed_by_generator":9})"
                 "\n");
}

TEST_F(export_of, a_damaged_record_leaves_the_others) {
  put_bytes(7, "x");
  put(8, completed());
  put_bytes(9, "y");
  std::string all;
  const auto done = export_calls(store_, 4, line_format::json_lines, [&](std::string_view lines) {
    all += lines;
    return true;
  });
  EXPECT_THAT(all, StartsWith("{\"seq\":8,"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, fault_kind::corrupt);
  EXPECT_EQ(done.error().why.place, "event 7");
  EXPECT_THAT(done.error().why.cause, HasSubstr("nor can 1 more be read"));
}

TEST_F(export_of, much_comes_in_parts_and_ends_when_nobody_wants_more) {
  constexpr uint64_t many = 5000;
  for (uint64_t i = 7; i < many; ++i)
    put(i, completed());
  size_t parts = 0;
  size_t most = 0;
  EXPECT_TRUE(export_calls(store_, 1, line_format::json_lines, [&](std::string_view lines) {
    ++parts;
    most = std::max(most, lines.size());
    return true;
  }));
  EXPECT_GT(parts, 10U);
  EXPECT_LT(most, 70'000U);
  parts = 0;
  EXPECT_TRUE(export_calls(store_, 1, line_format::json_lines,
                           [&](std::string_view /*lines*/) { return ++parts < 3; }));
  EXPECT_EQ(parts, 3U);
}

} // namespace
} // namespace jackfield::storage
